import Glibc

/// A whole regular file mapped for reading.
final class MappedFile: @unchecked Sendable {
    // The mapping is private and read-only.
    let bytes: UnsafeRawBufferPointer

    init(_ path: String) throws {
        let (descriptor, status) = try FileAccess.openRegular(path)
        defer { close(descriptor) }
        let size = Int(status.st_size)
        // Nothing can be mapped of an empty file.
        guard size > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let address, address != MAP_FAILED else {
            throw FileError("map", path, errno: errno)
        }
        bytes = UnsafeRawBufferPointer(start: address, count: size)
    }

    deinit {
        if !bytes.isEmpty {
            munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
        }
    }
}
