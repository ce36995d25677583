import Bindings
import CReadline
import Glibc
import Runtime

/// The interactive prompt.
struct Prompt {
    let host: Host
    let view: TerminalView
    /// Whether the start-up file is read.
    let readsStartUpFile: Bool

    /// Commands that take longer than this, in seconds, are followed by their time.
    private static let patience = 1.0

    init(_ host: Host, _ view: TerminalView, readsStartUpFile: Bool) {
        self.host = host
        self.view = view
        self.readsStartUpFile = readsStartUpFile
    }

    /// Reads, runs and prints until Ctrl-D or `os.exit`; returns the exit code.
    func run() -> Int32 {
        let interpreter = host.interpreter
        print(
            "mtrepl \(Version.text) – ?name or help(name) explains, Tab completes, who() lists, Ctrl-D leaves"
        )
        fflush(nil)
        let start = host.begin(startUpFile: readsStartUpFile ? StartUpFile.path : nil)
        if host.isLeaving { return start.code }
        view.isAtPrompt = true
        interpreter.clearInterrupt()
        let editor = LineEditor(
            history: Self.historyPath, complete: { interpreter.complete($0) },
            isInterrupted: { interpreter.clearInterrupt() },
            isTerminated: { interpreter.exitCode != nil },
            news: LineEditor.News(
                descriptor: { interpreter.session.backgroundDescriptor },
                announce: { host.announce() }))
        let bold = Screen.colours(1)
        var pending = ""
        while true {
            editor.before = pending.isEmpty ? "" : pending + "\n"
            switch editor.read(Self.mark(pending.isEmpty ? "> " : ">> ", bold)) {
            case .end:
                print()
                if pending.isEmpty { return ExitStatus.success }
                pending = ""
            case .interrupted:
                pending = ""
            case .terminated:
                return interpreter.exitCode ?? ExitStatus.success
            case .line(let line):
                if pending.isEmpty, line.allSatisfy(\.isWhitespace) { continue }
                pending += pending.isEmpty ? line : "\n" + line
                guard let result = host.evaluate(pending) else { continue }
                Self.show(result.seconds)
                editor.remember(pending)
                pending = ""
                if host.isLeaving { return result.code }
            }
        }
    }

    private static func show(_ seconds: Double) {
        guard seconds > patience else { return }
        let text = seconds < 60 ? "\((seconds * 10).rounded() / 10) s" : minutes(Int(seconds))
        print(Screen.colours(1) ? "\u{1b}[2m(\(text))\u{1b}[0m" : "(\(text))")
        fflush(nil)
    }

    private static func minutes(_ seconds: Int) -> String {
        seconds < 3600
            ? "\(seconds / 60) min \(seconds % 60) s"
            : "\(seconds / 3600) h \(seconds % 3600 / 60) min"
    }

    /// The prompt in bold; readline must know which of its characters take no room.
    private static func mark(_ text: String, _ bold: Bool) -> String {
        bold ? "\u{1}\u{1b}[1;36m\u{2}\(text)\u{1}\u{1b}[0m\u{2}" : text
    }

    /// `MTREPL_HISTORY`, or `.mtrepl_history` in the home folder.
    private static var historyPath: String? {
        if let path = getenv("MTREPL_HISTORY").map({ String(cString: $0) }) {
            return path.isEmpty ? nil : path
        }
        return getenv("HOME").map { String(cString: $0) + "/.mtrepl_history" }
    }
}

/// `.mtreplrc.lua`, which the prompt runs first.
enum StartUpFile {
    /// The one in the working folder, else the one in the home folder.
    static var path: String? {
        [".mtreplrc.lua", Screen.variable("HOME") + "/.mtreplrc.lua"].first {
            access($0, R_OK) == 0
        }
    }
}
