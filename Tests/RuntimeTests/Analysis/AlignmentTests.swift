import Foundation
import Runtime
import TestSupport
import Testing

@Suite("Alignment") struct AlignmentTests {
    /// The parts of the first collection with the third, and of the mixture of two with the third.
    private func check(_ golden: ScienceGolden.Compared, _ corpora: [[KeyCounts]], weight: Double)
        throws
    {
        let (size, counts) = try FeatureCounts.number(corpora)
        let known = counts.map { $0.distribution(size: size) }
        let mixed = DistributionSimilarity.blend([(1 - weight, known[0]), (weight, known[1])])
        for (side, expected) in [(known[0], golden.plain), (mixed, golden.mixed)] {
            let parts = DistributionSimilarity.parts(side, known[2])
            #expect(agrees(parts.cosine, expected.cosine))
            #expect(agrees(parts.jaccard, expected.jaccard))
            #expect(agrees(parts.divergence, expected.divergence))
            let combined =
                0.4 * expected.cosine + 0.3 * expected.jaccard + 0.3 / (1 + expected.divergence)
            #expect(agrees(parts.combined, combined))
            #expect(agrees(DistributionSimilarity.parts(known[2], side).combined, combined))
        }
    }

    @Test("token counts, character and word n-grams agree with NumPy and SciPy, mixtures too")
    func golden() throws {
        let golden = try ScienceGolden.load()
        try check(golden.tokens, golden.ids.map { $0.map(KeyCounts.init) }, weight: golden.weight)
        func counts(_ add: ([UInt8], inout [UInt64]) -> Void) -> [[KeyCounts]] {
            golden.texts.map { texts in
                texts.map { text in
                    var keys: [UInt64] = []
                    add(Array(text.utf8), &keys)
                    return KeyCounts(keys)
                }
            }
        }
        for (length, expected) in golden.characters {
            let length = try #require(Int(length))
            let keys = counts { Ngrams.characters($0, length: length, into: &$1) }
            try check(expected, keys, weight: golden.weight)
        }
        for (length, expected) in golden.words {
            let length = try #require(Int(length))
            let keys = counts { Ngrams.words($0, length: length, into: &$1) }
            try check(expected, keys, weight: golden.weight)
        }
    }

    @Test("only the most frequent features count, the lowest key among equals")
    func most() throws {
        let documents = [KeyCounts([5, 5, 9, 9, 7, 3, 3, 3])]
        let (size, counts) = try FeatureCounts.number([documents], most: 2)
        #expect(size == 2 && counts[0].distribution(size: 2) == [0.6, 0.4])
    }

    @Test("a document is cut at whole characters")
    func cut() {
        let text = Array("aé中b".utf8)
        #expect(DocumentSample.beginning(text, characters: 2) == Array("aé".utf8))
        #expect(DocumentSample.beginning(text, characters: 9) == text)
    }

    @Test("probabilities of the byte model sum to 1, for mixtures too")
    func model() {
        let texts = ["abracadabra", "a quick test"].map { Array($0.utf8) }
        let parts = texts.map { ByteCounts([$0], order: 4) }
        let model = NgramModel([(0.7, parts[0]), (0.3, parts[1])], order: 4)
        for history in ["", "a", "abr", "zzz"].map({ Array($0.utf8) }) {
            let before = model.bits(history)
            let sum = (0..<256).reduce(0.0) {
                $0 + exp2(before - model.bits(history + [UInt8($1)]))
            }
            #expect(abs(sum - 1) < 1e-9)
        }
    }

    private static func corpora() throws -> [Corpus] {
        try [("prose", "prose"), ("code", "code"), ("tasks", "code-tasks")].map { name, source in
            var specification = CorpusSpecification(name: name, embedded: source)
            specification.bytes = 40_000
            return try Corpus(specification)
        }
    }

    @Test(
        "every metric is the same on any number of threads, and finds code nearer to code",
        arguments: SimilarityMetric.allCases.filter { $0 != .gradient })
    func metrics(metric: SimilarityMetric) async {
        await #expect(processExitsWith: .success) { [name = metric.rawValue as String] in
            try Self.check(try #require(SimilarityMetric(rawValue: name)))
        }
    }

