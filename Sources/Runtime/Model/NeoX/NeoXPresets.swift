import RuntimeSupport

extension NeoXConfiguration {
    /// Layers, width, heads, context of each preset.
    ///
    /// Those of Pythia are from Biderman et al. 2023, arXiv 2304.01373.
    private static let presets:
        [(name: String, layers: Int, width: Int, heads: Int, context: Int)] =
            [
                SmallModels.sizes[0],
                ("micro-0.4m", 2, 128, 4, 128),
                ("micro-0.8m", 4, 128, 4, 256),
                SmallModels.sizes[1],
                ("micro-3m", 4, 256, 8, 256),
            ] + SmallModels.sizes[2...] + [
                ("pythia-14m", 6, 128, 4, 2048),
                ("pythia-31m", 6, 256, 8, 2048),
                ("pythia-70m", 6, 512, 8, 2048),
                ("pythia-160m", 12, 768, 12, 2048),
                ("pythia-410m", 24, 1024, 16, 2048),
                ("pythia-1b", 16, 2048, 8, 2048),
            ]

    /// The names `preset(_:)` knows, by size.
    public static var presetNames: [String] { presets.map(\.name) }

    /// A configuration by name: Pythia's from `pythia-14m` to `pythia-1b` with their vocabulary of
    /// 50,304, and `micro-…` for the prompt, named by the size without embeddings and with a
    /// vocabulary of 1,024.
    ///
    /// - Throws: `InvalidValue` listing the names.
    public static func preset(_ name: String) throws -> NeoXConfiguration {
        guard let found = presets.first(where: { $0.name == name }) else {
            throw InvalidValue(
                "model", expected: "one of \(presetNames.joined(separator: ", "))", found: name)
        }
        return NeoXConfiguration(
            vocabulary: name.hasPrefix("pythia") ? 50_304 : 1024, context: found.context,
            layers: found.layers,
            width: found.width, heads: found.heads)
    }

    /// What may be set beside vocabulary and context.
    public static let settings: [Setting<NeoXConfiguration>] = [
        Setting("layers", "Blocks.", .count(1...1000), \.layers),
        Setting(
            "width", "Size of the residual stream.", .size(1...1 << 16),
            get: { Double($0.width) },
            set: { shape, width in
                shape.width = Int(width)
                shape.feedForward = 4 * Int(width)
            }),
        Setting("heads", "Attention heads.", .count(1...1 << 12), \.heads),
        Setting(
            "feed_forward", "Size inside the feed-forward part; default: 4 · width.",
            .size(1...1 << 20), \.feedForward),
        Setting("rotary", "Part of each head that is rotated.", .fraction, \.rotaryFraction),
        Setting("norm_epsilon", "Added to variances.", .epsilon, \.normEpsilon),
        Setting(
            "parallel_residual", "Attention and feed-forward side by side, as in Pythia.",
            \.parallelResidual),
        Setting(
            "attention_bias", "Whether the attention's matrices have biases.", \.attentionBias),
        Setting(
            "tied", "Whether embedding and head share their weights.", \.tiedEmbeddings),
        Setting("gelu", "Form of GELU.", \.gelu),
        Setting("initialisation", "Fresh weights.", \.initialisation),
    ]
}
