import Glibc
import RuntimeSupport

/// Text files named by paths, globs and folders.
package enum CorpusFiles {
    /// What a file holds, known from the end of its name.
    package enum Format: CaseIterable {
        case text, lines, array, commas, tabs, tokens

        private var endings: [String] {
            switch self {
            case .text: [".txt"]
            case .lines: [".jsonl", ".ndjson"]
            case .array: [".json"]
            case .commas: [".csv"]
            case .tabs: [".tsv"]
            case .tokens: [".bin"]
            }
        }

        /// The format of `path`, however its letters are written; `nil` if its name does not say.
        package static func of(_ path: String) -> Format? {
            let stem = Compression.of(path).stem.lowercased()
            return allCases.first { $0.endings.contains { stem.hasSuffix($0) } }
        }

        /// Whether a folder's files of this kind are its corpus: .json and .bin files are often something else.
        var isFoundInFolders: Bool { self != .array && self != .tokens }
    }

    private static let expected =
        "expected a name that ends in .txt, .jsonl, .ndjson, .json, .csv, .tsv or .bin, "
        + "with .gz or .zst after it if compressed"

    /// The files that `patterns` name, in the order of the patterns, sorted within each.
    ///
    /// - Throws: `FileError` naming the pattern that matches nothing, the file that is not readable text by its name,
    ///   or the file that is named twice, whatever its names.
    package static func expand(_ patterns: [String]) throws -> [String] {
        var files: [String] = []
        var seen: [FileIdentity: String] = [:]
        for pattern in patterns {
            for file in try expand(pattern) {
                guard let status = FileAccess.status(file) else {
                    throw FileAccess.error("read", file)
                }
                if let other = seen.updateValue(file, forKey: FileIdentity(status)) {
                    throw FileError(
                        "read", file,
                        reason: other == file
                            ? "it is named twice (again by \"\(pattern)\")"
                            : "it is the same file as \(other): name it once")
                }
                files.append(file)
            }
        }
        return files
    }

    private static func expand(_ pattern: String) throws -> [String] {
        guard !pattern.isEmpty else {
            throw FileError("read", "\"\"", reason: "expected a path, a glob or a folder")
        }
        if FileAccess.exists(pattern) { return try files(at: pattern) }
        guard FileGlob.isGlob(pattern) else {
            try FileAccess.check(pattern)
            guard FileAccess.status(pattern, followsLinks: false) == nil else {
                throw FileError("read", pattern, reason: "it is a link to what is not there")
            }
            throw FileError("read", pattern, reason: "No such file or directory")
        }
        var glob = FileGlob(pattern)
        let matches = try glob.matches()
        // With `**` the files of a folder are matched themselves.
        let files =
            try glob.isDeep
            ? matches.filter { !FileAccess.isFolder($0) }.map(usable)
            : matches.flatMap(files)
        guard !files.isEmpty else {
            throw FileError("read", pattern, reason: "the glob matches no file")
        }
        return files
    }

    private static func files(at path: String) throws -> [String] {
        guard FileAccess.isFolder(path) else { return [try usable(path)] }
        var walk = FolderWalk()
        let found = try walk.files(below: path)
        guard !found.isEmpty else {
            throw FileError(
                "read", path,
                reason: "the folder holds no file that ends in .txt, .jsonl, .ndjson, .csv or .tsv "
                    + "(.json and .bin files are read when they are named)")
        }
        return found
    }

    /// A path that names a file of a known kind; a pipe or a device cannot be read twice.
    package static func usable(_ path: String) throws -> String {
        guard Format.of(path) != nil else {
            throw FileError("read", path, reason: UnreadFormat.named(path)?.reason ?? expected)
        }
        try FileAccess.check(path)
        guard let status = FileAccess.status(path) else { throw FileAccess.error("read", path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw FileError("read", path, reason: "it is not a regular file")
        }
        return path
    }
}

/// A file or folder, whatever it is called.
package struct FileIdentity: Hashable {
    private let device: UInt64
    private let inode: UInt64

    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }

    /// What a name leads to; `nil` where nothing is.
    package init?(path: String) {
        guard let status = FileAccess.status(path) else { return nil }
        self.init(status)
    }
}
