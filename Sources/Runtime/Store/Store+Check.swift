import Foundation
import RuntimeData
import RuntimeSupport

/// What a look at every file of a store found.
public struct StoreCheck: Sendable {
    /// A file that is not what was written.
    public struct Damage: Sendable {
        /// The file or folder.
        public let path: String
        /// What is wrong.
        public let reason: String
        /// What can be done, or was.
        public let remedy: String
    }

    /// A state of which two versions are known.
    public struct Difference: Sendable {
        /// The state.
        public let state: Digest
        /// Its versions, that which is chosen first, with the engine that computed each and what was measured.
        public let versions: [(version: StateVersion, engine: String, loss: Double?)]
    }

    /// Damage, by path.
    public internal(set) var damages: [Damage] = []
    /// States with more than one version that end a batch of steps.
    public internal(set) var differences: [Difference] = []
    /// Journals, checkpoints, token files, summaries and tokenizers that were read.
    public internal(set) var files = 0
    /// Bytes that were read.
    public internal(set) var bytes = 0
    /// Records of steps.
    public internal(set) var steps = 0
    /// Whether the index was not what the journals say, and was made again.
    public internal(set) var indexWasWrong = false
    /// Journals from an earlier version, whose records nobody checked before they were moved there.
    public internal(set) var unchecked: [String] = []
}

extension Store {
    /// Reads every file and says what is not as it was written.
    ///
    /// - Parameter repair: Moves what is damaged to `damaged`, and writes what is whole of a damaged journal into another.
    /// - Throws: `FileError` when a file cannot be read; `Interrupted`.
    public func check(repair: Bool = false, stop: ShouldStop = { false }) throws -> StoreCheck {
        var check = StoreCheck()
        func note(_ path: String, _ reason: String, _ remedy: String) {
            check.damages.append(StoreCheck.Damage(path: path, reason: reason, remedy: remedy))
        }
        func look(_ path: String) throws {
            if stop() { throw Interrupted("interrupted at \(path)") }
            check.files += 1
            check.bytes += Int(FileAccess.status(path)?.st_size ?? 0)
        }
        func discard(_ path: String, _ reason: String) throws {
            let remedy = "it is made again when it is needed"
            note(path, reason, repair ? "set aside; \(remedy)" : remedy)
            if repair { _ = try setAside(path) }
        }
        try registry.refresh()
        check.indexWasWrong = try !registry.index.isWhole()
        try registry.index.rebuild()
        for name in try registry.journalNames() {
            let path = registry.journalPath(name)
            try look(path)
            if name.hasPrefix("migrated-") { check.unchecked.append(path) }
        }
        let damaged = try registry.damages()
        for damage in damaged {
            note(
                damage.path, "at byte \(damage.offset): \(damage.reason)",
                repair
                    ? "set aside; its other records are in a new journal"
                    : "its other records are used")
        }
        if repair { try registry.repair(Set(damaged.map(\.path)), setAside: setAside) }
        for (key, folder) in checkpointFolders() {
            try look("\(folder)/model.safetensors")
            check.bytes += Int(FileAccess.status("\(folder)/optimizer.safetensors")?.st_size ?? 0)
            do {
                guard let manifest = try Checkpoint.manifest(folder) else { continue }
                try Checkpoint.verify(folder, manifest)
            } catch let error as CheckpointError {
                let remedy = "a run trains it again from an earlier state"
                note(folder, error.reason, repair ? "set aside; \(remedy)" : remedy)
                if repair { _ = try setAside(key, folder) }
            }
        }
        let sealed = [
            ("corpora", "corpus summary 2"), ("overlaps", Overlap.kind),
            ("tokenizers", "tokenizer 2"),
        ]
        for (place, kind) in sealed {
            for name in files(in: place, ".json") {
                let path = "\(folder)/\(place)/\(name)"
                try look(path)
                guard FileAccess.isRegular(path) else {
                    try discard(path, JournalDamage.noFile)
                    continue
                }
                do {
                    let content = try SealedFile.read(path, kind: kind, name: PathName.stem(name))
                    if content?.isSealed == false { throw DamagedFile(path, SealedFile.unsealed) }
                } catch let error as DamagedFile {
                    try discard(path, error.reason)
                }
            }
        }
        for name in files(in: "tokens", ".tokens") {
            let path = "\(folder)/tokens/\(name)"
            try look(path)
            guard FileAccess.isRegular(path) else {
                try discard(path, JournalDamage.noFile)
                continue
            }
            do { try Self.checkTokens(path) } catch let error as TokenStoreError {
                try discard(path, error.message)
            }
        }
        (check.steps, check.differences) = try registry.survey()
        return check
    }

