import ArgumentParser
import Bindings
import Glibc
import Runtime

/// What the process leaves with.
enum ExitStatus {
    static let success: Int32 = 0
    static let failure: Int32 = 1
    static let usage: Int32 = 2
    static let interrupted: Int32 = 130
    /// The terminal was closed.
    static let hangup: Int32 = 129
}

/// Parses and runs a command with our exit codes: 2 for a wrong command line.
enum CommandLineParser {
    static func run(_ type: any ParsableCommand.Type, _ arguments: [String]) -> Never {
        do {
            try Numerics.checkLevel()
            var command = try type.parseAsRoot(arguments)
            try command.run()
            finish(ExitStatus.success)
        } catch let code as ExitCode {
            finish(code.rawValue)
        } catch let error as any RuntimeError {
            Interpreter.Report.toStandardError("mtrepl: \(error.message)\n")
            finish(ExitStatus.failure)
        } catch {
            if type.exitCode(for: error) == .success {
                say(type.fullMessage(for: error))
                finish(ExitStatus.success)
            }
            Interpreter.Report.toStandardError(type.fullMessage(for: error) + "\n")
            finish(ExitStatus.usage)
        }
    }

    /// Checks the value of `--threads`.
    static func check(threads: Int?) throws {
        if let threads, !(1...256).contains(threads) {
            throw ValidationError("--threads: an integer in 1 ... 256 expected, got \(threads)")
        }
    }

    /// Flushes standard output and leaves; output that was lost is a failure.
    static func finish(_ code: Int32) -> Never {
        let arrived = Interpreter.Report.flushStandardOutput()
        fflush(nil)
        guard !arrived, code == ExitStatus.success else { exit(code) }
        Interpreter.Report.toStandardError("mtrepl: standard output could not be written in full\n")
        exit(ExitStatus.failure)
    }
}
