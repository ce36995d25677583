import Foundation

/// Archives in the form of POSIX tar (ustar), which any `tar` reads: a folder's files in the order of their names, without
/// dates and owners, so that equal files are equal archives.
package enum TarArchive {
    private static let block = 512

    /// Writes the files of a folder and of those in it.
    ///
    /// - Throws: `FileError`, also for a name that the form has no room for.
    package static func write(_ folder: String, to path: String) throws {
        try AtomicFile.write(path) { writer in
            for name in try files(folder) {
                let file = "\(folder)/\(name)"
                let size = Int(FileAccess.status(file)?.st_size ?? 0)
                try header(name, size: size, path).withUnsafeBytes { try writer.write($0) }
                var written = 0
                try FileReader.forEachChunk(file) { chunk in
                    written += chunk.count
                    try writer.write(chunk)
                }
                guard written == size else {
                    throw FileError("read", file, reason: "it changed while it was read")
                }
                let rest = [UInt8](repeating: 0, count: (block - size % block) % block)
                try rest.withUnsafeBytes { try writer.write($0) }
            }
            try [UInt8](repeating: 0, count: 2 * block).withUnsafeBytes { try writer.write($0) }
        }
    }

    private static func files(_ folder: String) throws -> [String] {
        try FileAccess.names(in: folder).flatMap { name -> [String] in
            let path = "\(folder)/\(name)"
            return FileAccess.isFolder(path) ? try files(path).map { "\(name)/\($0)" } : [name]
        }.sorted()
    }

    private static func header(_ name: String, size: Int, _ path: String) throws -> [UInt8] {
        // A name of more than 100 bytes is cut at a slash.
        var (prefix, last) = ([UInt8](), Array(name.utf8))
        if last.count > 100 {
            guard
                let cut = last.indices.first(where: {
                    last[$0] == UInt8(ascii: "/") && last.count - $0 - 1 <= 100
                }), cut <= 155
            else {
                throw FileError(
                    "write", path, reason: "the name \(name) is too long for an archive")
            }
            (prefix, last) = (Array(last[..<cut]), Array(last[(cut + 1)...]))
        }
        guard size < 1 << 33 else {
            throw FileError(
                "write", path, reason: "\(name) has more than 8 GiB, too much for an archive")
        }
        func octal(_ value: Int, _ width: Int) -> [UInt8] {
            let digits = String(value, radix: 8)
            return Array((String(repeating: "0", count: width - 1 - digits.count) + digits).utf8)
                + [0]
        }
        var bytes = [UInt8](repeating: 0, count: block)
        func put(_ offset: Int, _ field: [UInt8]) {
            bytes.replaceSubrange(offset..<(offset + field.count), with: field)
        }
        put(0, last)
        put(100, octal(0o644, 8))
        put(108, octal(0, 8))
        put(116, octal(0, 8))
        put(124, octal(size, 12))
        put(136, octal(0, 12))
        put(148, Array("        ".utf8))
        put(156, Array("0".utf8))
        put(257, Array("ustar\0".utf8) + Array("00".utf8))
        put(345, prefix)
        let sum = bytes.reduce(0) { $0 + Int($1) }
        put(148, octal(sum, 7) + [UInt8(ascii: " ")])
        return bytes
    }

    /// Writes the files of an archive into a folder.
    ///
    /// - Throws: `DamagedFile` for what is not an archive of files inside the folder; `FileError`.
    package static func extract(_ path: String, into folder: String) throws {
        let file = try RandomAccessFile(path)
        var at = 0
        while at + block <= file.size {
            let head = try file.bytes(at..<(at + block))
            if head.allSatisfy({ $0 == 0 }) { return }
            func text(_ range: Range<Int>) -> String {
                String(decoding: head[range].prefix { $0 != 0 }, as: UTF8.self)
            }
            func number(_ range: Range<Int>) -> Int? {
                Int(text(range).trimmingCharacters(in: .whitespaces), radix: 8)
            }
            var plain = head
            plain.replaceSubrange(148..<156, with: Array("        ".utf8))
            guard text(257..<262) == "ustar",
                number(148..<156) == plain.reduce(0, { $0 + Int($1) }),
                let size = number(124..<136), size >= 0, size <= file.size - at - block
            else {
                throw DamagedFile(
                    path, "at byte \(at): it is not the header of a file in a tar archive")
            }
            let (prefix, last) = (text(345..<500), text(0..<100))
            let name = prefix.isEmpty ? last : "\(prefix)/\(last)"
            let parts = name.split(separator: "/", omittingEmptySubsequences: false)
            let kind = head[156]
            at += block
            if kind == UInt8(ascii: "0") || kind == 0 {
                guard !parts.contains(where: { $0.isEmpty || $0 == ".." || $0 == "." }) else {
                    throw DamagedFile(path, "it holds a file called \(name), which is outside")
                }
                let start = at
                try AtomicFile.write("\(folder)/\(name)", synced: false) { writer in
                    var done = 0
                    while done < size {
                        let count = min(1 << 20, size - done)
                        try file.bytes((start + done)..<(start + done + count)).withUnsafeBytes {
                            try writer.write($0)
                        }
                        done += count
                    }
                }
            } else if kind != UInt8(ascii: "5") {
                throw DamagedFile(path, "\(name) is neither a file nor a folder")
            }
            at += (size + block - 1) / block * block
        }
        throw DamagedFile(path, "it ends before the end of the archive")
    }
}
