import CZMQ
import Glibc
import Runtime

/// ZeroMQ could not do something.
struct SocketError: RuntimeError {
    let message: String

    init(_ action: String, _ address: String = "") {
        let reason = String(cString: zmq_strerror(zmq_errno()))
        message = "cannot \(action)\(address.isEmpty ? "" : " \(address)"): \(reason)"
    }
}

/// A ZeroMQ context, safe to share between threads.
final class SocketContext: @unchecked Sendable {
    fileprivate let raw: UnsafeMutableRawPointer

    init() throws {
        guard let raw = zmq_ctx_new() else { throw SocketError("start ZeroMQ") }
        self.raw = raw
    }

    /// Ends waiting in all sockets.
    func shutDown() { zmq_ctx_shutdown(raw) }

    /// Waits until what was sent has gone or its socket's time is over; all sockets must be closed.
    func end() { while zmq_ctx_term(raw) != 0, zmq_errno() == EINTR {} }
}

/// A ZeroMQ socket; used by one thread.
final class Socket {
    /// The most that one message may hold, in bytes a frame and in frames.
    private static let largestFrame = 64 << 20
    private static let mostFrames = 64

    let raw: UnsafeMutableRawPointer

    /// Binds a socket of a kind such as `ZMQ_ROUTER`.
    init(_ context: SocketContext, _ kind: Int32, bind address: String) throws {
        guard let raw = zmq_socket(context.raw, kind) else { throw SocketError("make a socket") }
        self.raw = raw
        set(ZMQ_LINGER, 1000)
        set(ZMQ_IPV6, address.contains("[") ? 1 : 0)
        var largest = Int64(Self.largestFrame)
        zmq_setsockopt(raw, ZMQ_MAXMSGSIZE, &largest, MemoryLayout<Int64>.size)
        if kind == ZMQ_XPUB {
            // A subscription counts once it has been answered: nothing can overtake the welcome.
            set(ZMQ_XPUB_MANUAL, 1)
            set(ZMQ_SNDHWM, 100_000)
        }
        guard zmq_bind(raw, address) == 0 else {
            let error = SocketError("listen at", address)
            zmq_close(raw)
            throw error
        }
    }

    func close() { zmq_close(raw) }

    private func set(_ option: Int32, _ value: Int32) {
        var value = value
        zmq_setsockopt(raw, option, &value, MemoryLayout<Int32>.size)
    }

    /// Lets the client whose subscription was received last have what it subscribed to.
    func allow(_ subscription: [UInt8]) {
        zmq_setsockopt(raw, ZMQ_SUBSCRIBE, subscription, subscription.count)
    }

    func disallow(_ subscription: [UInt8]) {
        zmq_setsockopt(raw, ZMQ_UNSUBSCRIBE, subscription, subscription.count)
    }

    /// The next message, nil if there is none; one with too many frames comes back empty.
    ///
    /// - Parameter waiting: Whether to wait for one; then nil means that the context was shut down.
    func receive(waiting: Bool = false) -> [[UInt8]]? {
        var frames: [[UInt8]] = []
        var count = 0
        while true {
            var message = zmq_msg_t()
            zmq_msg_init(&message)
            defer { zmq_msg_close(&message) }
            while zmq_msg_recv(&message, raw, waiting || count > 0 ? 0 : ZMQ_DONTWAIT) < 0 {
                guard zmq_errno() == EINTR else { return nil }
            }
            count += 1
            if count <= Self.mostFrames, let start = zmq_msg_data(&message) {
                frames.append(
                    Array(UnsafeRawBufferPointer(start: start, count: zmq_msg_size(&message))))
            }
            if zmq_msg_more(&message) == 0 { return count <= Self.mostFrames ? frames : [] }
        }
    }

    /// Sends a message; one to a client that has gone is dropped.
    func send(_ frames: [[UInt8]]) {
        for (index, frame) in frames.enumerated() {
            let flags = ZMQ_DONTWAIT | (index + 1 < frames.count ? ZMQ_SNDMORE : 0)
            while zmq_send(raw, frame, frame.count, flags) < 0 {
                guard zmq_errno() == EINTR else { return }
            }
        }
    }
}
