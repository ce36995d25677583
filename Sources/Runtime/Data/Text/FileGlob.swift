import Glibc
import RuntimeSupport

/// Names that a pattern matches: `*`, `?` and `[…]` within a name, and `**` for folders at any depth, none included.
///
/// As in a shell, a wildcard does not match a leading dot; links are followed.
struct FileGlob {
    private let segments: [String]
    private let isAbsolute: Bool
    /// Whether `**` is in it.
    let isDeep: Bool

    /// Whether a name has wildcards.
    static func isGlob(_ pattern: String) -> Bool {
        pattern.utf8.contains { "*?[".utf8.contains($0) }
    }

    init(_ pattern: String) {
        var segments: [String] = []
        for part in pattern.split(separator: "/") where part != "**" || segments.last != "**" {
            segments.append(String(part))
        }
        self.segments = segments
        isAbsolute = pattern.hasPrefix("/")
        isDeep = segments.contains("**")
    }

    /// What is there of the pattern, in the byte order of the paths.
    ///
    /// - Throws: `FileError` for a folder that cannot be read, and for a match whose name is not UTF-8.
    mutating func matches() throws -> [String] {
        var found: Set<[UInt8]> = []
        try match(isAbsolute ? "/" : "", segments[...], [], &found)
        return found.sorted { $0.lexicographicallyPrecedes($1) }.map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    static func join(_ folder: String, _ name: String) -> String {
        folder.isEmpty || folder.hasSuffix("/") ? folder + name : folder + "/" + name
    }

    /// - Parameters:
    ///   - around: the folders that `**` has gone down, where a link back to one of them ends.
    ///   - found: paths as bytes, since names that differ in their normal form only are equal strings.
    private func match(
        _ folder: String, _ segments: ArraySlice<String>, _ around: Set<FileIdentity>,
        _ found: inout Set<[UInt8]>
    ) throws {
        guard let segment = segments.first else {
            found.insert(Array(folder.utf8))
            return
        }
        let rest = segments.dropFirst()
        if segment == "**" {
            return try descend(folder, segments, around, &found)
        }
        guard Self.isGlob(segment) else {
            let path = Self.join(folder, segment)
            if FileAccess.exists(path) { try match(path, rest, [], &found) }
            return
        }
        for entry in try entries(folder)
        where entry.matches(segment) && (rest.isEmpty || !entry.isFile) {
            guard let name = entry.name else { throw entry.nameError(in: folder) }
            let path = Self.join(folder, name)
            if rest.isEmpty || FileAccess.isFolder(path) { try match(path, rest, [], &found) }
        }
    }

    private func descend(
        _ folder: String, _ segments: ArraySlice<String>, _ around: Set<FileIdentity>,
        _ found: inout Set<[UInt8]>
    ) throws {
        guard let status = FileAccess.status(folder.isEmpty ? "." : folder),
            status.st_mode & S_IFMT == S_IFDIR
        else { return }
        let identity = FileIdentity(status)
        guard !around.contains(identity) else { return }
        let rest = segments.dropFirst()
        // A pattern that ends in ** means all files.
        try match(folder, rest.isEmpty ? ["*"] : rest, [], &found)
        for entry in try entries(folder) where !entry.isHidden && !entry.isFile {
            guard let name = entry.name else { throw entry.nameError(in: folder) }
            let path = Self.join(folder, name)
            if FileAccess.isFolder(path) {
                try descend(path, segments, around.union([identity]), &found)
            }
        }
    }

    /// What a folder holds; nothing if it is none.
    private func entries(_ folder: String) throws -> [FileAccess.Entry] {
        let folder = folder.isEmpty ? "." : folder
        try FileAccess.check(folder)
        guard FileAccess.isFolder(folder) else { return [] }
        return try FileAccess.entries(in: folder)
    }
}
