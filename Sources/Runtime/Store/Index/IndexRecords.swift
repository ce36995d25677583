import Foundation
import RuntimeData
import RuntimeSupport

/// Where a batch of steps is, and what its way back is.
struct StepPlace {
    let state: Digest
    let version: StateVersion
    let parent: Digest
    let before: StateVersion
    let first: Int
    let count: Int
    let engine: EngineID
    let journal: String
    let offset: Int
    /// Bytes of the whole record.
    let bytes: Int

    var last: Int { first + count - 1 }

    fileprivate init(_ outline: StepBatch.Outline, _ journal: String, _ offset: Int, bytes: Int) {
        (state, version) = (outline.lastState, outline.after)
        (parent, before) = (outline.parent, outline.before)
        (first, count, engine) = (outline.first, outline.count, outline.engine)
        (self.journal, self.offset, self.bytes) = (journal, offset, bytes)
    }

    fileprivate init(_ entry: IndexRows.Entry) {
        (state, version, offset) = entry.key.withUnsafeBytes {
            var reader = ByteReader($0)
            let (state, version) = (reader.digest(), reader.version())
            _ = reader.uint64()
            return (state, version, reader.int())
        }
        (parent, before, first, count, bytes, engine, journal) = entry.value.withUnsafeBytes {
            var reader = ByteReader($0)
            let (parent, before) = (reader.digest(), reader.version())
            let (first, count, bytes) = (reader.int(), reader.int(), reader.int())
            let engine = EngineID(reader.uint64())
            let journal = String(decoding: reader.rest(), as: UTF8.self)
            return (parent, before, first, count, bytes, engine, journal)
        }
    }

    private func key(_ state: Digest) -> [UInt8] {
        var key = Bytes()
        key.add(state)
        key.add(version)
        key.add(Digest.of(Array(journal.utf8)).word(0))
        key.add(offset)
        return key.all
    }

    fileprivate func add(to rows: IndexRows, firstState: Digest) throws {
        var value = Bytes()
        value.add(parent)
        value.add(before)
        for number in [first, count, bytes] { value.add(number) }
        value.add(engine.value)
        value.add(journal.utf8)
        try rows.set(.steps, key(state), value.all)
        var end = Bytes()
        end.add(state)
        try rows.set(.firstSteps, key(firstState), end.all)
    }
}

/// How far a journal was read.
struct JournalProgress {
    /// Bytes that hold whole records.
    var offset = 0
    /// The number of the next record.
    var number: UInt32 = 0
    /// Bytes that it is known to have had: less is damage, wherever it ends.
    var longest = 0

    init() {}

    init(_ value: [UInt8]) {
        (offset, number, longest) = value.withUnsafeBytes {
            var reader = ByteReader($0)
            let (offset, number) = (reader.int(), UInt32(truncatingIfNeeded: reader.int()))
            return (offset, number, reader.int())
        }
    }

    var bytes: [UInt8] {
        var bytes = Bytes()
        for value in [offset, Int(number), longest] { bytes.add(value) }
        return bytes.all
    }
}

/// What is known of one registration of a run: the same whatever the order in which records are read.
struct IndexedRun: Codable {
    var entry: RunEntry?
    var furthest: ProgressEntry?
    /// What happened last, if that is not the furthest.
    private var later: ProgressEntry?

    /// What happened last.
    var latest: ProgressEntry? { later ?? furthest }

    mutating func add(_ new: RunEntry) {
        if entry.map({ ($0.updated, $0.name) < (new.updated, new.name) }) ?? true { entry = new }
    }

    mutating func add(_ new: ProgressEntry) {
        func rank(_ entry: ProgressEntry) -> (Double, String, String, String) {
            (entry.updated, entry.status, entry.state?.hex ?? "", entry.failure ?? "")
        }
        var last = latest
        if last.map({ rank($0) <= rank(new) }) ?? true { last = new }
        if furthest.map({ $0.step == new.step ? rank($0) <= rank(new) : $0.step < new.step })
            ?? true
        {
            furthest = new
        }
        guard let last, let furthest else { return }
        later = last.step == furthest.step && rank(last) == rank(furthest) ? nil : last
    }
}

