import CFiles
import Foundation
import Synchronization

/// The one place that opens, makes, renames and removes files.
///
/// Once `confine` was called, a name leads to a file inside that folder or is an error, whatever links and `..` are on its
/// way; the decision is made at the moment of opening. What the program itself keeps elsewhere (its store, its log) is
/// named by `exempt`.
public enum FileAccess {
    /// What the program itself reads or keeps outside: how much memory there is, and what `exempt` names.
    private static let own = Mutex<[String]>(["/proc/self/statm", "/sys/fs/cgroup"])

    /// Lets this process open files inside `folder` only, for good.
    ///
    /// - Throws: `FileError` if it is not a folder.
    public static func confine(to folder: String) throws {
        guard cf_confine(folder) == 0 else { throw FileError("open", folder, errno: errno) }
    }

    /// Lets names that begin with `folder` be opened, even if that lies outside: the command line named it, not a script.
    public static func exempt(_ folder: String) {
        // Inside, the confinement holds for it as for everything.
        guard cf_is_confined(), cf_check(folder) != 0 else { return }
        own.withLock { $0.append(folder) }
    }

    /// Refuses a name that leads outside; it may be of something that is not there yet.
    ///
    /// - Throws: `FileError`.
    public static func check(_ path: String) throws {
        guard cf_check(path) == 0 else { throw error("open", path) }
    }

    /// Whether a name is the system's as it stands: one of the program's own, or of a folder around them.
    private static func isFree(_ path: String) -> Bool {
        guard cf_is_confined() else { return true }
        func parts(_ path: String) -> [Substring.UTF8View] {
            path[...].utf8.split(separator: UInt8(ascii: "/"))
        }
        let names = parts(path)
        return own.withLock {
            $0.contains { folder in
                let own = parts(folder)
                return path.hasPrefix("/") == folder.hasPrefix("/")
                    && zip(names, own).allSatisfy { $0.elementsEqual($1) }
                    && !names.dropFirst(own.count).contains { $0.elementsEqual("..".utf8) }
            }
        }
    }

    /// The error that `errno` stands for.
    package static func error(_ action: String, _ path: String) -> FileError {
        errno == EBADE
            ? FileError(action, path, reason: "it is not inside the working folder (--safe)")
            : FileError(action, path, errno: errno)
    }

    /// Opens a file; the descriptor is the caller's to close.
    ///
    /// - Throws: `FileError`.
    public static func open(
        _ path: String, _ flags: Int32, mode: mode_t = 0o644, action: String = "open"
    ) throws -> Int32 {
        let flags = flags | O_CLOEXEC
        let descriptor =
            isFree(path) ? Glibc.open(path, flags, mode) : cf_open(path, flags, mode)
        guard descriptor >= 0 else { throw error(action, path) }
        return descriptor
    }

