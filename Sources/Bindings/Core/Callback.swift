import CLua
import Runtime

/// A Lua function that Swift holds, such as `on_step`.
///
/// It keeps the function alive as long as it lives itself. An object that Lua holds and that holds a callback whose function
/// refers to the object is freed only when the interpreter closes.
public final class Callback: LuaConvertible {
    private let core: Core
    package let reference: Int32

    package init(core: Core, reference: Int32) {
        self.core = core
        self.reference = reference
    }

    deinit {
        if let state = core.state { mt_unreference(state, reference) }
    }

    /// Calls the function with arguments and copies its results.
    ///
    /// It cannot yield.
    ///
    /// - Throws: `LuaError` with the message (thrown on, Lua sees the original error value); `Interrupted` when Ctrl-C stopped
    ///   it; `ExitRequest`; `LuaOutOfMemory`.
    @discardableResult
    public func call(_ arguments: any LuaConvertible...) throws -> [Value] {
        guard let state = core.state, let interpreter = core.interpreter else {
            throw LuaError("the interpreter of this function is closed")
        }
        return try interpreter.withList { list in
            for argument in arguments { try argument.write(to: list) }
            var first: Int32 = 0
            let status = mt_invoke(state, reference, list.list, &first)
            guard let call = mt_current(state) else { return [] }
            try interpreter.check(status, ticket: mt_pending(call))
            defer { mt_settop(call, first - 1) }
            return try Reader(interpreter: interpreter, call: call).values(from: first)
        }
    }

    /// Appends the function itself.
    public func write(to results: Results) { mt_list_reference(results.list, reference) }
}

/// What outlives the interpreter in objects that refer to it.
package final class Core {
    package var state: OpaquePointer?
    /// Nil once it is closed.
    ///
    /// Not weak: a weak reference makes every later retain of its object slow.
    unowned(unsafe) var interpreter: Interpreter?
}
