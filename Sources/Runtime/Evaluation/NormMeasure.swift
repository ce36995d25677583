import Foundation
import RuntimeData
import RuntimeModel
import RuntimeNumerics
import RuntimeSupport

/// How large weights, gradients or activations are.
public struct NormMeasure: Measure {
    /// What is measured.
    public enum Subject {
        /// The Euclidean norm of all weights of the tensors whose names match a pattern, in which `*` stands for any characters.
        case weights(String)
        /// That of the gradient of the mean loss on a set.
        case gradients(String, EvaluationSet)
        /// The root mean square of the residual stream over a set's tokens: after the embedding (0), after each block (1 …),
        /// and after the final norm (one more than there are blocks).
        case activations(layer: Int, EvaluationSet)
    }

    /// What was found.
    public struct Outcome: Codable, Hashable, Sendable {
        /// The norm.
        public var value: Double
    }

    /// The name of its column.
    public let name: String
    /// What is measured.
    public let subject: Subject

    /// Creates a measure.
    public init(name: String, _ subject: Subject) { (self.name, self.subject) = (name, subject) }

    /// The one column, of which neither way is better.
    public var columns: [MeasureColumn] {
        let what =
            switch subject {
            case .weights: "norm of weights"
            case .gradients: "norm of the gradient"
            case .activations: "root mean square"
            }
        return [MeasureColumn(name, title: name.replacing("_", with: " "), unit: what)]
    }

    private var set: EvaluationSet? {
        switch subject {
        case .weights: nil
        case .gradients(_, let set), .activations(_, let set): set
        }
    }

    private func evaluator(_ setting: MeasureSetting) throws -> Evaluator? {
        try set.map {
            try setting.evaluators.evaluator(
                $0, setting.tokenizer, context: setting.context, progress: setting.progress,
                stop: setting.stop)
        }
    }

    /// Identifies tensors or layer, and the tokens that are read.
    public func digest(_ setting: MeasureSetting) throws -> Digest {
        var builder = DigestBuilder("norm 1")
        builder.add(Numerics.version)
        switch subject {
        case .weights(let pattern):
            builder.add("weights")
            builder.add(pattern)
        case .gradients(let pattern, _):
            builder.add("gradients")
            builder.add(pattern)
        case .activations(let layer, _):
            builder.add("activations")
            builder.add(layer)
        }
        if let evaluator = try evaluator(setting) { builder.add(evaluator.digest) }
        return builder.finish()
    }

    /// Measures a model.
    ///
    /// - Throws: `InvalidValue` for a pattern that no tensor matches, and a layer that the model does not have; errors of the
    ///   model; `Interrupted`.
    public func evaluate(_ model: any LanguageModel, _ setting: MeasureSetting) throws -> Outcome {
        switch subject {
        case .weights(let pattern):
            return Outcome(value: Self.norm(model.parameters.values, try ranges(pattern, model)))
        case .gradients(let pattern, _):
            let ranges = try ranges(pattern, model)
            // Gradients accumulate in the copy, whose weights nobody changes.
            let model = try model.copy()
            let batches = try evaluator(setting)?.tokenBatches(stop: setting.stop) ?? []
            let counted = batches.reduce(0) { $0 + $1.counted }
            try model.parameters.prepareGradients()
            model.parameters.zeroGradients()
            for batch in batches where batch.counted > 0 {
                if setting.stop() { throw Interrupted("interrupted while measuring \(name)") }
                _ = try model.accumulateGradients(batch, scale: 1 / Float(counted))
            }
            return Outcome(value: Self.norm(model.parameters.gradients, ranges))
        case .activations(let layer, _):
            let last = model.configuration.layers + 1
            guard (0...last).contains(layer) else {
                throw InvalidValue("layer", expected: "a layer in 0 ... \(last)", found: layer)
            }
            var (sum, count) = (0.0, 0)
            for batch in try evaluator(setting)?.tokenBatches(stop: setting.stop) ?? [] {
                if setting.stop() { throw Interrupted("interrupted while measuring \(name)") }
                let values = try model.hiddenStates(batch.inputs, rows: batch.rows)[layer].values()
                let width = model.configuration.width
                for (place, target) in batch.targets.enumerated() where target >= 0 {
                    for value in values[place * width..<(place + 1) * width] {
                        sum += Double(value) * Double(value)
                    }
                    count += width
                }
            }
            return Outcome(value: (sum / Double(max(1, count))).squareRoot())
        }
    }

    private func ranges(_ pattern: String, _ model: any LanguageModel) throws -> [ParameterRange] {
        let found = model.parameters.ranges.filter { fnmatch(pattern, $0.name, 0) == 0 }
        guard !found.isEmpty else {
            let names = model.parameters.ranges.map(\.name)
            throw InvalidValue(
                "tensors",
                expected:
                    "a name of the model's tensors, or a pattern of some"
                    + NearestName.hint(pattern, among: names, listing: true), found: pattern)
        }
        return found
    }

    private static func norm(
        _ numbers: UnsafeMutableBufferPointer<Float>, _ ranges: [ParameterRange]
    )
        -> Double
    {
        ranges.reduce(0.0) { sum, range in
            numbers[range.offset..<range.offset + range.count].reduce(sum) {
                $0 + Double($1) * Double($1)
            }
        }.squareRoot()
    }

    /// The norm.
    public func values(of outcome: Outcome) -> [Double?] { [outcome.value] }
}
