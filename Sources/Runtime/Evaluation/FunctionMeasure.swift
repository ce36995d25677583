import RuntimeData
import RuntimeModel
import RuntimeNumerics
import RuntimeSupport

/// A function of a model as a measure, with one column.
///
/// A function has no content that could be hashed: its outcomes are filed under its name and version, so whoever changes what
/// it computes must give it another version.
public struct FunctionMeasure: Measure {
    /// What the function returned.
    public struct Outcome: Codable, Hashable, Sendable {
        /// The value, which is finite.
        public var value: Double
    }

    /// What people call it.
    public let name: String
    /// Which function of this name it is.
    public let version: String
    private let column: MeasureColumn
    private let body: (any LanguageModel, Tokenizer) throws -> Double

    /// Creates a measure.
    ///
    /// - Parameters:
    ///   - unit: What figures write behind the name.
    ///   - better: Which way is better, if that is known.
    ///   - body: Measures a model; it gives the same value for the same weights, whenever it is called.
    public init(
        name: String, version: String, unit: String = "", better: MeasureColumn.Better? = nil,
        body: @escaping (any LanguageModel, Tokenizer) throws -> Double
    ) {
        self.name = name
        self.version = version
        column = MeasureColumn(
            name, title: name.replacing("_", with: " "), unit: unit, better: better)
        self.body = body
    }

    /// The one column.
    public var columns: [MeasureColumn] { [column] }

    /// Identifies the function by its name and version.
    public func digest(_ setting: MeasureSetting) throws -> Digest {
        var builder = DigestBuilder("function measure 1")
        builder.add(Numerics.version)
        builder.add(setting.tokenizer.digest)
        builder.add(setting.context)
        builder.add(name)
        builder.add(version)
        return builder.finish()
    }

    /// Calls the function.
    ///
    /// - Throws: `InvalidValue` when it returns infinity or NaN; `FunctionMeasureError` with the error that it throws.
    public func evaluate(
        _ model: any LanguageModel, _ setting: MeasureSetting
    ) throws -> Outcome {
        let value: Double
        do { value = try body(model, setting.tokenizer) } catch let error as any RuntimeError
            where !(error is Interrupted)
        {
            throw FunctionMeasureError(name: name, reason: error.message)
        }
        guard value.isFinite else {
            throw InvalidValue("metric \(name)", expected: "a finite number", found: value)
        }
        return Outcome(value: value)
    }

    /// The value.
    public func values(of outcome: Outcome) -> [Double?] { [outcome.value] }
}

/// The function of a measure failed: a mistake in the function rather than in an arm.
public struct FunctionMeasureError: RuntimeError {
    /// The name of the measure.
    public let name: String
    /// What the function's error says.
    public let reason: String

    /// `metric NAME: REASON`.
    public var message: String { "metric \(name): \(reason)" }
}
