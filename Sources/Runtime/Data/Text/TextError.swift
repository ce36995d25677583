import RuntimeSupport

/// Text that cannot be read as documents: which file and line, what is wrong, what was expected.
public struct TextError: RuntimeError {
    /// The corpus or file as the researcher named it.
    public let file: String
    /// The line, counted from 1; `nil` when the whole file is meant.
    public let line: Int?
    /// What is wrong and what was expected.
    public let reason: String

    /// Creates an error about `file`, or about one line of it.
    public init(_ file: String, line: Int? = nil, _ reason: String) {
        self.file = file
        self.line = line
        self.reason = reason
    }

    /// `FILE:LINE: REASON`.
    public var message: String {
        guard let line else { return "\(file): \(reason)" }
        return "\(file):\(line): \(reason)"
    }
}

/// How far a long piece of work has come.
public struct WorkProgress: Sendable {
    /// What is being done, such as `reading web`.
    public let activity: String
    /// Units done so far.
    public let done: Int
    /// Units in all; `nil` when that is not known beforehand.
    public let total: Int?
    /// What is counted, such as `bytes` or `merges`.
    public let unit: String
    /// Something that the researcher should know about the data, instead of how far the work has come.
    public let notice: String?

    /// Creates a report.
    public init(_ activity: String, done: Int, total: Int?, unit: String) {
        self.activity = activity
        self.done = done
        self.total = total
        self.unit = unit
        notice = nil
    }

    /// Creates a notice.
    public init(notice: String) {
        (activity, done, total, unit) = ("", 0, nil, "")
        self.notice = notice
    }
}

/// Receives progress reports on the calling thread; called a few times a second at most, and once at the end.
public typealias ProgressHandler = (WorkProgress) -> Void
