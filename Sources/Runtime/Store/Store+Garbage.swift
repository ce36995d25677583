import Foundation
import RuntimeSupport

/// Something in a store that nobody needs.
public struct Garbage: Sendable {
    /// What it is.
    public enum Kind: String, CaseIterable, Sendable {
        /// A checkpoint that no registered run needs to be resumed or branched from.
        case checkpoint
        /// A file or folder that a process which is no more was writing.
        case temporary
        /// A checkpoint that failed its hashes and was set aside.
        case damaged
        /// A journal of a process that is no more, whose records are now in another.
        case journal
        /// A claim that nobody has.
        case claim
    }

    /// What it is.
    public let kind: Kind
    /// Where it is.
    public let path: String
    /// Bytes on disk.
    public let bytes: Int
}

extension Store {
    /// Removes what nobody needs: checkpoints no registered run needs, what dead processes were writing, free claims.
    ///
    /// Runs that begin meanwhile wait; a run that is being trained keeps all its checkpoints.
    ///
    /// - Parameters:
    ///   - damaged: Whether the checkpoints that were set aside go, too.
    ///   - dryRun: Finds, but removes nothing.
    /// - Returns: What went, or would.
    public func collectGarbage(
        damaged: Bool = false, dryRun: Bool = false, stop: ShouldStop = { false }
    ) throws -> [Garbage] {
        let gate = try gate(stop: stop)
        defer { withExtendedLifetime(gate) {} }
        var garbage = try unneeded()
        // The number of a process says little if it may run on another machine: no process may be training then.
        if activities.isEmpty { garbage += temporaries() }
        if damaged { garbage += contents("\(folder)/damaged", .damaged) }
        let journals = try registry.mergeable()
        let merged = dryRun ? journals : try registry.merge(journals)
        garbage += merged.map { Garbage(kind: .journal, path: $0.path, bytes: $0.bytes) }
        guard !dryRun else { return garbage + claims(remove: false) }
        for item in garbage where item.kind != .journal {
            if item.kind == .checkpoint,
                let key = Digest(hex: PathName.last(item.path))
            {
                removeCheckpoint(key)
            } else {
                try? FileManager.default.removeItem(atPath: item.path)
            }
        }
        return garbage + claims(remove: true)
    }

    private func unneeded() throws -> [Garbage] {
        let manifests = try checkpoints().usable
        let needed = Set(try runs(manifests).flatMap(\.needed).map(\.key))
        return manifests.filter { !needed.contains($0.key) }.map { manifest in
            Garbage(
                kind: .checkpoint, path: checkpointRoot(manifest.key),
                bytes: checkpointBytes(manifest.key))
        }
    }

    /// `NAME.PROCESS.RANDOM.tmp` whose process is no more.
    private func temporaries() -> [Garbage] {
        let places = [
            "", "/checkpoints", "/tokens", "/tokenizers", "/corpora", "/damaged", "/journals",
            "/claims",
        ]
        return places.flatMap { contents(folder + $0, .temporary) }.filter { item in
            let parts = PathName.last(item.path).split(separator: ".")
            guard parts.last == "tmp", parts.count >= 3, let process = Int32(parts[parts.count - 3])
            else { return false }
            return !Machine.isAlive(process)
        }
    }

    private func contents(_ place: String, _ kind: Garbage.Kind) -> [Garbage] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
        return names.sorted().map { name in
            let path = "\(place)/\(name)"
            var status = stat()
            let isFolder = stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
            return Garbage(
                kind: kind, path: path, bytes: isFolder ? Self.size(path) : Int(status.st_size))
        }
    }

    private func claims(remove: Bool) -> [Garbage] {
        // Stores of earlier versions have locks.
        (contents(claimFolder, .claim) + contents("\(folder)/locks", .claim)).filter { item in
            guard !Claim.isHeld(item.path), !item.path.hasSuffix(".tmp") else { return false }
            guard remove else { return true }
            if PathName.parent(item.path) == claimFolder { return Claim.clear(item.path) }
            FileAccess.remove(item.path)
            return true
        }
    }
}
