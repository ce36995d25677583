import Foundation

/// The loss of one state on one set of tokens.
public struct Evaluation: MeasureOutcome, Codable {
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

    /// The sums by name: `nats`, `tokens`, `bytes`.
    public var values: [String: Double] {
        ["nats": nats, "tokens": Double(tokens), "bytes": Double(bytes)]
    }

    /// An evaluation from its sums by name.
    public init?(values: [String: Double]) {
        guard let nats = values["nats"],
            let tokens = values["tokens"].flatMap({ Int(exactly: $0) }),
            let bytes = values["bytes"].flatMap({ Int(exactly: $0) })
        else { return nil }
        self.init(nats: nats, tokens: tokens, bytes: bytes)
    }

    /// Mean loss in nats per token.
    public var loss: Double { nats / Double(tokens) }
    /// Loss in bits per byte of text, comparable between tokenizers.
    public var bitsPerByte: Double { nats / Double(bytes) / log(2) }
    /// exp of the loss.
    public var perplexity: Double { exp(loss) }
}
