import CZstd
import Glibc
import RuntimeSupport

/// A Zstandard file of one or more frames.
package final class ZstandardInput: ByteInput {
    private let file: PlainInput
    private let stream: OpaquePointer
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)
    private var input: ZSTD_inBuffer
    private var inside = false
    private var hasBegun = false
    private var drained = true

    package var consumed: Int { file.consumed - (input.size - input.pos) }

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

    package func read(into bytes: UnsafeMutableRawBufferPointer) throws -> Int {
        var output = ZSTD_outBuffer(dst: bytes.baseAddress, size: bytes.count, pos: 0)
        while output.pos == 0 {
            if input.pos == input.size && drained {
                let count = try file.read(into: buffer)
                if count == 0 {
                    guard !inside, hasBegun else {
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
                let isWide =
                    ZSTD_getErrorCode(status) == ZSTD_error_frameParameter_windowTooLarge
                throw FileError(
                    "read", file.path,
                    reason: isWide
                        ? "it was packed with a window above 128 MiB (zstd --long); pack it again: "
                            + "zstd -dc --long=31 FILE | zstd -o OTHER"
                        : "not valid zstd data near byte \(consumed): "
                            + String(cString: ZSTD_getErrorName(status)))
            }
            inside = status != 0
            hasBegun = true
            // A full output means that the decoder may hold more without further input.
            drained = output.pos < output.size
        }
        return output.pos
    }
}
