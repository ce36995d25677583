import Glibc

/// A whole file mapped for reading.
final class MappedFile: @unchecked Sendable {
    // The mapping is private and read-only.
    let bytes: UnsafeRawBufferPointer

    init(_ path: String) throws {
        let (descriptor, status) = try FileAccess.openRegular(path)
        defer { close(descriptor) }
        let size = Int(status.st_size)
        guard size > 0 else { throw FileError("read", path, reason: "the file is empty") }
        let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let address, address != MAP_FAILED else {
            throw FileError("map", path, errno: errno)
        }
        bytes = UnsafeRawBufferPointer(start: address, count: size)
    }

    deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }
}
