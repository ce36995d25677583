import Runtime

/// The families that are decoders, for tests that hold for all of them.
enum DecoderFamilies {
    static let all: [any DecoderConfiguration.Type] = ModelFamilies.all.compactMap {
        $0 as? any DecoderConfiguration.Type
    }

    static let names = all.map { $0.family }

    static func named(_ name: String) -> any DecoderConfiguration.Type {
        all.first { $0.family == name } ?? LlamaConfiguration.self
    }

    /// The smallest model of a family with a vocabulary and a context of its own.
    static func tiny(
        _ name: String, vocabulary: Int = 300, context: Int = 128
    ) throws -> any DecoderConfiguration {
        var shape = try named(name).preset("micro-0.1m")
        shape.vocabulary = vocabulary
        shape.context = context
        return shape
    }
}
