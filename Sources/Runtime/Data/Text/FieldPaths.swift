import RuntimeSupport

/// Where wanted fields lie within a JSON record.
///
/// `title` is a key, `meta.title` a key within an object, `answers[2]` an element of a list, counted from 1, and
/// `paragraphs[]` all of its elements, with a line break between them. A key of the record that is called exactly as the
/// field comes first.
package struct FieldPaths {
    private enum Step: Hashable {
        case key([UInt8])
        case element(Int)
        case every
    }

    private final class Node {
        var field: String?
        var joins = false
        /// Whether the field may lack a text: it is null, an object or a list.
        var isOptional = false
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
    private let chat: Chat?
    private let options: ChatOptions
    private let allowsNull: Bool

    /// - Parameters:
    ///   - optional: further names, of fields that may hold something else than text.
    ///   - chat: what one of the fields is a conversation of.
    ///   - allowsNull: whether a field that is null counts as empty.
    /// - Throws: `InvalidValue` for a name that is not a path.
    init(
        _ names: [String], optional: [String] = [], chat: Chat? = nil,
        _ options: ChatOptions = ChatOptions(), allowsNull: Bool = false
    ) throws {
        (self.chat, self.options, self.allowsNull) = (chat, options, allowsNull)
        let required = Set(names)
        for name in names + optional.filter({ !required.contains($0) }) {
            let isOptional = !required.contains(name)
            let plain = root.child(.key(Array(name.utf8)))
            plain.field = name
            plain.isOptional = isOptional
            var node = root
            let steps = try Self.steps(name)
            for step in steps { node = node.child(step) }
            node.field = name
            node.joins = steps.contains(.every)
            node.isOptional = isOptional
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

    /// What was found of a record; a class, as long values are appended to in place.
    package final class Found {
        package var values: [String: [UInt8]] = [:]
        var conversation: Document?
    }

    /// Takes a record and what is wanted of it.
    ///
    /// - Throws: `JSONFailure`, which is an interruption if `stop` said so.
    package func read(_ scanner: inout JSONScanner, stop: ShouldStop) throws(JSONFailure) -> Found {
        let found = Found()
        guard try scanner.kind() == .object else {
            throw scanner.failure("expected a JSON object")
        }
        try read(root, &scanner, found, stop)
        return found
    }

    private func read(
        _ node: Node, _ scanner: inout JSONScanner, _ found: Found, _ stop: ShouldStop
    ) throws(JSONFailure) {
        let kind = try scanner.kind()
        if let field = node.field, let chat, field == chat.field {
            guard found.conversation == nil else {
                throw scanner.failure("field \"\(field)\" appears twice")
            }
            found.conversation = try chat.read(
                &scanner, options, allowsNull: allowsNull, stop: stop)
            return
        }
        if let field = node.field, [.string, .number, .boolean].contains(kind) {
            if found.values[field] != nil {
                guard node.joins else { throw scanner.failure("field \"\(field)\" appears twice") }
                found.values[field]?.append(10)
            }
            try scanner.text(into: &found.values[field, default: []])
            return
        }
        let inside = node.children
        switch kind {
        case .null where allowsNull:
            // Neither it nor what would lie within it has text.
            try scanner.skip()
            for field in node.fields where found.values[field] == nil { found.values[field] = [] }
        case .object where !inside.isEmpty:
            try scanner.object { (key, scanner) throws(JSONFailure) in
                let step = Step.key(copy key)
                guard let child = inside.first(where: { $0.step == step })?.node else {
                    return try scanner.skip()
                }
                try read(child, &scanner, found, stop)
            }
        case .array where !inside.isEmpty:
            var number = 0
            try scanner.array { scanner throws(JSONFailure) in
                number += 1
                if number & 0xffff == 0, stop() { throw JSONFailure.interruption }
                let wanted = inside.filter { $0.step == .element(number) || $0.step == .every }
                for child in wanted.dropLast() {
                    var ahead = scanner
                    try read(child.node, &ahead, found, stop)
                }
                guard let last = wanted.last else { return try scanner.skip() }
                try read(last.node, &scanner, found, stop)
            }
            if number == 0, let all = inside.first(where: { $0.step == .every })?.node {
                // All elements of an empty list: no text, rather than a field that is missing.
                for field in all.fields where found.values[field] == nil {
                    found.values[field] = []
                }
            }
        default:
            if let field = node.field, !node.isOptional {
                throw scanner.failure(
                    "field \"\(field)\": expected a string, a number or a boolean, found \(kind.words)"
                        + (kind == .null ? "; missing = \"empty\" reads that as no text" : "")
                )
            }
            try scanner.skip()
        }
    }
}

extension JSONScanner.Kind {
    /// The kind in a sentence.
    package var words: String {
        switch self {
        case .object, .array: "an \(rawValue)"
        case .null: "null"
        default: "a \(rawValue)"
        }
    }
}
