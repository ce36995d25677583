import Foundation
import Testing

import enum TestSupport.Long

import Runtime

/// Random numbers that are the same in every run.
private struct Seeded: RandomNumberGenerator {
    private let stream: RandomStream
    private var count: UInt64 = 0

    init(_ seed: UInt64) { stream = RandomStream(seed: seed, "damage") }

    mutating func next() -> UInt64 {
        count += 1
        return stream.bits(count)
    }
}

/// A small store whose files are changed one at a time, each time in a fresh copy.
private final class DamagedStore {
    let scratch: Scratch
    /// Every file that carries a checksum, by its path in the store, but for records.
    let files: [String]
    /// The journals and the index of them.
    let records: [String]
    let expected: [String]
    private let whole: String
    private var copies = 0

    init() throws {
        scratch = try Scratch()
        whole = scratch.path + "/whole"
        var notices: [String] = []
        expected =
            try Self.measure(whole, trains: true, &notices)
            + Self.measure(whole, trains: false, &notices)
        let all = try FileManager.default.subpathsOfDirectory(atPath: whole).sorted()
        files = all.filter { ["json", "tokens", "safetensors"].contains(PathName.type($0)) }
        records = all.filter { $0.hasSuffix(".journal") || $0 == "index.sqlite" }
    }

    func bytes(_ file: String) throws -> [UInt8] { try FileReader.bytes("\(whole)/\(file)") }

    /// Another file of the same kind.
    func sibling(_ file: String) -> String? {
        files.first {
            $0 != file && PathName.type($0) == PathName.type(file)
                && $0.split(separator: "/")[0] == file.split(separator: "/")[0]
                && ($0.hasSuffix("manifest.json") || $0.hasSuffix("model.safetensors"))
                    == (file.hasSuffix("manifest.json") || file.hasSuffix("model.safetensors"))
        }
    }

    /// The message of the error that a whole session on a changed copy ended in; `nil` when its results are equal.
    ///
    /// - Parameter change: Changes the file whose path it gets.
    func outcome(of file: String, _ change: (String) throws -> Void) throws -> String? {
        var message: String?
        for trains in [true, false] {
            copies += 1
            let copy = "\(scratch.path)/copy\(copies)"
            defer { try? FileManager.default.removeItem(atPath: copy) }
            let isRecord = records.contains(file)
            for place in files + (isRecord ? records : []) {
                try AtomicFile.makeFolder(PathName.parent("\(copy)/\(place)"))
                try FileManager.default.linkItem(
                    atPath: "\(whole)/\(place)", toPath: "\(copy)/\(place)")
            }
            if !trains, !isRecord {
                // Without records everything is measured again; with it a run can be exported.
                try FileManager.default.copyItem(
                    atPath: whole + "/journals", toPath: copy + "/journals")
            }
            let path = "\(copy)/\(file)"
            unlink(path)
            try change(path)
            // What a damaged journal does not say any more is missing from the page of an export. Opening the store says so,
            // unless all that is missing could be what a process left that died while it wrote; see JournalTests.
            var notices: [String] = []
            var isNamed: Bool { notices.contains { $0.contains(PathName.last(path)) } }
            do {
                var found = try Self.measure(copy, trains: trains, &notices)
                var right = Array(
                    trains ? expected.prefix(found.count) : expected.suffix(found.count))
                if isNamed { message = notices[0] }
                if file.hasSuffix(".journal") {
                    found.removeAll { $0.hasPrefix("README.md ") }
                    right.removeAll { $0.hasPrefix("README.md ") }
                }
                if found != right { return "other results: \(found)" }
            } catch let error as any RuntimeError {
                message = error.message
                if !isNamed, !error.message.contains(PathName.last(path)) {
                    return "an error without the file: \(error.message)"
                }
            }
        }
        return message
    }

