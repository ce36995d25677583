import Glibc

/// What a limit of the address space (`ulimit -v`) or of data (`ulimit -d`) asks for before anything else is done.
enum AddressSpace {
    /// What the program needs beside its libraries, at least.
    private static let least = 64 << 20
    private static let variable = "OPENBLAS_NUM_THREADS"
    private static let former = "MTREPL_FORMER_\(variable)"

    /// Ends the program with an error where the limit leaves too little.
    ///
    /// OpenBLAS starts threads before `main`, each of which asks for a buffer for ever if it is refused. Under a limit
    /// the program therefore begins anew without them; it has no use for them.
    static func prepare() {
        if let value = getenv(former).map({ String(cString: $0) }) {
            // What it starts itself should find the environment as it was.
            if value.isEmpty { unsetenv(variable) } else { setenv(variable, value, 1) }
            unsetenv(former)
        } else {
            let isLimited = [RLIMIT_AS, RLIMIT_DATA].contains { kind in
                var limit = rlimit()
                return getrlimit(__rlimit_resource_t(kind.rawValue), &limit) == 0
                    && limit.rlim_cur != rlim_t.max
            }
            guard isLimited else { return }
            setenv(former, getenv(variable).map { String(cString: $0) } ?? "", 1)
            setenv(variable, "1", 1)
            execv("/proc/self/exe", CommandLine.unsafeArgv)
            unsetenv(former)
        }
        let place = mmap(
            nil, least, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        if place != MAP_FAILED {
            munmap(place, least)
            return
        }
        let text =
            "mtrepl: out of memory: the limit of memory (ulimit -v or -d) leaves less than "
            + "\(least >> 20) MiB beside the program's libraries; raise it\n"
        _ = write(2, text, text.utf8.count)
        exit(1)
    }
}
