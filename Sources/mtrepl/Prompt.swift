import Bindings
import Glibc

/// The interactive prompt.
struct Prompt {
    let host: Host

    init(_ host: Host) { self.host = host }

    /// Reads, runs and prints until Ctrl-D or `os.exit`; returns the exit code.
    func run() -> Int32 {
        let interpreter = host.interpreter
        print("mtrepl \(Version.text) – mt.help() lists the library, Ctrl-D leaves")
        fflush(nil)
        interpreter.clearInterrupt()
        let editor = LineEditor(history: Self.historyPath) { interpreter.clearInterrupt() }
        var pending = ""
        while true {
            switch editor.read(pending.isEmpty ? "> " : ">> ") {
            case .end:
                if pending.isEmpty {
                    print()
                    return ExitStatus.success
                }
                pending = ""
                print()
            case .interrupted:
                pending = ""
            case .line(let line):
                if pending.isEmpty, line.allSatisfy(\.isWhitespace) { continue }
                pending += pending.isEmpty ? line : "\n" + line
                guard let code = host.evaluate(pending) else { continue }
                editor.remember(pending)
                pending = ""
                if host.isLeaving { return code }
            }
        }
    }

    /// `MTREPL_HISTORY`, or `.mtrepl_history` in the home folder.
    private static var historyPath: String? {
        if let path = getenv("MTREPL_HISTORY").map({ String(cString: $0) }) {
            return path.isEmpty ? nil : path
        }
        return getenv("HOME").map { String(cString: $0) + "/.mtrepl_history" }
    }
}
