import Foundation

/// The loss of one state on one set of tokens.
public struct Evaluation: Codable, Hashable, Sendable {
    /// Summed loss over counted tokens, in nats.
    public var nats: Double
    /// Counted tokens.
    public var tokens: Int
    /// Bytes of text behind the counted tokens.
    public var bytes: Int

    /// Creates an evaluation from its sums.
    public init(nats: Double, tokens: Int, bytes: Int) {
        self.nats = nats
        self.tokens = tokens
        self.bytes = bytes
    }

    /// Mean loss in nats per token.
    public var loss: Double { nats / Double(tokens) }
    /// Loss in bits per byte of text, comparable between tokenizers.
    public var bitsPerByte: Double { nats / Double(bytes) / log(2) }
    /// exp of the loss.
    public var perplexity: Double { exp(loss) }
}
