import Foundation

/// The program on a pseudo-terminal, as a person has it.
public final class Terminal {
    /// What went wrong with the terminal itself.
    public struct Failure: Error, CustomStringConvertible {
        /// What was waited for, and all that came.
        public let description: String
    }

    private var descriptor: Int32
    private var process: pid_t = 0
    private var seen = ""
    private var position = 0

    /// Starts the program with arguments and environment entries, in a terminal of a size if one is given.
    public init(
        _ arguments: [String], environment: [String: String] = [:], columns: UInt16 = 0,
        rows: UInt16 = 0
    ) throws {
        // Linux's own calls: Glibc's module shows neither posix_openpt nor POSIX_SPAWN_SETSID to Swift.
        descriptor = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var locked: Int32 = 0
        var number: UInt32 = 0
        guard descriptor >= 0, ioctl(descriptor, 0x4004_5431, &locked) == 0,
            ioctl(descriptor, 0x8004_5430, &number) == 0
        else { throw Failure(description: "no pseudo-terminal") }
        if columns > 0 { resize(columns: columns, rows: rows) }
        let name = "/dev/pts/\(number)"
        let newSession: Int16 = 0x80
        // The first terminal that a session leader opens becomes its own: Ctrl-C then reaches the program.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        posix_spawnattr_setflags(
            &attributes, newSession | Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK))
        var signals = sigset_t()
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_addopen(&actions, 0, name, O_RDWR, 0)
        posix_spawn_file_actions_adddup2(&actions, 0, 1)
        posix_spawn_file_actions_adddup2(&actions, 0, 2)
        defer {
            posix_spawnattr_destroy(&attributes)
            posix_spawn_file_actions_destroy(&actions)
        }
        var entries = ProcessInfo.processInfo.environment
        entries["TERM"] = "dumb"
        entries["MTREPL_HISTORY"] = ""
        entries.merge(environment) { $1 }
        var argv = ([Program.path] + arguments).map { strdup($0) } + [nil]
        var envp = entries.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in argv + envp { free(text) } }
        let code = posix_spawn(&process, Program.path, &actions, &attributes, &argv, &envp)
        guard code == 0 else {
            throw Failure(
                description: "cannot start \(Program.path): \(String(cString: strerror(code)))")
        }
    }

    deinit {
        kill()
        if descriptor >= 0 { close(descriptor) }
    }

    /// Ends the program with SIGKILL, if it has not ended.
    public func kill() {
        guard process > 0 else { return }
        signal(SIGKILL)
        waitpid(process, nil, 0)
        process = 0
    }

    /// Sends a signal.
    public func signal(_ number: Int32) {
        if process > 0 { _ = Foundation.kill(process, number) }
    }

    /// Closes the terminal, as its window does; the exit code of the program, or 128 + the signal.
    ///
    /// A program that does not end in time is killed.
    public func hangUp(seconds: Double = 60) -> Int32 {
        close(descriptor)
        descriptor = -1
        let deadline = Date().addingTimeInterval(seconds)
        var status: Int32 = 0
        while waitpid(process, &status, WNOHANG) == 0 {
            if Date() > deadline { signal(SIGKILL) }
            usleep(5000)
        }
        process = 0
        return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
    }

    /// Types text; `\u{3}` is Ctrl-C, `\u{4}` Ctrl-D.
    public func type(_ text: String) {
        var text = text
        text.withUTF8 { _ = write(descriptor, $0.baseAddress, $0.count) }
    }

    /// Waits until the program has used so much more of the processor: then it is in the call that it announced.
    public func expectWork(seconds work: Double = 0.1, within limit: Double = 120) throws {
        func used() throws -> Double {
            let text = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
            // Behind the name, which is in parentheses: utime and stime are fields 14 and 15.
            let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
            return ((Double(fields[12]) ?? 0) + (Double(fields[13]) ?? 0))
                / Double(sysconf(Int32(_SC_CLK_TCK)))
        }
        let start = try used()
        let deadline = Date().addingTimeInterval(limit)
        while try used() < start + work {
            guard Date() < deadline else { throw Failure(description: "the program does nothing") }
            usleep(5000)
        }
    }

    /// Types Ctrl-C once a second until the program shows a text.
    ///
    /// Of two signals that wait at the same time the system delivers one, so a fixed number of them is not a fixed number
    /// of interrupts. The terminal shows each as ^C at once, and each discards what the program has written and nobody has
    /// read: the next one waits its second whatever is shown meanwhile.
    public func interrupt(until text: String, seconds: Double = 120) throws {
        let deadline = Date().addingTimeInterval(seconds)
        while !seen.dropFirst(position).contains(text) {
            type("\u{3}")
            let next = Date().addingTimeInterval(1)
            repeat {
                guard Date() < deadline, readMore() else {
                    throw Failure(description: "waited for \"\(text)\" after \"\(seen)\"")
                }
            } while Date() < next && !seen.dropFirst(position).contains(text)
        }
        try expect(text)
    }

    /// Gives the terminal another size, which the program is told.
    public func resize(columns: UInt16, rows: UInt16) {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(descriptor, UInt(TIOCSWINSZ), &size)
    }

    /// Waits until some text appears after what was waited for before; returns what came before it.
    ///
    /// After typing, wait for what ends the echo or the answer, and for nothing that stands earlier in it: the rest would
    /// come later. `seconds` only ends a test that hangs.
    @discardableResult
    public func expect(_ text: String, seconds: Double = 120) throws -> String {
        let deadline = Date().addingTimeInterval(seconds)
        while true {
            let rest = seen.dropFirst(position)
            if let found = rest.range(of: text) {
                let before = String(rest[..<found.lowerBound])
                position = seen.distance(from: seen.startIndex, to: found.upperBound)
                return before
            }
            guard Date() < deadline, readMore() else {
                throw Failure(description: "waited for \"\(text)\" after \"\(rest)\"")
            }
        }
    }

    /// All that comes from here to the end of the program.
    public func expectEnd(seconds: Double = 60) throws -> String {
        let deadline = Date().addingTimeInterval(seconds)
        while readMore() {
            guard Date() < deadline else {
                throw Failure(description: "waited for the end after \"\(seen)\"")
            }
        }
        return String(seen.dropFirst(position))
    }

    /// Waits for the end; returns the exit code, or 128 + the signal.
    ///
    /// A program that does not end in time is killed.
    public func wait(seconds: Double = 120) -> Int32 {
        let deadline = Date().addingTimeInterval(seconds)
        while readMore() {
            if Date() > deadline { signal(SIGKILL) }
        }
        var status: Int32 = 0
        waitpid(process, &status, 0)
        process = 0
        return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
    }

    private func readMore() -> Bool {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, 1000) > 0 else {
            return process > 0 && Foundation.kill(process, 0) == 0
        }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else { return false }
        seen += String(decoding: buffer[..<count], as: UTF8.self).replacingOccurrences(
            of: "\r", with: "")
        return true
    }
}
