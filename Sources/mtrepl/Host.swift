import Bindings
import Glibc
import Runtime

/// Runs Lua for the command line and the prompt: shows errors and keeps exit codes.
final class Host {
    let interpreter: Interpreter
    /// A script asked to leave.
    private(set) var isLeaving = false

    private let messages: Messages
    private var inputs = 0
    private var isAtPrompt = false

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
            show(error)
            return ExitStatus.interrupted
        } catch let error as any RuntimeError {
            interpreter.clearInterrupt()
            show(error)
            return ExitStatus.failure
        }
    }

    /// Runs a piece of input as the prompt does: an expression is printed.
    ///
    /// - Returns: the exit code it would have as a script, or nil if it needs more text.
    func evaluate(_ text: String) -> Int32? {
        do {
            return try run { interpreter in
                let name = "=input \(inputs + 1)"
                let source = try Self.source(text, name, interpreter)
                inputs += 1
                interpreter.chunks[name] = text
                let silenced = Interpreter.isSilenced(text)
                try interpreter.run(source, name: name, results: silenced ? .kept : .printed)
            }
        } catch {
            return nil
        }
    }

    /// Runs text that is known to be unfinished, for its error message.
    func complain(_ text: String) -> Int32 {
        (try? run { try $0.run(text, name: "=input \(inputs + 1)") }) ?? ExitStatus.failure
    }

    /// The chunk to run: `return TEXT` if that parses.
    ///
    /// - Throws: `NeedsMore` if the text is the beginning of a chunk.
    private static func source(_ text: String, _ name: String, _ interpreter: Interpreter) throws
        -> String
    {
        let trimmed = text.drop { $0 == " " || $0 == "\t" }
        let plain = trimmed.hasPrefix("=") ? "return " + trimmed.dropFirst() : text
        do {
            try interpreter.parse("return \(text)", name: name)
            return "return \(text)"
        } catch is LuaSyntaxError {}
        do {
            try interpreter.parse(plain, name: name)
        } catch let error as LuaSyntaxError where error.isIncomplete {
            throw NeedsMore()
        } catch {
            interpreter.chunks[name] = text
            throw error
        }
        return plain
    }

    /// Makes the globals of a prompt and runs the start-up file, if there is one.
    func begin(atPrompt: Bool, startUpFile: String? = nil) -> Int32 {
        defer { isAtPrompt = atPrompt }
        return
            (try? run { interpreter in
                try interpreter.beginPrompt()
                if let startUpFile { try interpreter.run(file: startUpFile) }
            }) ?? ExitStatus.failure
    }

    /// The message, the line of source it names, and the traceback without what lies below the chunk.
    private func show(_ error: any RuntimeError) {
        fflush(nil)
        var lines = error.message.split(separator: "\n", omittingEmptySubsequences: false).map(
            String.init)
        while lines.count > 1, lines.last == "\t[C]: in ?" { lines.removeLast() }
        if !isAtPrompt { lines[0] = "mtrepl: " + lines[0] }
        let end = lines.firstIndex(of: "stack traceback:") ?? lines.count
        if Screen.colours(2) {
            for index in 0..<end { lines[index] = "\u{1b}[1;31m\(lines[index])\u{1b}[0m" }
        }
        if let source = interpreter.sourceLine(error) {
            lines.insert("  \(source.number) | \(source.text)", at: end)
        }
        messages.show(.line(lines.joined(separator: "\n")))
    }
}

/// The input is the beginning of a chunk.
struct NeedsMore: Error {}
