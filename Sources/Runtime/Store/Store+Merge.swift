import Foundation
import RuntimeData
import RuntimeSupport

/// What came from another store.
public struct StoreMerge: Sendable {
    /// Files and checkpoints that were copied.
    public internal(set) var copied = 0
    /// Bytes of these.
    public internal(set) var bytes = 0
    /// Files that were here already.
    public internal(set) var known = 0
    /// What is damaged there and stayed there, with the reason.
    public internal(set) var left: [String] = []
}

extension Store {
    /// Copies everything from another store that this one does not have.
    ///
    /// Copying the files by other means does the same; this leaves out what is damaged.
    ///
    /// - Throws: `FileError`; `Interrupted`, after which it can be called again.
    public func merge(_ other: Store, stop: ShouldStop = { false }) throws -> StoreMerge {
        var merge = StoreMerge()
        func add(_ from: String, _ to: String, replaces: Bool = false, _ check: () throws -> Void)
            throws
        {
            if stop() { throw Interrupted("interrupted while copying \(from)") }
            guard replaces || !FileAccess.exists(to) else {
                merge.known += 1
                return
            }
            do { try check() } catch let error as any RuntimeError {
                if error is Interrupted { throw error }
                merge.left.append(error.message)
                return
            }
            try Self.copy(from, to)
            merge.copied += 1
            merge.bytes +=
                Self.size(from)
                + Int(FileAccess.isFolder(from) ? 0 : FileAccess.status(from)?.st_size ?? 0)
        }
        for name in try other.registry.journalNames() {
            let from = other.registry.journalPath(name)
            let to = registry.journalPath(name)
            // A copy from when its writer had written less.
            let (here, there) = (FileAccess.status(to)?.st_size, FileAccess.status(from)?.st_size)
            let isLonger =
                here.map { $0 < there ?? 0 } ?? false
                && !Claim.isHeld(JournalWriter.claimPath(name, in: registry.folder))
            try add(from, to, replaces: isLonger) {
                var reader = try JournalReader(from)
                try reader.forEach { _, _, _ in }
                if let damage = reader.damages.first { throw damage.error }
            }
        }
        for (place, ending, kind) in [
            ("corpora", ".json", "corpus summary 2"), ("tokenizers", ".json", "tokenizer 2"),
            ("overlaps", ".json", Overlap.kind), ("tokens", ".tokens", ""),
        ] {
            let names = (try? FileAccess.names(in: "\(other.folder)/\(place)")) ?? []
            for name in names where name.hasSuffix(ending) {
                let from = "\(other.folder)/\(place)/\(name)"
                try add(from, "\(folder)/\(place)/\(name)") {
                    if kind.isEmpty {
                        try Self.checkTokens(from)
                    } else {
                        _ = try SealedFile.read(from, kind: kind, name: PathName.stem(name))
                    }
                }
            }
        }
        for (key, from) in other.checkpointFolders() {
            let version: StateVersion?
            do {
                version = try Checkpoint.manifest(from)?.version ?? other.registry.version(of: key)
            } catch let error as CheckpointError {
                merge.left.append(error.message)
                continue
            }
            let to = "\(checkpointRoot(key))/\((version ?? .initial).hex)"
            try add(from, to) {
                guard let manifest = try Checkpoint.manifest(from) else { return }
                try Checkpoint.verify(from, manifest)
            }
        }
        try registry.refresh()
        return merge
    }

    /// Copies a file, or the files of a folder, so that they appear whole or not at all.
    static func copy(_ from: String, _ to: String) throws {
        guard FileAccess.isFolder(from) else {
            return try AtomicFile.write(to) { writer in
                try FileReader.forEachChunk(from) { try writer.write($0) }
            }
        }
        let temporary = "\(to).\(getpid()).\(UInt32.random(in: 0 ... .max)).tmp"
        defer { FileAccess.removeTree(temporary) }
        try AtomicFile.makeFolder(temporary)
        for name in try FileAccess.names(in: from) where !FileAccess.isFolder("\(from)/\(name)") {
            try copy("\(from)/\(name)", "\(temporary)/\(name)")
        }
        try FileAccess.rename(temporary, to)
        AtomicFile.syncFolder(PathName.parent(to))
    }
}
