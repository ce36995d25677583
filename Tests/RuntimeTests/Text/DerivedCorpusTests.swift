import Foundation
import Runtime
import Testing

@Suite("Corpora made of corpora, and looking at them") struct DerivedCorpusTests {
    private let scratch: Scratch
    private let file: String

    init() throws {
        scratch = try Scratch()
        file = try scratch.write(
            "mixed.jsonl",
            (1...400).map { number in
                """
                {"text": "text \(number)", "lang": "\(number % 3 == 0 ? "python" : "lua")", "stars": \(number % 5), \
                "meta": {"id": \(9_007_199_254_740_993 + number), "tags": ["a", "t\(number % 4)"]}, "note": null}

                """
            }.joined())
    }

    private func corpus(_ condition: [String: [RecordCondition.Value]]? = nil) throws -> Corpus {
        var specification = CorpusSpecification(name: "mixed", files: [file])
        (specification.validFraction, specification.testFraction) = (0.1, 0.1)
        specification.condition = condition.map(RecordCondition.init)
        return try Corpus(specification)
    }

    private func all(_ corpus: Corpus) throws -> [String] {
        try Split.allCases.flatMap { try corpus.texts($0) }
    }

    @Test("a condition reads the records with certain values, whatever the kind of the value")
    func condition() throws {
        let python = try all(corpus(["lang": [.text("python")]]))
        #expect(Set(python) == Set((1...133).map { "text \(3 * $0)" }))
        #expect(try all(corpus(["stars": [.number(2), .number(4)]])).count == 160)
        #expect(try all(corpus(["meta.tags[]": [.text("t1")]])).count == 100)
        #expect(try all(corpus(["lang": [.text("lua")], "stars": [.number(0)]])).count == 54)
        // What is missing, null or not text has no value.
        let none = message { _ = try corpus(["note": [.text("")]]).summary() }
        #expect(none.contains("none has a short field \"note\""), "\(none)")
        let misspelt = message { _ = try corpus(["lang": [.text("pyton")]]).summary() }
        #expect(misspelt.contains("\"lua\" (267), \"python\" (133)"), "\(misspelt)")
        #expect(misspelt.contains("did you mean 'python'"), "\(misspelt)")
    }

