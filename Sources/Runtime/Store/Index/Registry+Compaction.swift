import Foundation
import RuntimeSupport

/// Journals that nobody writes any more become one.
extension Registry {
    /// Longer journals are left as they are, so that what is large is not written again and again.
    private static let most = 1 << 26

    /// A journal that will be merged.
    package struct Source {
        let name: String
        let path: String
        let bytes: Int
    }

    /// The journals of processes that are no more, of which none is damaged; none if there is only one.
    package func mergeable() throws -> [Source] {
        let damaged = Set(try damages().map(\.path))
        let sources =
            try FileAccess.isFolder(folder)
            ? FileAccess.names(in: folder).compactMap { file -> Source? in
                guard file.hasSuffix(JournalForm.fileEnding) else { return nil }
                let name = String(file.dropLast(JournalForm.fileEnding.count))
                let path = "\(folder)/\(file)"
                // What nobody checked stays apart.
                guard !name.hasPrefix("migrated-"), !damaged.contains(path),
                    let size = FileAccess.status(path)?.st_size, size < Self.most,
                    !Claim.isHeld(JournalWriter.claimPath(name, in: folder))
                else { return nil }
                return Source(name: name, path: path, bytes: Int(size))
            } : []
        return sources.count > 1 ? sources : []
    }

    /// Writes what journals say into one, and removes them.
    ///
    /// Nobody need stop: their writers are no more, and one that was taken for dead notices that its journal is gone and
    /// writes into another. Of a run, what is overtaken is left out; of what was removed, all but its removal.
    ///
    /// - Returns: Those that went.
    package func merge(_ sources: [Source]) throws -> [Source] {
        try refresh()
        var records: [(kind: JournalForm.Kind, content: [UInt8])] = []
        var seen: Set<Digest> = []
        var ends: [String: Int] = [:]
        let needed = try index.read { try Self.needed(try $0.runs()) }
        for source in sources {
            var reader = try JournalReader(source.path)
            var isWhole = true
            try reader.forEach { header, _, content in
                guard let kind = JournalForm.Kind(rawValue: header.kind) else {
                    // Of a later version: not ours to move.
                    isWhole = false
                    return
                }
                let content = Array(content)
                switch kind {
                case .journal: return
                case .run, .progress: guard needed.contains(content) else { return }
                default: break
                }
                if seen.insert(Digest.of([UInt8(kind.rawValue)] + content)).inserted {
                    records.append((kind, content))
                }
            }
            guard isWhole, reader.damages.isEmpty else { return [] }
            ends[source.name] = reader.offset
        }
        let name = try Self.write(records, prefix: "merged", to: folder)
        var gone: [Source] = []
        // What is merged again may be one of them already.
        for source in sources where source.name != name {
            let doomed = "\(source.path).\(getpid()).\(UInt32.random(in: 0 ... .max)).tmp"
            guard (try? FileAccess.rename(source.path, doomed)) != nil else { continue }
            // Its writer lives after all, and wrote on.
            if let size = FileAccess.status(doomed)?.st_size, Int(size) != source.bytes {
                try FileAccess.rename(doomed, source.path)
                continue
            }
            FileAccess.remove(doomed)
            gone.append(source)
        }
        AtomicFile.syncFolder(folder)
        try refresh()
        return gone
    }

    /// The records of runs that still say something.
    private static func needed(
        _ runs: [(run: Digest, registration: String, known: IndexedRun)]
    ) throws -> Set<[UInt8]> {
        var needed: Set<[UInt8]> = []
        for (_, _, known) in runs {
            if let entry = known.entry { needed.insert(try JournalJSON.content(entry)) }
            for progress in [known.furthest, known.latest] {
                if let progress { needed.insert(try JournalJSON.content(progress)) }
            }
        }
        return needed
    }
}
