import RuntimeData
import RuntimeModel
import RuntimeSupport

/// Something that can be measured of a state, such as its loss on a corpus.
///
/// Tables, comparisons, figures, reports and the registry know measures only: what a measure finds at a state is filed under
/// the state's key and the measure's digest, and its columns stand in the rows of a study's result.
public protocol Measure {
    /// What one evaluation finds, as it is filed.
    associatedtype Outcome: Codable, Hashable, Sendable

    /// What people call it: the name of its first column.
    var name: String { get }
    /// The columns of results that it fills.
    var columns: [MeasureColumn] { get }
    /// Identifies all that decides the outcome but the state: what is read, and how.
    ///
    /// - Throws: errors of reading; `Interrupted`.
    func digest(_ setting: MeasureSetting) throws -> Digest
    /// Measures a model.
    ///
    /// - Throws: `Interrupted`; errors of the model.
    func evaluate(_ model: any LanguageModel, _ setting: MeasureSetting) throws -> Outcome
    /// The values of the columns in their order; `nil` where the outcome has none.
    func values(of outcome: Outcome) -> [Double?]
}

/// A column that a measure fills.
public struct MeasureColumn: Hashable, Sendable {
    /// Which way is better.
    public enum Better: String, Codable, Sendable {
        /// As of a loss.
        case lower
        /// As of an accuracy.
        case higher
    }

    /// The name in tables.
    public let name: String
    /// What figures call it, such as `prose test loss`.
    public let title: String
    /// The unit; empty where it has none.
    public let unit: String
    /// Which way is better, if that is known.
    public let better: Better?

    /// Creates a column.
    public init(_ name: String, title: String, unit: String = "", better: Better? = nil) {
        self.name = name
        self.title = title
        self.unit = unit
        self.better = better
    }
}

/// What a measure needs to know of the models that it measures, and where it reads its data.
public struct MeasureSetting {
    /// The tokenizer of the models.
    public let tokenizer: Tokenizer
    /// The context of the models, in tokens.
    public let context: Int
    /// The evaluation sets that are ready.
    public let evaluators: Evaluators
    /// Receives lines about reading and scoring.
    public let progress: ProgressHandler
    /// Polled while it works.
    public let stop: ShouldStop

    /// Creates a setting.
    public init(
        tokenizer: Tokenizer, context: Int, evaluators: Evaluators,
        progress: @escaping ProgressHandler = { _ in }, stop: @escaping ShouldStop = { false }
    ) {
        self.tokenizer = tokenizer
        self.context = context
        self.evaluators = evaluators
        self.progress = progress
        self.stop = stop
    }
}
