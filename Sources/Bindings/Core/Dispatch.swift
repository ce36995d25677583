import CLua
import Runtime

extension Interpreter {
    /// The one way from Lua into Swift.
    ///
    /// Nothing thrown leaves it.
    func dispatch(_ call: OpaquePointer, _ index: Int) -> mt_status {
        do {
            let function = try function(index)
            try function.body(Call(interpreter: self, pointer: call, function: function))
            return MT_OK
        } catch {
            return fail(call, error)
        }
    }

    private func fail(_ call: OpaquePointer, _ error: any Error) -> mt_status {
        switch error {
        case let error as LuaError:
            if let ticket = error.ticket, ticket == mt_pending(call) { return MT_VALUE }
            return say(call, error.message, MT_ERROR)
        case let error as ExitRequest:
            mt_exit(call, Int32(clamping: error.code))
            return MT_EXIT
        case let error as Interrupted:
            return say(call, error.message, MT_INTERRUPTED)
        case let error as any RuntimeError:
            return say(call, error.message, MT_ERROR)
        default:
            return say(call, "\(error)", MT_ERROR)
        }
    }

    private func say(_ call: OpaquePointer, _ message: String, _ status: mt_status) -> mt_status {
        var message = message
        message.withUTF8 { mt_fail(call, $0.baseAddress, $0.count) }
        return status
    }

    /// Turns a status into an error.
    package func check(_ status: mt_status, ticket: UInt64? = nil) throws {
        guard status != MT_OK else { return }
        let state = try open()
        var length = 0
        let start = mt_message(state, &length)
        let message = String(
            decoding: UnsafeRawBufferPointer(start: start, count: length), as: UTF8.self)
        switch status {
        case MT_MEMORY: throw LuaOutOfMemory()
        case MT_SYNTAX: throw LuaSyntaxError(message: message, isIncomplete: false)
        case MT_INCOMPLETE: throw LuaSyntaxError(message: message, isIncomplete: true)
        case MT_INTERRUPTED: throw Interrupted(message)
        case MT_EXIT: throw ExitRequest(code: Int(mt_exit_code(state)))
        default: throw LuaError(message, ticket: status == MT_VALUE ? ticket : nil)
        }
    }
}
