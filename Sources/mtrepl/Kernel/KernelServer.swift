import CZMQ
import Foundation
import Runtime

/// A request that waits for the interpreter.
struct KernelRequest: Sendable {
    let channel: KernelServer.Channel
    let message: KernelMessage
}

/// The sockets of a kernel, on a thread of their own: so control is answered and heartbeats echoed while a cell runs.
///
/// Other threads send through `reply` and `publish`, in order; the interpreter's thread takes requests with `next`.
final class KernelServer: @unchecked Sendable {
    enum Channel { case shell, control, iopub, stdin }

    /// How long output is collected before it is sent, and how long a kernel may take to leave; seconds.
    private static let pause = 0.03
    private static let patience = 60.0

    private let session: KernelSession
    private let context: SocketContext
    private let shell, control, iopub, stdin, heart: Socket
    /// Wakes the sockets' thread.
    let event = mt_event_new()
    private let parent = KernelParent()
    /// What the kernel says of itself.
    let info: JSON
    /// Says why a message was dropped.
    let log: @Sendable (String) -> Void

    private let lock = NSCondition()
    private var requests: [KernelRequest] = []
    private var outgoing: [(channel: Channel, frames: [[UInt8]])] = []
    /// The header of the request that is worked on, and where its client is.
    private var current = Array("{}".utf8)
    private var client: [[UInt8]] = []
    /// What a client answered to the question for input.
    private var input: String?
    private var stream: (name: String, text: String, parent: [UInt8], since: Date)?
    private var isLeaving = false
    private var isFinishing = false
    private var isFinished = false
    private var isRunning = false
    private var whenLeaving: (@Sendable () -> Void)?
    private var isAsked: (@Sendable () -> Bool)?
    private var seen = Seen()

    /// Binds the sockets.
    ///
    /// - Throws: `SocketError` naming the address.
    init(_ connection: ConnectionFile, info: JSON, log: @escaping @Sendable (String) -> Void)
        throws
    {
        session = KernelSession(Signer(key: connection.key))
        context = try SocketContext()
        shell = try Socket(context, ZMQ_ROUTER, bind: connection.shell)
        control = try Socket(context, ZMQ_ROUTER, bind: connection.control)
        iopub = try Socket(context, ZMQ_XPUB, bind: connection.iopub)
        stdin = try Socket(context, ZMQ_ROUTER, bind: connection.stdin)
        heart = try Socket(context, ZMQ_REP, bind: connection.heartbeat)
        self.info = info
        self.log = log
    }

    /// Starts the threads.
    ///
    /// - Parameters:
    ///   - whenLeaving: Called, on any thread, when the kernel is to leave: the next interrupt has to end a cell.
    ///   - isAsked: Whether a signal has asked the process to end; `event` is raised then.
    func start(
        whenLeaving: @escaping @Sendable () -> Void, isAsked: @escaping @Sendable () -> Bool
    ) {
        lock.withLock { (self.whenLeaving, self.isAsked) = (whenLeaving, isAsked) }
        Thread.detachNewThread { [self] in
            while let beat = heart.receive(waiting: true) { heart.send(beat) }
            heart.close()
        }
        Thread.detachNewThread { [self] in carry() }
    }

    // MARK: - For the interpreter's thread

    /// Runs something that a client may interrupt.
    func interruptible<Result>(_ body: () throws -> Result) rethrows -> Result {
        lock.withLock { isRunning = true }
        defer { lock.withLock { isRunning = false } }
        return try body()
    }

    /// Waits for a request; nil once the kernel is to leave.
    func next() -> KernelRequest? {
        lock.withLock {
            while requests.isEmpty, !isLeaving { lock.wait() }
            return isLeaving ? nil : requests.removeFirst()
        }
    }

    /// Takes the requests of a type that wait now.
    func take(_ type: String) -> [KernelRequest] {
        lock.withLock {
            let taken = requests.filter { $0.message.header.msg_type == type }
            requests.removeAll { $0.message.header.msg_type == type }
            return taken
        }
    }

    /// Answers a request.
    func reply(_ request: KernelRequest, _ type: String, _ content: JSON) {
        let message = request.message
        let frames = session.frames(
            type, to: message.identities, parent: message.rawHeader, content)
        lock.withLock {
            flushStream()
            outgoing.append((request.channel, frames))
        }
        mt_event_raise(event)
    }

