import Foundation
import GRDB
import Testing

import Runtime
import RuntimeStore

/// What a store's records say, in a form that can be compared.
private func contents(_ store: Store, _ states: [Digest]) throws -> [String] {
    let registry = store.registry
    var lines: [String] = []
    for row in try registry.runs().sorted(by: { $0.key.hex < $1.key.hex }) {
        lines.append(
            "run \(row.key) \(row.name) \(row.status) \(row.step) \(row.steps) \(row.state?.hex ?? "")"
        )
    }
    for state in states {
        for record in try registry.history(state) {
            lines.append(
                "step \(record.step) \(record.loss) \(record.learningRate) \(record.gradientNorm)")
        }
        for loss in try registry.evaluations(state) {
            lines.append("loss \(loss.step) \(loss.name) \(loss.split) \(loss.evaluation)")
        }
    }
    return lines
}

/// A store with a trunk and a branch, both measured.
private struct Measured {
    let laboratory: Laboratory
    let states: [Digest]
    let expected: [String]

    var folder: String { laboratory.store.folder }

    init() throws {
        laboratory = try Laboratory()
        var options = RunOptions()
        options.keep = [5]
        let trunk = try laboratory.run(laboratory.base)
        try trunk.train(options: options)
        let branch = try laboratory.run(laboratory.midtrained())
        try branch.train()
        for run in [trunk, branch] {
            _ = try run.evaluate(EvaluationSet(laboratory.prose, .valid, limit: 4))
            _ = try run.evaluate(EvaluationSet(laboratory.code, .test, limit: 4))
        }
        states = [trunk.key, branch.key]
        expected = try contents(laboratory.store, states)
    }

    var journals: [String] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: folder + "/journals").sorted().map {
                "\(folder)/journals/\($0)"
            }
        }
    }

    func copy(_ name: String) throws -> String {
        let place = "\(laboratory.scratch.path)/\(name)"
        try FileManager.default.copyItem(atPath: folder, toPath: place)
        return place
    }
}

private func removeIndex(_ folder: String) {
    for end in ["", "-wal", "-shm"] { unlink("\(folder)/index.sqlite\(end)") }
}

/// Copies the files of a folder into another, as `cp -R` does.
private func pour(_ from: String, into to: String) throws {
    let manager = FileManager.default
    for name in try manager.subpathsOfDirectory(atPath: from) {
        let (source, target) = ("\(from)/\(name)", "\(to)/\(name)")
        var isFolder: ObjCBool = false
        guard manager.fileExists(atPath: source, isDirectory: &isFolder) else { continue }
        if isFolder.boolValue {
            try manager.createDirectory(atPath: target, withIntermediateDirectories: true)
        } else {
            unlink(target)
            try manager.copyItem(atPath: source, toPath: target)
        }
    }
}

private func write(_ bytes: [UInt8], _ path: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
}

/// What is read of a journal: kinds and contents, and whether something is wrong.
private func read(_ path: String) throws -> (records: [[UInt8]], reader: JournalReader) {
    var reader = try JournalReader(path)
    var records: [[UInt8]] = []
    try reader.forEach { header, _, content in records.append([UInt8(header.kind)] + Array(content))
    }
    return (records, reader)
}

@Suite("Journals", .serialized) struct JournalTests {
    @Test("without its index a store says what it said, and with a changed one too")
    func index() throws {
        let store = try Measured()
        let copy = try store.copy("copy")
        removeIndex(copy)
        #expect(try contents(Store(copy), store.states) == store.expected)
        // Whatever is changed in the index, no answer is.
        let whole = try [UInt8](Data(contentsOf: URL(fileURLWithPath: copy + "/index.sqlite")))
        for place in 0..<60 {
            var bytes = whole
            bytes[(place * 7919) % bytes.count] ^= UInt8(1 << (place % 8))
            removeIndex(copy)
            try write(bytes, copy + "/index.sqlite")
            let damaged = try Store(copy)
            #expect(try contents(damaged, store.states) == store.expected, "byte \(place * 7919)")
        }
        for bytes in [[], Array(whole[..<(whole.count / 2)]), Array("no database".utf8)] {
            removeIndex(copy)
            try write(bytes, copy + "/index.sqlite")
            #expect(try contents(Store(copy), store.states) == store.expected)
        }
    }

