import RuntimeModel
import RuntimeSupport

/// The loss on a set as a measure: one column called like the corpus, in nats a token.
public struct WindowLoss: Measure {
    /// What is read.
    public let set: EvaluationSet

    /// Creates the measure of a set.
    public init(_ set: EvaluationSet) { self.set = set }

    /// The name of the corpus.
    public var name: String { self.set.corpus.name }

    /// The loss.
    public var columns: [MeasureColumn] {
        [
            MeasureColumn(
                name, title: "\(name) \(set.split.rawValue) loss", unit: "nats a token",
                better: .lower)
        ]
    }

    private func evaluator(_ setting: MeasureSetting) throws -> Evaluator {
        try setting.evaluators.evaluator(
            set, setting.tokenizer, context: setting.context, progress: setting.progress,
            stop: setting.stop)
    }

    /// Identifies the tokens that are read.
    public func digest(_ setting: MeasureSetting) throws -> Digest {
        try evaluator(setting).digest
    }

    /// The summed loss over every counted token.
    public func evaluate(
        _ model: any LanguageModel, _ setting: MeasureSetting
    ) throws -> Evaluation { try evaluator(setting).evaluate(model, stop: setting.stop) }

    /// The mean loss.
    public func values(of outcome: Evaluation) -> [Double?] { [outcome.loss] }
}
