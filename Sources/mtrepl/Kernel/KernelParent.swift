import CZMQ
import Foundation

/// The client that started a kernel, which `JPY_PARENT_PID` names: the kernel ends with it.
///
/// Whoever adopts the kernel then may be process 1 or any other, such as a user's systemd or `tini -s`. Without the variable
/// the kernel belongs to nobody and lives on.
struct KernelParent: Sendable {
    /// Readable once it has ended; -1 if the system has no such thing.
    let descriptor: Int32
    private let process: pid_t?
    /// Who started this process: the client, or something between.
    private let first = getppid()
    /// Whether it had ended before this could be asked.
    private let wasGone: Bool

    init(_ variable: String? = ProcessInfo.processInfo.environment["JPY_PARENT_PID"]) {
        process = variable.flatMap { pid_t($0) }.flatMap { $0 > 1 ? $0 : nil }
        descriptor = process.map { mt_process_open($0) } ?? -1
        wasGone = process != nil && descriptor < 0 && errno == ESRCH
    }

    /// Whether it has ended.
    var hasEnded: Bool {
        guard let process else { return false }
        if wasGone || (first == process && getppid() != first) { return true }
        guard descriptor >= 0 else { return kill(process, 0) != 0 && errno == ESRCH }
        var end = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&end, 1, 0) > 0
    }
}
