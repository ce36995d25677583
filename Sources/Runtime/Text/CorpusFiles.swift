import Foundation

/// Text files named by paths, globs and folders.
enum CorpusFiles {
    /// What a file holds, known from the end of its name.
    enum Format: String, CaseIterable {
        case text = ".txt"
        case lines = ".jsonl"
        case array = ".json"
        case commas = ".csv"
        case tabs = ".tsv"
        case tokens = ".bin"

        /// The format of `path`; `nil` if its name does not say.
        static func of(_ path: String) -> Format? {
            let stem = Compression.of(path).stem
            return allCases.first { stem.hasSuffix($0.rawValue) }
        }

        /// Whether a folder's files of this kind are its corpus: .json and .bin files are often something else.
        var isFoundInFolders: Bool { self != .array && self != .tokens }
    }

    private static let expected =
        "expected a name that ends in .txt, .jsonl, .json, .csv, .tsv or .bin, with .gz or .zst after it if compressed"

    /// The files that `patterns` name, in the order of the patterns, sorted within each.
    ///
    /// - Throws: `FileError` naming the pattern that matches nothing, the file that is not readable text by its name,
    ///   or the file named twice.
    static func expand(_ patterns: [String]) throws -> [String] {
        var files: [String] = []
        var seen: Set<String> = []
        for pattern in patterns {
            for file in try expand(pattern) {
                guard seen.insert(file).inserted else {
                    throw FileError(
                        "read", file, reason: "it is named twice (again by \"\(pattern)\")")
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
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: pattern, isDirectory: &isFolder) {
            guard isFolder.boolValue else {
                return [try usable(pattern)]
            }
            let found = try contents(of: pattern)
            guard !found.isEmpty else {
                throw FileError(
                    "read", pattern,
                    reason: "the folder holds no file that ends in .txt, .jsonl, .csv or .tsv "
                        + "(.json and .bin files are read when they are named)")
            }
            return found
        }
        guard pattern.contains(where: { "*?[".contains($0) }) else {
            throw FileError("read", pattern, reason: "No such file or directory")
        }
        let matches = glob(pattern)
        guard !matches.isEmpty else {
            throw FileError("read", pattern, reason: "the glob matches no file")
        }
        return try matches.flatMap { path -> [String] in
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            return isFolder.boolValue ? try contents(of: path) : [try usable(path)]
        }
    }

    /// A path that names a file of a known kind; a pipe or a device cannot be read twice.
    private static func usable(_ path: String) throws -> String {
        guard Format.of(path) != nil else { throw FileError("read", path, reason: expected) }
        var status = stat()
        guard stat(path, &status) == 0 else { throw FileError("read", path, errno: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw FileError("read", path, reason: "it is not a regular file")
        }
        return path
    }

    /// Text files below `folder`, at any depth, by path in byte order; hidden ones left out.
    private static func contents(of folder: String) throws -> [String] {
        guard let walker = FileManager.default.enumerator(atPath: folder) else {
            throw FileError("read folder", folder, errno: errno)
        }
        var found: [String] = []
        for case let name as String in walker {
            let hidden = name.split(separator: "/").contains { $0.hasPrefix(".") }
            if !hidden, Format.of(name)?.isFoundInFolders == true {
                found.append(try usable(folder + "/" + name))
            }
        }
        return found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private static func glob(_ pattern: String) -> [String] {
        var result = glob_t()
        defer { globfree(&result) }
        guard Glibc.glob(pattern, 0, nil, &result) == 0 else { return [] }
        let names = (0..<Int(result.gl_pathc)).compactMap { index in
            result.gl_pathv[index].map { String(cString: $0) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}

/// What tells that a file has not changed since it was read, without reading it.
struct FileStamp: Codable, Hashable {
    let path: String
    let size: Int
    /// Nanoseconds since 1970.
    let modified: Int
    let inode: UInt64

    init(_ path: String) throws {
        var status = stat()
        guard stat(path, &status) == 0 else { throw FileError("read", path, errno: errno) }
        self.path = path
        size = Int(status.st_size)
        modified = Int(status.st_mtim.tv_sec) * 1_000_000_000 + Int(status.st_mtim.tv_nsec)
        inode = UInt64(status.st_ino)
    }
}
