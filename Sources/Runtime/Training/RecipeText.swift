import Foundation
import RuntimeModel
import RuntimeNumerics
import RuntimeStore
import RuntimeSupport

/// A recipe as it is recorded: for people, for the registry and for `explain`.
package struct RecipeText: Codable {
    package struct PhaseText: Codable {
        package let name: String
        package let start: Int
        package let weights: [String: Double]
        /// The weights as people write them, where they change or do not count in the loss as they are read.
        package let ramp: String?
        package let loss: [String: Double]?
        package let learning_rate: RateChange?
        package let optimizer: RecordedOptimizer?
        package let resets_optimizer: Bool?
        package let batch: Int?
        package let context: Int?
        package let rotary_base: Double?
        package let precision: String?
        package let order_seed: UInt64?

        init(_ phase: Phase) {
            let settings = phase.settings
            (name, start) = (phase.name, phase.start)
            weights = Dictionary(
                uniqueKeysWithValues: phase.mixture.parts.map {
                    ($0.name, phase.mixture.weight($0.name))
                })
            ramp = phase.ramp?.description
            loss = phase.loss.isEmpty ? nil : phase.loss
            learning_rate = settings.rates?.change
            optimizer = settings.optimizer.map { RecordedOptimizer($0) }
            resets_optimizer = phase.resetsOptimizer ? true : nil
            (batch, context) = (settings.batch, settings.context)
            (rotary_base, order_seed) = (settings.rotaryBase, settings.orderSeed)
            precision = settings.precision?.rawValue
        }

        /// What the phase has that the recipe says otherwise, a few words each.
        package func changes(_ recipe: LearningRateSettings) -> [String] {
            var changes: [String] = []
            if let loss {
                let shares = loss.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
                changes.append("of the loss: \(shares.joined(separator: ", "))")
            }
            if let learning_rate { changes.append(learning_rate.brief(recipe)) }
            if let optimizer { changes.append(optimizer.optimizer.brief) }
            if resets_optimizer == true { changes.append("optimizer reset") }
            if let batch { changes.append("batch \(batch)") }
            if let context { changes.append("context \(context)") }
            if let rotary_base { changes.append("rotary base \(rotary_base)") }
            if let precision { changes.append("precision \(precision)") }
            if let order_seed { changes.append("order seed \(order_seed)") }
            return changes
        }
    }

    package struct FinetuneText: Codable {
        package let corpus: String
        package let data: String
        package let epochs: Int
        package let batch: Int
        package let seed: UInt64
        package let packed: Bool
        package let learning_rate: LearningRateSettings
        package let optimizer: RecordedOptimizer
        package let replay: String?
        package let replay_share: Double?

        init(_ finetune: FinetuneSteps) {
            let settings = finetune.settings
            corpus = settings.corpus.name
            data = finetune.set.digest.hex
            (epochs, batch, seed) = (settings.epochs, settings.batch, settings.seed)
            packed = settings.packed
            learning_rate = settings.learningRate
            optimizer = RecordedOptimizer(settings.optimizer)
            replay = settings.replay?.mixture.description
            replay_share = settings.replay?.share
        }
    }

    package let model: RecordedModel
    package let weights: String?
    package let tokenizer: String
    /// The digest of what was read with the tokenizer and is written back on export.
    let tokenizer_extras: String?
    package let vocabulary: Int
    package let sources: [String: String]
    package let steps: Int
    package let upto: Int?
    package let batch: Int
    package let accumulate: Int
    package let seed: UInt64
    package let data_fraction: Double?
    package let order_seed: UInt64?
    package let phase_seed: UInt64?
    package let precision: String
    package let optimizer: RecordedOptimizer
    package let learning_rate: LearningRateSettings
    package let phases: [PhaseText]
    package let finetune: FinetuneText?
    /// The finetunings after the first.
    package let then_finetune: [FinetuneText]?
    let numerics: Int
}

