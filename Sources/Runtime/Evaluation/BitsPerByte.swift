import RuntimeData
import RuntimeModel
import RuntimeSupport

/// The loss on a set for each byte of its text, or of its gold answers where it has prompts: comparable between tokenizers.
///
/// What is filed is what `WindowLoss` files, so that neither measures what the other did.
public struct BitsPerByte: Measure {
    private let loss: WindowLoss

    /// Creates the measure of a set.
    public init(_ set: EvaluationSet) { loss = WindowLoss(set) }

    /// `CORPUS_bits`.
    public var name: String { "\(loss.name)_bits" }

    /// The bits.
    public var columns: [MeasureColumn] {
        [
            MeasureColumn(
                name, title: "\(loss.name) \(loss.set.split.rawValue) loss", unit: "bits a byte",
                better: .lower)
        ]
    }

    /// Identifies the tokens that are read.
    public func digest(_ setting: MeasureSetting) throws -> Digest { try loss.digest(setting) }

    /// The summed loss over every counted token, and the bytes that they stand for.
    public func evaluate(_ model: any LanguageModel, _ setting: MeasureSetting) throws -> Evaluation
    {
        try loss.evaluate(model, setting)
    }

    /// Bits for each byte.
    public func values(of outcome: Evaluation) -> [Double?] { [outcome.bitsPerByte] }
}
