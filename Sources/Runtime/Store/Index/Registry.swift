import Foundation
import GRDB
import RuntimeData
import RuntimeEvaluation
import RuntimeSupport
import Synchronization

/// The registry of a store failed.
public struct RegistryError: RuntimeError {
    /// The database file.
    public let path: String
    /// What SQLite said, and what to do about it.
    public let reason: String

    /// `registry PATH: REASON`.
    public var message: String { "registry \(path): \(reason)" }

    package init(_ path: String, _ error: any Error) {
        self.path = path
        guard let error = error as? DatabaseError else {
            reason = error is IndexDamage ? "the file is damaged" : "\(error)"
            return
        }
        let said = error.message ?? error.resultCode.description
        switch error.resultCode {
        case .SQLITE_FULL: reason = "No space left on device (\(said))"
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            reason =
                "the file is damaged (\(said)); move it and its -wal and -shm files away and run again: "
                + "what journals and checkpoints hold stays usable"
        default: reason = said
        }
    }
}

/// Runs, step records and evaluations: journals, which several processes append to, and an index of them.
///
/// Step records and evaluations belong to states, by key: whoever trained a state, every run that passes through it
/// has them. Every step record names the state before it, so that a state's history can be read without its recipe.
/// Where two processors gave one state two versions, one is chosen: that of which more was measured, then that of the
/// engine, then that whose own digits come first. What a history or an evaluation says is of one version.
public final class Registry: Sendable {
    /// The folder of the journals.
    let folder: String
    let index: IndexDatabase
    let writer: JournalWriter
    private let stated: @Sendable () -> [String: Int]
    private let seen = Mutex(Seen())

    private struct Seen {
        /// Bytes of every journal when it was last read.
        var sizes: [String: Int] = [:]
        /// When that was, and how long it took.
        var time: ContinuousClock.Instant?
        var cost = Duration.zero
    }

    /// Opens the journals of a folder, and an index of them.
    ///
    /// - Parameters:
    ///   - folder: The journals'; made with the first record.
    ///   - index: The index's file, made from the journals when it is missing, old or damaged; `nil` for one in memory.
    ///   - isOurs: Whether whatever lies there may be replaced.
    ///   - stated: Bytes that journals had when checkpoints were written.
    /// - Throws: `RegistryError`; `FileError` when a pipe or a device stands in the place of a file.
    public init(
        journals folder: String, index path: String?, isOurs: Bool = true,
        stated: @escaping @Sendable () -> [String: Int] = { [:] }
    ) throws {
        self.folder = folder
        self.stated = stated
        writer = JournalWriter(folder)
        index = try IndexDatabase(path, isOurs: isOurs) { rows, longest in
            let lengths = stated()
            for name in try Self.sizes(folder).keys.sorted() {
                let length = max(longest[name] ?? 0, lengths[name] ?? 0)
                try rows.readOn(name, in: folder) { _ in length }
            }
        }
        if !isOurs, let path { try own(path) }
        try refresh()
    }

    /// Refuses the index of another store, as one index cannot say what two hold.
    private func own(_ path: String) throws {
        let store = PathName.parent(folder)
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let here = Glibc.realpath(store, &bytes).map { String(cString: $0) } ?? store
        let owner = try index.read { try $0.value(.owner, []) }
            .map { String(decoding: $0, as: UTF8.self) }
        guard owner != here else { return }
        if let owner, let status = FileAccess.status(owner), let own = FileAccess.status(here),
            status.st_ino != own.st_ino || status.st_dev != own.st_dev
        {
            throw FileError(
                "use as the index", path,
                reason: "it is that of the store \(owner); expected a file for this one alone")
        }
        if owner != nil { try index.rebuild() }
        try index.write { try $0.set(.owner, [], Array(here.utf8)) }
    }

    /// Bytes of every journal.
    private static func sizes(_ folder: String) throws -> [String: Int] {
        guard FileAccess.exists(folder) else { return [:] }
        var sizes: [String: Int] = [:]
        for name in try FileAccess.entries(in: folder).compactMap(\.name)
        where name.hasSuffix(JournalForm.fileEnding) {
            // One that gc removes meanwhile is no longer there.
            guard let status = FileAccess.status("\(folder)/\(name)") else { continue }
            // What is not a file has no records.
            let isFile = status.st_mode & S_IFMT == S_IFREG
            sizes[String(name.dropLast(JournalForm.fileEnding.count))] =
                isFile ? Int(status.st_size) : 0
        }
        return sizes
    }