    private func files(in place: String, _ ending: String) -> [String] {
        ((try? FileAccess.names(in: "\(folder)/\(place)")) ?? []).filter { $0.hasSuffix(ending) }
    }

    static func checkTokens(_ path: String) throws {
        let store = try TokenStore(path, repair: nil)
        guard store.digest.hex == PathName.stem(PathName.last(path)) else {
            throw TokenStoreError(path, "the token store is damaged: it holds other tokens")
        }
    }

    /// Moves a damaged file out of the way.
    func setAside(_ path: String) throws -> String {
        let target = "\(folder)/damaged/\(UInt32.random(in: 0 ... .max))-\(PathName.last(path))"
        try AtomicFile.makeFolder("\(folder)/damaged")
        try FileAccess.rename(path, target)
        return target
    }
}

extension Registry {
    /// The names of all journals.
    func journalNames() throws -> [String] {
        guard FileAccess.isFolder(folder) else { return [] }
        return try FileAccess.names(in: folder).filter { $0.hasSuffix(JournalForm.fileEnding) }.map
        {
            String($0.dropLast(JournalForm.fileEnding.count))
        }
    }

    func journalPath(_ name: String) -> String { "\(folder)/\(name)\(JournalForm.fileEnding)" }

    /// Writes what is whole of damaged journals into a journal of this process and moves them away.
    func repair(_ paths: Set<String>, setAside: (String) throws -> String) throws {
        guard !paths.isEmpty else { return }
        for path in paths.sorted() where FileAccess.exists(path) {
            let name = String(PathName.last(path).dropLast(JournalForm.fileEnding.count))
            guard !Claim.isHeld(JournalWriter.claimPath(name, in: folder)) else {
                throw FileError(
                    "repair", path, reason: "a process still writes it; let it end first")
            }
            var records: [(kind: JournalForm.Kind, content: [UInt8])] = []
            guard FileAccess.isRegular(path) else {
                _ = try setAside(path)
                continue
            }
            var reader = try JournalReader(path)
            try reader.forEach { header, _, content in
                guard let kind = JournalForm.Kind(rawValue: header.kind), kind != .journal else {
                    return
                }
                records.append((kind, Array(content)))
            }
            if !records.isEmpty { try writer.append(records) }
            _ = try setAside(path)
        }
        try index.rebuild()
        try refresh()
    }

    /// The number of steps, and the states of which there are several versions.
    func survey() throws -> (steps: Int, differences: [StoreCheck.Difference]) {
        try read { rows in
            var steps = 0
            var versions: [Digest: Set<StateVersion>] = [:]
            let places = try rows.allSteps()
            for place in places {
                steps += place.count
                versions[place.state, default: []].insert(place.version)
            }
            let several = versions.filter { $0.value.count > 1 }.keys.sorted { $0.hex < $1.hex }
            let differences = try several.map { state in
                StoreCheck.Difference(
                    state: state,
                    versions: try Self.versions(state, rows).map { version in
                        guard let place = try rows.steps(endingIn: state, version).first else {
                            return (version, "unknown", nil)
                        }
                        var key = Bytes()
                        key.add(place.engine.value)
                        let engine = try rows.value(.engine, key.all).flatMap {
                            JournalJSON.decode(Engine.self, $0)
                        }
                        return (
                            version, engine?.text ?? "unknown",
                            try batch(place).steps.last?.record.loss
                        )
                    })
            }
            return (steps, differences)
        }
    }
}
