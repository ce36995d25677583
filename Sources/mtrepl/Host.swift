import Bindings
import CReadline
import Glibc
import Runtime

/// Runs cells of Lua in an interpreter, one after the other, for the command line, the prompt, session logs and Jupyter.
///
/// What comes of a cell goes to the observers, in order and as it happens.
final class Host {
    let interpreter: Interpreter
    /// A cell asked to leave.
    private(set) var isLeaving = false
    /// Inputs so far; the next has the number after it in its error messages.
    var inputs = 0

    /// The log of the session, if there is one.
    var log: SessionLog?

    private let relay: Relay

    /// Hands on what the interpreter reports and what is written to the standard streams.
    private final class Relay {
        var observers: [any CellObserver]
        var texts: [Int32: StreamText] = [:]

        init(_ observers: [any CellObserver]) { self.observers = observers }

        func send(_ event: CellEvent) { for observer in observers { observer.receive(event) } }

        func report(_ report: Interpreter.Report) {
            switch report {
            case .line(let text): Interpreter.Report.toStandardError(text + "\n")
            case .status(let text): send(.status(text))
            case .output(let output): flushed(.display(output))
            case .value(let output): flushed(.value(output))
            case .clear(let wait): flushed(.clear(wait: wait))
            case .page(let text): flushed(.page(text))
            }
        }

        func flushed(_ event: CellEvent) {
            _ = Interpreter.Report.flushStandardOutput()
            send(event)
        }

        /// Bytes as text; a character that is not whole yet waits for its rest.
        func stream(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) {
            let text = texts[descriptor, default: StreamText()].text(bytes)
            if !text.isEmpty { send(descriptor == 1 ? .output(text) : .error(text)) }
        }

        /// Sends bytes that never became a character.
        func finish() {
            for descriptor in texts.keys.sorted() {
                let text = texts[descriptor]?.rest() ?? ""
                if !text.isEmpty { send(descriptor == 1 ? .output(text) : .error(text)) }
            }
        }
    }

    /// Creates an interpreter whose cells `observer` sees.
    ///
    /// - Parameter exclusive: Whether standard output and error of cells go to the observers alone.
    init(_ settings: Interpreter.Settings, observer: any CellObserver, exclusive: Bool = false)
        throws
    {
        let relay = Relay([observer])
        var settings = settings
        settings.report = relay.report
        settings.display.html = { relay.observers.contains { $0.isRich } }
        self.relay = relay
        interpreter = try Interpreter(settings)
        Interpreter.Report.listen(only: exclusive) { relay.stream($0, $1) }
        interpreter.catchInterrupts()
        interpreter.logging = self
    }

    deinit { Interpreter.Report.listen(nil) }

    /// Adds an observer, which sees the cells from the next on.
    func add(_ observer: any CellObserver) { relay.observers.append(observer) }

    /// Removes an observer.
    func remove(_ observer: any CellObserver) { relay.observers.removeAll { $0 === observer } }

    // MARK: - Cells

    /// Runs a piece of input as the prompt does: Lua whose value is printed if it is an expression, `?name`, `??name` or
    /// `$ command`.
    ///
    /// - Returns: how it ended; nil if it is the beginning of a chunk, and nothing was run.
    func evaluate(_ text: String) -> CellResult? {
        if let command = PromptCommand(text) { return run(text) { try self.carryOut(command, $0) } }
        let name = "=input \(inputs + 1)"
        let chunk = Result { try Self.source(text, name, interpreter) }
        if case .failure(is NeedsMore) = chunk { return nil }
        inputs += 1
        interpreter.chunks[name] = text
        return run(text) { interpreter in
            let silenced = Interpreter.isSilenced(text)
            try interpreter.run(
                try chunk.get(), name: name, results: silenced ? .kept : .printed)
        }
    }

    /// Runs text that is known to be unfinished, for its error message.
    func complain(_ text: String) -> CellResult {
        inputs += 1
        return run(text) { try $0.run(text, name: "=input \(self.inputs)") }
    }

    /// Whether a piece of input can be run as it is.
    enum Completeness {
        case complete
        /// It is the beginning of a chunk.
        case incomplete
        /// More text cannot make it right.
        case invalid
    }

