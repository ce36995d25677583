import RuntimeSupport

/// A rule by which parameters follow their gradients, and the numbers it works by: a value that a recipe holds.
///
/// Its settings enter keys in their order.
///
/// Another optimizer is a type of this protocol in a file of its own, and its line in `Optimizers.all`: recipes, keys,
/// checkpoints, the memory of a plan, Lua's options and reports follow from what it says of itself here. State, clipping
/// and the refusal of numbers that are not finite are `OptimizerState`'s.
public protocol Optimizer: Settable, Codable, Hashable {
    /// What recipes and Lua call it, such as `adamw`.
    static var kind: String { get }
    /// What it is, in a few words with its source.
    static var help: String { get }
    /// With the values that hold unless a recipe says otherwise.
    init()
    /// The coefficient of weight decay; finetuning has its own.
    var weightDecay: Double { get set }
    /// The largest norm of the gradient over all parameters, 0 for no limit; finetuning has its own.
    var clip: Double { get set }
    /// What it keeps between steps for such parameters: the names of the buffers, as they are in checkpoints, and how
    /// many numbers each has. All are 0 at first.
    func buffers(for ranges: [ParameterRange]) -> [(name: String, count: Int)]
    /// Bytes that a step needs for a moment beside its buffers; 0 unless it says otherwise.
    func workspaceBytes(for ranges: [ParameterRange]) -> Int
    /// Moves the parameters by one step.
    ///
    /// - Throws: `OutOfMemory`; neither parameters nor buffers have changed then.
    func move(_ step: OptimizerStep) throws
}

/// The optimizers that a recipe may name.
public enum Optimizers {
    /// One of each, with its standard settings; the first is a recipe's unless it names another.
    public static let all: [any Optimizer] = [AdamW(), SGD(), Muon()]

    /// The optimizer that a recipe calls so, with its standard settings.
    ///
    /// - Throws: `InvalidValue` with the names there are.
    public static func named(_ kind: String) throws -> any Optimizer {
        guard let found = all.first(where: { $0.kind == kind }) else {
            throw InvalidValue(
                "optimizer", expected: all.map(\.kind).joined(separator: ", "), found: kind)
        }
        return found
    }
}

/// What an optimizer is given for one step.
public struct OptimizerStep {
    /// The values to move and the gradients to follow.
    public let parameters: Parameters
    /// Its buffers, in the order in which it named them.
    public let buffers: [UnsafeMutableBufferPointer<Float>]
    /// What each gradient is multiplied with, so that the norm of all is at most `clip`.
    public let scale: Float
    /// The number of the step since the last reset, from 1.
    public let number: Int
    /// The learning rate of the step.
    public let learningRate: Double
}

extension Optimizer {
    /// What recipes and Lua call it.
    public var kind: String { Self.kind }

    /// What it is, in a few words with its source.
    public var help: String { Self.help }

    /// Nothing beside its buffers.
    public func workspaceBytes(for ranges: [ParameterRange]) -> Int { 0 }

    /// Checks every setting.
    ///
    /// - Throws: `InvalidValue` naming the setting.
    public func validate() throws { try checkSettings() }

    /// With every setting: `adamw, beta1 0.9, …`.
    public var text: String { text { _ in true } }

    /// With its weight decay and what differs from the standard settings: `adamw, weight decay 0.1`.
    public var brief: String {
        let standard = Self()
        return text { $0.description.name == "weight_decay" || $0.get(self) != $0.get(standard) }
    }

    private func text(_ isShown: (Setting<Self>) -> Bool) -> String {
        let parts = Self.settings.filter(isShown).map { setting in
            let name = setting.description.name.replacing("_", with: " ")
            return "\(name) \(setting.description.range.text(setting.get(self)))"
        }
        return ([kind] + parts).joined(separator: ", ")
    }

    /// Bytes of its buffers for such parameters.
    package func stateBytes(for ranges: [ParameterRange]) -> Int {
        buffers(for: ranges).reduce(0) {
            Int.saturatingSum($0, Int.saturatingProduct(4, $1.count))
        }
    }

    /// What of it decides a step, read once for all the steps that hash it.
    package var keyed: KeyedOptimizer {
        // AdamW alone enters without its name, as it did when there was no other.
        KeyedOptimizer(
            kind: self is AdamW ? nil : kind, values: Self.settings.map { $0.get(self) })
    }
}

/// What of an optimizer enters the key of a step.
package struct KeyedOptimizer {
    fileprivate let kind: String?
    fileprivate let values: [Double]
}

extension DigestBuilder {
    /// Adds what of an optimizer decides a step.
    package mutating func add(_ optimizer: KeyedOptimizer) {
        if let kind = optimizer.kind { add(kind) }
        for value in optimizer.values { add(value) }
    }
}

extension Setting where Owner: Optimizer {
    /// Weight decay apart from the gradient, as AdamW's.
    static var decoupledDecay: Setting {
        Setting(
            "weight_decay",
            "Decay of matrices (not of biases, norms and embeddings), times the learning rate, at each step.",
            .decay, get: { $0.weightDecay }, set: { $0.weightDecay = $1 })
    }

    /// Clipping, which every optimizer has.
    static var clipping: Setting {
        Setting(
            "clip", "The largest norm of the gradient over all parameters, 0 for no limit.", .norm,
            get: { $0.clip }, set: { $0.clip = $1 })
    }
}

/// An optimizer as it is recorded: its settings, and its kind unless it is AdamW, which had none when there was no other.
package struct RecordedOptimizer: Codable {
    package let optimizer: any Optimizer

    private enum Keys: String, CodingKey { case kind }

    package init(_ optimizer: any Optimizer) { self.optimizer = optimizer }

    package init(from decoder: any Decoder) throws {
        let kind = try decoder.container(keyedBy: Keys.self).decodeIfPresent(
            String.self, forKey: .kind)
        func decode<Kind: Optimizer>(_ kind: Kind) throws -> Kind { try Kind(from: decoder) }
        optimizer = try decode(try Optimizers.named(kind ?? AdamW.kind))
    }

    package func encode(to encoder: any Encoder) throws {
        try optimizer.encode(to: encoder)
        if !(optimizer is AdamW) {
            var container = encoder.container(keyedBy: Keys.self)
            try container.encode(optimizer.kind, forKey: .kind)
        }
    }
}
