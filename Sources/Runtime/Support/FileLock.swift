import Foundation
import Synchronization

/// An advisory lock on a file, shared by processes; released with its last reference or when the process dies.
///
/// Two locks of one process keep each other out as those of two processes do.
public final class FileLock {
    /// Who else may hold the lock at the same time.
    public enum Mode {
        /// Nobody.
        case exclusive
        /// Others who take it in this mode.
        case shared
    }

    private let descriptor: Int32
    private let path: String
    private let mode: Mode

    /// The thread that took each exclusive lock of this process: waiting for one's own would never end.
    private static let own = Mutex<[String: pthread_t]>([:])

    private init(descriptor: Int32, path: String, mode: Mode) {
        self.descriptor = descriptor
        self.path = path
        self.mode = mode
        if mode == .exclusive { Self.own.withLock { $0[path] = pthread_self() } }
    }

    /// Waits for the lock on `path`, making the file if it is not there.
    ///
    /// - Throws: `FileError`, also when this thread holds the lock itself; `Interrupted` when `stop` says so.
    public convenience init(_ path: String, _ mode: Mode = .exclusive, stop: ShouldStop = { false })
        throws
    {
        while true {
            if let descriptor = try Self.take(path, mode) {
                self.init(descriptor: descriptor, path: path, mode: mode)
                return
            }
            if Self.own.withLock({ $0[path] == pthread_self() }) {
                throw FileError(
                    "lock", path,
                    reason: "this process holds it itself: a callback of a training run cannot "
                        + "train towards the same state; let the run end first")
            }
            if stop() {
                throw Interrupted(
                    "interrupted while waiting for another process to release \(path)")
            }
            usleep(20_000)
        }
    }

    /// The lock if it is free now; `nil` if somebody has it.
    ///
    /// - Throws: `FileError`.
    public static func attempt(_ path: String, _ mode: Mode = .exclusive) throws -> FileLock? {
        try take(path, mode).map { FileLock(descriptor: $0, path: path, mode: mode) }
    }

    /// The descriptor of the locked file; `nil` when it is taken.
    private static func take(_ path: String, _ mode: Mode) throws -> Int32? {
        while true {
            try AtomicFile.makeFolder(PathName.parent(path))
            let (descriptor, _) = try FileAccess.openRegular(
                path, O_RDWR | O_CREAT, action: "lock")
            let operation = (mode == .exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB
            guard flock(descriptor, operation) == 0 else {
                let code = errno
                close(descriptor)
                guard code == EWOULDBLOCK || code == EINTR else {
                    throw FileError("lock", path, errno: code)
                }
                return nil
            }
            if isStill(descriptor, path) { return descriptor }
            // Removed between opening and locking: others lock the file that is there now.
            close(descriptor)
        }
    }

    private static func isStill(_ descriptor: Int32, _ path: String) -> Bool {
        var held = stat()
        guard fstat(descriptor, &held) == 0, let named = FileAccess.status(path) else {
            return false
        }
        return held.st_ino == named.st_ino && held.st_dev == named.st_dev
    }

    deinit {
        if mode == .exclusive { Self.own.withLock { $0[path] = nil } }
        close(descriptor)
    }
}
