import CZlib
import RuntimeSupport

/// A gzip file of one or more members, checked by the CRC of each.
package final class GzipInput: ByteInput {
    private let file: PlainInput
    private let stream: UnsafeMutablePointer<z_stream>
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)
    /// Whether a member has begun and not ended.
    private var inside = false
    /// Whether a member has ended, behind which zeros may stand.
    private var hasEnded = false

    package var consumed: Int { file.consumed - Int(stream.pointee.avail_in) }

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

    package func read(into output: UnsafeMutableRawBufferPointer) throws -> Int {
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(output.count)
        while stream.pointee.avail_out == output.count {
            if stream.pointee.avail_in == 0 {
                let count = try file.read(into: buffer)
                if count == 0 {
                    guard !inside, hasEnded else {
                        throw FileError(
                            "read", file.path,
                            reason: "the gzip data ends early, the file is truncated")
                    }
                    return output.count - Int(stream.pointee.avail_out)
                }
                stream.pointee.next_in = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.pointee.avail_in = UInt32(count)
            }
            if !inside, hasEnded, try !beginsMember() { continue }
            inside = true
            let status = inflate(stream, Z_NO_FLUSH)
            if status == Z_STREAM_END {
                inside = false
                hasEnded = true
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

    /// Passes over the zeros that tapes and block devices leave behind a member; true where another member begins.
    ///
    /// - Throws: `FileError` for anything else that follows.
    private func beginsMember() throws -> Bool {
        while stream.pointee.avail_in > 0, let next = stream.pointee.next_in {
            if next.pointee == 0x1f { return true }
            guard next.pointee == 0 else {
                throw FileError(
                    "read", file.path,
                    reason: "what follows the gzip data at byte \(consumed) is not gzip data")
            }
            stream.pointee.next_in = next + 1
            stream.pointee.avail_in -= 1
        }
        return false
    }
}
