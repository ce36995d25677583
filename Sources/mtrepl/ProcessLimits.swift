import Glibc
import Runtime

/// What the limits of the process ask for before anything else is done.
enum ProcessLimits {
    /// Ends the program with an error where fewer files may be open than it needs (`ulimit -n`).
    ///
    /// Libraries end the process where they get no descriptor, so that an error is only possible beforehand.
    static func prepareFiles() {
        var limit = rlimit()
        let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(kind, &limit) == 0, limit.rlim_cur < files else { return }
        limit.rlim_cur = min(files, limit.rlim_max)
        if limit.rlim_cur == files, setrlimit(kind, &limit) == 0 { return }
        end(
            "only \(limit.rlim_cur) files may be open at a time (ulimit -n): expected at least \(files)"
        )
    }

    private static let files: rlim_t = 64

    private static func end(_ reason: String) -> Never {
        let text = "mtrepl: \(reason)\n"
        _ = write(2, text, text.utf8.count)
        exit(1)
    }

    /// What the program needs beside its libraries, at least.
    private static let least = 64 << 20
    private static let variable = "OPENBLAS_NUM_THREADS"
    private static let former = "MTREPL_FORMER_\(variable)"

    /// Ends the program with an error where a limit of the address space (`ulimit -v`) or of data (`ulimit -d`) leaves too
    /// little.
    ///
    /// OpenBLAS starts threads before `main`, each of which asks for a buffer for ever if it is refused. Under a limit
    /// the program therefore begins anew without them; it has no use for them.
    static func prepareMemory() {
        let isLimited = [RLIMIT_AS, RLIMIT_DATA].contains { kind in
            var limit = rlimit()
            return getrlimit(__rlimit_resource_t(kind.rawValue), &limit) == 0
                && limit.rlim_cur != rlim_t.max
        }
        if let value = getenv(former).map({ String(cString: $0) }) {
            // What it starts itself should find the environment as it was.
            if value.isEmpty { unsetenv(variable) } else { setenv(variable, value, 1) }
            unsetenv(former)
        } else {
            guard isLimited else { return }
            setenv(former, getenv(variable).map { String(cString: $0) } ?? "", 1)
            setenv(variable, "1", 1)
            execv("/proc/self/exe", CommandLine.unsafeArgv)
            unsetenv(former)
        }
        // Every thread that allocates would get an arena of its own, of 64 MiB of address space.
        if isLimited { Parallel.useOneArena() }
        let place = mmap(
            nil, least, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        if place != MAP_FAILED {
            munmap(place, least)
            return
        }
        end(
            "out of memory: the limit of memory (ulimit -v or -d) leaves less than "
                + "\(least >> 20) MiB beside the program's libraries; raise it")
    }
}
