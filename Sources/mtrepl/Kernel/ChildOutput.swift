import CZMQ
import Foundation
import Runtime

/// Takes what processes that a cell starts write to standard output and standard error: in a notebook nobody would see it.
///
/// One thread reads and hands over, so that pieces stay in order and no lock is held meanwhile.
final class ChildOutput: @unchecked Sendable {
    private let pipes: [(read: Int32, name: String)]
    private let asked = mt_event_new()
    private let drained = DispatchSemaphore(value: 0)

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
    func start(_ receive: @escaping @Sendable (String, String) -> Void) {
        Thread.detachNewThread { [self] in
            var waiting = (pipes.map(\.read) + [asked]).map {
                pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
            }
            var texts = pipes.map { _ in StreamText() }
            while true {
                poll(&waiting, nfds_t(waiting.count), -1)
                // Lowered before reading: what was written before `drain` was called is read now.
                let isAsked = waiting[pipes.count].revents != 0
                if isAsked { mt_event_lower(asked) }
                for (index, pipe) in pipes.enumerated() {
                    Self.read(pipe.read) { bytes in
                        let text = texts[index].text(bytes)
                        if !text.isEmpty { receive(text, pipe.name) }
                    }
                }
                if isAsked { drained.signal() }
            }
        }
    }

    /// Returns when all that has been written so far was handed over; called on one thread.
    func drain() {
        mt_event_raise(asked)
        drained.wait()
    }

    private static func read(_ pipe: Int32, _ take: (UnsafeRawBufferPointer) -> Void) {
        withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 1) { buffer in
            while case let count = Glibc.read(pipe, buffer.baseAddress, buffer.count), count > 0 {
                take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
    }
}