    @Test("a changed bit anywhere in a journal is found, by the file's name")
    func bits() throws {
        let store = try Measured()
        let journal = try #require(try store.journals.first)
        let whole = try FileReader.bytes(journal)
        let place = store.laboratory.scratch.path + "/" + PathName.last(journal)
        // One bit of every byte; of headers, all.
        for bit in 0..<(whole.count * 8) where bit % 8 == bit / 8 % 8 || bit < 2048 {
            var bytes = whole
            bytes[bit / 8] ^= UInt8(1 << (bit % 8))
            try write(bytes, place)
            let reader = try read(place).reader
            let isFound = reader.damages.contains { $0.path == place && $0.offset <= bit / 8 }
            if !isFound || reader.isTorn { Issue.record("bit \(bit) of \(whole.count * 8)") }
        }
        let copy = try store.copy("copy")
        removeIndex(copy)
        var bytes = whole
        bytes[bytes.count / 2] ^= 16
        let damaged = "\(copy)/journals/\(PathName.last(journal))"
        try write(bytes, damaged)
        let opened = try Store(copy)
        #expect(opened.takeNotices().contains { $0.contains(damaged) && $0.contains("byte") })
        #expect(try opened.registry.damages().count == 1)
    }

    @Test("half a record at the end is dropped, and no other")
    func torn() throws {
        let store = try Measured()
        let journal = try #require(try store.journals.first)
        let whole = try FileReader.bytes(journal)
        let (records, reader) = try read(journal)
        #expect(reader.damages.isEmpty && !reader.isTorn)
        let place = store.laboratory.scratch.path + "/torn.journal"
        var ends: [Int] = []
        var again = try JournalReader(journal)
        try again.forEach { _, offset, content in
            ends.append(offset + JournalForm.headerBytes + content.count)
        }
        for length in 0...whole.count {
            let kept = ends.count { $0 <= length }
            for zeros in [0, 700] where length < whole.count || zeros > 0 {
                try write(Array(whole[..<length]) + [UInt8](repeating: 0, count: zeros), place)
                let (found, reader) = try read(place)
                if found != Array(records[..<kept]) || !reader.damages.isEmpty {
                    Issue.record("\(length) bytes and \(zeros) zeros: \(reader.damages)")
                }
            }
        }
        // Where a checkpoint says that more was there, the end is not what an interrupted write leaves.
        let copy = try store.copy("copy")
        removeIndex(copy)
        try write(Array(whole[..<ends[4]]), "\(copy)/journals/\(PathName.last(journal))")
        #expect(try Store(copy).takeNotices().contains { $0.contains("it ends here") })
    }

