import Foundation
import RuntimeData
import RuntimeNumerics
import RuntimeSupport

/// The shape of a model of some family: a value that a recipe holds and that keys and checkpoints record.
///
/// Another family is a folder beside `NeoX` with a type of this protocol and one of `LanguageModel`, and its line in
/// `ModelFamilies`: the constructor and the help in Lua, checkpoints, keys, memory, the files of Hugging Face, generation
/// and every measurement follow from what the two say.
public protocol ModelConfiguration: Settable, Codable, Hashable {
    /// What records and Lua call the family, such as `neox`.
    static var family: String { get }
    /// What people call it, such as `GPT-NeoX`.
    static var title: String { get }
    /// The names that `preset(_:)` knows, by size.
    static var presetNames: [String] { get }
    /// A configuration by name.
    ///
    /// - Throws: `InvalidValue` listing the names.
    static func preset(_ name: String) throws -> Self

    /// Token ids, 0 ..< vocabulary.
    var vocabulary: Int { get set }
    /// The most tokens that a position may look back on, itself included.
    var context: Int { get set }
    /// The base of rotary wavelengths; `nil` where positions are not rotary, and setting it then changes nothing.
    var positionBase: Double? { get set }
    /// Blocks.
    var layers: Int { get }
    /// Numbers in the residual stream.
    var width: Int { get }
    /// Attention heads.
    var heads: Int { get }
    /// The same with every choice that only fresh weights depend on as it is by default.
    var withoutInitialisation: Self { get }

    /// Checks every field, alone and together.
    ///
    /// - Throws: `InvalidValue` naming the field.
    func validate() throws
    /// Names as the family's files have them, shapes and roles of the parameters, in order.
    var parameterShapes: [ParameterShape] { get }
    /// Numbers that the forward pass of so many tokens keeps for the backward pass.
    func keptNumbers(tokens: Int) -> Int
    /// The most numbers that a block's backward pass needs for a moment beside those.
    func passingNumbers(tokens: Int) -> Int
    /// Floating-point operations of one token in a forward pass over sequences of `columns` tokens.
    func operationsPerToken(columns: Int) -> Double
    /// Writes fresh weights, a function of configuration and seed alone, to parameters that are zero.
    func initialise(_ parameters: Parameters, seed: UInt64)
    /// A model with these parameters.
    ///
    /// - Throws: `OutOfMemory`.
    func model(of parameters: Parameters, precision: Precision) throws -> any LanguageModel

    /// The `model_type` of Hugging Face's configurations.
    static var modelType: String { get }
    /// The shape that a Hugging Face configuration describes.
    ///
    /// - Throws: `ModelFolderError` naming the field, its value and what was expected.
    init(_ file: HuggingFaceConfiguration) throws
    /// What a Hugging Face configuration says of the shape, with the ids of the tokenizer's special tokens.
    func fields(
        _ ids: (String) -> JSONValue?, storage: StorageFormat
    ) -> any Encodable
    /// The names under which files may have a parameter, the usual one first.
    static func storedNames(_ name: String) -> [String]
    /// Whether files have a matrix as `[inputs, outputs]`.
    static func isTransposed(_ name: String) -> Bool
    /// Whether a tensor of a file is not a parameter but may be there, such as a mask.
    func ignores(_ name: String) -> Bool
}

/// The families that a recipe may name: the one list that has to know them.
public enum ModelFamilies {
    /// All of them; the first records no name, as it did when there was no other.
    public static var all: [any ModelConfiguration.Type] {
        families + added.families
    }

    private static let families: [any ModelConfiguration.Type] = [
        NeoXConfiguration.self, LlamaConfiguration.self, MistralConfiguration.self,
        Qwen2Configuration.self, Qwen3Configuration.self, OLMoConfiguration.self,
        OLMo2Configuration.self, GPT2Configuration.self, Gemma2Configuration.self,
        Gemma3Configuration.self, Phi3Configuration.self, SmolLM3Configuration.self,
    ]

