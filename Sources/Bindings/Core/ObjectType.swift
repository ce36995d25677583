import Runtime

/// A type of object in Lua: a Swift class or struct with methods and fields.
public final class ObjectType {
    /// The name in Lua, such as `corpus`.
    public let name: String
    /// What it is.
    public let help: String
    /// Methods, fields and metamethods.
    public let members: [Function]
    let identifier: ObjectIdentifier
    /// An object as the prompt shows it; nil for the text of `describe`.
    package let present: (ObjectReference, Display) throws -> RichOutput?

    /// Describes a type.
    ///
    /// - Parameters:
    ///   - name: The name in Lua and in error messages.
    ///   - type: The Swift type; it needs `extension Type: LuaObject {}` to be returned.
    ///   - help: What it is.
    ///   - describe: The text that `tostring` and the prompt show.
    ///   - show: How the prompt, a session log and Jupyter show the object as a value; without it as `describe` says.
    ///   - fields: Read-only values, as in `object.name`.
    ///   - methods: As in `object:name(…)`.
    ///   - operators: Functions named `__add`, `__eq`, `__call` and so on, with the arguments as Lua passes them.
    ///   - length: What `#object` gives.
    ///   - index: What `object[key]` gives for keys that are not strings.
    ///   - closable: Adds the method `close`, which gives up the object at once.
    public init<Object>(
        _ name: String, _ type: Object.Type, _ help: String, describe: @escaping (Object) -> String,
        show: ((Object, Display) throws -> RichOutput)? = nil,
        fields: [Field<Object>] = [], methods: [Method<Object>] = [], operators: [Function] = [],
        length: ((Object) throws -> Int)? = nil,
        index: ((Object, Value, Call) throws -> Void)? = nil,
        closable: Bool = false
    ) {
        self.name = name
        self.help = help
        identifier = ObjectIdentifier(Box<Object>.self)
        present = { reference, display in
            guard let show, let object = reference.get(Object.self) else { return nil }
            return try show(object, display)
        }
        var members = fields.map { $0.function(name) } + methods.map { $0.function(name) }
        if closable { members.append(Self.close(name)) }
        let names = members.map(\.name)
        members += operators.map { $0.with(.metamethod(name)) }
        func event(_ event: String, _ body: @escaping (Call) throws -> Void) {
            guard !operators.contains(where: { $0.name == event }) else { return }
            members.append(Function(event, "", body: body).with(.metamethod(name)))
        }
        event("__tostring") { call in
            let object = try call.argument(1).object(Object.self)
            let text = Interruption.asking(call.interpreter.session.stop) {
                object.map(describe) ?? "\(name) (closed)"
            }
            // Names in it come from anywhere; `print` itself leaves a script's own text as it is.
            try call.returns(TerminalText.shown(text, on: 1))
        }
        event("__eq") { call in
            let both = try (
                call.argument(1).object(Object.self), call.argument(2).object(Object.self)
            )
            guard let left = both.0, let right = both.1, Object.self is AnyObject.Type else {
                return try call.returns(false)
            }
            try call.returns((left as AnyObject) === (right as AnyObject))
        }
        if let length {
            event("__len") { call in try call.returns(length(try call.open(1, Object.self, name))) }
        }
        event("__index") { call in
            let key = try call.argument(2)
            if case .string(let text) = key {
                throw Mistake(
                    "\(name) has no field or method '\(text)'\(NearestName.hint(text, among: names, listing: true))"
                )
            }
            if let index { return try index(try call.open(1, Object.self, name), key, call) }
            throw Mistake("a \(name) cannot be indexed with \(key.summary)")
        }
        event("__newindex") { call in
            throw Mistake(
                "cannot set \(try call.argument(2).summary) of a \(name): objects are read-only")
        }
        self.members = members
    }

    private static func close(_ type: String) -> Function {
        Function(
            "close", "Gives up what the object holds at once; using it afterwards is an error."
        ) { call in
            call.closeReceiver()
        }.with(.method(type))
    }
}

/// A method of an object type.
public struct Method<Object> {
    private let make: (String) -> Function

    /// Creates a record as `Function` does; the body also receives the object.
    public init(
        _ name: String, _ help: String, _ parameters: [Parameter] = [], returns: String = "",
        example: String = "",
        body: @escaping (Object, Call) throws -> Void
    ) {
        make = { type in
            Function(name, help, parameters, returns: returns, example: example) { call in
                try body(try call.open(1, Object.self, type), call)
            }.with(.method(type))
        }
    }

    package func function(_ type: String) -> Function { make(type) }
}

/// A read-only field of an object type.
public struct Field<Object> {
    private let make: (String) -> Function

    /// Creates a record.
    ///
    /// - Parameters:
    ///   - name: The name in Lua.
    ///   - returns: What it is, in words: `string`, `list of numbers`.
    ///   - help: What it says.
    ///   - value: Reads it.
    public init(
        _ name: String, _ returns: String, _ help: String,
        value: @escaping (Object) throws -> any LuaConvertible
    ) {
        make = { type in
            Function(name, help, returns: returns) { call in
                try call.returns(value(try call.open(1, Object.self, type)))
            }.with(.field(type))
        }
    }

    package func function(_ type: String) -> Function { make(type) }
}

extension Value {
    fileprivate func object<Object>(_ type: Object.Type) -> Object? {
        if case .object(let reference) = self { reference.get(type) } else { nil }
    }
}