    /// Notes what the interpreter works on from now on.
    func begin(_ request: KernelRequest) {
        lock.withLock {
            flushStream()
            current = request.message.rawHeader
            client = request.message.identities
        }
        publish(state: "busy", parent: nil)
    }

    /// Asks the client of the request that is worked on for a line of input; nil if `stop` says so before one comes.
    func askForInput(stop: () -> Bool) -> String? {
        lock.withLock {
            input = nil
            flushStream()
            let frames = session.frames(
                "input_request", to: client, parent: current, ["prompt": "", "password": false])
            outgoing.append((.stdin, frames))
        }
        mt_event_raise(event)
        return lock.withLock {
            while input == nil, !isLeaving, !stop() {
                _ = lock.wait(until: Date(timeIntervalSinceNow: 0.05))
            }
            return input
        }
    }

    /// Tells all clients something that comes of a request: the present one, unless there is another parent.
    func publish(_ type: String, parent: [UInt8]? = nil, _ content: JSON) {
        let parent = parent ?? lock.withLock { current }
        let frames = session.frames(type, to: [Array(type.utf8)], parent: parent, content)
        lock.withLock {
            flushStream()
            outgoing.append((.iopub, frames))
        }
        mt_event_raise(event)
    }

    /// Tells all clients that a request is worked on, or that it is done.
    func publish(state: String, parent: [UInt8]? = nil) {
        publish("status", parent: parent, ["execution_state": .string(state)])
    }

    /// Adds to standard output or error; small pieces travel together.
    func write(_ text: String, to name: String) {
        guard !text.isEmpty else { return }
        lock.withLock {
            if stream?.name != name { flushStream() }
            if stream == nil {
                stream = (name, text, current, Date())
            } else {
                stream?.text += text
            }
            if stream?.text.utf8.count ?? 0 > 1 << 16 { flushStream() }
        }
        mt_event_raise(event)
    }

    /// Sends what waits and closes the sockets.
    func finish() {
        lock.withLock {
            flushStream()
            isFinishing = true
        }
        mt_event_raise(event)
        lock.withLock { while !isFinished { lock.wait() } }
        context.end()
    }

    /// Takes no more requests; a cell that runs is ended.
    func leave() {
        let whenLeaving = lock.withLock {
            isLeaving = true
            return self.whenLeaving
        }
        whenLeaving?()
        lock.withLock { lock.broadcast() }
    }

    // MARK: - The sockets' thread

    /// Called with the lock held.
    private func flushStream() {
        guard let stream else { return }
        self.stream = nil
        outgoing.append(
            (
                .iopub,
                session.frames(
                    "stream", to: [Array("stream.\(stream.name)".utf8)], parent: stream.parent,
                    ["name": .string(stream.name), "text": .string(stream.text)])
            ))
    }