    /// A family that is not of this library, such as a test's.
    private final class Added: @unchecked Sendable {
        private let lock = NSLock()
        private var list: [any ModelConfiguration.Type] = []
        var families: [any ModelConfiguration.Type] { lock.withLock { list } }
        func append(_ family: any ModelConfiguration.Type) { lock.withLock { list.append(family) } }
    }
    private static let added = Added()

    /// The family that records call so.
    ///
    /// - Throws: `InvalidValue` with the names there are.
    static func named(_ name: String) throws -> any ModelConfiguration.Type {
        let all = all
        for family in all where family.family == name { return family }
        throw InvalidValue(
            "family", expected: all.map { $0.family }.joined(separator: ", "), found: name)
    }

    /// Adds a family of another package for the rest of the process.
    package static func add(_ family: any ModelConfiguration.Type) { added.append(family) }
}

extension ModelConfiguration {
    /// No matrix.
    public static func isTransposed(_ name: String) -> Bool { false }

    /// What records and Lua call the family.
    public var family: String { Self.family }

    /// No rotary positions.
    public var positionBase: Double? {
        get { nil }
        set {}
    }

    /// All trained numbers, embeddings included.
    public var parameterCount: Int {
        parameterShapes.reduce(0) { total, parameter in
            Int.saturatingSum(total, parameter.shape.reduce(1) { Int.saturatingProduct($0, $1) })
        }
    }

    /// A model with fresh weights, a function of configuration and seed alone.
    ///
    /// - Throws: `InvalidValue` for a configuration that is not valid; `OutOfMemory`.
    public func model(seed: UInt64, precision: Precision = .float32) throws -> any LanguageModel {
        try model(precision: precision) { initialise($0, seed: seed) }
    }

    /// A model whose weights, zero at first, `fill` writes.
    ///
    /// - Throws: `InvalidValue` for a configuration that is not valid; `OutOfMemory`; whatever `fill` throws.
    package func model(
        precision: Precision, fill: (Parameters) throws -> Void
    ) throws -> any LanguageModel {
        try validate()
        let parameters = try Parameters(parameterShapes)
        try fill(parameters)
        return try model(of: parameters, precision: precision)
    }

    /// The digest of the shape.
    public var digest: Digest {
        var builder = DigestBuilder("model")
        if !isFirst { builder.add(family) }
        // Encoding a struct of numbers and flags cannot fail; an empty text would still be a fixed one.
        builder.add((try? CanonicalJSON.text(self)) ?? "")
        return builder.finish()
    }

    /// Whether it is of the family whose records have no name.
    fileprivate var isFirst: Bool { family == ModelFamilies.all[0].family }
}

/// A configuration as it is recorded: its fields, and its family unless it is the first.
public struct RecordedModel: Codable, Hashable, Sendable {
    /// The shape.
    public let configuration: any ModelConfiguration

    private enum Keys: String, CodingKey { case family }

    /// Records a configuration.
    public init(_ configuration: any ModelConfiguration) { self.configuration = configuration }

    /// Reads a configuration of any family.
    public init(from decoder: any Decoder) throws {
        let name = try decoder.container(keyedBy: Keys.self).decodeIfPresent(
            String.self, forKey: .family)
        if let name {
            configuration = try Self.read(try ModelFamilies.named(name), decoder)
        } else {
            configuration = try Self.read(ModelFamilies.all[0], decoder)
        }
    }

    private static func read<Family: ModelConfiguration>(
        _: Family.Type, _ decoder: any Decoder
    ) throws -> any ModelConfiguration {
        try Family(from: decoder)
    }

    /// Writes the fields.
    public func encode(to encoder: any Encoder) throws {
        try configuration.encode(to: encoder)
        guard !configuration.isFirst else { return }
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(configuration.family, forKey: .family)
    }

    /// Whether both are of one family with equal fields.
    public static func == (left: RecordedModel, right: RecordedModel) -> Bool {
        AnyHashable(left.configuration) == AnyHashable(right.configuration)
    }

    /// Hashes the fields.
    public func hash(into hasher: inout Hasher) { AnyHashable(configuration).hash(into: &hasher) }
}