    @Test("a journal that cannot be written is as it was, and goes on when there is room")
    func writing() throws {
        let scratch = try Scratch()
        let registry = try Registry(
            journals: scratch.path + "/journals", index: scratch.path + "/index.sqlite")
        let state = Digest.of(Array("state".utf8))
        let loss = Evaluation(nats: 1.5, tokens: 3, bytes: 7)
        try registry.record(loss, state: state, data: state)
        // Somebody moves the journal away: what comes then goes into another.
        let name = try #require(
            try FileManager.default.contentsOfDirectory(atPath: scratch.path + "/journals").first)
        try FileManager.default.moveItem(
            atPath: "\(scratch.path)/journals/\(name)", toPath: "\(scratch.path)/moved")
        let other = Digest.of(Array("other".utf8))
        try registry.record(
            Evaluation(nats: .infinity, tokens: 1, bytes: 1), state: other, data: state)
        #expect(try registry.value(Evaluation.self, state: other, data: state)?.nats == .infinity)
        try FileManager.default.moveItem(
            atPath: "\(scratch.path)/moved", toPath: "\(scratch.path)/journals/\(name)")
        try registry.refresh()
        #expect(try registry.value(Evaluation.self, state: state, data: state) == loss)
    }

    @Test(
        "an older copy of a journal in place of a newer one has a name until the newer one is back")
    func older() throws {
        let store = try Measured()
        let journal = try #require(try store.journals.first)
        let copy = try store.copy("copy")
        let place = "\(copy)/journals/\(PathName.last(journal))"
        let whole = try FileReader.bytes(place)
        var reader = try JournalReader(place)
        var ends: [Int] = []
        try reader.forEach { _, offset, content in
            ends.append(offset + JournalForm.headerBytes + content.count)
        }
        #expect(try Store(copy).takeNotices().isEmpty)
        let older = ends[ends.count - 2]
        try write(Array(whole[..<older]), place)
        let notice =
            "\(place) is damaged: at byte \(older): it ends here; it had \(whole.count) bytes before"
        for _ in 0..<2 { #expect(try Store(copy).takeNotices() == [notice]) }
        #expect(try Store(copy).check().damages.map(\.path) == [place])
        #expect(try Store(copy).takeNotices() == [notice])
        try write(whole, place)
        #expect(try Store(copy).takeNotices().isEmpty)
        #expect(try contents(Store(copy), store.states) == store.expected)
        #expect(try Store(copy).check().damages.isEmpty)
    }

    @Test("copying the files of two stores into one folder merges them")
    func merging() throws {
        let store = try Measured()
        let other = try store.copy("other")
        let second = try Store(other)
        try FileManager.default.removeItem(atPath: other + "/journals")
        removeIndex(other)
        let shorter = try store.laboratory.base.switching(
            from: 5, mixture: Mixture(only: "code"), name: "shorter", length: nil, corpora: [:])
        let run = Run(
            try Trajectory(shorter, store: second), store: try Store(other), name: "shorter")
        try run.train()
        let states = store.states + [run.key]
        for (one, two) in [(store.folder, other), (other, store.folder)] {
            let merged = try Scratch()
            for folder in [one, two] { try pour(folder, into: merged.path) }
            let both = try Store(merged.path)
            let found = try contents(both, states)
            #expect(store.expected.allSatisfy(found.contains))
            #expect(try both.registry.runs().count == 3)
            #expect(try both.registry.history(run.key).suffix(7) == ArraySlice(run.records()))
            #expect(both.takeNotices().isEmpty)
        }
    }

    @Test("what was removed stays removed when an older copy is merged; what begins again is there")
    func removal() throws {
        let store = try Measured()
        let old = try store.copy("old")
        let registry = try Store(store.folder).registry
        let doomed = try #require(try registry.runs().first)
        try registry.removeRun(doomed.key)
        #expect(try registry.runs().count == 1)
        try pour(old + "/journals", into: store.folder + "/journals")
        removeIndex(store.folder)
        let merged = try Store(store.folder)
        #expect(try merged.registry.runs().count == 1)
        // Its measurements stay.
        #expect(try !merged.registry.history(doomed.key).isEmpty)
        try merged.registry.save(doomed)
        #expect(try merged.registry.runs().count == 2)
        try pour(old + "/journals", into: store.folder + "/journals")
        #expect(try Store(store.folder).registry.runs().count == 2)
    }

    @Test("records that lead in a circle end")
    func circle() throws {
        let scratch = try Scratch()
        let registry = try Registry(
            journals: scratch.path + "/journals", index: scratch.path + "/index.sqlite")
        let state = Digest.of(Array("state".utf8))
        let record = StepRecord(
            step: 3, loss: 1, learningRate: 1, gradientNorm: 1, tokens: 1, seconds: 1)
        try registry.record(steps: [StepEntry(parent: state, state: state, record: record)])
        #expect(try registry.history(state) == [record])
        #expect(try registry.history([state], among: [state]) == [state: [state]])
    }

    @Test("of two versions of a state one is chosen, whatever the order, and a history is of one")
    func versions() throws {
        func state(_ number: Int) -> Digest { Digest.of(Array("state \(number)".utf8)) }
        func entries(_ loss: Double) -> [StepEntry] {
            (1...6).map { step in
                StepEntry(
                    parent: state(step - 1), state: state(step),
                    record: StepRecord(
                        step: step, loss: loss + Double(step), learningRate: 1, gradientNorm: 1,
                        tokens: 1, seconds: 1))
            }
        }
        let scratch = try Scratch()
        var answers: Set<[Double]> = []
        for order in [[0.0, 0.5], [0.5, 0.0]] {
            let place = "\(scratch.path)/\(order[0])"
            let registry = try Registry(journals: place + "/j", index: place + "/i")
            for loss in order {
                // The two stopped at different states.
                let all = entries(loss)
                let cut = loss == 0 ? 2 : 4
                try registry.record(steps: Array(all[..<cut]))
                let version = all[..<cut].reduce(StateVersion.initial) {
                    $0.after($1.state, $1.record)
                }
                try registry.record(steps: Array(all[cut...]), from: version)
            }
            let history = try registry.history(state(6)).map(\.loss)
            #expect([entries(0), entries(0.5)].contains { $0.map(\.record.loss) == history })
            #expect(try registry.versions(of: state(6)).count == 2)
            #expect(try registry.steps((1...6).map(state)).map(\.loss) == history)
            answers.insert(history)
            // Of what more was measured, that is chosen.
            let last = try #require(try registry.versions(of: state(6)).last)
            let loss = Evaluation(nats: 1, tokens: 1, bytes: 1)
            try registry.record(loss, state: state(6), data: state(0), version: last)
            #expect(try registry.version(of: state(6)) == last)
            #expect(try registry.history(state(6)).map(\.loss) != history)
            #expect(try registry.value(Evaluation.self, state: state(6), data: state(0)) == loss)
        }
        #expect(answers.count == 1)
    }
}
