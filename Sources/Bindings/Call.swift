import CLua
import Runtime

/// One call from Lua: the checked arguments, and where the results go.
///
/// Valid until the function returns.
public struct Call: Fields {
    /// The interpreter that calls.
    public let interpreter: Interpreter
    let pointer: OpaquePointer
    let function: Function
    private let values: [Value]

    /// Checks the number and the kinds of the arguments against the record.
    init(interpreter: Interpreter, pointer: OpaquePointer, function: Function) throws {
        self.interpreter = interpreter
        self.pointer = pointer
        self.function = function
        let offset = function.hasReceiver ? 1 : 0
        let given = Int(mt_count(pointer)) - offset
        let parameters = function.parameters
        if case .metamethod = function.form {
        } else if given > parameters.count {
            throw ArgumentError(
                position: parameters.count + 1, function: function.name,
                text:
                    "no more than \(parameters.count) argument\(parameters.count == 1 ? "" : "s") expected, "
                    + "got \(given)")
        }
        guard !parameters.isEmpty else {
            values = []
            return
        }
        let reader = Reader(interpreter: interpreter, call: pointer)
        var values: [Value] = []
        values.reserveCapacity(parameters.count)
        for (position, parameter) in parameters.enumerated() {
            do {
                // Beyond the arguments lies what the trampoline keeps there.
                let value: Value =
                    position < given ? try reader.value(Int32(position + offset + 1)) : .null
                if !value.isNull {
                    values.append(
                        try parameter.kind.accept(
                            value, path: parameter.name, interpreter: interpreter))
                } else if parameter.isOptional {
                    values.append(parameter.standard ?? .null)
                } else {
                    throw Mistake(
                        parameter.name, expected: parameter.kind.name,
                        found: position < given ? value : nil)
                }
            } catch let mistake as Mistake {
                throw ArgumentError(
                    position: position + 1, function: function.name, text: mistake.text)
            } catch let mistake as TableMistake {
                throw ArgumentError(
                    position: position + 1, function: function.name,
                    text: "\(parameter.name): \(mistake.text)")
            }
        }
        self.values = values
    }

    /// The record of a parameter.
    public func parameter(_ name: String) -> Parameter? {
        function.parameters.first { $0.name == name }
    }

    /// The value of a parameter, its default, or nil.
    public func value(_ name: String) throws -> Value? {
        guard let index = function.parameters.firstIndex(where: { $0.name == name }) else {
            throw UnknownName(name: name)
        }
        return values[index].isNull ? nil : values[index]
    }

    /// Hands over results, in order.
    public func returns(_ results: any LuaConvertible...) throws {
        let list = Results(list: mt_results(pointer), interpreter: interpreter)
        for result in results { try result.write(to: list) }
    }

    /// Hands over one result.
    public func returns(_ result: some LuaConvertible) throws {
        try result.write(to: Results(list: mt_results(pointer), interpreter: interpreter))
    }

    /// An error about one argument, in the usual form: `bad argument #2 to 'train' (steps: …)`.
    public func mistake(_ name: String, _ text: String) -> ArgumentError {
        let index = function.parameters.firstIndex { $0.name == name } ?? 0
        return ArgumentError(position: index + 1, function: function.name, text: "\(name): \(text)")
    }

    /// The raw argument at a position, the object before a colon counting as the first.
    func argument(_ position: Int32) throws -> Value {
        guard position <= mt_count(pointer) else { return .null }
        return try Reader(interpreter: interpreter, call: pointer).value(position)
    }

    /// The open object at a position.
    func open<Object>(_ position: Int32, _ type: Object.Type, _ name: String) throws -> Object {
        var number: Int32 = -1
        let opaque = position <= mt_count(pointer) ? mt_object(pointer, position, &number) : nil
        if let opaque {
            let box = Unmanaged<AnyObject>.fromOpaque(opaque).takeUnretainedValue()
            if let box = box as? Box<Object> { return box.value }
        } else if number >= 0, interpreter.typeName(number) == name {
            throw Mistake("the \(name) is closed")
        }
        throw ArgumentError(
            position: 0, function: function.name,
            text: "\(name) expected, got \(try argument(position).summary); is it called with ':'?")
    }

    func closeReceiver() {
        guard mt_count(pointer) >= 1, let opaque = mt_take_object(pointer, 1) else { return }
        Unmanaged<AnyObject>.fromOpaque(opaque).release()
    }
}
