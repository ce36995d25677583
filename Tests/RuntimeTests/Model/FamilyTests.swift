import Foundation
import Runtime
import Testing

/// A family of the tests' own: the next token depends on the present one, through one matrix.
struct BigramConfiguration: ModelConfiguration {
    static let family = "bigram"
    static let title = "Bigram"
    static let modelType = "bigram"
    static let presetNames = ["bigram-tiny"]
    static let settings = [
        Setting<BigramConfiguration>("width", "Size of an embedding.", .size(1...64), \.width)
    ]
    static func preset(_ name: String) throws -> BigramConfiguration {
        BigramConfiguration(vocabulary: 300, context: 128, width: 16)
    }
    static func storedNames(_ name: String) -> [String] { [name] }

    var vocabulary: Int
    var context: Int
    var width: Int
    var layers: Int { 1 }
    var heads: Int { 1 }
    var withoutInitialisation: BigramConfiguration { self }
    var parameterShapes: [ParameterShape] {
        [
            ParameterShape("", "tokens", [vocabulary, width], .embedding),
            ParameterShape("", "mix", [width, width], layer: 0),
            ParameterShape("", "out", [vocabulary, width], .head),
        ]
    }

    func validate() throws { try checkSettings() }
    func keptNumbers(tokens: Int) -> Int { 2 * tokens * width }
    func passingNumbers(tokens: Int) -> Int { tokens * width }
    func operationsPerToken(columns: Int) -> Double { Double(2 * width * (width + vocabulary)) }
    func initialise(_ parameters: Parameters, seed: UInt64) {
        for (index, range) in parameters.ranges.enumerated() {
            let stream = RandomStream(seed: seed, "bigram \(index)")
            for place in 0..<range.count {
                parameters.values[range.offset + place] = Float(0.1 * stream.normal(UInt64(place)))
            }
        }
    }
    func model(of parameters: Parameters, precision: Precision) throws -> any LanguageModel {
        Bigram(self, parameters, precision)
    }
    func ignores(_ name: String) -> Bool { false }
    func fields(
        _ ids: (String) -> JSONValue?, storage: StorageFormat
    ) -> any Encodable {
        ["model_type": JSONValue.string("bigram"), "width": .number(Double(width))]
    }
    init(vocabulary: Int, context: Int, width: Int) {
        (self.vocabulary, self.context, self.width) = (vocabulary, context, width)
    }
    init(_ file: HuggingFaceConfiguration) throws {
        self.init(vocabulary: 300, context: 128, width: try file.integer("width"))
    }
}

final class Bigram: LanguageModel {
    let configuration: BigramConfiguration
    let parameters: Parameters
    var precision: Precision

    init(_ configuration: BigramConfiguration, _ parameters: Parameters, _ precision: Precision) {
        (self.configuration, self.parameters) = (configuration, parameters)
        self.precision = precision
    }

    func hidden(
        _ tokens: [Int32], rows: Int, _ weights: [Tensor], observe: (Tensor) -> Void
    ) throws -> Tensor {
        let x = try weights[0].rows(tokens)
        observe(x)
        let y = try x.adding(x.linear(weights[1], precision: precision))
        observe(y)
        return y
    }

    func head(_ weights: [Tensor]) -> Tensor { weights[2] }

    func generation() throws -> any GenerationSession { BigramText(self) }
}

final class BigramText: GenerationSession {
    private let model: Bigram
    private(set) var filled = 0

    init(_ model: Bigram) { self.model = model }

    func clear() { filled = 0 }

    func advance(_ tokens: [Int32]) throws -> [Float] {
        filled += tokens.count
        let logits = try model.logits([tokens[tokens.count - 1]], rows: 1)
        return try logits.values()
    }
}

@Suite("A family of models")
struct FamilyTests {
    // Each in a process of its own: a family that is added stays for all that follows, such as the tests of the reference.
    @Test(
        "another family trains, resumes to the same bits, finetunes, is measured, generates, and is exported and read"
    )
    func wholePath() async {
        await #expect(processExitsWith: .success) { try Self.trainAndExport() }
    }

    private static func trainAndExport() throws {
        ModelFamilies.add(BigramConfiguration.self)
        func run(_ laboratory: Laboratory) throws -> Run {
            var recipe = try laboratory.midtrained()
            recipe.model = try BigramConfiguration.preset("bigram-tiny")
            return try laboratory.run(recipe.finetuned(laboratory.finetuning()))
        }
        let (one, two) = (try Laboratory(), try Laboratory())
        let whole = try run(one)
        try whole.train()
        try run(two).train(to: 7)
        let resumed = try run(two)
        #expect(resumed.step == 7)
        try resumed.train()
        #expect(try resumed.bits() == whole.bits())
        let losses = try whole.records().map(\.loss)
        #expect(losses[11] < losses[0])

        let set = EvaluationSet(one.prose, .valid)
        let loss = try whole.evaluate(set).loss
        #expect(loss.isFinite && loss < 6)
        let model = try whole.model()
        #expect(model is Bigram)
        #expect(try model.hiddenStates([1, 2, 3], rows: 1).count == 3)
        let text = try model.generate(
            prompt: [5], count: 200, sampling: Sampling(temperature: 0))
        #expect(text.count == 200)
        let lines = try LayerDistortion(
            from: whole.trajectory.storedModel(0, one.store), to: model
        ).lines
        #expect(Set(lines.map(\.layer)) == ["embedding", "1", "head", "all"])

        let folder = "\(one.scratch.path)/exported"
        try whole.export(to: folder)
        let read = try PretrainedModel(folder)
        #expect(read.configuration is BigramConfiguration)
        let again = try read.model(read.configuration)
        #expect(Array(again.parameters.values) == Array(model.parameters.values))
    }

    @Test("records name every family but the first, and a family that nobody knows is an error")
    func records() async {
        await #expect(processExitsWith: .success) { try Self.recordAndRead() }
    }

    private static func recordAndRead() throws {
        ModelFamilies.add(BigramConfiguration.self)
        let neox = try NeoXConfiguration.preset("micro-0.1m")
        let bigram = try BigramConfiguration.preset("bigram-tiny")
        let text = try CanonicalJSON.text(RecordedModel(neox))
        #expect(text == (try CanonicalJSON.text(neox)))
        let other = try CanonicalJSON.text(RecordedModel(bigram))
        #expect(other.contains(#""family":"bigram""#))
        for (text, shape) in [(text, RecordedModel(neox)), (other, RecordedModel(bigram))] {
            #expect(try JSONDecoder().decode(RecordedModel.self, from: Data(text.utf8)) == shape)
        }
        #expect(RecordedModel(neox) != RecordedModel(bigram))
        #expect(neox.digest.hex != bigram.digest.hex)
        let unknown = other.replacing("bigram", with: "trigram")
        #expect(throws: InvalidValue.self) {
            try JSONDecoder().decode(RecordedModel.self, from: Data(unknown.utf8))
        }
    }
}