    // MARK: - The index

    /// Reads what others appended since.
    ///
    /// - Throws: `RegistryError`, `FileError`.
    public func refresh() throws {
        let started = ContinuousClock.now
        let sizes = try Self.sizes(folder)
        if seen.withLock({ $0.sizes }) != sizes {
            let known = try index.read { try $0.progress() }
            // A journal that is gone was merged into another, or lost: those that are there say what is known.
            if known.contains(where: { sizes[$0.key] ?? 0 < $0.value.offset }) {
                try index.rebuild()
            } else if sizes.contains(where: { $0.value > known[$0.key]?.offset ?? -1 }) {
                try readOn(sizes)
            }
        }
        seen.withLock { seen in
            seen.sizes = sizes
            seen.time = .now
            seen.cost = started.duration(to: .now)
        }
    }

    private func readOn(_ sizes: [String: Int]) throws {
        try index.write { rows in
            let known = try rows.progress()
            for (name, size) in sizes.sorted(by: { $0.key < $1.key })
            where size > known[name]?.offset ?? -1 {
                let isNew = known[name] == nil
                try rows.readOn(name, in: folder) { isTorn in
                    // A checkpoint may say that one that nobody writes was longer.
                    let isLeft =
                        (isTorn || isNew)
                        && !Claim.isHeld(JournalWriter.claimPath(name, in: folder))
                    return isLeft ? stated()[name] ?? 0 : 0
                }
            }
        }
    }

    /// Reads what others appended, unless that was done a moment ago.
    private func refreshIfOld() throws {
        let isNew = seen.withLock { seen in
            seen.time.map { $0.duration(to: .now) < max(.milliseconds(50), seen.cost * 20) }
                ?? false
        }
        if !isNew { try refresh() }
    }

    func read<T>(_ body: (IndexRows) throws -> T) throws -> T {
        try refreshIfOld()
        return try index.read(body)
    }

    /// Appends records, and waits until they would survive the end of the machine.
    func append(_ records: [(kind: JournalForm.Kind, content: [UInt8])]) throws {
        let place = try writer.append(records)
        try index.write { try $0.readOn(place.name, in: folder) { _ in 0 } }
        seen.withLock { $0.sizes[place.name] = place.length }
    }

    /// The end of what this object appended; `nil` before the first record.
    package var place: JournalPlace? { writer.place }

    /// Whether the index has every row that was written, as it was written.
    package func isWhole() throws -> Bool { try index.isWhole() }

    /// Damage that was found in the journals.
    public func damages() throws -> [JournalDamage] {
        try read { try $0.damages(in: folder) }
    }

    // MARK: - Steps

    /// Records steps under the keys of the states they led to, and with them how far a run has come.
    ///
    /// - Parameter version: That of the state before the first step.
    public func record(
        steps: [StepEntry], from version: StateVersion = .initial, run: RunRow? = nil
    )
        throws
    {
        guard !steps.isEmpty || run != nil else { return }
        var records = StepBatch.batches(steps, from: version, engine: Engine.own.id).map {
            (kind: JournalForm.Kind.steps, content: $0.content)
        }
        if let run { records += try contents(run) }
        try append(records)
    }

    /// The version of a state that is chosen; `nil` when nothing is recorded of it.
    public func version(of state: Digest) throws -> StateVersion? {
        try read { try Self.chosen(state, $0) }
    }

    /// Every version of a state, that which is chosen first.
    public func versions(of state: Digest) throws -> [StateVersion] {
        try read { try Self.versions(state, $0) }
    }

    static func chosen(_ state: Digest, _ rows: IndexRows) throws -> StateVersion? {
        try versions(state, rows).first
    }

    static func versions(_ state: Digest, _ rows: IndexRows) throws -> [StateVersion] {
        let places = try rows.steps(endingIn: state)
        var measured: [StateVersion: Set<Digest>] = [:]
        for place in places { measured[place.version, default: []] = [] }
        for (data, version) in try rows.measured(state) {
            measured[version, default: []].insert(data)
        }
        guard measured.count > 1 else { return Array(measured.keys) }
        var engines: [StateVersion: String] = [:]
        func add(_ version: StateVersion, _ engine: EngineID) {
            let engine = engine.description
            engines[version] = min(engines[version] ?? engine, engine)
        }
        for place in places { add(place.version, place.engine) }
        for entry in try rows.evaluations(state) { add(entry.version, entry.by) }
        func rank(_ version: StateVersion) -> (Int, String, StateVersion) {
            (-(measured[version]?.count ?? 0), engines[version] ?? "", version)
        }
        return measured.keys.sorted { rank($0) < rank($1) }
    }

