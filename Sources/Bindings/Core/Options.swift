import Runtime

/// A table of options read against its parameters: unknown keys refused, defaults filled in.
public struct Options: Fields {
    package let parameters: [Parameter]
    package private(set) var values: [Value]
    /// The names of those that the table holds.
    package let given: Set<String>

    /// - Throws: `Mistake` naming the option.
    init(_ table: Table, _ parameters: [Parameter], path: String, interpreter: Interpreter?) throws
    {
        self.parameters = parameters
        // Options of the outermost table are named alone, deeper ones with their path.
        let prefix = path == "options" || path.isEmpty ? "" : path + "."
        for field in table.fields where !parameters.contains(where: { $0.name == field.key }) {
            throw Mistake(
                "unknown option '\(prefix)\(field.key)'\(NearestName.hint(field.key, among: parameters.map(\.name), listing: true))"
            )
        }
        var items = table.items[...]
        var given: Set<String> = []
        values = try parameters.map { parameter in
            var value = table[parameter.name]
            switch parameter.place {
            case .named: break
            case .item:
                guard let item = items.first, value == nil else { break }
                value = item
                items.removeFirst()
            case .rest:
                guard !items.isEmpty, value == nil else { break }
                value = .table(Table(items: Array(items)))
                items.removeAll()
            }
            if value != nil { given.insert(parameter.name) }
            if let value, let interpreter {
                return try parameter.kind.accept(
                    value, path: prefix + parameter.name, interpreter: interpreter)
            }
            if parameter.isOptional { return parameter.standard ?? .null }
            throw Mistake(
                "\(prefix)\(parameter.name): \(parameter.kind.name) expected, but it is missing")
        }
        self.given = given
        if let item = items.first {
            throw Mistake(
                "\(prefix.isEmpty ? "" : prefix + ": ")unexpected item \(item.summary) at position "
                    + "\(table.items.count - items.count + 1)")
        }
    }

    /// The record of an option.
    public func parameter(_ name: String) -> Parameter? { parameters.first { $0.name == name } }

    /// The value of an option, its default, or nil.
    public func value(_ name: String) throws -> Value? {
        guard let index = parameters.firstIndex(where: { $0.name == name }) else {
            throw UnknownName(name: name)
        }
        if case .null = values[index] { return nil }
        return values[index]
    }

    /// The same options as if one had been left out.
    package func without(_ name: String) -> Options {
        var copy = self
        if let index = parameters.firstIndex(where: { $0.name == name }) {
            copy.values[index] = .null
        }
        return copy
    }
}
