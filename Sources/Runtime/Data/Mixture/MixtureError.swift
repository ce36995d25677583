import RuntimeSupport

/// A mixture or source that cannot be used as asked.
public struct MixtureError: RuntimeError {
    /// The source or `mixture`.
    public let place: String
    /// What is wrong, with the figures, and what to change.
    public let reason: String

    /// Creates an error.
    public init(_ place: String, _ reason: String) {
        self.place = place
        self.reason = reason
    }

    /// `PLACE: REASON`.
    public var message: String { "\(place): \(reason)" }
}
