import CZMQ
import Foundation
import Runtime

/// Takes what processes that a cell starts write to standard output and standard error: in a notebook nobody would see it.
final class ChildOutput: @unchecked Sendable {
    private let pipes: [(read: Int32, name: String)]
    private let lock = NSLock()
    private var receive: ((String, String) -> Void)?

    /// Puts pipes in the place of descriptors 1 and 2.
    ///
    /// - Throws: `FileError` if there are no descriptors left.
    init() throws {
        pipes = try [(1, "stdout"), (2, "stderr")].map { descriptor, name in
            var ends: [Int32] = [0, 0]
            guard pipe(&ends) == 0, dup2(ends[1], Int32(descriptor)) >= 0 else {
                throw FileError("redirect", name, errno: errno)
            }
            close(ends[1])
            _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
            _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
            return (ends[0], name)
        }
    }

    /// Hands over what comes from now on, on a thread of its own.
    func start(_ receive: @escaping (String, String) -> Void) {
        lock.withLock { self.receive = receive }
        Thread.detachNewThread { [self] in
            var waiting = pipes.map { pollfd(fd: $0.read, events: Int16(POLLIN), revents: 0) }
            while true {
                poll(&waiting, nfds_t(waiting.count), -1)
                drain()
            }
        }
    }

    /// Hands over all that has been written so far.
    func drain() {
        lock.withLock {
            for pipe in pipes {
                var buffer = [UInt8](repeating: 0, count: 1 << 16)
                while case let count = read(pipe.read, &buffer, buffer.count), count > 0 {
                    receive?(String(decoding: buffer[..<count], as: UTF8.self), pipe.name)
                }
            }
        }
    }
}