extension Digest {
    var bytes: [UInt8] {
        var bytes = Bytes()
        bytes.add(self)
        return bytes.all
    }
}

/// What records say, as rows.
extension IndexRows {
    /// How far every journal was read.
    func progress() throws -> [String: JournalProgress] {
        Dictionary(
            try entries(.journal).map {
                (String(decoding: $0.key, as: UTF8.self), JournalProgress($0.value))
            }, uniquingKeysWith: { first, _ in first })
    }

    /// Reads what a journal has more than the index.
    ///
    /// - Parameter stated: Bytes that it had at least, asked with whether it ends in half a record.
    func readOn(_ name: String, in folder: String, stated: (_ isTorn: Bool) -> Int) throws {
        var progress = try value(.journal, Array(name.utf8)).map { JournalProgress($0) } ?? .init()
        let path = "\(folder)/\(name)\(JournalForm.fileEnding)"
        guard FileAccess.isRegular(path) else {
            try add(JournalDamage(path: path, offset: 0, reason: JournalDamage.noFile), name)
            return try set(.journal, Array(name.utf8), progress.bytes)
        }
        var reader = try JournalReader(path, from: progress.offset, number: progress.number)
        var wrong: [JournalDamage] = []
        try reader.forEach { header, offset, content in
            let record = offset..<(offset + JournalForm.headerBytes + content.count)
            if try !add(header, content, name, record) {
                wrong.append(
                    JournalDamage(
                        path: path, offset: offset,
                        reason:
                            "record \(header.number) does not say what one of kind \(header.kind) says"
                    ))
            }
        }
        for damage in reader.damages + wrong { try add(damage, name) }
        (progress.offset, progress.number) = (reader.offset, reader.number)
        progress.longest = max(progress.longest, reader.offset, stated(reader.isTorn))
        try set(.journal, Array(name.utf8), progress.bytes)
    }

    func add(_ damage: JournalDamage, _ journal: String) throws {
        var key = Bytes()
        key.add(journal.utf8)
        key.add([0])
        key.add(damage.offset)
        try set(.damage, key.all, Array(damage.reason.utf8))
    }

    /// Damage that was found in the journals of a folder.
    func damages(in folder: String) throws -> [JournalDamage] {
        func path(_ name: some Sequence<UInt8>) -> String {
            "\(folder)/\(String(decoding: Array(name), as: UTF8.self))\(JournalForm.fileEnding)"
        }
        let short = try entries(.journal).compactMap { key, value -> JournalDamage? in
            let progress = JournalProgress(value)
            guard progress.offset < progress.longest, FileAccess.isRegular(path(key)) else {
                return nil
            }
            return JournalDamage(
                path: path(key), offset: progress.offset,
                reason: "it ends here; it had \(progress.longest) bytes before")
        }
        return try short
            + entries(.damage).map { key, value in
                let name = key.prefix { $0 != 0 }
                let offset = Array(key.dropFirst(name.count + 1)).withUnsafeBytes {
                    var reader = ByteReader($0)
                    return reader.int()
                }
                return JournalDamage(
                    path: path(name), offset: offset, reason: String(decoding: value, as: UTF8.self)
                )
            }
    }

