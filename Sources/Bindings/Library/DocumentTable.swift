import Runtime

/// A document as a table in Lua: the fields of its record, and over them what every document has.
struct DocumentTable: LuaConvertible {
    let document: NumberedDocument

    /// What the help says of the table.
    static let returns =
        "table with text, split, index and location, prompt and response if it has both, and the fields of its record"

    func write(to results: Results) throws {
        let content = document.document
        var fields: [(String, (any LuaConvertible)?)] = []
        if case .object(let members)? = try document.record() {
            fields = members.map { ($0.key, $0.value) }
        }
        let own: [(String, any LuaConvertible)] = [
            ("text", Bytes(content.text)), ("split", document.split.rawValue),
            ("index", document.number), ("location", content.location),
        ]
        fields += own.map { ($0.0, $0.1) }
        if content.promptBytes > 0, content.turns.isEmpty {
            fields.append(("prompt", Bytes(Array(content.text[..<content.promptBytes]))))
            fields.append(("response", Bytes(Array(content.text[content.promptBytes...]))))
        }
        try Record(fields).write(to: results)
    }
}

extension RecordValue: LuaConvertible {
    /// Appends the value as Lua has it; null is nil.
    public func write(to results: Results) throws {
        switch self {
        case .object(let members):
            try results.table(items: [], fields: members.map { ($0.key, $0.value) })
        case .list(let elements): try elements.write(to: results)
        case .text(let text): Bytes(text).write(to: results)
        case .integer(let number): number.write(to: results)
        case .number(let number): number.write(to: results)
        case .boolean(let flag): flag.write(to: results)
        case .null: try Value.null.write(to: results)
        }
    }
}
