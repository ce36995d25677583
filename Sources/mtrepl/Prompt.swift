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
        print(Self.greeting(Screen.width))
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
                announce: { host.announce() },
                isUnderWay: { Screen.isLive && interpreter.session.isTrainingInBackground }))
        var pending = ""
        while true {
            editor.before = pending.isEmpty ? "" : pending + "\n"
            let isFirst = pending.isEmpty
            switch editor.read({ Self.mark(isFirst, interpreter.session) }) {
            case .end:
                print()
                if pending.isEmpty { return ExitStatus.success }
                pending = ""
            case .interrupted:
                pending = ""
            case .terminated:
                return interpreter.exitCode ?? ExitStatus.hangup
            case .line(let line):
                if pending.isEmpty, line.allSatisfy(\.isWhitespace) { continue }
                pending += pending.isEmpty ? line : "\n" + line
                guard let result = host.evaluate(pending) else { continue }
                if !view.hasPaged { Self.show(result.seconds) }
                editor.remember(pending)
                pending = ""
                if host.isLeaving { return result.code }
            }
        }
    }

    private static func show(_ seconds: Double) {
        guard seconds > patience else { return }
        let text = seconds < 60 ? "\((seconds * 10).rounded() / 10) s" : Amount.duration(seconds)
        print(Screen.colours(1) ? "\u{1b}[2m(\(text))\u{1b}[0m" : "(\(text))")
        fflush(nil)
    }

    /// What a new session says, as far as there is room.
    private static func greeting(_ width: Int) -> String {
        let hints = [
            "?name explains", "Tab completes", "who() lists", "$ command runs a command",
            "Ctrl-D leaves",
        ]
        var line = "mtrepl \(Version.text)"
        for (index, hint) in hints.enumerated() {
            let more = (index == 0 ? " – " : ", ") + hint
            if line.count + more.count < width { line += more }
        }
        return line
    }

    /// The prompt: before it how far training in the background is, itself in bold.
    private static func mark(_ isFirst: Bool, _ session: Session) -> String {
        let state =
            isFirst && Screen.isLive
            ? session.backgroundSummary(columns: Screen.width / 2).singleLine.visible() : ""
        let text = isFirst ? "> " : ">> "
        guard Screen.colours(1) else { return (state.isEmpty ? "" : state + " ") + text }
        return (state.isEmpty ? "" : hidden("\u{1b}[2m") + state + hidden("\u{1b}[0m") + " ")
            + hidden("\u{1b}[1;36m") + text + hidden("\u{1b}[0m")
    }

    /// readline must know which characters of a prompt take no room.
    private static func hidden(_ text: String) -> String { "\u{1}\(text)\u{2}" }

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
