import Runtime

/// A value read from Lua, copied, so that it stays valid after the call.
public enum Value {
    /// `nil`.
    case null
    /// `true` or `false`.
    case boolean(Bool)
    /// An integer.
    case integer(Int)
    /// A float.
    case number(Double)
    /// A string that is valid UTF-8.
    case string(String)
    /// A string that is not.
    case bytes([UInt8])
    /// A table.
    case table(Table)
    /// A table read against a list of named options.
    case options(Options)
    /// One of our objects.
    case object(ObjectReference)
    /// A function.
    case function(Callback)
    /// Anything else, by the name of its type.
    case other(String)

    /// The value in an error message: strings quoted, numbers as written, the type of anything larger.
    public var summary: String {
        switch self {
        case .null: "nil"
        case .boolean(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value):
            // A long text is not counted to its end.
            value.utf8.count > 60 && value.prefix(61).count > 60
                ? "\"\(value.prefix(57))...\"" : "\"\(value)\""
        case .bytes(let value): "a string of \(value.count) bytes that is not UTF-8"
        case .table, .options: "table"
        case .object(let reference):
            reference.isClosed ? "a closed \(reference.typeName)" : reference.typeName
        case .function: "function"
        case .other(let name): name
        }
    }
}

/// A Lua table: what lies at 1…n, and what lies at strings, sorted by key.
public struct Table {
    /// The values at 1…n.
    public var items: [Value] = []
    /// The values at string keys, in the order of the keys' bytes: iteration is the same in every session.
    public var fields: [(key: String, value: Value)] = []

    /// An empty table.
    public init() {}

    /// A table of items and sorted fields.
    public init(items: [Value], fields: [(key: String, value: Value)] = []) {
        self.items = items
        self.fields = fields.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    }

    /// The value at a string key.
    public subscript(_ key: String) -> Value? { fields.first { $0.key == key }?.value }
}

/// An object that Lua passed in.
public struct ObjectReference {
    package let type: Int32
    let typeName: String
    let box: AnyObject?

    /// Whether it was closed, so that nothing is left of it.
    public var isClosed: Bool { box == nil }

    /// The object, if it is open and of this type.
    public func get<Object>(_ type: Object.Type = Object.self) -> Object? {
        (box as? Box<Object>)?.value
    }
}

/// What a userdata holds: a class or a struct alike.
package final class Box<Object> {
    package let value: Object
    init(_ value: Object) { self.value = value }
}
