/// An error whose message is ready to be shown to the researcher.
///
/// Each folder has one error type with fields; its `message` says what was done, where (file and line, field or
/// argument), the value found and what was expected.
public protocol RuntimeError: Error, Sendable, CustomStringConvertible {
    /// One or more sentences for the researcher, without a trailing newline.
    var message: String { get }
}

extension RuntimeError {
    /// The same text as `message`.
    public var description: String { message }
}

/// The researcher asked to stop (Ctrl-C, or a callback); everything finished before is safe.
public struct Interrupted: RuntimeError {
    /// What was under way and how to go on.
    public let message: String

    /// Creates the error with what was under way.
    public init(_ message: String) { self.message = message }
}

/// A value that a function cannot work with.
public struct InvalidValue: RuntimeError {
    /// The name of the field or argument, such as `batch`.
    public let name: String
    /// What was expected of it, such as `a positive integer`.
    public let expected: String
    /// The value found, as the researcher wrote it.
    public let found: String

    /// Creates the error; `found` is described by its `String` form.
    public init(_ name: String, expected: String, found: some Any) {
        self.name = name
        self.expected = expected
        self.found = "\(found)"
    }

    /// `name: expected …, got …`.
    public var message: String { "\(name): expected \(expected), got \(found)" }
}

/// Polled at safe points of long work, on any thread; `true` asks it to stop with `Interrupted`.
public typealias ShouldStop = @Sendable () -> Bool