    /// Adds a record; false when it does not say what its kind says.
    private func add(
        _ header: JournalForm.Header, _ content: UnsafeRawBufferPointer, _ journal: String,
        _ place: Range<Int>
    ) throws -> Bool {
        // A kind that is not known is of a later version, which raises the form if it must be known.
        guard let kind = JournalForm.Kind(rawValue: header.kind) else { return true }
        switch kind {
        case .journal:
            return JournalJSON.decode(JournalHead.self, content)?.name == journal
        case .engine:
            guard let engine = JournalJSON.decode(Engine.self, content) else { return false }
            var key = Bytes()
            key.add(engine.id.value)
            try set(.engine, key.all, Array(content))
        case .steps:
            guard let outline = StepBatch.outline(content) else { return false }
            try StepPlace(outline, journal, place.lowerBound, bytes: place.count).add(
                to: self, firstState: outline.firstState)
        case .evaluation:
            guard let entry = JournalJSON.decode(EvaluationEntry.self, content) else {
                return false
            }
            var key = Bytes()
            key.add(entry.state)
            key.add(entry.data)
            key.add(entry.version)
            key.add(JournalForm.sum(content))
            try set(.evaluation, key.all, Array(content))
        case .run:
            guard let entry = JournalJSON.decode(RunEntry.self, content) else { return false }
            try change(entry.run, entry.registration) { $0.add(entry) }
        case .progress:
            guard let entry = JournalJSON.decode(ProgressEntry.self, content) else { return false }
            try change(entry.run, entry.registration) { $0.add(entry) }
        case .removal:
            guard let entry = JournalJSON.decode(RemovalEntry.self, content) else { return false }
            for registration in entry.registrations {
                try set(.removal, entry.run.bytes + registration.utf8, [])
            }
        case .study:
            guard let entry = JournalJSON.decode(StudyRecord.self, content) else { return false }
            try set(.study, entry.key.bytes, Array(content))
        }
        return true
    }

    private func change(
        _ run: Digest, _ registration: String, _ body: (inout IndexedRun) -> Void
    ) throws {
        let key = run.bytes + registration.utf8
        var known = IndexedRun()
        if let value = try value(.run, key) {
            guard let found = JournalJSON.decode(IndexedRun.self, value) else {
                throw IndexDamage()
            }
            known = found
        }
        body(&known)
        try set(.run, key, try JournalJSON.content(known))
    }

    /// The registrations of a run, or of all, that were not removed.
    func runs(_ run: Digest? = nil) throws -> [(
        run: Digest, registration: String, known: IndexedRun
    )] {
        let removed = Set(try entries(.removal, run?.bytes ?? []).map(\.key))
        return try entries(.run, run?.bytes ?? []).compactMap { key, value in
            guard !removed.contains(key) else { return nil }
            guard let known = JournalJSON.decode(IndexedRun.self, value), key.count > 32 else {
                throw IndexDamage()
            }
            let run = key.withUnsafeBytes {
                var reader = ByteReader($0)
                return reader.digest()
            }
            return (run, String(decoding: key[32...], as: UTF8.self), known)
        }
    }

    /// All batches.
    func allSteps() throws -> [StepPlace] { try entries(.steps).map { StepPlace($0) } }

    /// The batches that end in a state, or in one version of it.
    func steps(endingIn state: Digest, _ version: StateVersion? = nil) throws -> [StepPlace] {
        var prefix = Bytes()
        prefix.add(state)
        if let version { prefix.add(version) }
        return try entries(.steps, prefix.all).map { StepPlace($0) }
    }

    /// The batches whose first step leads to a state.
    func steps(beginningWith state: Digest) throws -> [StepPlace] {
        try entries(.firstSteps, state.bytes).compactMap { key, value in
            let place = value + key[32...]
            return try self.value(.steps, place).map { StepPlace((place, $0)) }
        }
    }

    /// Which versions of a state were measured, and on which data.
    func measured(_ state: Digest) throws -> [(data: Digest, version: StateVersion)] {
        try entries(.evaluation, state.bytes).map { key, _ in
            key.withUnsafeBytes {
                var reader = ByteReader($0)
                _ = reader.digest()
                return (reader.digest(), reader.version())
            }
        }
    }

    /// What was measured of a state, on some data or all.
    func evaluations(_ state: Digest, _ data: Digest? = nil) throws -> [EvaluationEntry] {
        try entries(.evaluation, state.bytes + (data?.bytes ?? [])).map { _, value in
            guard let entry = JournalJSON.decode(EvaluationEntry.self, value) else {
                throw IndexDamage()
            }
            return entry
        }
    }
}
