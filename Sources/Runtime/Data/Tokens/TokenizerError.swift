import RuntimeSupport

/// A tokenizer that cannot be trained, loaded or used: where and why.
public struct TokenizerError: RuntimeError {
    /// The file, or what was under way, such as `training a tokenizer`.
    public let place: String
    /// What is wrong and what was expected.
    public let reason: String

    /// Creates an error.
    public init(_ place: String, _ reason: String) {
        self.place = place
        self.reason = reason
    }

    /// `PLACE: REASON`.
    public var message: String { "\(place): \(reason)" }
}
