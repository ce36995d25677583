import CLua
import Runtime

/// One call from Lua: the checked arguments, and where the results go.
///
/// Valid until the function returns.
public struct Call: Fields {
    /// The interpreter that calls.
    public let interpreter: Interpreter
    package let pointer: OpaquePointer
    package let function: Function
    /// The arguments, unless all are plain: those are read from the stack when they are asked for.
    private let values: [Value]?
    /// The stack index of the first argument, not counting the object before a colon.
    private let offset: Int32
    private let given: Int32

    /// Checks the number and the kinds of the arguments against the record.
    init(interpreter: Interpreter, pointer: OpaquePointer, function: Function) throws {
        self.interpreter = interpreter
        self.pointer = pointer
        self.function = function
        offset = function.hasReceiver ? 2 : 1
        let checks = function.checks
        given = mt_count(pointer) - offset + 1
        if given > checks.count, !function.isMetamethod {
            throw ArgumentError(
                position: checks.count + 1, function: function.name,
                text:
                    "no more than \(checks.count) argument\(checks.count == 1 ? "" : "s") expected, got \(given)"
            )
        }
        var plain = true
        for position in 0..<Int32(checks.count) where plain {
            plain = checks[Int(position)].passes(
                pointer, position + offset, isGiven: position < given, interpreter)
        }
        values = plain ? nil : try Self.read(interpreter, pointer, function, offset, given)
    }

    /// Copies all arguments and checks them in full.
    private static func read(
        _ interpreter: Interpreter, _ pointer: OpaquePointer, _ function: Function, _ offset: Int32,
        _ given: Int32
    ) throws -> [Value] {
        let reader = Reader(interpreter: interpreter, call: pointer)
        return try function.parameters.enumerated().map { position, parameter in
            let isGiven = position < given
            do {
                // Beyond the arguments lies what the trampoline keeps there.
                let value: Value = isGiven ? try reader.value(Int32(position) + offset) : .null
                if !value.isNull {
                    return try parameter.kind.accept(
                        value, path: parameter.name, interpreter: interpreter)
                }
                if parameter.isOptional { return parameter.standard ?? .null }
                if case .options = parameter.kind {
                    // No options are an empty table: an error names the option that is missing.
                    return try parameter.kind.accept(
                        .table(Table()), path: parameter.name, interpreter: interpreter)
                }
                throw Mistake(
                    parameter.name, expected: parameter.kind.name, found: isGiven ? value : nil)
            } catch let mistake as Mistake {
                throw ArgumentError(
                    position: position + 1, function: function.name, text: mistake.text)
            } catch let mistake as TableMistake {
                throw ArgumentError(
                    position: position + 1, function: function.name,
                    text: "\(parameter.name): \(mistake.text)")
            }
        }
    }

    /// The record of a parameter.
    public func parameter(_ name: String) -> Parameter? {
        function.parameters.first { $0.name == name }
    }

    /// The value of a parameter, its default, or nil.
    public func value(_ name: String) throws -> Value? {
        let index = try index(name)
        if let values { return values[index].isNull ? nil : values[index] }
        let parameter = function.parameters[index]
        guard let place = place(index) else { return parameter.standard }
        let value = try Reader(interpreter: interpreter, call: pointer).value(place)
        return try parameter.kind.accept(value, path: name, interpreter: interpreter)
    }

    private func index(_ name: String) throws -> Int {
        for index in 0..<function.parameters.count where function.parameters[index].name == name {
            return index
        }
        throw UnknownName(name: name)
    }

    /// The stack index of a plain argument; nil if it was left out or was copied.
    private func place(_ index: Int) -> Int32? {
        guard values == nil, index < given else { return nil }
        let place = Int32(index) + offset
        return mt_type(pointer, place) == MT_NIL ? nil : place
    }

    /// A number.
    public func number(_ name: String) throws -> Double {
        if let place = place(try index(name)), let value = plainNumber(place) { return value }
        guard let value = try number(ifPresent: name) else { throw UnknownName(name: name) }
        return value
    }

    /// An integer.
    public func integer(_ name: String) throws -> Int {
        if let place = place(try index(name)), mt_type(pointer, place) == MT_INTEGER {
            return Int(mt_integer(pointer, place))
        }
        guard let value = try integer(ifPresent: name) else { throw UnknownName(name: name) }
        return value
    }

    /// An object.
    public func object<Object>(_ name: String, as type: Object.Type = Object.self) throws -> Object
    {
        if let place = place(try index(name)) {
            var number: Int32 = -1
            if let opaque = mt_object(pointer, place, &number) {
                let box = Unmanaged<AnyObject>.fromOpaque(opaque).takeUnretainedValue()
                if let box = box as? Box<Object> { return box.value }
            }
        }
        guard let value = try object(ifPresent: name, as: type) else {
            throw UnknownName(name: name)
        }
        return value
    }

    private func plainNumber(_ place: Int32) -> Double? {
        let kind = mt_type(pointer, place)
        return kind == MT_NUMBER || kind == MT_INTEGER ? mt_number(pointer, place) : nil
    }

    /// Hands over several results, in order.
    public func returns(
        _ first: any LuaConvertible, _ second: any LuaConvertible, _ others: any LuaConvertible...
    ) throws {
        let list = Results(list: mt_results(pointer), interpreter: interpreter)
        for result in [first, second] + others { try result.write(to: list) }
    }

    /// Hands over one result; called again, the next one.
    public func returns(_ result: some LuaConvertible) throws {
        try result.write(to: Results(list: mt_results(pointer), interpreter: interpreter))
    }

    /// An error about one argument, in the usual form: `bad argument #2 to 'train' (steps: …)`.
    public func mistake(_ name: String, _ text: String) -> ArgumentError {
        let index = function.parameters.firstIndex { $0.name == name } ?? 0
        return ArgumentError(position: index + 1, function: function.name, text: "\(name): \(text)")
    }

    /// The raw argument at a position, the object before a colon counting as the first.
    package func argument(_ position: Int32) throws -> Value {
        guard position <= mt_count(pointer) else { return .null }
        return try Reader(interpreter: interpreter, call: pointer).value(position)
    }

    /// The open object at a position.
    package func open<Object>(_ position: Int32, _ type: Object.Type, _ name: String) throws
        -> Object
    {
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