    /// What a session on a store gives: losses, exposure and keys, or an exported model.
    private static func measure(
        _ folder: String, trains: Bool, _ notices: inout [String]
    ) throws -> [String] {
        let store = try Store(folder)
        notices = store.takeNotices()
        guard trains else {
            let target = folder + "-out"
            defer { try? FileManager.default.removeItem(atPath: target) }
            try store.export("one", to: target)
            return try FileManager.default.contentsOfDirectory(atPath: target).sorted().map {
                "\($0) \(try Digest.ofFile("\(target)/\($0)"))"
            }
        }
        let prose = try corpus("prose", bytes: 30_000)
        let code = try corpus("code", bytes: 20_000)
        let tasks = try corpus("code-tasks", bytes: 8_000)
        let tokenizer = try store.tokenizer(
            trainedOn: [prose, code], vocabulary: 280, maximumBytes: nil)
        // Of a second name, so that the files of two can change places.
        _ = try store.tokenizer(trainedOn: [prose], vocabulary: 270, maximumBytes: nil)
        let recipe = try Recipe(
            model: NeoXConfiguration(vocabulary: 280, context: 64, layers: 1, width: 16, heads: 1),
            tokenizer: tokenizer, corpora: ["prose": prose, "code": code],
            mixture: try Mixture([("prose", 0.5), ("code", 0.5)]), steps: 4, batch: 2,
            accumulate: 1, seed: 1, precision: .float32, optimizer: AdamW(),
            learningRate: LearningRateSettings(
                kind: .cosine, peak: 3e-3, minimum: 3e-5, warmup: 0.1, decay: 0.1),
            mayRepeat: [])
        let run = Run(try Trajectory(recipe, store: store), store: store, name: "one")
        var options = RunOptions()
        options.keep = [2]
        try run.train(options: options)
        var results = [run.key.hex, try CanonicalJSON.text(run.trajectory.exposure(at: 4))]
        for corpus in [prose, code, tasks] {
            let loss = try run.evaluate(EvaluationSet(corpus, .valid, limit: 3))
            results.append("\(loss.nats) \(loss.tokens) \(loss.bytes)")
        }
        return results
    }

    static func corpus(_ name: String, bytes: Int) throws -> Corpus {
        var specification = CorpusSpecification(name: name, embedded: name)
        specification.bytes = bytes
        specification.validFraction = 0.2
        return try Corpus(specification)
    }
}

@Suite("Damaged files of a store") struct StoreDamageTests {
    /// Places in a file of so many bytes: the ends, and some in between.
    private func places(_ count: Int, _ random: inout some RandomNumberGenerator) -> [Int] {
        let ends = Long.pick(2, long: 300)
        let inner = (0..<Long.pick(4, long: 200)).map { _ in
            Int.random(in: 0..<count, using: &random)
        }
        return Array(Set(Array(0..<min(ends, count)) + Array(max(0, count - ends)..<count) + inner))
            .sorted()
    }

    private func write(_ bytes: [UInt8], _ path: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }

    @Test("whatever byte is changed, results are the same or an error names the file")
    func bytes() throws {
        let store = try DamagedStore()
        var random = Seeded(7)
        var trials = 0
        for file in store.files + store.records {
            let good = try store.bytes(file)
            func check(_ what: String, _ bad: [UInt8]) throws {
                trials += 1
                let outcome = try store.outcome(of: file) { try write(bad, $0) }
                if let outcome, outcome.hasPrefix("other results") || outcome.hasPrefix("an error")
                {
                    Issue.record("\(file), \(what): \(outcome)")
                }
            }
            for place in places(good.count, &random) {
                var bad = good
                bad[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                try check("byte \(place)", bad)
            }
            for _ in 0..<Long.pick(1, long: 20) {
                let cut = Int.random(in: 0..<good.count, using: &random)
                try check("cut at \(cut)", Array(good[..<cut]))
                let length = Int.random(in: 1...64, using: &random)
                var zeroed = good
                for place in cut..<min(cut + length, good.count) { zeroed[place] = 0 }
                if zeroed != good { try check("zeros at \(cut)", zeroed) }
            }
            try check("empty", [])
            try check("longer", good + [0])
            try check("twice", good + good)
            if let other = store.sibling(file) { try check("swapped", try store.bytes(other)) }
        }
        print("\(trials) damages of \(store.files.count + store.records.count) files")
    }

    @Test("every byte of a small file and of a footer is checked")
    func everyByte() throws {
        let store = try DamagedStore()
        let folder = store.scratch.path + "/x"
        try AtomicFile.makeFolder(folder)
        for file in store.files where !file.hasSuffix("safetensors") {
            let good = try store.bytes(file)
            let name = PathName.last(file)
            // A manifest is known by the folder around its version's.
            let parts = file.split(separator: "/").suffix(3).dropLast()
            let key = name == "manifest.json" ? parts.joined(separator: "/") : ""
            try AtomicFile.makeFolder("\(folder)/\(key)")
            let path = "\(folder)/\(key)/\(name)"
            let first = good.count < 4096 ? 0 : good.count - 300
            for place in first..<good.count {
                var bad = good
                bad[place] ^= 1 << UInt8(place % 8)
                try write(bad, path)
                #expect(
                    throws: (any Error).self, "\(file), byte \(place)",
                    performing: {
                        if file.hasSuffix("tokens") {
                            _ = try TokenStore(path, repair: nil)
                        } else if !key.isEmpty {
                            _ = try Checkpoint.manifest("\(folder)/\(key)")
                        } else {
                            let kind =
                                file.hasPrefix("corpora") ? "corpus summary 2" : "tokenizer 2"
                            let content = try SealedFile.read(
                                path, kind: kind, name: PathName.stem(name))
                            // What looks like a file of an earlier version is made again.
                            if content?.isSealed == false {
                                throw DamagedFile(path, SealedFile.unsealed)
                            }
                        }
                    })
            }
        }
    }

