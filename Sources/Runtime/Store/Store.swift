import Foundation
import RuntimeData
import RuntimeEvaluation
import RuntimeSupport

/// A folder that holds token stores, checkpoints and the registry; several processes may use one at a time.
public final class Store {
    /// The folder.
    public let folder: String
    /// Runs, step records and evaluations.
    public let registry: Registry

    /// The tokens of corpora, kept in the folder.
    public let data: EncodedCorpora

    /// What evaluates models on sets, prepared on first use.
    public let evaluators: Evaluators
    /// Names of the tokenizers that this object knows to be in the store.
    var keptTokenizers: Set<String> = []

    /// Opens a store, making the folder if it is not there.
    ///
    /// - Throws: `FileError` or `RegistryError`.
    public init(_ folder: String) throws {
        self.folder = folder
        try AtomicFile.makeFolder(folder)
        guard access(folder, W_OK | X_OK) == 0 else {
            let reason = String(cString: strerror(errno))
            throw FileError(
                "write to the store", folder,
                reason: "\(reason); --store or MTREPL_STORE names another folder")
        }
        data = EncodedCorpora(folder)
        evaluators = Evaluators(data)
        registry = try Registry(path: "\(folder)/registry.sqlite")
    }

    /// The folder of the checkpoint with a state key, whether it is there or not.
    public func checkpointFolder(_ key: Digest) -> String { "\(folder)/checkpoints/\(key.hex)" }

    /// The manifest of the checkpoint with a state key; `nil` when there is none.
    ///
    /// - Throws: `CheckpointError` when it is there but damaged.
    public func manifest(_ key: Digest) throws -> CheckpointManifest? {
        guard let manifest = try Checkpoint.manifest(checkpointFolder(key)) else { return nil }
        guard manifest.key == key else {
            throw CheckpointError(
                path: checkpointFolder(key),
                reason: "\(Checkpoint.manifestFile) names the state \(manifest.key)")
        }
        // Without a checksum the registry is the witness of which step it is.
        if !manifest.isSealed, let known = try registry.steps([key]).first?.step,
            known != manifest.step
        {
            throw CheckpointError(
                path: checkpointFolder(key),
                reason: "the field step of \(Checkpoint.manifestFile) contradicts the registry")
        }
        return manifest
    }

    /// Every checkpoint that can be read, and the folders that cannot with the reason.
    public func checkpoints() throws -> (usable: [CheckpointManifest], damaged: [CheckpointError]) {
        let root = "\(folder)/checkpoints"
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).sorted()
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

    /// Marks a checkpoint as one to stay, whichever run wrote it.
    public func keep(_ key: Digest) throws {
        guard var manifest = try manifest(key), manifest.rolling else { return }
        manifest.rolling = false
        try Checkpoint.write(manifest, checkpointFolder(key))
    }

    /// Deletes a checkpoint unless it was marked as one to stay meanwhile.
    package func removeRolling(_ key: Digest) {
        guard let manifest = try? manifest(key), manifest.rolling else { return }
        removeCheckpoint(key)
    }

    /// Deletes a checkpoint; one that is not there is fine.
    public func removeCheckpoint(_ key: Digest) {
        // Renamed first, so that nobody finds half a checkpoint under its key.
        let path = checkpointFolder(key)
        let doomed = "\(path).\(getpid()).\(UInt32.random(in: 0 ... .max)).tmp"
        guard rename(path, doomed) == 0 else { return }
        try? FileManager.default.removeItem(atPath: doomed)
    }

    /// Moves a damaged checkpoint out of the way, for a person to look at, and says where it went.
    public func setAside(_ key: Digest) throws -> String {
        let target = "\(folder)/damaged/\(key.short)-\(UInt32.random(in: 0 ... .max))"
        try AtomicFile.makeFolder("\(folder)/damaged")
        guard rename(checkpointFolder(key), target) == 0 else {
            throw FileError("move", checkpointFolder(key), errno: errno)
        }
        return target
    }
}
