import Glibc
import RuntimeSupport

/// The text files of a folder at any depth; links are followed, hidden files and folders are left out.
struct FolderWalk {
    /// Folders that have been walked: by what name, and how many files were in them; `nil` while they are walked.
    private var walked: [FileIdentity: (path: String, files: Int?)] = [:]

    /// Text files below `folder`, by path in byte order.
    ///
    /// - Throws: `FileError` for what cannot be read, for what holds text but is not read, for a file whose name is not
    ///   UTF-8, and for a folder with files that is found by two names.
    mutating func files(below folder: String) throws -> [String] {
        var found: [String] = []
        try walk(folder, &found)
        return found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private mutating func walk(_ folder: String, _ found: inout [String]) throws {
        try FileAccess.check(folder)
        guard let status = FileAccess.status(folder) else {
            throw FileAccess.error("read folder", folder)
        }
        let identity = FileIdentity(status)
        if let (other, files) = walked[identity] {
            // A link to a folder around it ends here: its files are being found.
            guard let files, files > 0 else { return }
            throw FileError(
                "read folder", folder,
                reason:
                    "it is the same folder as \(other), whose files would be read twice: name one of them"
            )
        }
        walked[identity] = (folder, nil)
        let before = found.count
        for entry in try FileAccess.entries(in: folder) where !entry.isHidden {
            guard let name = entry.name else {
                // A file of another kind is not looked for, whatever its name.
                guard entry.isFile, !Self.isLookedFor(entry.visibleName) else {
                    throw entry.nameError(in: folder)
                }
                continue
            }
            let path = FileGlob.join(folder, name)
            try take(path, entry, &found)
        }
        walked[identity] = (folder, found.count - before)
    }

    private mutating func take(
        _ path: String, _ entry: FileAccess.Entry, _ found: inout [String]
    ) throws {
        if !entry.isFile {
            guard let status = FileAccess.status(path) else {
                guard errno == ENOENT else { throw FileAccess.error("read", path) }
                throw FileError("read", path, reason: "it is a link to what is not there")
            }
            if status.st_mode & S_IFMT == S_IFDIR { return try walk(path, &found) }
        }
        if CorpusFiles.Format.of(path)?.isFoundInFolders == true {
            found.append(try CorpusFiles.usable(path))
        } else if let format = UnreadFormat.named(path), format.mayHoldText {
            throw FileError(
                "read", path,
                reason: format.reason + " (a glob such as \"*.jsonl\" leaves it out)")
        }
    }

    /// Whether a file of that name would be read, or refused for what it holds.
    private static func isLookedFor(_ name: String) -> Bool {
        CorpusFiles.Format.of(name)?.isFoundInFolders == true
            || UnreadFormat.named(name)?.mayHoldText == true
    }
}
