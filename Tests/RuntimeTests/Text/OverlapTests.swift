import Foundation
import Runtime
import TestSupport
import Testing

@Suite("Overlap of corpora") struct OverlapTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func corpus(_ name: String, _ texts: [String], held: [String] = []) throws -> Corpus {
        var specification = CorpusSpecification(
            name: name, files: [try scratch.lines("\(name).jsonl", texts)])
        (specification.validFraction, specification.testFraction) = (0, 0)
        if !held.isEmpty {
            specification.testFiles = [try scratch.lines("\(name).test.jsonl", held)]
        }
        return try Corpus(specification)
    }

    /// Texts of which some are alike, by changing words of others.
    private func texts(_ count: Int, from sources: [[String]], _ draws: inout Draws) -> [String] {
        (0..<count).map { _ in
            var words = sources[Int.random(in: 0..<sources.count, using: &draws)]
            let changes = Int.random(in: 0...8, using: &draws)
            for _ in 0..<changes where !words.isEmpty {
                let place = Int.random(in: 0..<words.count, using: &draws)
                switch Int.random(in: 0..<3, using: &draws) {
                case 0: words[place] = "Ersatz\(Int.random(in: 0..<50, using: &draws))"
                case 1: words.remove(at: place)
                default: words.removeLast(min(words.count, 5))
                }
            }
            // A document without text is none.
            if words.isEmpty { words = ["rest"] }
            return words.joined(separator: Bool.random(using: &draws) ? " " : ", ")
        }
    }

    @Test("counts and similarities are those of an independent computation in Python")
    func python() throws {
        var draws = Draws(seed: 5)
        let vocabulary =
            (0..<300).map { "word\($0)" } + ["Straße", "“so”", "naïve", "日本", "—", "X1", "x1"]
        let sources = (0..<40).map { _ in
            (0..<Int.random(in: 3...90, using: &draws)).map { _ in
                vocabulary[Int.random(in: 0..<vocabulary.count, using: &draws)]
            }
        }
        let train = texts(300, from: sources, &draws)
        let test = texts(150, from: sources, &draws)
        let input = try JSONSerialization.data(withJSONObject: ["train": train, "test": test])
        try scratch.write("texts.json", bytes: Array(input))
        let script = try scratch.write("overlap.py", Self.script)
        let outcome = try Program.run(
            other: Python.path ?? "/usr/bin/python3", [script, scratch.path + "/texts.json"])
        let expected = try JSONDecoder().decode(
            [Expected].self, from: Data(outcome.output.utf8))
        for want in expected {
            var settings = Overlap.Settings()
            (settings.words, settings.near, settings.shingle) = (want.n, want.near, want.shingle)
            settings.examples = 1000
            let found = try Overlap(
                train: [corpus("train", train)], test: [corpus("tasks", ["other"], held: test)],
                settings)
            let pair = try #require(found.pairs.first)
            #expect(pair.documents == 150)
            #expect(pair.exact == want.exact)
            #expect(pair.near == want.best.count)
            #expect(pair.overlapping == want.overlapping)
            #expect(pair.short == want.short)
            #expect(abs(pair.share - want.share) < 1e-12)
            // The held-out documents follow the one of train.
            for example in found.examples where example.kind == .near {
                let best = try #require(want.best["\(example.test.index - 2)"])
                #expect(abs(example.similarity - best) < 1e-12)
            }
        }
        #expect(expected.contains { $0.best.count > 20 } && expected.contains { $0.exact > 5 })
    }

    private struct Expected: Decodable {
        let n: Int
        let near: Double
        let shingle: Int
        let exact: Int
        let overlapping: Int
        let short: Int
        let share: Double
        /// The similarity of near-duplicates that are not exact, by the number of the document.
        let best: [String: Double]
    }

    private static let script = """
        import json, re, sys
        data = json.load(open(sys.argv[1]))
        SPACE = "\\u00a0-\\u00bf\\u2000-\\u206f\\u3000-\\u303f"
        CJK = "\\u3040-\\u9fff\\uf900-\\ufaff\\U00020000-\\U0003ffff"
        WORD = re.compile(f"[{CJK}]|(?:[a-zA-Z0-9]|[^\\x00-\\x7f{SPACE}{CJK}])+")
        def words(text):
            return ["".join(c.lower() if c.isascii() else c for c in w) for w in WORD.findall(text)]
        def runs(w, n):
            return {tuple(w[i:i + n]) for i in range(len(w) - n + 1)}
        def shingles(w, n):
            return runs(w, n) if len(w) >= n else ({tuple(w)} if w else set())
        result = []
        for n, near, shingle in [(13, 0.8, 5), (5, 0.5, 3), (8, 0.95, 1), (1, 0.2, 4), (13, 1.0, 5)]:
            train = [(t, shingles(words(t), shingle), runs(words(t), n)) for t in data["train"]]
            best, exact, overlapping, short = {}, 0, 0, 0
            seen = set().union(*[r for _, _, r in train])
            every = set()
            for number, text in enumerate(data["test"]):
                s, r = shingles(words(text), shingle), runs(words(text), n)
                every |= r
                short += not r
                overlapping += bool(r & seen)
                if any(text == t for t, _, _ in train):
                    exact += 1
                    continue
                top = max(len(s & o) / len(s | o) if s | o else 0 for _, o, _ in train)
                if top >= near:
                    best[number] = top
            result.append(dict(n=n, near=near, shingle=shingle, exact=exact, best=best, short=short,
                overlapping=overlapping, share=len(every & seen) / len(every) if every else 0))
        json.dump(result, sys.stdout)
        """

    @Test(
        "the result is the same on one thread, from the store, and with another seed of the hashes")
    func deterministic() throws {
        var draws = Draws(seed: 6)
        let sources = (0..<30).map { source in (0..<60).map { "w\(source * 7 + $0)" } }
        let train = try corpus("train", texts(400, from: sources, &draws))
        let test = try corpus("tasks", ["x"], held: texts(200, from: sources, &draws))
        func found(_ seed: UInt64 = 1, cache: String? = nil) throws -> Overlap {
            var settings = Overlap.Settings()
            settings.seed = seed
            return try Overlap(train: [train, test], test: [test], settings, cache: cache)
        }
        let cache = scratch.path + "/store"
        let first = try found(cache: cache)
        #expect(first.pairs[0].near > 20)
        #expect(try found(cache: cache).text() == first.text())
        #expect(try found(7).text() == first.text())
        let before = Parallel.threads
        Parallel.threads = 1
        #expect(try found().text() == first.text())
        Parallel.threads = before
        let kept = try FileManager.default.contentsOfDirectory(atPath: cache + "/overlaps")
        #expect(kept.count == 1)
        // What is damaged is computed again.
        try scratch.write("store/overlaps/\(kept[0])", "{\"sha256\":\"0\"}")
        #expect(try found(cache: cache).text() == first.text())
    }

    @Test("wrong settings and corpora without held-out documents are named")
    func errors() throws {
        let train = try corpus("train", ["a"])
        #expect(
            message { _ = try Overlap(train: [train], test: [train]) }.contains(
                "train: it has no document in valid or test"))
        #expect(message { _ = try Overlap(train: [], test: [train]) }.contains("train"))
        var settings = Overlap.Settings()
        settings.near = 0
        #expect(
            message { _ = try Overlap(train: [train], test: [train], settings) }.contains("near"))
        settings.splits = [.train]
        settings.near = 1
        // A document is not found to be like itself, but like its copies.
        let copies = try corpus("copies", ["a b", "c d", "a b"])
        let pairs = try Overlap(train: [train, copies], test: [copies, train], settings).pairs
        #expect(pairs.map(\.exact) == [0, 0, 2, 0])
    }

    @Test("MinHash misses no more pairs than it says")
    func recall() {
        for threshold in [0.3, 0.5, 0.8, 0.9, 1] {
            let hashing = MinHash(threshold: threshold, seed: 1)
            let miss = pow(1 - pow(threshold, Double(hashing.rows)), Double(hashing.bands))
            #expect(miss <= MinHash.missed)
            var generator = Draws(seed: 3)
            // Two sets of similarity just above the threshold share a band.
            let count = 200
            var agreements = 0
            for _ in 0..<100 {
                let all = (0..<count).map { _ in UInt64.random(in: 0 ... .max, using: &generator) }
                let shared = Int((threshold * Double(count)).rounded(.up))
                let own = (count - shared) / 2
                let left = Array(all[..<(shared + own)])
                let right = Array(all[..<shared] + all[(shared + own)...])
                if !Set(hashing.bands(left)).isDisjoint(with: hashing.bands(right)) {
                    agreements += 1
                }
            }
            #expect(agreements == 100)
        }
    }
}
