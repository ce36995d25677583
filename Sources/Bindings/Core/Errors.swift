import Runtime

/// An error raised by Lua code.
public struct LuaError: RuntimeError {
    /// The message, with file, line and (from `Interpreter.run`) traceback.
    public let message: String
    /// Identifies the error value that a failed callback left behind, so that it can be raised again unchanged.
    let ticket: UInt64?
    /// The chunk and line that the message begins with.
    package var place: (chunk: String, line: Int)?

    /// An error with a message.
    public init(_ message: String) { self.init(message, ticket: nil) }

    package init(_ message: String, ticket: UInt64?) {
        self.message = message
        self.ticket = ticket
    }
}

/// A chunk that does not parse.
public struct LuaSyntaxError: RuntimeError {
    /// File, line and what is wrong.
    public let message: String
    /// More text could make it correct: the prompt then asks for another line.
    public let isIncomplete: Bool
    /// The chunk and line that the message names.
    package var place: (chunk: String, line: Int)?
}

/// `os.exit` was called: the host should close the interpreter and leave.
public struct ExitRequest: RuntimeError {
    /// The exit code asked for.
    public let code: Int
    /// Says so.
    public var message: String { "os.exit(\(code))" }

    /// Asks to leave with a code.
    public init(code: Int) { self.code = code }
}

/// An argument that a function of ours cannot take.
public struct ArgumentError: RuntimeError {
    /// The position among the arguments, from 1; the object before a colon is 0.
    public let position: Int
    /// The function, such as `train`.
    public let function: String
    /// Which parameter, what was expected and what was found.
    public let text: String

    /// `bad argument #2 to 'train' (steps: positive integer expected, got -5)`.
    public var message: String {
        position == 0
            ? "calling '\(function)' on a bad object (\(text))"
            : "bad argument #\(position) to '\(function)' (\(text))"
    }
}

/// Lua or the transport of values ran out of memory.
public struct LuaOutOfMemory: RuntimeError {
    /// `not enough memory`.
    public var message: String { "not enough memory" }
    package init() {}
}

/// A table of a shape that no function of ours takes.
struct TableMistake: RuntimeError {
    let text: String
    var message: String { text }
}

/// A value that does not fit its parameter; the caller adds function and position.
struct Mistake: RuntimeError {
    let text: String
    var message: String { text }

    init(_ text: String) { self.text = text }

    init(_ path: String, expected: String, found: Value?) {
        text = "\(path): \(expected) expected, got \(found?.summary ?? "no value")"
    }
}
