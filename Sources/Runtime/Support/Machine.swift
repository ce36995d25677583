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

    /// Bytes that the process may still map before it meets its limit (`ulimit -v`), less a reserve for what nobody counts;
    /// `nil` where there is no limit.
    package static var addressSpaceLeft: Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0,
            limit.rlim_cur < rlim_t(Int.max), let text = try? FileReader.text("/proc/self/statm"),
            let pages = text.split(separator: " ").first.flatMap({ Int($0) })
        else { return nil }
        let reserve = 64 << 20
        return max(0, Int(limit.rlim_cur) - pages * sysconf(Int32(_SC_PAGESIZE)) - reserve)
    }

    /// Bytes of memory that the machine can give to new work without swapping; `nil` where the system does not say.
    package static var freeMemory: Int? {
        guard let text = try? FileReader.text("/proc/meminfo") else { return nil }
        for line in text.split(separator: "\n") where line.hasPrefix("MemAvailable:") {
            return Int(line.filter(\.isNumber)).map { Int.saturatingProduct($0, 1024) }
        }
        return nil
    }

    /// Bytes that may still be written to the file system of a folder; `nil` where the system does not say.
    public static func freeBytes(_ folder: String) -> Int? {
        var info = statvfs()
        guard statvfs(folder, &info) == 0, info.f_blocks > 0 else { return nil }
        return Int.saturatingProduct(Int(clamping: info.f_bavail), Int(clamping: info.f_frsize))
    }

    /// What the machine calls itself.
    package static var name: String {
        var name = utsname()
        guard uname(&name) == 0 else { return "" }
        return withUnsafeBytes(of: name.nodename) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// Whether a process of this machine has the given number.
    package static func isAlive(_ process: Int32) -> Bool {
        kill(process, 0) == 0 || errno != ESRCH
    }
}
