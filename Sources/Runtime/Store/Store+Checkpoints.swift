import Foundation
import RuntimeSupport
import Synchronization

/// Checkpoints by the keys of their states: `checkpoints/KEY/VERSION`, so that two versions of a state have a place each.
/// Earlier versions wrote `checkpoints/KEY`.
extension Store {
    private static func root(_ folder: String) -> String { "\(folder)/checkpoints" }

    /// The folder of all versions of a state, whether it is there or not.
    package func checkpointRoot(_ key: Digest) -> String { "\(Self.root(folder))/\(key.hex)" }

    /// Whether some version of a state is there.
    package func hasCheckpoint(_ key: Digest) -> Bool { FileAccess.exists(checkpointRoot(key)) }

    /// Whether a version of a state is there; one that an earlier version of the program wrote may be any.
    package func hasCheckpoint(_ key: Digest, _ version: StateVersion?) -> Bool {
        guard hasCheckpoint(key), let version else { return hasCheckpoint(key) }
        return FileAccess.exists("\(checkpointRoot(key))/\(version.hex)")
            || FileAccess.exists("\(checkpointRoot(key))/\(Checkpoint.manifestFile)")
    }

    /// The folders of the versions of a state.
    private static func folders(_ root: String) -> [String] {
        let names = (try? FileAccess.names(in: root)) ?? []
        let versions = names.filter { StateVersion(hex: $0) != nil }.map { "\(root)/\($0)" }
        return versions.isEmpty || names.contains(Checkpoint.manifestFile)
            ? [root] + versions : versions
    }

    /// The folder of the checkpoint of a state: of the version that the registry chooses, or else of the first that is
    /// there; the state's own folder if none is.
    public func checkpointFolder(_ key: Digest) -> String {
        let root = checkpointRoot(key)
        guard hasCheckpoint(key) else { return root }
        let folders = Self.folders(root)
        guard folders.count > 1 else { return folders.first ?? root }
        let order = ((try? registry.versions(of: key)) ?? []).map { "\(root)/\($0.hex)" }
        return order.first(where: folders.contains) ?? folders[0]
    }

    /// How long the checkpoints of a store say that its journals were; those that were asked before are not read again.
    static func statedLengths(_ folder: String) -> @Sendable () -> [String: Int] {
        let known = StatedLengths()
        return {
            known.places.withLock { places in
                let names = (try? FileAccess.names(in: root(folder))) ?? []
                var there: [String: JournalPlace?] = [:]
                for name in names where Digest(hex: name) != nil {
                    for folder in folders("\(root(folder))/\(name)") {
                        there[folder] =
                            places[folder] ?? (try? Checkpoint.manifest(folder))?.journal
                    }
                }
                places = there
                return there.values.reduce(into: [:]) { lengths, place in
                    guard let place else { return }
                    lengths[place.name] = max(lengths[place.name] ?? 0, place.length)
                }
            }
        }
    }

    /// What manifests say of journals, by their folders.
    private final class StatedLengths: Sendable {
        let places = Mutex<[String: JournalPlace?]>([:])
    }

    /// The manifest of the checkpoint with a state key; `nil` when there is none.
    ///
    /// - Throws: `CheckpointError` when it is there but damaged.
    public func manifest(_ key: Digest) throws -> CheckpointManifest? {
        try manifest(key, checkpointFolder(key))
    }

    /// The manifest of a version's checkpoint in one of the folders of a state.
    package func manifest(_ key: Digest, _ folder: String) throws -> CheckpointManifest? {
        guard let manifest = try Checkpoint.manifest(folder) else { return nil }
        guard manifest.key == key else {
            throw CheckpointError(
                path: folder,
                reason: "\(Checkpoint.manifestFile) names the state \(manifest.key)")
        }
        // Without a checksum the registry is the witness of which step it is.
        if !manifest.isSealed, let known = try registry.steps([key]).first?.step,
            known != manifest.step
        {
            throw CheckpointError(
                path: folder,
                reason: "the field step of \(Checkpoint.manifestFile) contradicts the registry")
        }
        return manifest
    }

    /// Every checkpoint that can be read, and the folders that cannot with the reason.
    public func checkpoints() throws -> (usable: [CheckpointManifest], damaged: [CheckpointError]) {
        let names = ((try? FileAccess.names(in: Self.root(folder))) ?? []).sorted()
        var usable: [CheckpointManifest] = []
        var damaged: [CheckpointError] = []
        for name in names {
            guard let key = Digest(hex: name) else { continue }
            do {
                if let manifest = try manifest(key) { usable.append(manifest) }
            } catch let error as CheckpointError { damaged.append(error) }
        }
        return (usable, damaged)
    }