extension Trajectory {
    /// The recipe with the digests of its data, as canonical JSON.
    public func recipeText(pretty: Bool = false) throws -> String {
        try CanonicalJSON.text(
            RecipeText(
                model: RecordedModel(recipe.model), weights: recipe.weights?.digest.hex,
                tokenizer: recipe.tokenizer.digest.hex,
                tokenizer_extras: recipe.tokenizer.extras.digest?.hex,
                vocabulary: recipe.tokenizer.vocabularySize,
                sources: Dictionary(uniqueKeysWithValues: sources.map { ($0.name, $0.digest.hex) }),
                steps: recipe.steps, upto: recipe.stop, batch: recipe.batch,
                accumulate: recipe.accumulate,
                seed: recipe.seed, data_fraction: recipe.dataFraction, order_seed: recipe.orderSeed,
                phase_seed: recipe.phaseSeed,
                precision: recipe.precision.rawValue,
                optimizer: RecordedOptimizer(recipe.optimizer),
                learning_rate: recipe.learningRate,
                phases: recipe.phases.map { RecipeText.PhaseText($0) },
                finetune: finetunes.first.map { RecipeText.FinetuneText($0) },
                then_finetune: finetunes.count < 2
                    ? nil : finetunes.dropFirst().map { RecipeText.FinetuneText($0) },
                numerics: Numerics.version),
            pretty: pretty)
    }
}

/// Where two trajectories part, and which fields of their recipes differ.
public struct Difference: Sendable {
    /// The last state they share; `nil` when they share none.
    public let lastShared: Int?
    /// Fields by path, with both values as JSON.
    public let fields: [(path: String, first: String, second: String)]

    /// The first step from equal states that measured something else; `nil` for none, or where no records were compared.
    public let firstOtherNumber: Int?

    /// Compares two trajectories.
    public init(_ first: Trajectory, _ second: Trajectory) throws {
        lastShared = first.commonPrefix(second)
        firstOtherNumber = nil
        fields = try Self.fields(first.recipeText(), second.recipeText())
    }

    /// Compares two runs of one store or of two, as far as they were carried out.
    public init(
        _ first: StoredRun, in store: Store, _ second: StoredRun, in other: Store
    ) throws {
        let (a, b) = (try first.states(in: store), try second.states(in: other))
        let shared = a.indices.prefix(b.count).last { a[$0].key == b[$0].key }
        lastShared = shared.map { a[$0].step }
        firstOtherNumber = a.indices.prefix(b.count).first { index in
            a[index].key == b[index].key && a[index].version != b[index].version
        }.map { a[$0].step }
        var fields = try Self.fields(first.row.recipe, second.row.recipe)
        func engines(_ run: StoredRun, _ store: Store) throws -> String {
            guard let state = run.row.state else { return "absent" }
            return try store.registry.engines(state, run.row.version).map(\.text).joined(
                separator: "; ")
        }
        let (x, y) = (try engines(first, store), try engines(second, other))
        if x != y { fields.append(("computed by", x, y)) }
        self.fields = fields
    }

    private static func fields(_ first: String, _ second: String) throws -> [(
        path: String, first: String, second: String
    )] {
        let (a, b) = (try flatten(first), try flatten(second))
        return Set(a.keys).union(b.keys).sorted().compactMap { path in
            let (x, y) = (a[path] ?? "absent", b[path] ?? "absent")
            return x == y ? nil : (path, x, y)
        }
    }

    private static func flatten(_ text: String) throws -> [String: String] {
        var result: [String: String] = [:]
        func walk(_ value: Any, _ path: String) {
            if let fields = value as? [String: Any] {
                for (name, value) in fields { walk(value, path.isEmpty ? name : "\(path).\(name)") }
            } else if let items = value as? [Any] {
                for (index, value) in items.enumerated() { walk(value, "\(path)[\(index + 1)]") }
            } else {
                result[path] = "\(value)"
            }
        }
        walk(try JSONSerialization.jsonObject(with: Data(text.utf8)), "")
        return result
    }
}

extension Trajectory {
    /// The last state that this trajectory and another have in common; `nil` when even the initial states differ.
    public func commonPrefix(_ other: Trajectory) -> Int? {
        guard keys[0] == other.keys[0] else { return nil }
        // Keys are a hash chain: once different, different for good.
        var (shared, differs) = (0, min(keys.count, other.keys.count))
        while differs - shared > 1 {
            let middle = (shared + differs) / 2
            if keys[middle] == other.keys[middle] { shared = middle } else { differs = middle }
        }
        return shared
    }
}

extension StoredRun {
    /// The states that the run passed, with their versions, from the first of which there is a record.
    fileprivate func states(in store: Store) throws -> [(
        step: Int, key: Digest, version: StateVersion
    )] {
        guard let state = row.state else { return [] }
        return try store.registry.states(state, version: row.version)
    }
}
