import CLua
import Runtime

/// Reads values from the stack of a call.
///
/// Uses only functions that cannot raise. What it copies is held twice, by Lua and by Swift, and Swift has no way to refuse an
/// allocation: so texts and tables that memory cannot hold are refused here.
package struct Reader {
    package let interpreter: Interpreter
    package let call: OpaquePointer

    /// How deep tables may nest.
    static let maximumDepth = 32

    /// Copies the value at a stack index.
    ///
    /// - Throws: `TableMistake` for a table that has keys other than strings and 1 ... n or nests too deep.
    package func value(_ index: Int32, depth: Int = 0) throws -> Value {
        switch mt_type(call, index) {
        case MT_NONE, MT_NIL: return .null
        case MT_BOOLEAN: return .boolean(mt_boolean(call, index))
        case MT_INTEGER: return .integer(Int(mt_integer(call, index)))
        case MT_NUMBER: return .number(mt_number(call, index))
        case MT_STRING: return try string(index)
        case MT_TABLE: return .table(try table(index, depth: depth))
        case MT_OBJECT: return .object(object(index))
        case MT_FUNCTION:
            let reference = mt_reference(call, index)
            guard reference != 0 else { throw LuaOutOfMemory() }
            return .function(Callback(core: interpreter.core, reference: reference))
        default: return .other(String(cString: mt_type_name(call, index)))
        }
    }

    /// Copies several values, `first` to the top of the stack.
    package func values(from first: Int32) throws -> [Value] {
        let top = mt_top(call)
        guard first <= top else { return [] }
        return try (first...top).map { try value($0) }
    }

    private func string(_ index: Int32) throws -> Value {
        var length = 0
        guard let start = mt_string(call, index, &length) else { return .string("") }
        if length > 1 << 20 {
            // Whatever is done with a text makes a few copies of it, or lists that are a few times as long.
            try Memory.require(
                [("copies", Int.saturatingProduct(8, length))],
                for: "a string of \(length) bytes")
        }
        let bytes = UnsafeRawBufferPointer(start: start, count: length)
        if let text = String(validating: bytes, as: UTF8.self) { return .string(text) }
        return .bytes([UInt8](bytes))
    }

    private func object(_ index: Int32) -> ObjectReference {
        var type: Int32 = -1
        let pointer = mt_object(call, index, &type)
        let box = pointer.map { Unmanaged<AnyObject>.fromOpaque($0).takeUnretainedValue() }
        return ObjectReference(type: type, typeName: interpreter.typeName(type), box: box)
    }

    /// Counts a value of the table that is being copied, those of the tables inside it included.
    private func count(depth: Int) throws {
        interpreter.valuesCopied += 1
        guard interpreter.valuesCopied % (1 << 16) == 0 else { return }
        if interpreter.shouldStop() { throw Interrupted("interrupted while a table was read") }
        // A list that is full doubles, and is there twice for a moment.
        try Memory.require(
            [
                (
                    "copy of its first \(interpreter.valuesCopied) values",
                    128 * interpreter.valuesCopied
                )
            ],
            for: "a large table")
    }

    private func table(_ index: Int32, depth: Int) throws -> Table {
        guard depth < Self.maximumDepth else {
            throw TableMistake(
                text: "tables nest deeper than \(Self.maximumDepth) (does one contain itself?)")
        }
        if depth == 0 { interpreter.valuesCopied = 0 }
        guard mt_table_begin(call) else { throw LuaOutOfMemory() }
        let base = mt_top(call) - 1
        defer { mt_settop(call, base) }
        let length = mt_table_length(call, index)
        var table = Table()
        var others: [Int: Value] = [:]
        while mt_table_next(call, index) {
            try count(depth: depth)
            let top = mt_top(call)
            let value = try value(top, depth: depth + 1)
            mt_settop(call, top - 1)
            switch mt_type(call, top - 1) {
            case MT_STRING:
                guard case .string(let key) = try string(top - 1) else {
                    throw TableMistake(text: "a table key is not UTF-8 text")
                }
                table.fields.append((key, value))
            case MT_INTEGER:
                let key = Int(mt_integer(call, top - 1))
                if key == table.items.count + 1 {
                    table.items.append(value)
                } else {
                    others[key] = value
                }
            default:
                throw TableMistake(
                    text: "table keys must be strings or 1, 2, 3, …; found a "
                        + "\(String(cString: mt_type_name(call, top - 1))) key")
            }
        }
        while let value = others.removeValue(forKey: table.items.count + 1) {
            table.items.append(value)
        }
        if let key = others.keys.min() {
            throw TableMistake(
                text: "a table has the key \(key) but not all of 1 ... \(max(1, length)) before it")
        }
        table.fields.sort { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        return table
    }
}
