import Foundation
import Synchronization

/// The right to a piece of work that other processes, also of other machines, leave alone meanwhile.
///
/// A claim is a file that can be made once only, and whose owner changes it every few seconds while it has it. It ends with
/// its last reference. A claim of a process of this machine that is no more is free at once; one of another machine when it
/// did not change for `expiry` by the clock of the one who watches, so that clocks need not agree. A claim that was taken
/// for dead too early costs work done twice, never a result. Two claims of one process keep each other out as those of two
/// processes do.
public final class Claim {
    private let path: String
    private let nonce: String

    /// How long a claim of another machine may stay unchanged: 60 seconds, or what `MTREPL_CLAIM_SECONDS` says.
    package static let expiry: Duration = .seconds(
        ProcessInfo.processInfo.environment["MTREPL_CLAIM_SECONDS"].flatMap { Double($0) }
            .map { min(max($0, 0.5), 3600) } ?? 60)

    private init(_ path: String, _ nonce: String) {
        self.path = path
        self.nonce = nonce
        Renewal.begin(path, nonce)
    }

    /// Waits for the claim on `path`, making its folder if it is not there.
    ///
    /// - Throws: `FileError`, also when this thread has the claim itself; `Interrupted` when `stop` says so.
    public convenience init(_ path: String, stop: ShouldStop = { false }) throws {
        while true {
            if let nonce = try Self.take(path) {
                self.init(path, nonce)
                return
            }
            if Renewal.isOwn(path) {
                throw FileError(
                    "claim", path,
                    reason: "this process has it itself: a callback of a training run cannot "
                        + "train towards the same state; let the run end first")
            }
            if stop() {
                throw Interrupted(
                    "interrupted while waiting for another process to release \(path)")
            }
            usleep(20_000)
        }
    }

    /// The claim if it is free now; `nil` if somebody has it.
    ///
    /// - Throws: `FileError`.
    public static func attempt(_ path: String) throws -> Claim? {
        try take(path).map { Claim(path, $0) }
    }

    /// Whether somebody has the claim.
    package static func isHeld(_ path: String) -> Bool {
        guard FileAccess.exists(path) else { return false }
        guard let content = try? content(path) else { return FileAccess.exists(path) }
        return !isDead(path, content)
    }

    /// Removes the claim if nobody has it.
    package static func clear(_ path: String) -> Bool {
        guard let content = try? content(path), isDead(path, content) else { return false }
        discard(path, content)
        return true
    }

    deinit {
        Renewal.end(path, nonce)
        if let content = try? Self.content(path), content.contains(nonce) {
            FileAccess.remove(path)
        }
    }

    // MARK: - Files

    private static func content(_ path: String) throws -> String {
        String(decoding: try FileReader.bytes(path, limit: 4096), as: UTF8.self)
    }

    /// The nonce of a claim that was made; `nil` when somebody else has it.
    private static func take(_ path: String) throws -> String? {
        var unseen = 0
        while true {
            try AtomicFile.makeFolder(PathName.parent(path))
            let nonce = "\(UInt64.random(in: 0 ... .max))"
            if let descriptor = try? FileAccess.open(
                path, O_WRONLY | O_CREAT | O_EXCL, action: "claim")
            {
                defer { close(descriptor) }
                guard write(descriptor, Holder.own.text(nonce, renewed: 0)) else {
                    let failure = FileError("claim", path, errno: errno)
                    FileAccess.remove(path)
                    throw failure
                }
                return nonce
            }
            let found: String
            do { found = try content(path) } catch {
                if FileAccess.exists(path) { throw error }
                try checkWritable(path)
                // Released meanwhile, or of a machine whose names are not to be seen here yet.
                unseen += 1
                if unseen > 1 { return nil }
                continue
            }
            guard isDead(path, found) else { return nil }
            discard(path, found)
        }
    }

    /// - Throws: `FileError` when a file cannot be made beside the claim.
    private static func checkWritable(_ path: String) throws {
        let probe = "\(path).\(getpid()).\(UInt32.random(in: 0 ... .max)).tmp"
        close(try FileAccess.open(probe, O_WRONLY | O_CREAT | O_EXCL, action: "claim"))
        FileAccess.remove(probe)
    }

    fileprivate static func write(_ descriptor: Int32, _ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return pwrite(descriptor, bytes, bytes.count, 0) == bytes.count
    }

    /// Takes a dead claim away; one that somebody made in its place meanwhile is put back.
    private static func discard(_ path: String, _ content: String) {
        let aside = "\(path).\(getpid()).\(UInt32.random(in: 0 ... .max)).tmp"
        guard (try? FileAccess.rename(path, aside)) != nil else { return }
        if (try? self.content(aside)) != content, !FileAccess.exists(path) {
            try? FileAccess.rename(aside, path)
        } else {
            FileAccess.remove(aside)
        }
    }

    // MARK: - Life

