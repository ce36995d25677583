import Foundation
import Testing

import enum TestSupport.Long
import struct TestSupport.Draws

import Runtime
import RuntimeStore

/// A store with a finished study, and what is asked of it.
private struct Subject {
    let laboratory: Laboratory
    /// The store as it was when everybody had ended.
    let template: String
    let expected: String
    /// The regular files of the store.
    let files: [String]

    init() throws {
        laboratory = try Laboratory()
        // Three processes, a journal each.
        var options = RunOptions()
        options.keep = [5]
        try laboratory.run(laboratory.base).train(options: options)
        let folder = laboratory.store.folder
        let second = try Store(folder)
        try Run(Trajectory(laboratory.midtrained(), store: second), store: second, name: "branch")
            .train()
        expected = try Self.study(laboratory, try Store(folder)).run().csv()
        template = laboratory.scratch.path + "/template"
        try FileManager.default.copyItem(atPath: folder, toPath: template)
        try? FileManager.default.removeItem(atPath: template + "/claims")
        // Closed, so that all of the index is in its file.
        _ = try Store(template).registry.runs()
        let place = template
        files = try FileManager.default.subpathsOfDirectory(atPath: place).sorted().filter {
            FileAccess.isRegular("\(place)/\($0)") && !$0.hasPrefix("claims/")
        }
    }

    static func study(_ laboratory: Laboratory, _ store: Store) throws -> Study {
        let recipes = [
            ("control", laboratory.base), ("midtrained", try laboratory.midtrained()),
        ]
        return try Study(
            arms: recipes.map { name, recipe in
                Arm(
                    name: name, parameters: [("seed", .integer(1))], recipe: recipe,
                    finetuning: [1e-4, 1e-3].map { laboratory.finetuning($0) })
            }, evaluate: [laboratory.prose, laboratory.code, laboratory.tasks], evaluationLimit: 4,
            store: store)
    }

    /// What a process that opens the store and runs the study finds and says.
    func ask(_ place: String) throws -> (csv: String, trained: Int, said: [String]) {
        let store = try Store(place)
        var said = store.takeNotices()
        var options = StudyOptions()
        options.onEvent = { event in
            if case .run(.warning(let text), _) = event { said.append(text) }
            return true
        }
        let result = try Self.study(laboratory, store).run(options: options)
        return (result.csv(), result.trainedSteps, said)
    }
}

/// Something that happens to a file.
private enum Mishap: CaseIterable {
    case bit, bits, zeros, noise, cut, empty, tail, half, gone, swapped, older, folder

    func happen(
        to file: String, in place: String, _ files: [String], _ draws: inout Draws
    ) throws {
        let path = "\(place)/\(file)"
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        func any(_ count: Int) -> Int { Int.random(in: 0..<max(1, count), using: &draws) }
        func change(_ places: Int) {
            guard !bytes.isEmpty else { return }
            for _ in 0..<places { bytes[any(bytes.count)] ^= UInt8(1 << any(8)) }
        }
        switch self {
        case .bit: change(1)
        case .bits: change(2 + any(20))
        case .zeros, .noise:
            let start = any(bytes.count)
            for index in start..<min(bytes.count, start + 512) {
                bytes[index] = self == .zeros ? 0 : UInt8(any(256))
            }
        case .cut: bytes.removeLast(1 + any(bytes.count))
        case .empty: bytes = []
        case .tail: bytes += (0..<(1 + any(200))).map { _ in UInt8(any(256)) }
        case .half: bytes += bytes.prefix(1 + any(60))
        case .gone:
            unlink(path)
            return
        case .swapped:
            let others = files.filter {
                $0 != file && ($0 as NSString).pathExtension == (file as NSString).pathExtension
            }
            guard let other = others.randomElement(using: &draws) else { return change(1) }
            bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(place)/\(other)")))
        case .older:
            // What the file was when its writer had written less: whole records of a journal.
            guard file.hasSuffix(".journal") else { return change(1) }
            var reader = try JournalReader(path)
            var ends: [Int] = []
            try reader.forEach { _, offset, content in
                ends.append(offset + JournalForm.headerBytes + content.count)
            }
            bytes = Array(bytes[..<(ends.dropLast().randomElement(using: &draws) ?? 0)])
        case .folder:
            unlink(path)
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: false)
            return
        }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }
}

