import Foundation

/// A program that could not be run, or that failed.
public struct ProcessError: RuntimeError {
    /// The program's name.
    public let program: String
    /// What happened, with what the program said.
    public let reason: String

    package init(program: String, reason: String) {
        self.program = program
        self.reason = reason
    }

    /// `PROGRAM: REASON`.
    public var message: String { "\(program): \(reason)" }
}

/// Running another program to its end: no shell, no files, nothing inherited but the standard streams.
public enum ChildProcess {
    /// The program of a name in the folders of PATH; `nil` if there is none.
    public static func find(_ name: String) -> String? {
        let folders = getenv("PATH").map { String(cString: $0) } ?? ""
        return folders.split(separator: ":").map { "\($0)/\(name)" }.first { path in
            var status = stat()
            return access(path, X_OK) == 0 && stat(path, &status) == 0
                && status.st_mode & S_IFMT == S_IFREG
        }
    }

    /// Runs a program with some input and returns what it wrote.
    ///
    /// It has its own process group, so that Ctrl-C reaches only us; it is killed when `stop` says so.
    ///
    /// - Parameters:
    ///   - path: The program.
    ///   - arguments: Without the program's name.
    ///   - environment: All of it.
    ///   - input: Its standard input.
    ///   - seconds: After which it is killed.
    ///   - limit: Bytes of output that are too many.
    /// - Throws: `ProcessError` when it cannot be started, fails, writes too much or takes too long; `Interrupted`.
    public static func run(
        _ path: String, _ arguments: [String], environment: [String: String], input: String,
        seconds: Double, limit: Int = 64 << 20, stop: ShouldStop
    ) throws -> [UInt8] {
        let name = PathName.last(path)
        var files: [Int32] = []
        defer { for file in files { close(file) } }
        for _ in ["input", "output", "errors"] { files.append(try nameless()) }
        var writer = FileWriter(descriptor: files[0], path: "the input of \(name)")
        try writer.write(input)
        try writer.flush()
        lseek(files[0], 0, SEEK_SET)
        let process = try start(path, arguments, environment, files)
        let deadline = ContinuousClock.now + .seconds(seconds)
        var status: Int32 = 0
        var pause: UInt32 = 200
        while true {
            let ended = waitpid(process, &status, WNOHANG)
            if ended == process { break }
            if ended < 0, errno != EINTR {
                throw ProcessError(program: name, reason: String(cString: strerror(errno)))
            }
            let stopped = stop()
            let large = size(files[1]) > limit
            if stopped || large || ContinuousClock.now > deadline {
                kill(process, SIGKILL)
                while waitpid(process, &status, 0) < 0, errno == EINTR {}
                if stopped { throw Interrupted("interrupted while \(name) was running") }
                throw ProcessError(
                    program: name,
                    reason: large
                        ? "wrote more than \(limit >> 20) MiB and was ended"
                        : "took longer than \(Int(seconds)) s and was ended")
            }
            usleep(pause)
            pause = min(5000, pause * 2)
        }
        let output = try contents(files[1], limit, name)
        guard status == 0 else {
            let said = String(decoding: try contents(files[2], 1 << 20, name), as: UTF8.self)
                .split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
                .filter { !$0.isEmpty }.suffix(3).joined(separator: "; ")
            let how =
                status & 0x7f == 0
                ? "ended with status \(status >> 8 & 0xff)"
                : "was ended by signal \(status & 0x7f)"
            throw ProcessError(program: name, reason: said.isEmpty ? how : "\(how): \(said)")
        }
        return output
    }

    /// An open file without a name, which vanishes when it is closed.
    ///
    /// Files instead of pipes: neither side ever waits for the other.
    private static func nameless() throws -> Int32 {
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? ""
        let name = (folder.isEmpty ? "/tmp" : folder) + "/mtrepl.XXXXXX"
        var template = Array(name.utf8CString)
        let file = mkstemp(&template)
        guard file >= 0 else { throw FileError("make", name, errno: errno) }
        _ = fcntl(file, F_SETFD, FD_CLOEXEC)
        unlink(template)
        return file
    }

    private static func start(
        _ path: String, _ arguments: [String], _ environment: [String: String], _ files: [Int32]
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (place, file) in files.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, file, Int32(place))
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
        var words = ([path] + arguments).map { strdup($0) } + [nil]
        let settings = environment.sorted { $0.key < $1.key }
        var variables = settings.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in words + variables { free(text) } }
        var process = pid_t()
        let code = posix_spawn(&process, path, &actions, &attributes, &words, &variables)
        guard code == 0 else { throw FileError("start", path, errno: code) }
        return process
    }

    private static func size(_ file: Int32) -> Int {
        var status = stat()
        return fstat(file, &status) == 0 ? Int(status.st_size) : 0
    }

    private static func contents(_ file: Int32, _ limit: Int, _ name: String) throws -> [UInt8] {
        let count = size(file)
        guard count <= limit else {
            throw ProcessError(program: name, reason: "wrote more than \(limit >> 20) MiB")
        }
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let read = bytes[done...].withUnsafeMutableBytes {
                pread(file, $0.baseAddress, $0.count, off_t(done))
            }
            if read < 0, errno == EINTR { continue }
            guard read > 0 else { throw FileError("read", "the output of \(name)", errno: errno) }
            done += read
        }
        return bytes
    }
}