    /// The versions of a state that have a checkpoint, damaged or not.
    package func checkpointVersions(_ key: Digest) throws -> [(
        folder: String, version: StateVersion
    )] {
        guard hasCheckpoint(key) else { return [] }
        return try Self.folders(checkpointRoot(key)).compactMap { folder in
            if let version = StateVersion(hex: PathName.last(folder)) { return (folder, version) }
            // Earlier versions of the program named none.
            guard FileAccess.exists("\(folder)/\(Checkpoint.manifestFile)") else { return nil }
            let manifest = try? Checkpoint.manifest(folder)
            return (folder, try manifest?.version ?? registry.version(of: key) ?? .initial)
        }
    }

    /// The versions of a state that have a checkpoint; those that cannot be read are left out.
    package func checkpoints(of key: Digest) -> [(folder: String, manifest: CheckpointManifest)] {
        Self.folders(checkpointRoot(key)).compactMap { folder in
            (try? manifest(key, folder)).flatMap { $0 }.map { (folder, $0) }
        }
    }

    /// The folders of all versions of all states.
    func checkpointFolders() -> [(key: Digest, folder: String)] {
        ((try? FileAccess.names(in: Self.root(folder))) ?? []).compactMap(Digest.init(hex:)).flatMap
        { key in
            Self.folders(checkpointRoot(key)).map { (key, $0) }
        }
    }

    /// Bytes of all versions of a state.
    package func checkpointBytes(_ key: Digest) -> Int {
        Self.folders(checkpointRoot(key)).reduce(0) { $0 + Self.size($1) }
    }

    /// Writes the checkpoint of a state's version; one that is already there is left alone.
    ///
    /// - Throws: `FileError` naming the file (`No space left on device` among the reasons).
    package func write(
        _ manifest: CheckpointManifest,
        _ body: (_ temporary: String, CheckpointManifest) throws -> Void
    ) throws {
        let root = checkpointRoot(manifest.key)
        let version = (manifest.version ?? .initial).hex
        let temporary = "\(root).\(getpid()).\(UInt32.random(in: 0 ... .max)).tmp"
        defer { FileAccess.removeTree(temporary) }
        try body("\(temporary)/\(version)", manifest)
        // The first version brings the folder with it, so that nobody finds one without any; another process may have
        // finished the same version first, or remove what it found meanwhile.
        for attempt in 0... {
            let first = FileAccess.attemptRename(temporary, root)
            if first == 0 { break }
            guard Self.isThere(root, first) else { throw FileError("write", root, errno: first) }
            let place = "\(root)/\(version)"
            let second = FileAccess.attemptRename("\(temporary)/\(version)", place)
            if second == 0 || Self.isThere(place, second) { break }
            guard second == ENOENT, attempt < 100 else {
                throw FileError("write", place, errno: second)
            }
        }
        AtomicFile.syncFolder(root)
        AtomicFile.syncFolder(PathName.parent(root))
    }

    /// Whether a rename failed because its target is there, although its name may not be to be seen yet.
    private static func isThere(_ folder: String, _ code: Int32) -> Bool {
        code == EEXIST || code == ENOTEMPTY || FileAccess.isFolder(folder)
    }

    /// Marks a checkpoint as one to stay, whichever run wrote it.
    public func keep(_ key: Digest) throws {
        // What cannot be read is found by who needs it.
        _ = try manifest(key)
        for (folder, manifest) in checkpoints(of: key) where manifest.rolling {
            var manifest = manifest
            manifest.rolling = false
            try Checkpoint.write(manifest, folder)
        }
    }

    /// Deletes a checkpoint unless it was marked as one to stay meanwhile.
    package func removeRolling(_ key: Digest) {
        guard (try? manifest(key)) != nil, checkpoints(of: key).allSatisfy(\.manifest.rolling)
        else {
            return
        }
        removeCheckpoint(key)
    }

    /// Deletes every version of a checkpoint; one that is not there is fine.
    public func removeCheckpoint(_ key: Digest) {
        // Renamed first, so that nobody finds half a checkpoint under its key.
        let path = checkpointRoot(key)
        let doomed = "\(path).\(getpid()).\(UInt32.random(in: 0 ... .max)).tmp"
        guard rename(path, doomed) == 0 else { return }
        FileAccess.removeTree(doomed)
    }

    /// Moves a damaged checkpoint out of the way, for a person to look at, and says where it went.
    ///
    /// - Parameter folder: One of the state's folders.
    package func setAside(_ key: Digest, _ folder: String) throws -> String {
        let target = "\(self.folder)/damaged/\(key.short)-\(UInt32.random(in: 0 ... .max))"
        try AtomicFile.makeFolder("\(self.folder)/damaged")
        let root = checkpointRoot(key)
        // Versions beside or below it stay.
        let others = Self.folders(root).filter { $0 != folder }
        if folder == root, !others.isEmpty {
            try AtomicFile.makeFolder(target)
            for name in try FileAccess.names(in: root) where StateVersion(hex: name) == nil {
                try FileAccess.rename("\(root)/\(name)", "\(target)/\(name)")
            }
            return target
        }
        guard rename(others.isEmpty ? root : folder, target) == 0 else {
            throw FileError("move", folder, errno: errno)
        }
        return target
    }
}