    func batch(_ place: StepPlace) throws -> StepBatch {
        let path = "\(folder)/\(place.journal)\(JournalForm.fileEnding)"
        let content = try JournalReader.content(
            path, at: place.offset, count: place.bytes, kind: .steps)
        guard let batch = content.withUnsafeBytes({ StepBatch($0) }),
            batch.after == place.version, batch.steps.last?.state == place.state
        else { throw IndexDamage() }
        return batch
    }

    /// The records of the given states, which follow each other; states without one are left out.
    ///
    /// - Parameter version: That of the last state; by default the one that is chosen.
    public func steps(_ states: [Digest], version: StateVersion? = nil) throws -> [StepRecord] {
        try read { rows in
            var found = [StepRecord?](repeating: nil, count: states.count)
            var end = states.count - 1
            var wanted = version
            while end >= 0 {
                let version = try wanted ?? Self.chosen(states[end], rows)
                guard let version,
                    let place = try rows.steps(endingIn: states[end], version).first
                else {
                    // What another run trained on without stopping here.
                    if wanted == nil || end < states.count - 1 {
                        try fill(&found, states, end, rows)
                    }
                    wanted = nil
                    end -= 1
                    continue
                }
                let batch = try batch(place)
                for (offset, step) in batch.steps.reversed().enumerated() {
                    guard end - offset >= 0, states[end - offset] == step.state else { break }
                    found[end - offset] = step.record
                }
                end -= batch.steps.count
                wanted = batch.before
            }
            return found.compactMap { $0 }
        }
    }

    /// Takes a state's record out of the middle of a batch.
    private func fill(
        _ found: inout [StepRecord?], _ states: [Digest], _ index: Int, _ rows: IndexRows
    ) throws {
        guard found[index] == nil else { return }
        for start in stride(from: index, through: max(0, index - StepBatch.most), by: -1) {
            for place in try rows.steps(beginningWith: states[start])
            where place.count > index - start {
                let steps = try batch(place).steps
                guard steps[index - start].state == states[index] else { continue }
                for at in start...index { found[at] = steps[at - start].record }
                return
            }
        }
    }

    // MARK: - Measures

    /// What a measure with the given digest found at a state, if that is recorded.
    ///
    /// - Parameter version: That of the state; by default the one that is chosen.
    public func outcome<M: Measure>(
        of measure: M, state: Digest, digest: Digest, version: StateVersion? = nil
    ) throws -> M.Outcome? {
        try value(M.Outcome.self, state: state, data: digest, version: version)
    }

    /// Records what a measure with the given digest found at a state.
    ///
    /// - Parameter version: That of the state; by default the one that is chosen.
    public func record<M: Measure>(
        _ outcome: M.Outcome, of measure: M, state: Digest, digest: Digest,
        version: StateVersion? = nil
    ) throws {
        // Losses of a run are listed by name.
        let loss = measure as? WindowLoss
        try record(
            outcome, state: state, data: digest, name: loss?.name, split: loss?.set.split,
            version: version)
    }

    /// What is recorded of a state under the digest of what was measured, of the version that is chosen.
    package func value<Value: Decodable>(
        _ type: Value.Type, state: Digest, data: Digest, version: StateVersion? = nil
    ) throws -> Value? {
        try read { rows in
            let entries = try rows.evaluations(state, data)
            guard !entries.isEmpty else { return nil }
            let version = try version ?? Self.chosen(state, rows)
            return entries.first { $0.version == version }?.values.decode(type)
        }
    }

    /// Records a value of a state under the digest of what was measured, and what that is called.
    package func record(
        _ value: some Encodable, state: Digest, data: Digest, name: String? = nil,
        split: Split? = nil, version: StateVersion? = nil
    ) throws {
        try append([
            try content(
                value, state: state, data: data, name: name, split: split,
                version: try version ?? self.version(of: state) ?? .initial)
        ])
    }

    /// The record that says a value of a state.
    package func content(
        _ value: some Encodable, state: Digest, data: Digest, name: String?, split: Split?,
        version: StateVersion
    ) throws -> (kind: JournalForm.Kind, content: [UInt8]) {
        let entry = EvaluationEntry(
            state: state, version: version, data: data, name: name, split: split?.rawValue,
            values: try JournalValue(encoding: value), by: Engine.own.id)
        return (.evaluation, try JournalJSON.content(entry))
    }
}
