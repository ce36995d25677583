import Foundation
import RuntimeModel
import RuntimeNumerics
import RuntimeSupport

/// A recipe as it is recorded: for people, for the registry and for `explain`.
package struct RecipeText: Codable {
    package struct PhaseText: Codable {
        package let name: String
        package let start: Int
        package let weights: [String: Double]
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
    package let precision: String
    package let optimizer: RecordedOptimizer
    package let learning_rate: LearningRateSettings
    package let phases: [PhaseText]
    package let finetune: FinetuneText?
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
                seed: recipe.seed,
                precision: recipe.precision.rawValue,
                optimizer: RecordedOptimizer(recipe.optimizer),
                learning_rate: recipe.learningRate,
                phases: recipe.phases.map { phase in
                    RecipeText.PhaseText(
                        name: phase.name, start: phase.start,
                        weights: Dictionary(
                            uniqueKeysWithValues: phase.mixture.parts.map {
                                ($0.name, phase.mixture.weight($0.name))
                            }))
                },
                finetune: finetune.map { finetune in
                    let settings = finetune.settings
                    return RecipeText.FinetuneText(
                        corpus: settings.corpus.name, data: finetune.set.digest.hex,
                        epochs: settings.epochs,
                        batch: settings.batch, seed: settings.seed, packed: settings.packed,
                        learning_rate: settings.learningRate,
                        optimizer: RecordedOptimizer(settings.optimizer))
                },
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

    /// Compares two trajectories.
    public init(_ first: Trajectory, _ second: Trajectory) throws {
        lastShared = first.commonPrefix(second)
        let a = try Self.flatten(first.recipeText())
        let b = try Self.flatten(second.recipeText())
        fields = Set(a.keys).union(b.keys).sorted().compactMap { path in
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