    private static func check(_ metric: SimilarityMetric) throws {
        let corpora = try corpora()
        let scratch = try Scratch()
        var settings = SimilaritySettings()
        settings.metric = metric
        settings.bootstrap = 20
        settings.documents = 40
        if metric.needsTokenizer {
            settings.tokenizer = try Store(scratch.path).tokenizer(
                trainedOn: corpora, vocabulary: 400, maximumBytes: nil)
        }
        let mixture = try Mixture([("prose", 0.8), ("code", 0.2)])
        func measure() throws -> ([[Interval]], Interval) {
            let similarity = try Similarity(corpora, settings)
            let proximity = try similarity.proximity(
                of: [mixture], general: Mixture(only: "prose"), target: Mixture(only: "tasks"))
            return (try similarity.matrix(), proximity[0].advantage)
        }
        let (matrix, advantage) = try onThreads(1, measure)[0]
        for (again, same) in try onThreads(3, measure) {
            #expect(matrix == again && advantage == same)
        }
        // Single words of programs overlap with those of requests; the token vocabulary is shared by all.
        #expect(advantage.value > 0, "\(metric): \(advantage.text())")
        let symmetric = !metric.isDistance
        for row in 0..<3 {
            if metric == .compression {
                #expect(matrix[row][row].value > 0.85 && matrix[row][row].value <= 1)
            } else if symmetric {
                #expect(abs(matrix[row][row].value - 1) < 1e-12)
            }
            for column in 0..<3 where symmetric {
                #expect(matrix[row][column] == matrix[column][row])
            }
            #expect((matrix[row][2].low ?? 2) <= matrix[row][2].value)
        }
    }

    @Test("compression ends when it is asked to, without resamples too", arguments: [0, 3])
    func interrupted(bootstrap: Int) throws {
        var settings = SimilaritySettings()
        (settings.metric, settings.bootstrap, settings.documents) = (.compression, bootstrap, 20)
        let similarity = try Similarity(try Self.corpora(), settings)
        #expect(throws: Interrupted.self) { try similarity.matrix(stop: { true }) }
    }

    @Test("a random sample does not depend on the order of the documents")
    func sample() throws {
        let scratch = try Scratch()
        let lines = (0..<300).map { "{\"text\": \"document \($0)\"}\n" }
        var samples: [[[UInt8]]] = []
        for (name, order) in [("a", lines), ("b", lines.reversed())] {
            let file = try scratch.write("\(name).jsonl", order.joined())
            var settings = SimilaritySettings()
            settings.documents = 20
            settings.sampling = .random
            let corpus = try Corpus(CorpusSpecification(name: name, files: [file]))
            var sample: [[UInt8]] = []
            try DocumentSample.forEachBatch(corpus, settings, stop: { false }) { sample += $0 }
            samples.append(sample)
        }
        #expect(samples[0] == samples[1] && samples[0].count == 20)
    }

    @Test("a recommendation ranks by advantage and refuses what makes no sense")
    func recommendation() throws {
        var settings = SimilaritySettings()
        settings.metric = .words
        settings.bootstrap = 20
        let similarity = try Similarity(try Self.corpora(), settings)
        let ranked = try Recommendation(
            similarity, general: "prose", candidates: ["code"], target: "tasks",
            weights: [0.1, 0.3])
        #expect(ranked.lines.count == 2 && ranked.lines[0].behind == nil)
        #expect(
            ranked.lines[0].proximity.advantage.value >= ranked.lines[1].proximity.advantage.value)
        #expect(ranked.text().contains("nothing was trained"))
        #expect(throws: InvalidValue.self) {
            try Recommendation(
                similarity, general: "prose", candidates: ["tasks"], target: "tasks",
                weights: [0.1])
        }
        #expect(throws: MixtureError.self) {
            try similarity.value(Mixture(only: "proes"), Mixture(only: "code"))
        }
    }
}
