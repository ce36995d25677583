import CZlib
import CZstd
import Foundation

/// Bytes of a file, decompressed, read in order.
protocol ByteInput: AnyObject {
    /// Bytes of the file itself (compressed) taken so far, for progress.
    var consumed: Int { get }
    /// Fills `buffer` as far as it can and returns the number of bytes; 0 means the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

/// How a file's bytes are packed, known from the end of its name.
enum Compression {
    case none, gzip, zstandard

    /// The compression of `path`, and `path` without that ending.
    static func of(_ path: String) -> (Compression, stem: String) {
        for (ending, kind) in [(".gz", Compression.gzip), (".zst", .zstandard)]
        where path.hasSuffix(ending) {
            return (kind, String(path.dropLast(ending.count)))
        }
        return (.none, path)
    }

    /// Opens `path` for reading what it holds when unpacked.
    static func open(_ path: String) throws -> any ByteInput {
        let file = try PlainInput(path)
        switch of(path).0 {
        case .none: return file
        case .gzip: return try GzipInput(file)
        case .zstandard: return try ZstandardInput(file)
        }
    }
}

/// A file as it is.
final class PlainInput: ByteInput {
    let path: String
    private let descriptor: Int32
    private(set) var consumed = 0

    init(_ path: String) throws {
        self.path = path
        descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError("open", path, errno: errno) }
    }

    deinit { close(descriptor) }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
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

/// A gzip file of one or more members, checked by the CRC of each.
final class GzipInput: ByteInput {
    private let file: PlainInput
    private let stream: UnsafeMutablePointer<z_stream>
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)
    /// Whether a member has begun and not ended.
    private var inside = false

    var consumed: Int { file.consumed - Int(stream.pointee.avail_in) }

    init(_ file: PlainInput) throws {
        self.file = file
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 15 bits of window, + 16: gzip framing.
        let status = inflateInit2_(
            stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else {
            throw FileError("read", file.path, reason: "zlib cannot start (status \(status))")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
        buffer.deallocate()
    }

    func read(into output: UnsafeMutableRawBufferPointer) throws -> Int {
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(output.count)
        while stream.pointee.avail_out == output.count {
            if stream.pointee.avail_in == 0 {
                let count = try file.read(into: buffer)
                if count == 0 {
                    guard !inside else {
                        throw FileError(
                            "read", file.path,
                            reason: "the gzip data ends early, the file is truncated")
                    }
                    return 0
                }
                stream.pointee.next_in = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.pointee.avail_in = UInt32(count)
            }
            inside = true
            let status = inflate(stream, Z_NO_FLUSH)
            if status == Z_STREAM_END {
                inside = false
                inflateReset(stream)
            } else if status != Z_OK && status != Z_BUF_ERROR {
                let detail = stream.pointee.msg.map { String(cString: $0) } ?? "status \(status)"
                throw FileError(
                    "read", file.path,
                    reason: "not valid gzip data near byte \(consumed): \(detail)"
                )
            }
        }
        return output.count - Int(stream.pointee.avail_out)
    }
}

/// A Zstandard file of one or more frames.
final class ZstandardInput: ByteInput {
    private let file: PlainInput
    private let stream: OpaquePointer
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)
    private var input: ZSTD_inBuffer
    private var inside = false
    private var drained = true

    var consumed: Int { file.consumed - (input.size - input.pos) }

    init(_ file: PlainInput) throws {
        self.file = file
        guard let stream = ZSTD_createDStream() else {
            throw FileError("read", file.path, reason: "zstd cannot start: out of memory")
        }
        self.stream = stream
        input = ZSTD_inBuffer(src: buffer.baseAddress, size: 0, pos: 0)
    }

    deinit {
        ZSTD_freeDStream(stream)
        buffer.deallocate()
    }

    func read(into bytes: UnsafeMutableRawBufferPointer) throws -> Int {
        var output = ZSTD_outBuffer(dst: bytes.baseAddress, size: bytes.count, pos: 0)
        while output.pos == 0 {
            if input.pos == input.size && drained {
                let count = try file.read(into: buffer)
                if count == 0 {
                    guard !inside else {
                        throw FileError(
                            "read", file.path,
                            reason: "the zstd data ends early, the file is truncated")
                    }
                    return 0
                }
                input.size = count
                input.pos = 0
            }
            let status = ZSTD_decompressStream(stream, &output, &input)
            guard ZSTD_isError(status) == 0 else {
                throw FileError(
                    "read", file.path,
                    reason: "not valid zstd data near byte \(consumed): "
                        + String(cString: ZSTD_getErrorName(status)))
            }
            inside = status != 0
            // A full output means that the decoder may hold more without further input.
            drained = output.pos < output.size
        }
        return output.pos
    }
}
