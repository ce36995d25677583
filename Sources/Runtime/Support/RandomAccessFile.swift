import Glibc

/// A file that is read at any place; closed with its last reference.
package final class RandomAccessFile: Sendable {
    /// The path as given.
    package let path: String
    /// Bytes in it when it was opened.
    package let size: Int
    private let descriptor: Int32

    /// Opens a regular file.
    ///
    /// - Throws: `FileError`.
    package init(_ path: String) throws {
        let (descriptor, status) = try FileAccess.openRegular(path)
        self.path = path
        self.descriptor = descriptor
        size = Int(status.st_size)
    }

    deinit { close(descriptor) }

    /// Fills a buffer with the bytes from `offset` on.
    ///
    /// - Throws: `FileError`, also when the file ends before the buffer is full.
    package func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
        var done = 0
        while done < buffer.count {
            let count = pread(
                descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done,
                off_t(offset + done))
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError("read", path, errno: errno)
            }
            guard count > 0 else {
                throw FileError(
                    "read", path, reason: "it ends before byte \(offset + buffer.count)")
            }
            done += count
        }
    }

    /// The bytes of a range.
    ///
    /// - Throws: as `read(at:into:)`.
    package func bytes(_ range: Range<Int>) throws -> [UInt8] {
        try Array(unsafeUninitializedCapacity: range.count) { buffer, count in
            try read(at: range.lowerBound, into: UnsafeMutableRawBufferPointer(buffer))
            count = range.count
        }
    }
}
