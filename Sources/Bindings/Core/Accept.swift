import Runtime

extension Kind {
    /// The value in the form that the typed accessors read: numbers as `.number`, lists and maps as tables, options decoded.
    ///
    /// - Parameters:
    ///   - value: What Lua passed; never nil.
    ///   - path: Where it was found, such as `optimizer.learning_rate`.
    /// - Throws: `Mistake` saying what was expected there.
    package func accept(_ value: Value, path: String, interpreter: Interpreter) throws -> Value {
        switch (self, value) {
        case (.any, _), (.boolean, .boolean), (.string, .string), (.name, .string),
            (.bytes, .string),
            (.bytes, .bytes),
            (.function, .function), (.table, .table):
            return value
        case (.integer(let kind), .integer(let number)):
            if kind.range.contains(number) { return value }
        case (.integer(let kind), .number(let number)):
            if let integer = Int(exactly: number), kind.range.contains(integer) {
                return .integer(integer)
            }
        case (.number(let kind), .integer(let number)):
            if kind.contains(Double(number)) { return .number(Double(number)) }
        case (.number(let kind), .number(let number)):
            if kind.contains(number) { return value }
        case (.choice(let names), .string(let name)):
            if names.contains(name) { return value }
            let list =
                (names.count > 1 ? "one of " : "")
                + names.map { "\"\($0)\"" }.joined(separator: ", ")
            let hint = NearestName.hint(name, among: names, listing: true)
            throw Mistake(
                "\(path): \(list) expected, got \(value.summary)\(hint.hasPrefix("; did") ? hint : "")"
            )
        case (.path, .string(let path)):
            guard !path.utf8.contains(0) else { break }
            try interpreter.checkPath(path)
            return value
        case (.object(let names), .object(let reference)):
            guard names.contains(reference.typeName) else { break }
            if reference.isClosed { throw Mistake("\(path): the \(reference.typeName) is closed") }
            return value
        case (.list(.options), .table(let table)) where !Self.isList(table):
            // One table of options stands for a list of one.
            guard case .list(let kind) = self else { break }
            return .table(
                Table(items: [try kind.accept(value, path: path, interpreter: interpreter)]))
        case (.list(let kind), .table(let table)):
            return try Self.list(of: kind, table, path, interpreter)
        case (.list(let kind), _):
            return .table(
                Table(items: [try kind.accept(value, path: path, interpreter: interpreter)]))
        case (.map(let kind), .table(let table)):
            if !table.items.isEmpty {
                throw Mistake("\(path): names expected as keys, got the key 1")
            }
            let fields = try table.fields.map {
                (
                    key: $0.key,
                    value: try kind.accept(
                        $0.value, path: "\(path).\($0.key)", interpreter: interpreter)
                )
            }
            return .table(Table(items: [], fields: fields))
        case (.options(let parameters), .table(let table)):
            return .options(try Options(table, parameters, path: path, interpreter: interpreter))
        case (.either(let kinds), _):
            return try Self.first(of: kinds, value, path, interpreter)
        default: break
        }
        throw Mistake(path, expected: name, found: value)
    }

    /// Whether a table holds tables of options, rather than being one.
    private static func isList(_ table: Table) -> Bool {
        if case .table? = table.items.first { return table.fields.isEmpty }
        return table.items.isEmpty && table.fields.isEmpty
    }

    private static func list(
        of kind: Kind, _ table: Table, _ path: String, _ interpreter: Interpreter
    ) throws -> Value {
        if let field = table.fields.first {
            throw Mistake("\(path): a list expected, got a table with the key '\(field.key)'")
        }
        let items = try table.items.enumerated().map { index, item in
            try kind.accept(item, path: "\(path)[\(index + 1)]", interpreter: interpreter)
        }
        return .table(Table(items: items))
    }

    /// A table of options says best itself what is wrong inside it, if it is the only alternative that takes tables.
    private static func first(
        of kinds: [Kind], _ value: Value, _ path: String, _ interpreter: Interpreter
    ) throws -> Value {
        var inner: (any Error)?
        for kind in kinds {
            do {
                return try kind.accept(value, path: path, interpreter: interpreter)
            } catch let mistake {
                if kind.takes(value) { inner = mistake }
            }
        }
        throw inner ?? Mistake(path, expected: Kind.either(kinds).name, found: value)
    }

    private func takes(_ value: Value) -> Bool {
        switch (self, value) {
        case (.options, .table), (.list, .table), (.map, .table), (.object, .object),
            (.choice, .string),
            (.integer, .integer), (.number, .number), (.number, .integer):
            true
        default: false
        }
    }
}
