/// Where wanted fields lie within a JSON record.
///
/// `title` is a key, `meta.title` a key within an object, `answers[2]` an element of a list, counted from 1, and
/// `paragraphs[]` all of its elements, with a line break between them. A key of the record that is called exactly as the
/// field comes first.
struct FieldPaths {
    private enum Step: Hashable {
        case key([UInt8])
        case element(Int)
        case every
    }

    private final class Node {
        var field: String?
        var joins = false
        var children: [(step: Step, node: Node)] = []

        /// The fields that end here or below.
        var fields: [String] {
            (field.map { [$0] } ?? []) + children.flatMap { $0.node.fields }
        }

        func child(_ step: Step) -> Node {
            if let known = children.first(where: { $0.step == step }) { return known.node }
            let node = Node()
            children.append((step, node))
            return node
        }
    }

    private let root = Node()
    private let chat: String?

    /// - Parameter chat: the field among `names` that is a conversation.
    /// - Throws: `InvalidValue` for a name that is no path.
    init(_ names: [String], chat: String? = nil) throws {
        self.chat = chat
        for name in names {
            root.child(.key(Array(name.utf8))).field = name
            var node = root
            let steps = try Self.steps(name)
            for step in steps { node = node.child(step) }
            node.field = name
            node.joins = steps.contains(.every)
        }
    }

    private static func steps(_ name: String) throws -> [Step] {
        var steps: [Step] = []
        for part in name.split(separator: ".", omittingEmptySubsequences: false) {
            var rest = part[...]
            let key = rest.prefix { $0 != "[" }
            if key.count == rest.count || !key.isEmpty {
                steps.append(.key(Array(key.utf8)))
                rest = rest.dropFirst(key.count)
            }
            while !rest.isEmpty {
                guard rest.first == "[", let close = rest.firstIndex(of: "]") else {
                    return [.key(Array(name.utf8))]
                }
                let inner = rest[rest.index(after: rest.startIndex)..<close]
                if inner.isEmpty {
                    steps.append(.every)
                } else if let number = Int(inner), number >= 1 {
                    steps.append(.element(number))
                } else {
                    throw InvalidValue(
                        "field", expected: "[] or [N] with N from 1 after the name of a list",
                        found: "\"\(name)\"")
                }
                rest = rest[rest.index(after: close)...]
            }
        }
        return steps
    }

    /// What was found of a record.
    struct Found {
        var values: [String: [UInt8]] = [:]
        var turns: [Chat.Turn]?
    }

    /// Takes a record and what is wanted of it.
    func read(_ scanner: inout JSONScanner) throws(JSONFailure) -> Found {
        var found = Found()
        guard try scanner.kind() == .object else {
            throw scanner.failure("expected a JSON object")
        }
        try read(root, &scanner, &found)
        return found
    }

    private func read(
        _ node: Node, _ scanner: inout JSONScanner, _ found: inout Found
    ) throws(JSONFailure) {
        let kind = try scanner.kind()
        if let field = node.field, field == chat {
            guard found.turns == nil else {
                throw scanner.failure("field \"\(field)\" stands twice")
            }
            found.turns = try Chat.read(&scanner, field: field)
            return
        }
        if let field = node.field, kind == .string {
            var value = found.values[field] ?? []
            if found.values[field] != nil {
                guard node.joins else { throw scanner.failure("field \"\(field)\" stands twice") }
                value.append(10)
            }
            try scanner.string(into: &value)
            found.values[field] = value
            return
        }
        let inside = node.children
        switch kind {
        case .object where !inside.isEmpty:
            // The conversions of closures with typed errors want values of their own.
            var result = found
            try scanner.object { (key, scanner) throws(JSONFailure) in
                let step = Step.key(copy key)
                guard let child = inside.first(where: { $0.step == step })?.node else {
                    return try scanner.skip()
                }
                try read(child, &scanner, &result)
            }
            found = result
        case .array where !inside.isEmpty:
            var result = found
            var number = 0
            try scanner.array { scanner throws(JSONFailure) in
                number += 1
                let wanted = inside.filter { $0.step == .element(number) || $0.step == .every }
                for child in wanted.dropLast() {
                    var ahead = scanner
                    try read(child.node, &ahead, &result)
                }
                guard let last = wanted.last else { return try scanner.skip() }
                try read(last.node, &scanner, &result)
            }
            if number == 0, let all = inside.first(where: { $0.step == .every })?.node {
                // All elements of an empty list: no text, rather than a field that is missing.
                for field in all.fields where result.values[field] == nil {
                    result.values[field] = []
                }
            }
            found = result
        default:
            if let field = node.field {
                throw scanner.failure(
                    "field \"\(field)\": expected a string, found \(kind.words)")
            }
            try scanner.skip()
        }
    }
}

extension JSONScanner.Kind {
    /// The kind in a sentence.
    var words: String {
        switch self {
        case .object, .array: "an \(rawValue)"
        case .null: "null"
        default: "a \(rawValue)"
        }
    }
}
