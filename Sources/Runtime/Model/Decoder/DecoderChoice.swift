/// What may be set of a decoder beside its sizes, where the family has it.
public enum DecoderChoice: Sendable {
    case attentionBias, feedForwardBias, rotary, rotaryBase, tied, window
}

extension DecoderConfiguration {
    /// What may be set beside vocabulary and context.
    public static var settings: [Setting<Self>] {
        var result: [Setting<Self>] = [
            Setting("layers", "Blocks.", .count(1...1000), \.shape.layers),
            Setting(
                "width", "Size of the residual stream.", .size(1...1 << 16),
                get: { Double($0.shape.width) },
                set: { family, width in
                    family.shape.width = Int(width)
                    family.shape.feedForward = feedForward(Int(width))
                }),
            Setting("heads", "Heads of queries.", .count(1...1 << 12), \.shape.heads),
        ]
        if sharesKeys {
            result.append(
                Setting(
                    "key_value_heads", "Heads of keys and values, a divisor of heads.",
                    .count(1...1 << 12), get: { Double($0.shape.groups) },
                    set: { $0.shape.keyValueHeads = Int($1) }))
            result.append(
                Setting(
                    "head_size", "Numbers in a head; default: width / heads.", .size(1...1024),
                    get: { Double($0.shape.size) }, set: { $0.shape.headSize = Int($1) }))
        }
        result += [
            Setting(
                "feed_forward",
                "Size inside the feed-forward part; default: "
                    + (plain.isGated ? "8 / 3 · width, rounded up to 32." : "4 · width."),
                .size(1...1 << 20), \.shape.feedForward),
            Setting("norm_epsilon", "Added to variances.", .epsilon, \.shape.normEpsilon),
        ]
        result += choices.map { setting($0) }
        result.append(Setting("initialisation", "Fresh weights.", \.shape.initialisation))
        return result
    }

    private static func setting(_ choice: DecoderChoice) -> Setting<Self> {
        switch choice {
        case .attentionBias:
            Setting(
                "attention_bias", "Whether the attention's matrices have biases.", .flag,
                get: { $0.shape.attentionBias == .none ? 0 : 1 },
                set: { $0.shape.attentionBias = $1 != 0 ? .all : .none })
        case .feedForwardBias:
            Setting(
                "feed_forward_bias", "Whether the feed-forward part's matrices have biases.",
                \.shape.feedForwardBias)
        case .rotary:
            Setting(
                "rotary", "Part of each head that is rotated.", .fraction,
                get: { $0.shape.rotaryFraction ?? 1 },
                set: { $0.shape.rotaryFraction = $1 == 1 ? nil : $1 })
        case .rotaryBase:
            Setting("rotary_base", "Base of rotary wavelengths.", .base, \.shape.rotaryBase)
        case .tied:
            Setting(
                "tied", "Whether embedding and head share their weights.", \.shape.tiedEmbeddings)
        case .window:
            Setting(
                "window", "Positions that a token sees in layers with a window, its own included.",
                .size(1...1 << 20), get: { Double($0.shape.window ?? $0.shape.context) },
                set: { $0.shape.window = Int($1) })
        }
    }
}
