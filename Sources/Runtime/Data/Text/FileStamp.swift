import Glibc
import RuntimeSupport

/// What tells that a file has not changed since it was read, without reading it.
package struct FileStamp: Codable, Hashable {
    package let path: String
    package let size: Int
    /// Nanoseconds since 1970.
    package let modified: Int
    let inode: UInt64

    package init(_ path: String) throws {
        guard let status = FileAccess.status(path) else { throw FileAccess.error("read", path) }
        self.path = path
        size = Int(status.st_size)
        // File systems have dates whose nanoseconds no integer holds; what wraps tells a change as well.
        modified = Int(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int(status.st_mtim.tv_nsec)
        inode = UInt64(status.st_ino)
    }
}
