import Glibc

/// Reads lines from standard input when it is not a terminal: no prompt, no echo, otherwise as the prompt.
struct LineInput {
    let host: Host

    init(_ host: Host) { self.host = host }

    /// Runs every line; the exit code is that of the last error, 0 without one.
    func run() -> Int32 {
        var code = ExitStatus.success
        _ = host.begin()
        var pending = ""
        while !host.isLeaving, let line = readLine() {
            pending += pending.isEmpty ? line : "\n" + line
            if pending.allSatisfy(\.isWhitespace) {
                pending = ""
                continue
            }
            guard let result = host.evaluate(pending)?.code else { continue }
            pending = ""
            if result != ExitStatus.success || host.isLeaving { code = result }
            if result == ExitStatus.interrupted { return result }
        }
        // Ctrl-C or a request to end while waiting for a line.
        if let asked = host.interpreter.exitCode { return asked }
        if host.interpreter.clearInterrupt() { return ExitStatus.interrupted }
        if !pending.isEmpty, !host.isLeaving { code = host.complain(pending).code }
        return code
    }
}
