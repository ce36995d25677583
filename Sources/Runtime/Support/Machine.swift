import Foundation

/// What the machine has left for this process.
public enum Machine {
    /// Bytes of the process in physical memory now; `nil` where the system does not say.
    public static var residentBytes: Int? {
        guard let text = try? FileReader.text("/proc/self/statm") else { return nil }
        let fields = text.split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }

    /// Bytes that may still be written to the file system of a folder; `nil` where the system does not say.
    public static func freeBytes(_ folder: String) -> Int? {
        var info = statvfs()
        guard statvfs(folder, &info) == 0, info.f_blocks > 0 else { return nil }
        return Int(clamping: UInt64(info.f_bavail) * UInt64(info.f_frsize))
    }

    /// Whether a process of this machine has the given number.
    static func isAlive(_ process: Int32) -> Bool { kill(process, 0) == 0 || errno != ESRCH }
}
