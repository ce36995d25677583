import RuntimeData
import RuntimeNumerics
import RuntimeSupport

/// A family whose models are decoders: what it fixes of their shape, and how its files describe them.
///
/// Another one is a file in `Families` and its line in `ModelFamilies`.
public protocol DecoderConfiguration: ModelConfiguration {
    /// What its files call the weights.
    static var names: DecoderNames { get }
    /// What all its models have in common.
    static var plain: DecoderShape { get }
    /// Published models, the smallest first.
    static var published: [DecoderPreset] { get }
    /// What may be set beside sizes.
    static var choices: [DecoderChoice] { get }
    /// Whether small models share keys and values, as the family's newer models do.
    static var sharesKeys: Bool { get }
    /// The class of transformers that loads its files.
    static var architecture: String { get }
    /// The shape that a Hugging Face configuration describes, from `plain`.
    static func read(_ file: DecoderFile) throws -> DecoderShape
    /// What a Hugging Face configuration says of the shape.
    static func written(_ shape: DecoderShape) -> DecoderFields

    /// The shape.
    var shape: DecoderShape { get set }
    /// A model of the family.
    init(_ shape: DecoderShape)
}

/// A shape with a name.
public struct DecoderPreset: Sendable {
    let name: String
    let shape: DecoderShape

    init(
        _ name: String, of plain: DecoderShape, vocabulary: Int, context: Int, layers: Int,
        width: Int, heads: Int, groups: Int? = nil, feedForward: Int,
        _ change: (inout DecoderShape) -> Void = { _ in }
    ) {
        var shape = plain
        (shape.vocabulary, shape.context, shape.layers) = (vocabulary, context, layers)
        (shape.width, shape.heads, shape.feedForward) = (width, heads, feedForward)
        shape.keyValueHeads = groups == heads ? nil : groups
        change(&shape)
        self.name = name
        self.shape = shape
    }
}

extension DecoderConfiguration {
    private static var presets: [DecoderPreset] {
        SmallModels.sizes.map { size in
            DecoderPreset(
                size.name, of: plain, vocabulary: 1024, context: size.context,
                layers: size.layers, width: size.width, heads: size.heads,
                groups: sharesKeys ? size.heads / 2 : nil, feedForward: feedForward(size.width)
            ) {
                if $0.window != nil { $0.window = size.context / 4 }
                $0.headSize = nil
                $0.queryScalar = nil
                $0.rotaryScaling = nil
            }
        } + published
    }

    /// The width between the matrices that a width has by default: four times as much, or a little over two thirds of
    /// that where there are three matrices.
    static func feedForward(_ width: Int) -> Int {
        guard plain.isGated else { return 4 * width }
        return (8 * width / 3 + 31) / 32 * 32
    }

    /// The names that `preset(_:)` knows, by size.
    public static var presetNames: [String] { presets.map(\.name) }

    /// A configuration by name: published models with their vocabulary, and `micro-…` for the prompt and for ablations,
    /// named by the size without embeddings and with a vocabulary of 1,024.
    ///
    /// - Throws: `InvalidValue` listing the names.
    public static func preset(_ name: String) throws -> Self {
        guard let found = presets.first(where: { $0.name == name }) else {
            throw InvalidValue(
                "model", expected: "one of \(presetNames.joined(separator: ", "))", found: name)
        }
        return Self(found.shape)
    }

    /// Token ids, 0 ..< vocabulary.
    public var vocabulary: Int {
        get { shape.vocabulary }
        set { shape.vocabulary = newValue }
    }

    /// The most tokens that a position may look back on, itself included.
    public var context: Int {
        get { shape.context }
        set { shape.context = newValue }
    }

    /// Blocks.
    public var layers: Int { shape.layers }
    /// Numbers in the residual stream.
    public var width: Int { shape.width }
    /// Heads of queries.
    public var heads: Int { shape.heads }

    /// The same with the family's initialisation.
    public var withoutInitialisation: Self {
        var result = self
        result.shape.initialisation = Self.plain.initialisation
        return result
    }

    /// Checks every field, alone and together.
    public func validate() throws { try shape.validate() }

    /// Names as the family's files have them, shapes and roles of the parameters, in order.
    public var parameterShapes: [ParameterShape] { shape.parameterShapes(Self.names) }

    /// Numbers that the forward pass keeps for the backward pass.
    public func keptNumbers(tokens: Int) -> Int { shape.keptNumbers(tokens: tokens) }
    /// Numbers that a block's backward pass needs for a moment.
    public func passingNumbers(tokens: Int) -> Int { shape.passingNumbers(tokens: tokens) }
    /// The base of rotary wavelengths, unless positions are learned.
    public var positionBase: Double? {
        get { shape.learnedPositions == nil ? shape.rotaryBase : nil }
        set { if let newValue { shape.rotaryBase = newValue } }
    }
    /// Floating-point operations of one token in a forward pass.
    public func operationsPerToken(columns: Int) -> Double {
        shape.operationsPerToken(columns: columns)
    }

    /// Writes fresh weights.
    public func initialise(_ parameters: Parameters, seed: UInt64) {
        let deviation = 0.02
        let writing =
            shape.initialisation == .gpt2
            ? deviation / (2 * Double(shape.layers)).squareRoot() : deviation
        let writers = [Self.names.dense, Self.names.down].map { $0 + ".weight" }
        for range in parameters.ranges {
            let tensor = parameters.tensor(range)
            if range.shape.count > 1 {
                let scale = writers.contains(range.part) ? writing : deviation
                let stream = RandomStream(seed: seed, "weights/" + range.name)
                tensor.fill { Float(scale * stream.normal(UInt64($0))) }
            } else if range.part.hasSuffix(".weight"), shape.gainsLessOne != true {
                tensor.fill { _ in 1 }
            }
        }
    }

    /// A model with these parameters.
    public func model(
        of parameters: Parameters, precision: Precision
    ) throws -> any LanguageModel { try DecoderModel(self, parameters, precision) }

    /// Reads the shape.
    public init(from decoder: any Decoder) throws {
        self.init(try DecoderShape(from: decoder))
    }

    /// Writes the shape.
    public func encode(to encoder: any Encoder) throws { try shape.encode(to: encoder) }

    /// The shape that a Hugging Face configuration describes.
    public init(_ file: HuggingFaceConfiguration) throws {
        self.init(try Self.read(DecoderFile(file)))
    }

    /// What a Hugging Face configuration says of the shape.
    public func fields(
        _ ids: (String) -> JSONValue?, storage: StorageFormat
    ) -> any Encodable {
        var fields = Self.written(shape)
        fields["architectures"] = .array([.string(Self.architecture)])
        fields["model_type"] = .string(Self.modelType)
        fields["torch_dtype"] = .string(storage.rawValue)
        fields["use_cache"] = .boolean(true)
        fields["initializer_range"] = .number(0.02)
        fields["tie_word_embeddings"] = .boolean(shape.tiedEmbeddings)
        fields["vocab_size"] = .number(Double(shape.vocabulary))
        for name in ["bos_token_id", "eos_token_id", "pad_token_id"] {
            fields[name] = ids(name) ?? .null
        }
        return fields.object
    }

    /// The names of a parameter.
    public static func storedNames(_ name: String) -> [String] { [name] }

    /// Whether a tensor is one of those that are stored but not trained: wavelengths, the head of tied models.
    public func ignores(_ name: String) -> Bool {
        name.hasSuffix("rotary_emb.inv_freq") || (shape.tiedEmbeddings && name == Self.names.head)
    }
}
