import Bindings
import CReadline
import Glibc
import Runtime

/// The interactive prompt.
struct Prompt {
    let host: Host
    /// Whether the start-up file is read.
    let readsStartUpFile: Bool

    /// Commands that take longer than this are followed by their time.
    private static let patience = Duration.seconds(1)

    init(_ host: Host, readsStartUpFile: Bool) {
        self.host = host
        self.readsStartUpFile = readsStartUpFile
    }

    /// Reads, runs and prints until Ctrl-D or `os.exit`; returns the exit code.
    func run() -> Int32 {
        let interpreter = host.interpreter
        print(
            "mtrepl \(Version.text) – ?name or help(name) explains, Tab completes, who() lists, Ctrl-D leaves"
        )
        fflush(nil)
        let code = host.begin(
            atPrompt: true, startUpFile: readsStartUpFile ? StartUpFile.path : nil)
        if host.isLeaving { return code }
        interpreter.clearInterrupt()
        let editor = LineEditor(
            history: Self.historyPath, complete: { interpreter.complete($0) },
            isInterrupted: { interpreter.clearInterrupt() })
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
            case .line(let line):
                if pending.isEmpty, line.allSatisfy(\.isWhitespace) { continue }
                if pending.isEmpty, let command = PromptCommand(line) {
                    editor.remember(line)
                    run(command)
                    continue
                }
                pending += pending.isEmpty ? line : "\n" + line
                let started = ContinuousClock.now
                guard let code = host.evaluate(pending) else { continue }
                Self.show(ContinuousClock.now - started)
                editor.remember(pending)
                pending = ""
                if host.isLeaving { return code }
            }
        }
    }

    private func run(_ command: PromptCommand) {
        _ = try? host.run { interpreter in
            switch command {
            case .help(let name): print(try interpreter.help(name))
            case .source(let name): print(try interpreter.source(name))
            case .shell(let text):
                guard interpreter.settings.safeFolder == nil else {
                    throw LuaError("--safe: $ is not available")
                }
                fflush(nil)
                let status = mt_shell(text)
                if status != 0 { print("(exit status \(status))") }
            }
        }
    }

    private static func show(_ time: Duration) {
        guard time > patience else { return }
        let seconds = time / .seconds(1)
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