    @Test(
        "a pipe, a folder or a device in place of a file is refused by name",
        .timeLimit(.minutes(2)))
    func strange() throws {
        let store = try DamagedStore()
        for file in store.files {
            for (what, make) in [
                ("pipe", { (path: String) in _ = mkfifo(path, 0o600) }),
                ("folder", { _ = mkdir($0, 0o700) }),
                ("device", { _ = symlink("/dev/zero", $0) }),
                ("lost link", { _ = symlink("/nowhere/at/all", $0) }),
            ] {
                let outcome = try store.outcome(of: file) { make($0) }
                if let outcome, outcome.hasPrefix("other results") || outcome.hasPrefix("an error")
                {
                    Issue.record("\(file), \(what): \(outcome)")
                }
            }
        }
        // A file that is written anew where it is damaged is not waited for either.
        let corpus = try DamagedStore.corpus("prose", bytes: 30_000)
        let place = try Scratch()
        let kept = try Store(place.path + "/store").tokenizer(
            trainedOn: [corpus], vocabulary: 270, maximumBytes: nil)
        let path = "\(place.path)/store/tokenizers/\(kept.digest.hex).json"
        try #require(mkfifo(path, 0o600) == 0)
        let text = message { try Store(place.path + "/store").keep(kept) }
        #expect(text.contains("\(path): it is not a regular file"), "\(text)")
        for name in [
            "registry.sqlite", "registry.sqlite-wal", "index.sqlite", "index.sqlite-wal",
            "store.json",
        ] {
            let folder = try Scratch().path + "/store"
            try AtomicFile.makeFolder(folder + "/locks")
            #expect(mkfifo("\(folder)/\(name)", 0o600) == 0)
            let text = message { _ = try Store(folder) }
            #expect(text.contains("\(name): it is not a regular file"), "\(text)")
        }
    }

    @Test(
        "files of an earlier version are made again, or used where all they say is known otherwise")
    func earlier() throws {
        let store = try DamagedStore()
        for file in store.files where file.hasSuffix("json") {
            let text = String(decoding: try store.bytes(file), as: UTF8.self)
            let members = try #require(text.firstRange(of: /"name":"(?:[0-9a-f]+|form)",/))
                .upperBound
            let plain = "{" + text[members...]
            #expect(try store.outcome(of: file) { try write(Array(plain.utf8), $0) } == nil)
            guard file.hasSuffix("manifest.json") else { continue }
            for (field, wrong) in [
                ("\"step\":", "\"step\":1"), ("\"optimizerSteps\":", "\"optimizerSteps\":-"),
                ("\"heads\":", "\"heads\":2"), ("\"numerics\":", "\"numerics\":\"x\",\"y\":"),
                ("\"rolling\":", "\"surplus\":1,\"rolling\":"), ("\"step\":", "\"stop\":"),
            ] {
                let bad = plain.replacing(field, with: wrong)
                let outcome = try store.outcome(of: file) { try write(Array(bad.utf8), $0) }
                #expect(
                    outcome?.hasPrefix("other results") != true, "\(file) \(wrong) \(outcome ?? "")"
                )
                #expect(outcome?.hasPrefix("an error") != true, "\(file) \(wrong) \(outcome ?? "")")
            }
        }
    }
}
