import Foundation

/// A file-system operation that failed.
public struct FileError: RuntimeError {
    /// What was attempted, such as `read`.
    public let action: String
    /// The path as given.
    public let path: String
    /// Why, in words.
    public let reason: String

    /// Creates an error from words.
    public init(_ action: String, _ path: String, reason: String) {
        self.action = action
        self.path = path
        self.reason = reason
    }

    /// Creates an error from a C error number.
    public init(_ action: String, _ path: String, errno code: Int32) {
        self.init(action, path, reason: String(cString: strerror(code)))
    }

    /// `cannot ACTION PATH: REASON`.
    public var message: String { "cannot \(action) \(path): \(reason)" }
}

/// Reading files in pieces.
public enum FileReader {
    /// Calls `body` with consecutive pieces of a regular file, at most `size` bytes each.
    ///
    /// - Throws: `FileError` naming the path; whatever `body` throws.
    public static func forEachChunk(
        _ path: String, size: Int = 1 << 20, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let (descriptor, _) = try FileAccess.openRegular(path)
        defer { close(descriptor) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = Glibc.read(descriptor, buffer.baseAddress, size)
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError("read", path, errno: errno)
            }
            if count == 0 { return }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }

    /// Bytes of a file.
    public static func size(_ path: String) throws -> Int {
        guard let status = FileAccess.status(path) else { throw FileAccess.error("read", path) }
        return Int(status.st_size)
    }

    /// The whole file as bytes.
    public static func bytes(_ path: String) throws -> [UInt8] {
        var result: [UInt8] = []
        try forEachChunk(path) { result.append(contentsOf: $0) }
        return result
    }

    /// The whole of a regular file that is not trusted.
    ///
    /// - Parameter limit: bytes that no honest file of its kind has.
    /// - Throws: `FileError`, also for a longer file and for anything but a regular file.
    public static func bytes(_ path: String, limit: Int) throws -> [UInt8] {
        let file = try RandomAccessFile(path)
        guard file.size <= limit else {
            throw FileError(
                "read", path,
                reason: "it has \(file.size) bytes; expected at most \(limit) of a file of its kind"
            )
        }
        return try [UInt8](unsafeUninitializedCapacity: file.size) { buffer, count in
            let bytes = UnsafeMutableRawBufferPointer(
                rebasing: UnsafeMutableRawBufferPointer(buffer)[..<file.size])
            try file.read(at: 0, into: bytes)
            count = file.size
        }
    }

    /// The whole file as text.
    ///
    /// - Throws: `FileError` if it is unreadable or not UTF-8.
    public static func text(_ path: String) throws -> String {
        guard let text = String(validating: try bytes(path), as: UTF8.self) else {
            throw FileError("read", path, reason: "not UTF-8 text")
        }
        return text
    }
}

/// Files that appear whole or not at all: written to a temporary name beside the target, synced, renamed.
public enum AtomicFile {
    /// Writes through `body`, which receives an open descriptor wrapped in a `FileWriter`.
    ///
    /// - Throws: `FileError` naming the path (`No space left on device` among the reasons); the target is then as it
    ///   was and the temporary file is removed.
    ///
    /// - Parameter synced: Whether the file must also survive the end of the machine, not only that of the process.
    public static func write(
        _ path: String, synced: Bool = true, _ body: (inout FileWriter) throws -> Void
    ) throws {
        try makeFolder(PathName.parent(path))
        guard let status = FileAccess.status(path) else {
            return try replace(path, mode: nil, synced, body)
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG:
            // What a link names is replaced, not the link, and keeps its permissions.
            var target = path
            for _ in 0..<40 {
                guard let next = FileAccess.linkTarget(target) else { break }
                target = next
            }
            try replace(target, mode: status.st_mode & 0o7777, synced, body)
        case S_IFDIR:
            throw FileError("write", path, reason: "it is a folder")
        default:
            try pour(into: path, body)
        }
    }

