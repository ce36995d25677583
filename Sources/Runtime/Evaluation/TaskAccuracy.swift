import RuntimeModel
import RuntimeSupport

/// The accuracy on a task as a measure: a column called like the task, and `NAME_normalised` for choices by the likelihood for
/// each character of the answer.
public struct TaskAccuracy: Measure {
    /// The task.
    public let task: DownstreamTask
    /// Questions that are asked at most; `nil` for all.
    public let limit: Int?

    /// Creates the measure of a task.
    public init(_ task: DownstreamTask, limit: Int? = nil) {
        self.task = task
        self.limit = limit
    }

    /// The name of the task.
    public var name: String { task.name }

    /// The accuracy, and of choices the normalised one.
    public var columns: [MeasureColumn] {
        ([name] + (task.isChoice ? ["\(name)_normalised"] : [])).map { column in
            MeasureColumn(
                column, title: "\(column.replacing("_", with: " ")) accuracy",
                unit: "part of the questions", better: .higher)
        }
    }

    /// Identifies the questions that are asked and how.
    public func digest(_ setting: MeasureSetting) throws -> Digest {
        task.digest(setting.tokenizer, context: setting.context, limit: limit)
    }

    /// How many questions were answered.
    public func evaluate(
        _ model: any LanguageModel, _ setting: MeasureSetting
    ) throws -> TaskResult {
        try task.score(
            model, setting.tokenizer, limit: limit, progress: setting.progress, stop: setting.stop
        ).result
    }

    /// The accuracies.
    public func values(of outcome: TaskResult) -> [Double?] {
        task.isChoice ? [outcome.accuracy, outcome.normalised] : [outcome.accuracy]
    }
}