    @Test("what a condition leaves out need not be a document, and separated values are read alike")
    func conditionBefore() throws {
        let odd = try scratch.write(
            "odd.jsonl", "{\"kind\": \"head\"}\n{\"kind\": \"row\", \"text\": \"yes\"}\n")
        #expect(
            try scratch.corpus(odd) {
                $0.condition = RecordCondition(["kind": [.text("row")]])
            }.texts() == ["yes"])
        let csv = try scratch.write("odd.csv", "text,kind\nyes,row\nno,head\n")
        #expect(
            try scratch.corpus(csv) {
                $0.condition = RecordCondition(["kind": [.text("row")]])
            }.texts() == ["yes"])
        let plain = try scratch.write("plain.txt", "text")
        #expect(
            message {
                _ = try scratch.corpus(plain) {
                    $0.condition = RecordCondition(["kind": [.text("row")]])
                }
            }.contains("plain.txt"))
    }

    @Test(
        "a filter is keyed by what remains, keeps the splits, and equals a condition of the same meaning"
    )
    func filter() throws {
        let whole = try corpus()
        func python(_ way: (NumberedDocument) throws -> Bool) throws -> Corpus {
            try whole.filtered(way)
        }
        let byRecord = try python { document in
            guard case .object(let members)? = try document.record(),
                case .text(let text)? = members.first(where: { $0.key == "lang" })?.value
            else { return false }
            return text == Array("python".utf8)
        }
        let byNumber = try python { $0.number % 3 == 0 }
        let byCondition = try corpus(["lang": [.text("python")]])
        #expect(try byRecord.digest() == byNumber.digest())
        #expect(try byRecord.digest() == byCondition.digest())
        #expect(try byRecord.digest() != python { $0.number % 3 == 1 }.digest())
        for split in Split.allCases {
            #expect(try byNumber.texts(split) == byCondition.texts(split))
            #expect(try Set(byNumber.texts(split)).isSubset(of: whole.texts(split)))
        }
        let cache = scratch.path + "/cache"
        let kept = try byNumber.summary(cache: cache)
        #expect(try python { $0.number % 3 == 0 }.summary(cache: cache) == kept)
        #expect(message { _ = try python { _ in false } }.contains("keeps none of the"))
        // A filter of a filter.
        let twice = try byNumber.filtered { $0.number <= 10 }
        #expect(try Set(all(twice)) == Set((1...10).map { "text \(3 * $0)" }))
    }

    @Test("a filter of files that changed afterwards is an error, not other documents")
    func changed() throws {
        let kept = try corpus().filtered { $0.number <= 5 }
        _ = try kept.summary()
        try scratch.write("mixed.jsonl", "{\"text\": \"new\"}\n")
        #expect(message { _ = try kept.texts() }.contains("changed"))
    }

    @Test("corpora of corpora have the documents of all, in their splits")
    func union() throws {
        let other = try scratch.lines("other.jsonl", (0..<90).map { "other \($0)" })
        let lines = try scratch.corpus(other) { $0.validFraction = 0.5 }
        let both = try Corpus(name: "both", corpora: [corpus(), lines])
        for split in Split.allCases {
            #expect(try both.texts(split) == corpus().texts(split) + lines.texts(split))
        }
        #expect(try both.summary()[.train].documents == both.texts().count)
        // The same documents in one file are the same corpus.
        let joined = try scratch.corpus(file, other) { $0.validFraction = 0.5 }
        let halves = try Corpus(
            name: "halves",
            corpora: [
                scratch.corpus(file) { $0.validFraction = 0.5 },
                scratch.corpus(other) { $0.validFraction = 0.5 },
            ])
        #expect(try joined.digest() == halves.digest())
        #expect(message { _ = try Corpus(name: "x", corpora: [lines, lines]) }.contains("twice"))
        #expect(message { _ = try Corpus(name: "x", corpora: []) }.contains("at least one"))
    }

    @Test("a document of train in one corpus and of valid in another is found")
    func overlapOfParts() throws {
        let train = try scratch.corpus(try scratch.lines("a.jsonl", ["x", "y"]))
        let other = try scratch.lines("b.jsonl", ["z"])
        let held = try scratch.lines("c.jsonl", ["y"])
        let second = try scratch.corpus(other) { $0.validFiles = [held] }
        let error = message { _ = try Corpus(name: "both", corpora: [train, second]).summary() }
        #expect(error.contains("a.jsonl:2") && error.contains("c.jsonl:1"), "\(error)")
        let allowed = try Corpus(name: "both", corpora: [train, second], allowsOverlap: true)
        #expect(try allowed.summary().overlapping == 1)
    }

    @Test("documents by number are those of one pass, forwards, backwards and with little room")
    func cursor() throws {
        let whole = try corpus()
        for room in [1 << 20, 1000] {
            let cursor = DocumentCursor(whole, room: room)
            for number in [1, 2, 399, 3, 400, 1, 200, 199, 201] {
                let found = try cursor.document(number) { false }
                #expect(found?.document.text == Array("text \(number)".utf8))
                #expect(found?.document.location == "\(file):\(number)")
                #expect(found?.number == number)
            }
            #expect(try cursor.document(401) { false } == nil)
            #expect(try cursor.document(400) { false } != nil)
        }
        let record = try DocumentCursor(whole).document(3) { false }?.record()
        guard case .object(let members)? = record,
            case .object(let meta)? = members.first(where: { $0.key == "meta" })?.value,
            case .integer(let id)? = meta.first(where: { $0.key == "id" })?.value
        else { return #expect(Bool(false)) }
        // A double would have lost its last digit.
        #expect(id == 9_007_199_254_740_996)
    }

    @Test("files with splits of their own follow the divided ones, and changes are seen")
    func order() throws {
        let train = try scratch.lines("t.jsonl", ["1", "2"])
        let valid = try scratch.lines("v.jsonl", ["3"])
        let corpus = try scratch.corpus(train) { $0.validFiles = [valid] }
        let cursor = DocumentCursor(corpus)
        let read = try (1...4).map { try cursor.document($0) { false } }
        #expect(read.map { $0?.split } == [.train, .train, .valid, nil])
        try scratch.lines("v.jsonl", ["three"])
        #expect(try cursor.document(3) { false }?.document.text == Array("three".utf8))
    }

    @Test("a sample is decided by documents and seed, and a smaller one begins a larger one")
    func sample() throws {
        let whole = try corpus()
        let large = try whole.sample(50, seed: 1).map(\.number)
        #expect(Set(large).count == 50)
        #expect(try whole.sample(7, seed: 1).map(\.number) == Array(large.prefix(7)))
        #expect(try whole.sample(50, seed: 2).map(\.number) != large)
        let cursor = DocumentCursor(whole)
        for document in try whole.sample(20, seed: 3) {
            #expect(
                try cursor.document(document.number) { false }?.document.text
                    == document.document.text)
        }
        let valid = try whole.sample(1000, .valid, seed: 1)
        #expect(Set(valid.map(\.split)) == [.valid])
        #expect(
            try Set(valid.map { String(decoding: $0.document.text, as: UTF8.self) })
                == Set(whole.texts(.valid)))
    }
}