    /// Opens a regular file, for reading unless `flags` say otherwise; a pipe, a device or a pointer of Git LFS in place
    /// of one is refused by its name.
    ///
    /// - Parameter action: What is attempted, for the error.
    /// - Throws: `FileError`.
    package static func openRegular(
        _ path: String, _ flags: Int32 = O_RDONLY, action: String = "open"
    )
        throws -> (descriptor: Int32, status: stat)
    {
        // Without O_NONBLOCK a pipe of that name would be waited for.
        let descriptor = try open(path, flags | O_NONBLOCK, action: action)
        do {
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { throw error(action, path) }
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw FileError(action, path, reason: "it is not a regular file")
            }
            try LargeFilePointer.check(descriptor, size: Int(status.st_size), path)
            return (descriptor, status)
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// Refuses what is there under a name and is not a regular file; nothing under it is fine.
    ///
    /// - Throws: `FileError`.
    package static func checkRegular(_ path: String) throws {
        guard let status = status(path), status.st_mode & S_IFMT != S_IFREG else { return }
        throw FileError("open", path, reason: "it is not a regular file")
    }

    /// What a name leads to, or the link itself; `nil`, with `errno`, if nothing is there or it cannot be asked.
    package static func status(_ path: String, followsLinks: Bool = true) -> stat? {
        var status = stat()
        let result =
            isFree(path)
            ? (followsLinks ? stat(path, &status) : lstat(path, &status))
            : cf_stat(path, &status, followsLinks)
        return result == 0 ? status : nil
    }

    /// Whether something of that name is there.
    package static func exists(_ path: String) -> Bool { status(path) != nil }

    /// Whether a regular file of that name is there.
    package static func isRegular(_ path: String) -> Bool {
        status(path).map { $0.st_mode & S_IFMT == S_IFREG } ?? false
    }

    /// Whether a folder of that name is there.
    package static func isFolder(_ path: String) -> Bool {
        status(path).map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
    }

    /// Something in a folder.
    package struct Entry {
        /// Its name as it is there.
        package let bytes: [UInt8]
        /// Whether it is known to be neither a folder nor a link.
        package let isFile: Bool

        /// Its name; `nil` if that is not UTF-8.
        package var name: String? { String(validating: bytes, as: UTF8.self) }
        /// Whether its name begins with a dot.
        package var isHidden: Bool { bytes.first == UInt8(ascii: ".") }

        /// Its name with `\xNN` for each byte that is not UTF-8.
        package var visibleName: String { VisibleName.of(bytes) }

        /// Whether a shell's pattern matches it.
        package func matches(_ pattern: String) -> Bool {
            let name = bytes.map { CChar(bitPattern: $0) } + [0]
            return fnmatch(pattern, name, FNM_PERIOD) == 0
        }

        /// What is wrong with a name that is not UTF-8.
        package func nameError(in folder: String) -> FileError {
            FileError(
                "read", folder.isEmpty ? visibleName : "\(folder)/\(visibleName)",
                reason: "its name is not UTF-8 text: rename it")
        }
    }

    /// What is in a folder except `.` and `..`, in the byte order of the names.
    ///
    /// - Throws: `FileError`.
    package static func entries(in folder: String) throws -> [Entry] {
        let descriptor = try open(folder, O_RDONLY | O_DIRECTORY, action: "read folder")
        guard let directory = fdopendir(descriptor) else {
            let failure = error("read folder", folder)
            close(descriptor)
            throw failure
        }
        defer { closedir(directory) }
        var entries: [Entry] = []
        errno = 0
        while let entry = readdir(directory) {
            let kind = Int32(entry.pointee.d_type)
            let bytes = withUnsafeBytes(of: entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if bytes != [0x2e], bytes != [0x2e, 0x2e] {
                let isOpen = [Int32(DT_DIR), Int32(DT_LNK), Int32(DT_UNKNOWN)].contains(kind)
                entries.append(Entry(bytes: bytes, isFile: !isOpen))
            }
            errno = 0
        }
        guard errno == 0 else { throw error("read folder", folder) }
        return entries.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    }

    /// The names in a folder except `.` and `..`, bytes that are not UTF-8 made visible.
    ///
    /// - Throws: `FileError`.
    package static func names(in folder: String) throws -> [String] {
        try entries(in: folder).map(\.visibleName)
    }

    /// Makes a folder; false, with `errno`, on failure.
    package static func makeFolder(_ path: String) -> Bool {
        (isFree(path) ? mkdir(path, 0o777) : cf_mkdir(path, 0o777)) == 0
    }

    /// Renames a file or folder.
    ///
    /// - Throws: `FileError` about `to`.
    package static func rename(_ from: String, _ to: String) throws {
        let code = attemptRename(from, to)
        errno = code
        guard code == 0 else { throw error("write", to) }
    }

    /// Renames a file or folder, or says why not: the number of the error, 0 for none.
    package static func attemptRename(_ from: String, _ to: String) -> Int32 {
        let result =
            isFree(from) && isFree(to) ? Glibc.rename(from, to) : cf_rename(from, to)
        return result == 0 ? 0 : errno
    }

    /// Removes a file or an empty folder if it is there.
    package static func remove(_ path: String) {
        _ = isFree(path) ? Glibc.remove(path) : cf_remove(path)
    }

    /// Removes a folder with all that it holds; links in it are removed, not followed.
    package static func removeTree(_ path: String) {
        if let status = status(path, followsLinks: false), status.st_mode & S_IFMT == S_IFDIR {
            // Names that are not UTF-8 are not ours.
            for name in ((try? entries(in: path)) ?? []).compactMap(\.name) {
                removeTree("\(path)/\(name)")
            }
        }
        remove(path)
    }

    /// What a link names, relative to the working folder; `nil` for anything else.
    static func linkTarget(_ path: String) -> String? {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count =
            isFree(path)
            ? readlink(path, &bytes, bytes.count - 1) : cf_readlink(path, &bytes, bytes.count - 1)
        guard count > 0,
            let target = String(
                validating: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        else { return nil }
        let parent = PathName.parent(path)
        return target.hasPrefix("/") || parent.isEmpty
            ? target : (parent == "/" ? "/" : parent + "/") + target
    }
}

/// The small text that Git leaves in place of a file that Git LFS keeps.
package enum LargeFilePointer {
    private static let mark = Array("version https://git-lfs.github.com/spec/".utf8)
    /// A pointer has three lines; no honest file of another kind that begins so is shorter.
    private static let longest = 1024

    /// - Throws: `FileError` if an open file is such a pointer.
    package static func check(_ descriptor: Int32, size: Int, _ path: String) throws {
        guard size >= mark.count, size <= longest else { return }
        var start = [UInt8](repeating: 0, count: mark.count)
        guard pread(descriptor, &start, start.count, 0) == start.count, start == mark else {
            return
        }
        throw FileError("read", path, reason: reason)
    }

    /// Whether a text that was unpacked is a pointer.
    package static func matches(_ start: some Collection<UInt8>) -> Bool {
        start.starts(with: mark)
    }

    package static let reason = "it is a Git LFS pointer, not the file itself: run git lfs pull"
}

/// Names whose bytes need not be UTF-8.
public enum VisibleName {
    /// The name with `\xNN` for each byte that is not UTF-8.
    public static func of(_ bytes: [UInt8]) -> String {
        var text = ""
        var rest = bytes[...]
        while let first = rest.first {
            let length = rest.withUnsafeBytes { buffer in
                (1...4).first { count in
                    count <= buffer.count
                        && String(validating: buffer.prefix(count), as: UTF8.self) != nil
                }
            }
            if let length {
                text += String(decoding: rest.prefix(length), as: UTF8.self)
            } else {
                let digits = String(first, radix: 16)
                text += "\\x" + (digits.count < 2 ? "0" : "") + digits
            }
            rest = rest.dropFirst(length ?? 1)
        }
        return text
    }
}