    private func carry() {
        var items = [shell.raw, control.raw, iopub.raw, stdin.raw].map {
            zmq_pollitem_t(socket: $0, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
        }
        items.append(
            zmq_pollitem_t(socket: nil, fd: event, events: Int16(ZMQ_POLLIN), revents: 0))
        if parent.descriptor >= 0 {
            items.append(
                zmq_pollitem_t(
                    socket: nil, fd: parent.descriptor, events: Int16(ZMQ_POLLIN), revents: 0))
        }
        let isAsked = lock.withLock { self.isAsked }
        var leavingSince: Date?
        while true {
            let wait = lock.withLock {
                stream != nil ? Int(Self.pause * 1000) : isLeaving ? 200 : 1000
            }
            zmq_poll(&items, Int32(items.count), wait)
            mt_event_lower(event)
            while let frames = iopub.receive() { welcome(frames) }
            while let frames = control.receive() { accept(frames, .control) }
            while let frames = shell.receive() { accept(frames, .shell) }
            while let frames = stdin.receive() { accept(frames, .stdin) }
            if leavingSince == nil, parent.hasEnded || isAsked?() == true {
                leave()
                // Its end stays readable.
                items.removeLast(items.count - 5)
            }
            let (sending, leaving, finishing) = lock.withLock {
                if let since = stream?.since, -since.timeIntervalSinceNow >= Self.pause {
                    flushStream()
                }
                defer { outgoing = [] }
                return (outgoing, isLeaving, isFinishing)
            }
            for message in sending { socket(message.channel).send(message.frames) }
            if finishing { break }
            if leaving {
                let since = leavingSince ?? Date()
                leavingSince = since
                interruptCell()
                if -since.timeIntervalSinceNow > Self.patience { _exit(ExitStatus.failure) }
            }
        }
        for socket in [shell, control, iopub, stdin] { socket.close() }
        context.shutDown()
        lock.withLock {
            self.isFinished = true
            lock.broadcast()
        }
    }

    private func socket(_ channel: Channel) -> Socket {
        switch channel {
        case .shell: shell
        case .control: control
        case .iopub: iopub
        case .stdin: stdin
        }
    }

    /// Answers a client that wants to hear of all.
    private func welcome(_ frames: [[UInt8]]) {
        guard let frame = frames.first, let first = frame.first else { return }
        let topic = Array(frame.dropFirst())
        guard first == 1 else { return iopub.disallow(topic) }
        iopub.allow(topic)
        let content: JSON = ["subscription": .string(String(decoding: topic, as: UTF8.self))]
        iopub.send(session.frames("iopub_welcome", to: [topic], parent: nil, content))
    }

    private func accept(_ frames: [[UInt8]], _ channel: Channel) {
        let message: KernelMessage
        do {
            message = try KernelMessage(frames, session.signer)
        } catch KernelMessage.Refusal.signature {
            return log("a message with a wrong signature was refused")
        } catch KernelMessage.Refusal.shape(let reason) {
            return log("a malformed message was dropped: \(reason)")
        } catch {
            return log("a malformed message was dropped")
        }
        guard seen.add(message.signature) else {
            return log("a message that came before was refused")
        }
        if channel == .stdin { return take(input: message) }
        let request = KernelRequest(channel: channel, message: message)
        guard channel == .control || message.header.msg_type == "shutdown_request" else {
            return lock.withLock {
                requests.append(request)
                lock.broadcast()
            }
        }
        publish(state: "busy", parent: message.rawHeader)
        answer(request)
        publish(state: "idle", parent: message.rawHeader)
    }

    private func take(input message: KernelMessage) {
        struct Reply: Decodable { let value: String }
        guard message.header.msg_type == "input_reply",
            let reply = try? message.request(Reply.self)
        else { return log("a message on the stdin channel that is not an input was dropped") }
        lock.withLock {
            input = reply.value
            lock.broadcast()
        }
    }

    /// Answers what does not need the interpreter.
    private func answer(_ request: KernelRequest) {
        switch request.message.header.msg_type {
        case "kernel_info_request": reply(request, "kernel_info_reply", info)
        case "interrupt_request":
            interruptCell()
            reply(request, "interrupt_reply", ["status": "ok"])
        case "shutdown_request":
            struct Request: Decodable { let restart: Bool? }
            let restart = (try? request.message.request(Request.self))?.restart ?? false
            let content: JSON = ["status": "ok", "restart": .boolean(restart)]
            reply(request, "shutdown_reply", content)
            publish("shutdown_reply", parent: request.message.rawHeader, content)
            leave()
        case let type: log("'\(type)' on the control channel is not known")
        }
    }

    /// Does what Ctrl-C does, also to the processes that a cell started if all of this group are its.
    private func interruptCell() {
        guard lock.withLock({ isRunning }) else { return }
        kill(getpgrp() == getpid() ? 0 : getpid(), SIGINT)
    }
}

/// The signatures of the last messages: one that is sent again is somebody's recording.
private struct Seen {
    private static let room = 1 << 16
    private var known: Set<[UInt8]> = []
    private var order: [[UInt8]] = []
    private var next = 0

    /// Whether a signature is new.
    mutating func add(_ signature: [UInt8]) -> Bool {
        guard known.insert(signature).inserted else { return false }
        if order.count < Self.room {
            order.append(signature)
        } else {
            known.remove(order[next])
            order[next] = signature
            next = (next + 1) % Self.room
        }
        return true
    }
}
