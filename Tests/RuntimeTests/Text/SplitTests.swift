import Foundation
import Runtime
import Testing

@Suite("Splits") struct SplitTests {
    private func texts(_ count: Int) -> [String] {
        (0..<count).map { "document \($0 % (count - 100))" }
    }

    @Test(
        "splits are disjoint, cover the corpus, keep equal documents together, and follow the seed")
    func disjoint() throws {
        let scratch = try Scratch()
        let file = try scratch.lines("a.jsonl", texts(2000))
        func splits(_ seed: UInt64) throws -> [Set<String>] {
            let corpus = try scratch.corpus(file) {
                ($0.validFraction, $0.testFraction, $0.splitSeed) = (0.2, 0.1, seed)
            }
            let parts = try Split.allCases.map { try corpus.texts($0) }
            #expect(parts.reduce(0) { $0 + $1.count } == 2000)
            let summary = try corpus.summary()
            for (split, part) in zip(Split.allCases, parts) {
                #expect(summary[split].documents == part.count)
                #expect(summary[split].textBytes == part.reduce(0) { $0 + $1.utf8.count })
            }
            return parts.map { Set($0) }
        }
        let one = try splits(1)
        for (a, b) in [(0, 1), (0, 2), (1, 2)] { #expect(one[a].isDisjoint(with: one[b])) }
        #expect((300...460).contains(one[1].count))
        #expect((130...250).contains(one[2].count))
        #expect(try splits(1) == one)
        #expect(try splits(2) != one)
    }

    @Test("the digest depends on documents and their order, not on paths, grouping or compression")
    func digest() throws {
        let scratch = try Scratch()
        let all = (0..<50).map { "text \($0)" }
        let whole = try scratch.lines("whole.jsonl", all)
        let first = try scratch.lines("x/1.jsonl", Array(all[..<20]))
        let second = try scratch.lines("x/2.jsonl", Array(all[20...]))
        let digest = try scratch.corpus(whole).digest()
        #expect(try scratch.corpus(first, second).digest() == digest)
        #expect(try scratch.corpus(second, first).digest() != digest)
        let field = try scratch.lines("y.jsonl", all, field: "body")
        let renamed = try scratch.corpus(field) { $0.fields = .text(Template(field: "body")) }
        #expect(try renamed.digest() == digest)
    }

    @Test("overlap between train and separate files is found and named")
    func overlap() throws {
        let scratch = try Scratch()
        let train = try scratch.lines("train.jsonl", ["a", "b", "c"])
        let valid = try scratch.lines("valid.jsonl", ["x", "b"])
        let corpus = try scratch.corpus(train) { $0.validFiles = [valid] }
        let error = message { _ = try corpus.summary() }
        #expect(error.contains("\(valid):2") && error.contains("\(train):2"))
        let allowed = try scratch.corpus(train) {
            $0.validFiles = [valid]
            $0.allowsOverlap = true
        }
        #expect(try allowed.summary().overlapping == 1)
        #expect(try allowed.texts(.valid) == ["x", "b"])
    }

    @Test("a summary is kept until a file changes")
    func cache() throws {
        let scratch = try Scratch()
        let file = try scratch.lines("a.jsonl", ["one"])
        var reports = 0
        func summary() throws -> CorpusSummary {
            try scratch.corpus(file).summary(cache: scratch.path + "/store") { _ in reports += 1 }
        }
        let first = try summary()
        #expect(reports == 1)
        #expect(try summary() == first)
        #expect(reports == 1)
        try scratch.lines("a.jsonl", ["one", "two"])
        #expect(try summary()[.train].documents == 2)
        #expect(reports == 2)
    }

    @Test("fields out of range are named")
    func invalid() throws {
        #expect(
            message { _ = try Corpus(CorpusSpecification(name: "x", files: [])) }.contains(
                "neither"))
        var specification = CorpusSpecification(name: "x", embedded: "prose")
        specification.validFraction = 0.7
        specification.testFraction = 0.5
        #expect(message { _ = try Corpus(specification) }.contains("1.2"))
        let unknown = message { _ = try Corpus(CorpusSpecification(name: "x", embedded: "pose")) }
        #expect(unknown.contains("did you mean 'prose'?"))
    }
}