    /// Says whether a piece of input can be run; nothing is run.
    func completeness(_ text: String) -> Completeness {
        if PromptCommand(text) != nil { return .complete }
        do {
            _ = try Self.source(text, "=input \(inputs + 1)", interpreter)
            return .complete
        } catch is NeedsMore {
            return .incomplete
        } catch {
            return .invalid
        }
    }

    /// Runs something as a cell with a source text.
    @discardableResult
    func run(_ source: String, _ body: (Interpreter) throws -> Void) -> CellResult {
        _ = interpreter.session.takeReached()
        for observer in relay.observers { observer.begin(source) }
        let started = ContinuousClock.now
        let outcome = outcome(body)
        announce()
        _ = Interpreter.Report.flushStandardOutput()
        relay.finish()
        let result = CellResult(
            outcome: outcome, seconds: started.duration(to: .now) / .seconds(1),
            runs: interpreter.session.takeReached())
        for observer in relay.observers { observer.end(result) }
        return result
    }

    /// Says what happened in the background.
    func announce() {
        for line in interpreter.session.takeBackgroundNews() {
            Interpreter.Report.toStandardError(line + "\n")
        }
    }

    /// Stops what runs in the background, with its state saved, and says so.
    func endBackground() {
        interpreter.session.endBackground()
        announce()
    }

    private func outcome(_ body: (Interpreter) throws -> Void) -> CellResult.Outcome {
        do {
            try body(interpreter)
            if let code = interpreter.exitCode { throw ExitRequest(code: Int(code)) }
            // Ctrl-C may have come too late to be delivered.
            guard interpreter.clearInterrupt() else { return .success }
            return .interrupted(CellFailure(Interrupted("interrupted"), interpreter))
        } catch let request as ExitRequest {
            isLeaving = true
            return .exit(Int32(truncatingIfNeeded: request.code & 255))
        } catch let error as Interrupted {
            interpreter.clearInterrupt()
            return .interrupted(CellFailure(error, interpreter))
        } catch let error as any RuntimeError {
            interpreter.clearInterrupt()
            return .failed(CellFailure(error, interpreter))
        } catch {
            return .failed(CellFailure(LuaError("\(error)"), interpreter))
        }
    }

    private func carryOut(_ command: PromptCommand, _ interpreter: Interpreter) throws {
        switch command {
        case .help(let name): relay.flushed(.page(try interpreter.help(name)))
        case .source(let name): relay.flushed(.page(try interpreter.source(name)))
        case .shell(let text):
            guard interpreter.settings.safeFolder == nil else {
                throw LuaError("--safe: $ is not available")
            }
            fflush(nil)
            let status = mt_shell(text)
            if status != 0 { Interpreter.Report.toStandardOutput("(exit status \(status))\n") }
        }
    }

    /// The chunk to run: `return TEXT` if that parses.
    ///
    /// - Throws: `NeedsMore` if the text is the beginning of a chunk.
    private static func source(_ text: String, _ name: String, _ interpreter: Interpreter) throws
        -> String
    {
        let trimmed = text.drop { $0 == " " || $0 == "\t" }
        let plain = trimmed.hasPrefix("=") ? "return " + trimmed.dropFirst() : text
        var beginsExpression = false
        do {
            try interpreter.parse("return \(text)", name: name)
            return "return \(text)"
        } catch let error as LuaSyntaxError {
            beginsExpression = error.isIncomplete
        }
        if let chunk = interpreter.returningLast(text, name: name) { return chunk }
        do {
            try interpreter.parse(plain, name: name)
        } catch let error as LuaSyntaxError where error.isIncomplete || beginsExpression {
            throw NeedsMore()
        }
        return plain
    }

    /// Makes the globals of a prompt and runs the start-up file, if there is one.
    func begin(startUpFile: String? = nil) -> CellResult {
        let text = startUpFile.map { "dofile(\"\($0)\")" } ?? ""
        return run(text) { interpreter in
            try interpreter.beginPrompt()
            if let startUpFile { try interpreter.run(file: startUpFile) }
        }
    }
}

/// The input is the beginning of a chunk.
private struct NeedsMore: Error {}
