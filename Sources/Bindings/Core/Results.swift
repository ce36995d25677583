import CLua
import Runtime

/// Something that can be handed to Lua.
public protocol LuaConvertible {
    /// Appends the value to a list on its way to Lua.
    ///
    /// - Throws: an error if it has no form in Lua, such as an object whose type is not registered.
    func write(to results: Results) throws
}

/// An object that Lua holds by reference; its type must be registered with an `ObjectType`.
public protocol LuaObject: LuaConvertible {}

extension LuaObject {
    /// Hands over a reference to the object.
    public func write(to results: Results) throws { try results.object(self) }
}

/// Values on their way to Lua.
///
/// They are written here first and pushed when no Swift code is running.
public struct Results {
    package let list: OpaquePointer
    package let interpreter: Interpreter

    /// An object of a registered type, class or struct.
    public func object<Object>(_ object: Object) throws {
        guard let type = interpreter.typeNumber(of: Object.self) else {
            throw UnknownName(name: "object type \(Object.self)")
        }
        let box = Unmanaged.passRetained(Box(object) as AnyObject)
        mt_list_object(list, box.toOpaque(), type)
    }

    package func string(_ text: String) {
        var text = text
        text.withUTF8 { mt_list_string(list, $0.baseAddress, $0.count) }
    }

    /// A table; `fields` are set in the order given.
    package func table(
        items: some Collection<any LuaConvertible>,
        fields: some Collection<(String, any LuaConvertible)>
    ) throws {
        mt_list_table(list, items.count, fields.count)
        for (index, item) in items.enumerated() {
            try item.write(to: self)
            mt_list_item(list, Int64(index + 1))
        }
        for (key, value) in fields {
            string(key)
            try value.write(to: self)
            mt_list_field(list)
        }
    }
}

/// A string of arbitrary bytes.
public struct Bytes: LuaConvertible {
    package let bytes: [UInt8]
    /// Wraps the bytes.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }
    /// Appends a string.
    public func write(to results: Results) {
        bytes.withUnsafeBytes { mt_list_string(results.list, $0.baseAddress, $0.count) }
    }
}

/// A table with named values, optionally after some items; nil values leave their field out.
public struct Record: LuaConvertible {
    package let items: [any LuaConvertible]
    package let fields: [(String, any LuaConvertible)]

    /// A table of named values.
    public init(_ fields: [(String, (any LuaConvertible)?)], items: [any LuaConvertible] = []) {
        self.items = items
        self.fields = fields.compactMap { key, value in value.map { (key, $0) } }
    }

    /// Appends the table.
    public func write(to results: Results) throws {
        try results.table(items: items, fields: fields)
    }
}

extension Int: LuaConvertible {
    /// Appends an integer.
    public func write(to results: Results) { mt_list_integer(results.list, Int64(self)) }
}

extension Int32: LuaConvertible {
    /// Appends an integer.
    public func write(to results: Results) { mt_list_integer(results.list, Int64(self)) }
}

extension Double: LuaConvertible {
    /// Appends a float.
    public func write(to results: Results) { mt_list_number(results.list, self) }
}

extension Float: LuaConvertible {
    /// Appends a float.
    public func write(to results: Results) { mt_list_number(results.list, Double(self)) }
}

extension Bool: LuaConvertible {
    /// Appends a boolean.
    public func write(to results: Results) { mt_list_boolean(results.list, self) }
}

extension String: LuaConvertible {
    /// Appends a string.
    public func write(to results: Results) { results.string(self) }
}

extension Optional: LuaConvertible where Wrapped: LuaConvertible {
    /// Appends the value, or nil.
    public func write(to results: Results) throws {
        if let self { try self.write(to: results) } else { mt_list_nil(results.list) }
    }
}

extension Array: LuaConvertible where Element: LuaConvertible {
    /// Appends a table with the elements at 1…n.
    ///
    /// - Throws: `ResourceError` when memory cannot hold it.
    public func write(to results: Results) throws {
        // Two instructions for each element, in a list that doubles, and then the element of the table. Nobody asks for
        // short lists, such as the shape of a tensor.
        if count > 4096 {
            try Memory.require(
                [("instructions and elements", Int.saturatingProduct(160, count))],
                for: "a list of \(count) values")
        }
        mt_list_table(results.list, count, 0)
        for (index, element) in enumerated() {
            try element.write(to: results)
            mt_list_item(results.list, Int64(index + 1))
        }
    }
}

extension Dictionary: LuaConvertible where Key == String, Value: LuaConvertible {
    /// Appends a table with the values at their keys.
    public func write(to results: Results) throws {
        try results.table(items: [], fields: sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    }
}

extension Table: LuaConvertible {
    /// Appends a copy of the table.
    public func write(to results: Results) throws {
        try results.table(items: items, fields: fields.map { ($0.key, $0.value) })
    }
}

extension Value: LuaConvertible {
    /// Appends the value; objects and functions by reference.
    public func write(to results: Results) throws {
        switch self {
        case .null, .other: mt_list_nil(results.list)
        case .boolean(let value): value.write(to: results)
        case .integer(let value): value.write(to: results)
        case .number(let value): value.write(to: results)
        case .string(let value): value.write(to: results)
        case .bytes(let value): Bytes(value).write(to: results)
        case .table(let value): try value.write(to: results)
        case .function(let value): value.write(to: results)
        case .options(let options):
            try Record(
                zip(options.parameters, options.values).map { ($0.name, $1.isNull ? nil : $1) }
            )
            .write(to: results)
        case .object(let reference):
            guard let box = reference.box else { return mt_list_nil(results.list) }
            mt_list_object(results.list, Unmanaged.passRetained(box).toOpaque(), reference.type)
        }
    }

    var isNull: Bool { if case .null = self { true } else { false } }
}
