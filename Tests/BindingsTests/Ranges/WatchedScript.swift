import Foundation
import TestSupport

/// Runs a script of calls in processes of little memory: one that ends or hangs is named with its call, and the next goes on behind it.
struct WatchedScript {
    private let script: RangeScript
    private let scratch: Scratch
    /// How long a call may work before it is interrupted, in seconds; it decides on nothing else.
    private let patience = 0.5
    /// After so long an interrupted call hangs, in seconds.
    private let hanging = 120.0

    init(_ script: RangeScript) throws {
        self.script = script
        scratch = try Scratch()
        try scratch.write("calls.lua", script.text)
    }

    /// What failed.
    func run() throws -> [String] {
        var failures: [String] = []
        var from = 0
        while from <= script.calls.count {
            try scratch.write("progress", "")
            let child = try Program.start(
                ["calls.lua", "\(from)"], in: scratch.path, shell: "ulimit -v 3000000")
            let hangs = watch(child)
            let outcome = try child.wait()
            let last = place()
            let call = last == 0 ? "the good calls" : script.calls[last - 1]
            // Arguments that only fail would show nothing.
            let refused = outcome.output.split(separator: "\n").count { $0.hasPrefix("refused:") }
            if from == 0, refused > 5, refused > script.goodCalls.count * 2 / 3 {
                failures.append(
                    "\(refused) of \(script.goodCalls.count) good calls failed:\n\(outcome.output)"
                )
            }
            // mt.options leaves with 2 where a command line is not what was declared.
            if hangs {
                failures.append("\(call): hangs")
            } else if outcome.code == 0 {
                break
            } else if ![2, 130].contains(outcome.code) {
                failures.append("\(call): status \(outcome.code)\n\(outcome.errors.suffix(2000))")
            }
            if last == 0 { break }
            from = last + 1
        }
        return failures
    }

    /// The number of the call that is under way.
    private func place() -> Int {
        let text = (try? String(contentsOfFile: scratch.path + "/progress", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").last.flatMap { Int($0) } ?? 0
    }

    /// Interrupts calls that work for long; whether one hung, which is then killed.
    private func watch(_ child: Program.Running) -> Bool {
        var (last, since, interrupted) = (0, Date(), false)
        while child.isRunning {
            usleep(20_000)
            let now = place()
            if now != last { (last, since, interrupted) = (now, Date(), false) }
            let waited = Date().timeIntervalSince(since)
            if waited > hanging {
                child.signal(SIGKILL)
                return true
            }
            if last > 0, waited > patience, !interrupted {
                child.signal(SIGINT)
                interrupted = true
            }
        }
        return false
    }
}