    /// Writes to something other than a regular file, such as a device or a pipe, which cannot be replaced.
    private static func pour(into path: String, _ body: (inout FileWriter) throws -> Void) throws {
        let descriptor = try FileAccess.open(path, O_WRONLY, action: "write")
        defer { close(descriptor) }
        var writer = FileWriter(descriptor: descriptor, path: path)
        try body(&writer)
        try writer.flush()
    }

    private static func replace(
        _ path: String, mode: mode_t?, _ synced: Bool, _ body: (inout FileWriter) throws -> Void
    ) throws {
        let temporary = "\(path).\(getpid()).\(UInt32.random(in: 0 ... .max)).tmp"
        let descriptor = try FileAccess.open(
            temporary, O_WRONLY | O_CREAT | O_EXCL, action: "write")
        var writer = FileWriter(descriptor: descriptor, path: path)
        do {
            if let mode { fchmod(descriptor, mode) }
            try body(&writer)
            try writer.flush()
            guard !synced || fsync(descriptor) == 0 else {
                throw FileError("write", path, errno: errno)
            }
            try FileAccess.rename(temporary, path)
        } catch {
            close(descriptor)
            FileAccess.remove(temporary)
            throw error
        }
        close(descriptor)
        if synced { syncFolder(PathName.parent(path)) }
    }

    /// Writes a string.
    public static func write(_ path: String, text: String) throws {
        try write(path) { try $0.write(text) }
    }

    /// Writes a value as JSON with sorted keys, so that equal values are equal bytes.
    public static func write(_ path: String, json value: some Encodable) throws {
        try write(path, text: CanonicalJSON.text(value) + "\n")
    }

    /// Makes a folder and its parents; one that exists is fine.
    public static func makeFolder(_ path: String) throws {
        guard !path.isEmpty, !FileAccess.makeFolder(path) else { return }
        var code = errno
        let parent = PathName.parent(path)
        if code == ENOENT, !parent.isEmpty, parent != path {
            try makeFolder(parent)
            guard !FileAccess.makeFolder(path) else { return }
            code = errno
        }
        guard code == EEXIST || FileAccess.isFolder(path) else {
            errno = code
            throw FileAccess.error("make folder", path)
        }
        // One that another machine made may not be to be seen here yet.
        guard FileAccess.isFolder(path) || !FileAccess.exists(path) else {
            throw FileError("make folder", path, reason: "a file of that name is in the way")
        }
    }

    package static func syncFolder(_ path: String) {
        guard
            let folder = try? FileAccess.open(path.isEmpty ? "." : path, O_RDONLY | O_DIRECTORY)
        else { return }
        fsync(folder)
        close(folder)
    }
}

/// Buffered writing to a descriptor.
public struct FileWriter: ~Copyable {
    private let descriptor: Int32
    private let path: String
    private var buffer: [UInt8] = []

    package init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
        buffer.reserveCapacity(1 << 16)
    }

    /// Appends the UTF-8 bytes of a string.
    public mutating func write(_ text: String) throws {
        var text = text
        try text.withUTF8 { try write(UnsafeRawBufferPointer($0)) }
    }

    /// Appends bytes.
    public mutating func write(_ bytes: UnsafeRawBufferPointer) throws {
        if buffer.count + bytes.count > 1 << 16 { try flush() }
        if bytes.count >= 1 << 16 { return try put(bytes) }
        buffer.append(contentsOf: bytes)
    }

    package mutating func flush() throws {
        try buffer.withUnsafeBytes { try put($0) }
        buffer.removeAll(keepingCapacity: true)
    }

    private func put(_ bytes: UnsafeRawBufferPointer) throws {
        guard var cursor = bytes.baseAddress else { return }
        var left = bytes.count
        while left > 0 {
            let count = Glibc.write(descriptor, cursor, left)
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError("write", path, errno: errno)
            }
            cursor += count
            left -= count
        }
    }
}

/// JSON in one fixed form.
public enum CanonicalJSON {
    /// The value with sorted keys and no escaping of slashes.
    public static func text(_ value: some Encodable, pretty: Bool = false) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
