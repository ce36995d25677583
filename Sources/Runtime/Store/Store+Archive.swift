import Foundation
import RuntimeData
import RuntimeSupport

/// Runs as one file, to publish with a paper: a store of their records, checkpoints and tokenizers, and a page that says
/// where they come from.
extension Store {
    /// Writes runs as a tar archive: what was measured on their way, their checkpoints, tokenizers, and `README.md`.
    ///
    /// - Parameter lastOnly: Leaves out all checkpoints but the latest of each run.
    /// - Throws: `FileError`; `CheckpointError` when a checkpoint is damaged; `DamagedFile`; `Interrupted`.
    public func archive(
        _ runs: [StoredRun], to path: String, lastOnly: Bool = false, stop: ShouldStop = { false }
    ) throws {
        // Beside the archive: the store may not be ours to write.
        let place = "\(path).\(getpid()).\(UInt32.random(in: 0 ... .max)).tmp"
        defer { FileAccess.removeTree(place) }
        try AtomicFile.makeFolder(place)
        _ = try StoreForm.prepare(place)
        FileAccess.removeTree("\(place)/claims")
        try registry.write(runs.map(\.row.key), to: "\(place)/journals")
        var pages: [String] = []
        for run in runs {
            pages.append(try lineage(of: run).markdown())
            for held in lastOnly ? Array(run.checkpoints.prefix(1)) : run.checkpoints {
                if stop() { throw Interrupted("interrupted while writing \(path)") }
                for (from, manifest) in checkpoints(of: held.key) {
                    try Checkpoint.verify(from, manifest)
                    let version = (manifest.version ?? .initial).hex
                    let to = "\(place)/checkpoints/\(held.key.hex)/\(version)"
                    if !FileAccess.exists(to) { try Self.copy(from, to) }
                }
            }
            try copyTokenizers(of: run, to: "\(place)/tokenizers")
        }
        try AtomicFile.write(
            "\(place)/README.md",
            text: pages.joined(separator: "\n")
                + "\nThis is a store of mtrepl: `mtrepl store import FILE` adds it to another.\n")
        try TarArchive.write(place, to: path)
    }

    private func copyTokenizers(of run: StoredRun, to target: String) throws {
        struct Fields: Decodable { let tokenizer: String }
        guard
            let digest = try? JSONDecoder().decode(Fields.self, from: Data(run.row.recipe.utf8))
                .tokenizer
        else { return }
        for name in (try? FileAccess.names(in: "\(folder)/tokenizers")) ?? []
        where name.hasPrefix(digest) && name.hasSuffix(".json") {
            if !FileAccess.exists("\(target)/\(name)") {
                try Self.copy("\(folder)/tokenizers/\(name)", "\(target)/\(name)")
            }
        }
    }

    /// Adds what an archive or another store holds.
    ///
    /// - Throws: `DamagedFile` for what is no archive; as `merge`.
    public func importArchive(_ path: String, stop: ShouldStop = { false }) throws -> StoreMerge {
        let place = "\(folder)/import.\(getpid()).\(UInt32.random(in: 0 ... .max)).tmp"
        defer { FileAccess.removeTree(place) }
        try TarArchive.extract(path, into: place)
        guard Store.isStore(place) else {
            throw DamagedFile(path, "it holds no store; expected what `mtrepl store export` wrote")
        }
        return try merge(Store(place, index: "\(place)/index.sqlite"), stop: stop)
    }

    /// Where a registered run's present state comes from.
    package func lineage(of run: StoredRun, step: Int? = nil) throws -> Lineage {
        let row = run.row
        let state = run.checkpoints.first { $0.step == step }?.key ?? row.state ?? row.key
        let version = state == row.state ? row.version : try registry.version(of: state)
        return Lineage(
            name: row.name, key: state, step: step ?? row.step, steps: row.steps,
            recipe: row.recipe,
            exposure: state == row.state ? row.exposure : nil, version: version,
            engines: try registry.engines(state, version),
            evaluations: try registry.evaluations(state, version: version))
    }
}

extension Registry {
    /// The engines that computed the steps to a state, the first first.
    package func engines(_ state: Digest, _ version: StateVersion?) throws -> [Engine] {
        try read { rows in
            var ids: [EngineID] = []
            for place in try way(state, version, rows).reversed() where !ids.contains(place.engine)
            {
                ids.append(place.engine)
            }
            return try ids.compactMap { id in
                var key = Bytes()
                key.add(id.value)
                return try rows.value(.engine, key.all).flatMap {
                    JournalJSON.decode(Engine.self, $0)
                }
            }
        }
    }

    /// Writes a journal with all that was recorded of some runs and on their way.
    func write(_ runs: [Digest], to folder: String) throws {
        let records = try read { rows -> [(kind: JournalForm.Kind, content: [UInt8])] in
            var records: [(kind: JournalForm.Kind, content: [UInt8])] = []
            var seen: Set<Digest> = []
            func add(_ kind: JournalForm.Kind, _ content: [UInt8]) {
                if seen.insert(Digest.of([UInt8(kind.rawValue)] + content)).inserted {
                    records.append((kind, content))
                }
            }
            for (_, value) in try rows.entries(.engine) { add(.engine, value) }
            for run in runs {
                for (_, _, known) in try rows.runs(run) {
                    if let entry = known.entry { add(.run, try JournalJSON.content(entry)) }
                    for progress in [known.furthest, known.latest].compactMap({ $0 }) {
                        add(.progress, try JournalJSON.content(progress))
                        guard let state = progress.state else { continue }
                        var states = [state]
                        for place in try way(state, progress.version, rows) {
                            let batch = try batch(place)
                            add(.steps, batch.content)
                            states += [batch.parent] + batch.steps.map(\.state)
                        }
                        for state in states {
                            for (_, value) in try rows.entries(.evaluation, state.bytes) {
                                add(.evaluation, value)
                            }
                        }
                    }
                }
            }
            return records
        }
        try Self.write(records, prefix: "export", to: folder)
    }

    /// Writes a journal of its own name, which follows from what it holds.
    ///
    /// - Returns: The name.
    @discardableResult
    package static func write(
        _ records: [(kind: JournalForm.Kind, content: [UInt8])], prefix: String, to folder: String,
        checked: Bool = true
    ) throws -> String {
        var hasher = SHA256()
        for (_, content) in records { hasher.add(content) }
        let name = "\(prefix)-\(Digest(hasher).hex.prefix(16))"
        let head = JournalHead(name: name, host: "", process: 0, started: 0, checked: checked)
        let all =
            [(kind: JournalForm.Kind.journal, content: try JournalJSON.content(head))] + records
        try AtomicFile.write("\(folder)/\(name)\(JournalForm.fileEnding)") { writer in
            for (number, record) in all.enumerated() {
                try JournalForm.record(
                    record.kind, number: UInt32(truncatingIfNeeded: number), content: record.content
                ).withUnsafeBytes { try writer.write($0) }
            }
        }
        return name
    }
}