    /// What was last seen of claims of other machines, and since when.
    private static let watched = Mutex<[String: (content: String, since: ContinuousClock.Instant)]>(
        [:])

    private static func isDead(_ path: String, _ content: String) -> Bool {
        let holder = Holder(content)
        if let holder, holder.machine == Holder.own.machine {
            return !holder.isAlive
        }
        let isUnchanged = watched.withLock { watched in
            if let seen = watched[path], seen.content == content {
                return seen.since.duration(to: .now) > expiry
            }
            watched[path] = (content, .now)
            return false
        }
        // Nobody watched it: a difference of clocks would have to be larger still.
        guard !isUnchanged, let status = FileAccess.status(path) else { return isUnchanged }
        let age = Date().timeIntervalSince1970 - Double(status.st_mtim.tv_sec)
        return age > 10 * (expiry / .seconds(1)) + 900
    }

    /// The process that has a claim.
    struct Holder: Equatable {
        /// Its machine since it was started, and which numbers its processes have.
        let machine: String
        let process: Int32
        /// When the process began, in ticks of its machine.
        let started: String

        static let own = Holder(
            machine: "\(Machine.name) \(boot) \(space)", process: getpid(),
            started: Self.start(of: getpid()) ?? "?")

        private init(machine: String, process: Int32, started: String) {
            (self.machine, self.process, self.started) = (machine, process, started)
        }

        init?(_ text: String) {
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            guard lines.count >= 5, lines[0] == "mtrepl claim 1", let process = Int32(lines[2])
            else {
                return nil
            }
            (machine, self.process, started) = (String(lines[1]), process, String(lines[3]))
        }

        func text(_ nonce: String, renewed: Int) -> String {
            let digits = "\(renewed)"
            return "mtrepl claim 1\n\(machine)\n\(process)\n\(started)\n\(nonce)\n"
                + String(repeating: "0", count: max(0, 12 - digits.count)) + digits + "\n"
        }

        /// Whether the process is still there, and not another of its number.
        var isAlive: Bool {
            guard Machine.isAlive(process) else { return false }
            return Self.start(of: process).map { $0 == started } ?? true
        }

        private static let boot = text("/proc/sys/kernel/random/boot_id") ?? ""

        private static let space: String = {
            var bytes = [CChar](repeating: 0, count: 64)
            let count = readlink("/proc/self/ns/pid", &bytes, bytes.count - 1)
            return count > 0
                ? String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
                : ""
        }()

        private static func start(of process: Int32) -> String? {
            // The name of the program may hold spaces and parentheses.
            guard let text = text("/proc/\(process)/stat"), let end = text.lastIndex(of: ")") else {
                return nil
            }
            let fields = text[end...].split(separator: " ")
            return fields.count > 20 ? String(fields[20]) : nil
        }

        /// Neither a script's file nor in a folder that it may be confined to.
        private static func text(_ path: String) -> String? {
            let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { return nil }
            defer { close(descriptor) }
            var bytes = [UInt8](repeating: 0, count: 1024)
            let count = Glibc.read(descriptor, &bytes, bytes.count)
            guard count > 0 else { return nil }
            return String(decoding: bytes[..<count], as: UTF8.self).trimmingCharacters(
                in: .newlines)
        }
    }
}

/// Changes the claims of this process every few seconds.
private enum Renewal {
    private struct Held {
        let nonce: String
        let thread: pthread_t
        var renewed = 0
    }

    private struct State {
        var held: [String: Held] = [:]
        var isRunning = false
    }

    private static let state = Mutex(State())

    static func begin(_ path: String, _ nonce: String) {
        let starts = state.withLock { state in
            state.held[path] = Held(nonce: nonce, thread: pthread_self())
            defer { state.isRunning = true }
            return !state.isRunning
        }
        guard starts else { return }
        Thread.detachNewThread {
            let pause = Claim.expiry / .seconds(1) / 12
            while true {
                usleep(UInt32(pause * 1_000_000))
                let due = state.withLock { state in
                    for path in state.held.keys { state.held[path]?.renewed += 1 }
                    return state.held
                }
                for (path, held) in due { renew(path, held) }
            }
        }
    }

    static func end(_ path: String, _ nonce: String) {
        state.withLock { if $0.held[path]?.nonce == nonce { $0.held[path] = nil } }
    }

    /// Whether this thread has the claim.
    static func isOwn(_ path: String) -> Bool {
        state.withLock { $0.held[path].map { $0.thread == pthread_self() } ?? false }
    }

    private static func renew(_ path: String, _ held: Held) {
        // One that was taken for dead is another's now.
        guard let bytes = try? FileReader.bytes(path, limit: 4096),
            String(decoding: bytes, as: UTF8.self).contains(held.nonce),
            let descriptor = try? FileAccess.open(path, O_WRONLY)
        else { return }
        _ = Claim.write(descriptor, Claim.Holder.own.text(held.nonce, renewed: held.renewed))
        close(descriptor)
    }
}
