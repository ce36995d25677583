import Bindings
import Glibc
import Runtime

/// Runs Lua for the command line and the prompt: shows errors and keeps exit codes.
final class Host {
    let interpreter: Interpreter
    /// A script asked to leave.
    private(set) var isLeaving = false

    private let messages: Messages

    init(_ settings: Interpreter.Settings) throws {
        let messages = Messages()
        var settings = settings
        settings.report = messages.show
        self.messages = messages
        interpreter = try Interpreter(settings)
        interpreter.catchInterrupts()
    }

    /// Runs something; an error is shown on standard error, and its exit code returned.
    func run(_ body: (Interpreter) throws -> Void) throws -> Int32 {
        defer {
            messages.clear()
            fflush(nil)
        }
        do {
            try body(interpreter)
            // Ctrl-C may have come too late to be delivered.
            return interpreter.clearInterrupt() ? ExitStatus.interrupted : ExitStatus.success
        } catch let request as ExitRequest {
            isLeaving = true
            return Int32(truncatingIfNeeded: request.code & 255)
        } catch let error as Interrupted {
            interpreter.clearInterrupt()
            show(error.message)
            return ExitStatus.interrupted
        } catch let error as any RuntimeError {
            interpreter.clearInterrupt()
            show(error.message)
            return ExitStatus.failure
        }
    }

    /// Runs a piece of input as the prompt does: an expression is printed.
    ///
    /// - Returns: the exit code it would have as a script, or nil if it needs more text.
    func evaluate(_ text: String) -> Int32? {
        do {
            return try run { interpreter in
                let source = try Self.source(text, interpreter)
                try interpreter.run(source, name: "=stdin", printing: true)
            }
        } catch {
            return nil
        }
    }

    /// Runs text that is known to be unfinished, for its error message.
    func complain(_ text: String) -> Int32 {
        (try? run { try $0.run(text, name: "=stdin") }) ?? ExitStatus.failure
    }

    /// The chunk to run: `return TEXT` if that parses.
    ///
    /// - Throws: `NeedsMore` if the text is the beginning of a chunk.
    private static func source(_ text: String, _ interpreter: Interpreter) throws -> String {
        let trimmed = text.drop { $0 == " " || $0 == "\t" }
        let plain = trimmed.hasPrefix("=") ? "return " + trimmed.dropFirst() : text
        do {
            try interpreter.parse("return \(text)", name: "=stdin")
            return "return \(text)"
        } catch is LuaSyntaxError {}
        do {
            try interpreter.parse(plain, name: "=stdin")
        } catch let error as LuaSyntaxError where error.isIncomplete {
            throw NeedsMore()
        }
        return plain
    }

    private func show(_ message: String) {
        fflush(nil)
        messages.show(.line("mtrepl: \(message)"))
    }
}

/// The input is the beginning of a chunk.
struct NeedsMore: Error {}
