import Foundation
import RuntimeStore
import RuntimeSupport
import RuntimeTraining

/// A condition on a step's record that ends a run, such as `loss > mean + 6 sd`.
///
/// It knows `step`, `loss`, `gradient_norm`, `learning_rate` and `tokens` of the step, and `mean` and `sd`, which are those of
/// the losses of up to 100 steps before it, and missing before the 20th step.
public struct StepCondition: StepAlert {
    /// The run was ended by its condition.
    public struct Raised: RuntimeError {
        /// Which step, the condition and the numbers.
        public let message: String
    }

    /// Losses that mean and deviation need.
    private static let fewest = 20
    private static let names = [
        "step", "loss", "gradient_norm", "learning_rate", "tokens", "mean", "sd",
    ]

    /// As it was written.
    public let text: String
    private let expression: FrameExpression

    /// Reads a condition.
    ///
    /// - Throws: `FrameError` for what is no expression, and for names that no step has.
    public init(_ text: String) throws {
        self.text = text
        // As people write multiples: `6 sd`.
        let plain = text.replacing(/(\d)\s+(sd|mean)\b/) { "\($0.1) * \($0.2)" }
        expression = try FrameExpression(plain, for: "alert")
        for name in expression.names where !Self.names.contains(name) {
            throw FrameError(
                "alert",
                "a step has no \(name); known: \(Self.names.joined(separator: ", "))"
                    + NearestName.hint(name, among: Self.names))
        }
        // Whether it is a condition at all.
        _ = try Self.frame(Self.names.map { ($0, ResultValue.number(1)) }).places(where: expression)
    }

    private static func frame(_ values: [(String, ResultValue)]) -> Frame {
        Frame(unchecked: values.map { Frame.Column($0, .value, [$1]) }, count: 1)
    }

    /// Throws `Raised` when the condition holds.
    public func check(_ record: StepRecord, after earlier: [StepRecord]) throws {
        let losses = earlier.map(\.loss)
        let known = losses.count >= Self.fewest
        let (mean, deviation) = (Samples.mean(losses), Samples.deviation(losses))
        let values: [(String, ResultValue)] = [
            ("step", .integer(record.step)), ("loss", .number(record.loss)),
            ("gradient_norm", .number(record.gradientNorm)),
            ("learning_rate", .number(record.learningRate)), ("tokens", .integer(record.tokens)),
            ("mean", known ? .number(mean) : .missing),
            ("sd", known ? .number(deviation) : .missing),
        ]
        guard try !Self.frame(values).places(where: expression).isEmpty else { return }
        let shown = values.dropFirst().filter { expression.names.contains($0.0) }.map {
            name, value in
            "\(name) " + (value.number.map { String(format: "%.4g", $0) } ?? "–")
        }
        throw Raised(
            message:
                "alert at step \(record.step): \(text) (\(shown.joined(separator: ", "))); the state after this step is saved"
        )
    }
}
