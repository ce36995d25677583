import Bindings
import Glibc
import Runtime

/// A Jupyter kernel: takes requests one after the other, runs cells, and says what comes of them.
final class Kernel {
    private let server: KernelServer
    private let host: Host
    private let input: KernelInput
    private let output: KernelOutput
    private let history: KernelHistory
    private let questions: KernelQuestions
    /// Cells executed so far, those that count.
    private var count = 0

    init(
        _ server: KernelServer, _ host: Host, _ input: KernelInput, _ output: KernelOutput,
        _ history: KernelHistory
    ) {
        self.server = server
        self.host = host
        self.input = input
        self.output = output
        self.history = history
        questions = KernelQuestions(host: host)
    }

    /// Answers requests until a client ends the kernel or a cell calls `os.exit`; returns the exit code.
    func run() -> Int32 {
        server.publish(state: "starting")
        var code = ExitStatus.success
        while let request = server.next() {
            server.begin(request)
            // Ctrl-C that came before is not meant for this.
            host.interpreter.clearInterrupt()
            do {
                if let exit = try answer(request) {
                    code = exit
                    server.leave()
                }
            } catch let error as DecodingError {
                refuse(request, error.place)
            } catch {
                refuse(request, "\(error)")
            }
            server.publish(state: "idle")
        }
        return code
    }

    /// Answers; returns an exit code if a cell asked to leave.
    private func answer(_ request: KernelRequest) throws -> Int32? {
        let message = request.message
        switch message.header.msg_type {
        case "execute_request": return try execute(request)
        case "complete_request":
            server.reply(request, "complete_reply", try questions.complete(message))
        case "inspect_request":
            server.reply(request, "inspect_reply", try questions.inspect(message))
        case "is_complete_request":
            server.reply(request, "is_complete_reply", try questions.isComplete(message))
        case "history_request":
            server.reply(request, "history_reply", try history.reply(message))
        case "kernel_info_request":
            server.reply(request, "kernel_info_reply", server.info)
        case "comm_info_request":
            server.reply(request, "comm_info_reply", ["status": "ok", "comms": [:]])
        case "comm_open":
            // There is nothing here to talk to; the protocol asks to say so.
            struct Open: Decodable { let comm_id: String }
            let open = try message.request(Open.self)
            server.publish(
                "comm_close", ["comm_id": .string(open.comm_id), "data": [:]])
        case "comm_msg", "comm_close": break
        case let type: server.log("'\(type)' is not known")
        }
        return nil
    }

    /// Answers a request that is not what the protocol says.
    private func refuse(_ request: KernelRequest, _ reason: String) {
        let type = request.message.header.msg_type
        server.log("\(type): \(reason)")
        guard type.hasSuffix("_request") else { return }
        server.reply(
            request, type.dropLast("request".count) + "reply",
            [
                "status": "error", "ename": "ProtocolError",
                "evalue": .string("\(type): \(reason)"), "traceback": [],
            ])
    }

    // MARK: - Cells

    private struct Cell: Decodable {
        let code: String
        let silent: Bool?
        let store_history: Bool?
        let user_expressions: [String: String]?
        let stop_on_error: Bool?
        let allow_stdin: Bool?
    }

    private func execute(_ request: KernelRequest) throws -> Int32? {
        let cell = try request.message.request(Cell.self)
        let silent = cell.silent ?? false
        let number = count + 1
        if !silent, cell.store_history ?? true {
            count = number
            history.add(number, cell.code)
        }
        if !silent {
            server.publish(
                "execute_input",
                ["code": .string(cell.code), "execution_count": .integer(number)])
        }
        output.begin(number, silent: silent)
        // Error messages name a cell by the number that the notebook shows.
        host.inputs = number - 1
        input.isAllowed = cell.allow_stdin ?? false
        let outcome: CellResult.Outcome =
            cell.code.allSatisfy(\.isWhitespace)
            ? .success
            : server.interruptible {
                (host.evaluate(cell.code) ?? host.complain(cell.code)).outcome
            }
        output.end()
        if let text = output.values { history.add(output: text, of: number) }

        var reply: [(String, JSON)] = [("execution_count", .integer(number))]
        switch outcome {
        case .failed(let failure), .interrupted(let failure):
            let error = Self.error(failure)
            if !silent { server.publish("error", .object(error)) }
            reply += [("status", "error")] + error
            reply += [("payload", []), ("user_expressions", [:])]
            // Taken before the reply goes out: what a client sends after it has seen the error is to be run.
            let waiting = cell.stop_on_error ?? true ? server.take("execute_request") : []
            server.reply(request, "execute_reply", .object(reply))
            abort(waiting)
            return nil
        case .success, .exit:
            var payload = output.pages.map { page -> JSON in
                ["source": "page", "data": ["text/plain": .string(page)], "start": 0]
            }
            var exit: Int32?
            if case .exit(let code) = outcome {
                exit = code
                payload.append(["source": "ask_exit", "keepkernel": false])
            }
            let expressions = exit == nil ? cell.user_expressions ?? [:] : [:]
            reply += [
                ("status", "ok"), ("payload", .array(payload)),
                (
                    "user_expressions",
                    .object(
                        expressions.sorted { $0.key < $1.key }.map {
                            ($0.key, evaluate($0.value))
                        })
                ),
            ]
            server.reply(request, "execute_reply", .object(reply))
            return exit
        }
    }

    /// An error as the protocol shows it.
    private static func error(_ failure: CellFailure) -> [(String, JSON)] {
        let head = failure.message.split(separator: "\n", omittingEmptySubsequences: false).map {
            "\u{1b}[1;31m\($0)\u{1b}[0m"
        }
        return [
            ("ename", .string(failure.name)), ("evalue", .string(failure.message)),
            ("traceback", .array((head + failure.traceback).map { .string($0) })),
        ]
    }

    /// The value of an expression that a client wants to know beside a cell.
    private func evaluate(_ expression: String) -> JSON {
        do {
            let text = try server.interruptible { try host.interpreter.text(of: expression) }
            return ["status": "ok", "data": ["text/plain": .string(text)], "metadata": [:]]
        } catch {
            host.interpreter.clearInterrupt()
            let failure = CellFailure(
                error as? any RuntimeError ?? LuaError("\(error)"), host.interpreter)
            return .object([("status", "error")] + Self.error(failure))
        }
    }

    /// Gives up the cells that waited: a client that runs many wants to see the first error.
    private func abort(_ waiting: [KernelRequest]) {
        for request in waiting {
            let parent = request.message.rawHeader
            server.publish(state: "busy", parent: parent)
            server.reply(
                request, "execute_reply",
                ["status": "aborted", "execution_count": .integer(count)])
            server.publish(state: "idle", parent: parent)
        }
    }
}