@Suite("Damage at random", .serialized) struct StoreCampaignTests {
    @Test(
        "whatever happens to whichever file, no number is wrong, nothing finished is lost, and what is wrong has a name"
    )
    func damages() throws {
        let subject = try Subject()
        var draws = Draws(seed: Long.isOn ? .random(in: 0 ... .max) : 15)
        let manager = FileManager.default
        let count = Long.count(60, long: 1200)
        var (named, healed, retrained) = (0, 0, 0)
        for number in 0..<count {
            // Every kind of file as often as the others.
            let kinds = Dictionary(grouping: subject.files) { file in
                let name = (file as NSString).lastPathComponent
                return file.hasPrefix("checkpoints/") ? name : (file as NSString).pathExtension
            }
            let kind = kinds.keys.sorted()[number % kinds.count]
            guard let file = kinds[kind]?.randomElement(using: &draws),
                let mishap = Mishap.allCases.randomElement(using: &draws)
            else { continue }
            let what = "\(mishap) of \(file) (number \(number), MTREPL_SEED=\(draws.seed))"
            let place = "\(subject.laboratory.scratch.path)/copy"
            try? manager.removeItem(atPath: place)
            try manager.copyItem(atPath: subject.template, toPath: place)
            // Half of those who open it have an index from before.
            let isIndexed = file.hasPrefix("index") || Bool.random(using: &draws)
            if !isIndexed { unlink(place + "/index.sqlite") }
            try mishap.happen(to: file, in: place, subject.files, &draws)
            let damaged = manager.contents(atPath: "\(place)/\(file)")
            func isNamed(_ text: String) -> Bool {
                let folder = (file as NSString).deletingLastPathComponent
                return text.contains("\(place)/\(file)")
                    || (file.hasPrefix("checkpoints/") && text.contains("\(place)/\(folder)"))
            }
            var said: [String] = []
            do {
                let answer = try subject.ask(place)
                said = answer.said
                if answer.csv != subject.expected { Issue.record("another number: \(what)") }
                if answer.trained > 0 {
                    retrained += 1
                    if !file.hasSuffix(".journal") { Issue.record("trained again: \(what)") }
                }
            } catch let error as any RuntimeError {
                if isNamed(error.message) {
                    said = [error.message]
                } else {
                    Issue.record("\(what): \(error.message)")
                }
            }
            // What still is not as it was written has a name.
            let now = manager.contents(atPath: "\(place)/\(file)")
            let isOpen = try? Store(place)
            if let store = isOpen {
                let check = try store.check()
                let isChanged =
                    now == damaged && mishap != .gone
                    && !(isDropped(file, subject, now) && !isIndexed)
                    && now != manager.contents(atPath: "\(subject.template)/\(file)")
                if isChanged, !(said + check.damages.map(\.path)).contains(where: isNamed),
                    !file.hasPrefix("index")
                {
                    Issue.record("without a name: \(what), said \(said), found \(check.damages)")
                }
                if isChanged { named += 1 } else { healed += 1 }
                _ = try store.check(repair: true)
            } else {
                named += 1
                // What cannot be opened says which file to move away.
                try? manager.removeItem(atPath: "\(place)/\(file)")
            }
            do {
                let again = try subject.ask(place)
                if again.csv != subject.expected {
                    Issue.record("another number, repaired: \(what)")
                }
                let check = try Store(place).check()
                if !check.damages.isEmpty {
                    Issue.record("still damaged: \(what): \(check.damages)")
                }
            } catch { Issue.record("not repaired: \(what): \(error)") }
        }
        print(
            "\(count) damages, seed \(draws.seed): \(named) named, \(healed) healed or without effect, \(retrained) led to steps being trained again"
        )
    }

    /// Whether a journal's end is what an interrupted write leaves, which is dropped without a word.
    private func isDropped(
        _ file: String, _ subject: Subject, _ now: Data?
    ) -> Bool {
        guard file.hasSuffix(".journal"), let now else { return false }
        let whole = FileManager.default.contents(atPath: "\(subject.template)/\(file)") ?? Data()
        // Whoever had an index knows of any cut.
        return now.starts(with: whole) || whole.starts(with: now)
    }
}
