import Runtime
import Testing

@Suite("Embedded corpora") struct EmbeddedTests {
    private func corpus(_ name: String, bytes: Int, seed: UInt64 = 1) throws -> Corpus {
        var specification = CorpusSpecification(name: name, embedded: name)
        specification.bytes = bytes
        specification.embeddedSeed = seed
        specification.validFraction = 0
        specification.testFraction = 0
        return try Corpus(specification)
    }

    @Test("the same seed gives the same text, a larger size begins with a smaller one")
    func deterministic() throws {
        for name in EmbeddedCorpus.names {
            let small = try corpus(name, bytes: 20_000).texts()
            #expect(try corpus(name, bytes: 20_000).texts() == small)
            #expect(Array(try corpus(name, bytes: 60_000).texts().prefix(small.count)) == small)
            #expect(try corpus(name, bytes: 20_000, seed: 2).texts() != small)
            #expect((20_000..<24_000).contains(small.reduce(0) { $0 + $1.utf8.count }))
        }
    }

    @Test("the text of every embedded corpus is as it was when its version was given")
    func golden() throws {
        var builder = DigestBuilder("embedded")
        for name in EmbeddedCorpus.names {
            builder.add(try corpus(name, bytes: 50_000).digest())
        }
        // When this fails, the texts have changed: raise EmbeddedCorpus.version and put the new digest here.
        #expect(EmbeddedCorpus.version == 1)
        #expect(builder.finish().short == "a34d81e3099e")
    }

    @Test("no sentence has a hole where a variable should be")
    func holes() throws {
        for name in EmbeddedCorpus.names {
            for text in try corpus(name, bytes: 200_000).texts() {
                guard !name.hasPrefix("code") else { continue }
                let holes = ["  ", " .", " ,", "{", "}", "\n\n\n"]
                #expect(!holes.contains { text.contains($0) }, "\(name): \(text)")
            }
        }
    }

    @Test("finetuning sets have prompts and responses, the others have none")
    func prompts() throws {
        for name in EmbeddedCorpus.names {
            try corpus(name, bytes: 20_000).forEachDocument(.train) { document in
                let expected = name.hasSuffix("-tasks")
                #expect((document.promptBytes > 0) == expected)
                #expect(document.promptBytes < document.text.count)
            }
        }
    }

    @Test("the special domains stand at growing distance from prose")
    func distance() throws {
        func words(_ name: String) throws -> Set<Substring> {
            Set(try corpus(name, bytes: 200_000).texts().flatMap { $0.split { !$0.isLetter } })
        }
        let prose = try words("prose")
        let shared = try ["questions", "arithmetic", "code"].map { name in
            let other = try words(name)
            return Double(other.intersection(prose).count) / Double(other.count)
        }
        #expect(shared[0] > shared[1] && shared[1] > shared[2], "\(shared)")
    }
}
