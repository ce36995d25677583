import Glibc
import RuntimeSupport

/// Bytes of a file, decompressed, read in order.
package protocol ByteInput: AnyObject {
    /// Bytes of the file itself (compressed) taken so far, for progress.
    var consumed: Int { get }
    /// Fills `buffer` as far as it can and returns the number of bytes; 0 means the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

/// How a file's bytes are packed, known from the end of its name.
package enum Compression {
    case none, gzip, zstandard

    /// The compression of `path`, and `path` without that ending.
    package static func of(_ path: String) -> (Compression, stem: String) {
        for kind in [Compression.gzip, .zstandard]
        where path.lowercased().hasSuffix(kind.ending) {
            return (kind, String(path.dropLast(kind.ending.count)))
        }
        return (.none, path)
    }

    /// What it is called.
    package var name: String { self == .gzip ? "gzip" : self == .zstandard ? "zstd" : "" }
    /// How the name of such a file ends.
    package var ending: String { self == .gzip ? ".gz" : self == .zstandard ? ".zst" : "" }

    /// The compression of what begins with these bytes.
    package static func mark(of start: some Collection<UInt8>) -> Compression? {
        if start.starts(with: [0x1f, 0x8b, 0x08]) { return .gzip }
        let isSkippable = start.count > 8 && start.first.map { $0 & 0xf0 == 0x50 } == true
        if isSkippable, start.dropFirst().starts(with: [0x2a, 0x4d, 0x18]) { return .zstandard }
        return start.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) ? .zstandard : nil
    }

    /// Opens `path` for reading what it holds when unpacked.
    ///
    /// - Throws: `FileError`, also for what its name says wrongly.
    package static func open(_ path: String) throws -> any ByteInput {
        let file = try PlainInput(path)
        let kind = of(path).0
        guard kind != .none else { return file }
        let start = try file.start(257 + 8)
        guard start.count < 4 || mark(of: start) == kind else {
            let found = UnreadFormat.of(start)?.name ?? mark(of: start).map { "\($0.name) data" }
            let page = SniffedInput.page(start)
            throw FileError(
                "read", path,
                reason: "its name ends in \(kind.ending), but it is "
                    + (found ?? page ?? "not \(kind.name) data"))
        }
        return kind == .gzip ? try GzipInput(file) : try ZstandardInput(file)
    }

    /// Opens `path` for reading text.
    ///
    /// - Throws: `FileError`; `TextError` for what is not text in UTF-8.
    static func openText(_ path: String, allowsPages: Bool = false) throws -> any ByteInput {
        try SniffedInput(try open(path), file: path, allowsPages: allowsPages)
    }
}

/// A file as it is.
package final class PlainInput: ByteInput {
    package let path: String
    private let descriptor: Int32
    package private(set) var consumed = 0

    init(_ path: String) throws {
        self.path = path
        descriptor = try FileAccess.openRegular(path).descriptor
    }

    deinit { close(descriptor) }

    /// The first bytes, not taken.
    package func start(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let found = pread(descriptor, &bytes, count, 0)
        guard found >= 0 else { throw FileError("read", path, errno: errno) }
        return Array(bytes[..<found])
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 {
                consumed += count
                return count
            }
            guard errno == EINTR else { throw FileError("read", path, errno: errno) }
        }
    }
}
