/// A conversation as a document: which list of a record holds its turns, how each is written, and which of them
/// finetuning counts.
///
/// Turns are objects with `role` and `content` or `from` and `value`, or strings of `user` and `assistant` in turn.
/// The roles `human` and `gpt` are read as `user` and `assistant`.
public struct Chat: Hashable, Sendable, Codable {
    /// The field with the list, such as `messages`.
    public let field: String
    /// How a turn of each role is written, with `{content}` once.
    public let turns: [String: Template]
    /// The roles whose content the loss counts, with what follows it in the template.
    public let counted: [String]

    /// How turns are written unless something else is said.
    public static let standardTurns = [
        "system": "{content}\n", "user": "User: {content}\n", "assistant": "Assistant: {content}\n",
    ]

    /// Checks the templates.
    ///
    /// - Throws: `InvalidValue` for a template without `{content}`, or a counted role that has no template.
    public init(
        field: String, turns: [String: String] = Chat.standardTurns,
        counted: [String] = ["assistant"]
    ) throws {
        self.field = field
        var templates: [String: Template] = [:]
        for (role, text) in turns.sorted(by: { $0.key < $1.key }) {
            let template = try Template(text)
            let places = template.parts.count { if case .field = $0 { true } else { false } }
            guard template.fields == ["content"], places == 1 else {
                throw InvalidValue(
                    "turns.\(role)", expected: "a template with {content} once",
                    found: "\"\(text)\"")
            }
            templates[role] = template
        }
        for role in counted where templates[role] == nil {
            throw InvalidValue(
                "loss_on",
                expected: "roles of turns: \(turns.keys.sorted().joined(separator: ", "))",
                found: "\"\(role)\"")
        }
        self.turns = templates
        self.counted = counted
    }

    /// One turn as read.
    struct Turn {
        let role: String
        let content: [UInt8]
    }

    /// The conversation as a document.
    ///
    /// - Throws: `JSONFailure` at offset 0 for a role without template or a conversation without a counted turn.
    func document(_ conversation: [Turn]) throws(JSONFailure) -> Document {
        var document = Document(text: [])
        var boundaries: [Int] = []
        for (index, turn) in conversation.enumerated() {
            guard let template = turns[turn.role] else {
                throw JSONFailure(
                    offset: 0,
                    reason: "turn \(index + 1) of \"\(field)\": no template for the role "
                        + "\"\(turn.role)\"; turns has \(turns.keys.sorted().joined(separator: ", "))"
                )
            }
            var counts = false
            for part in template.parts {
                let isContent = if case .field = part { true } else { false }
                counts = counts || (isContent && counted.contains(turn.role))
                if counts == (boundaries.count % 2 == 0) { boundaries.append(document.text.count) }
                switch part {
                case .literal(let bytes): document.text += bytes
                case .field: document.text += turn.content
                }
            }
        }
        guard let first = boundaries.first else {
            throw JSONFailure(
                offset: 0,
                reason: "\"\(field)\" has no turn of \(counted.joined(separator: " or ")), "
                    + "so nothing would count")
        }
        document.promptBytes = first
        document.turns = Array(boundaries.dropFirst())
        return document
    }

    /// Takes a list of turns.
    static func read(
        _ scanner: inout JSONScanner, field: String
    ) throws(JSONFailure) -> [Turn] {
        var turns: [Turn] = []
        guard try scanner.kind() == .array else {
            throw scanner.failure(
                "field \"\(field)\": expected a list of turns, found \(try scanner.kind().words)")
        }
        try scanner.array { scanner throws(JSONFailure) in
            let number = turns.count + 1
            switch try scanner.kind() {
            case .string:
                var content: [UInt8] = []
                try scanner.string(into: &content)
                turns.append(Turn(role: number % 2 == 1 ? "user" : "assistant", content: content))
            case .object: turns.append(try turn(&scanner, "turn \(number) of \"\(field)\""))
            default:
                throw scanner.failure(
                    "turn \(number) of \"\(field)\": expected an object or a string, found "
                        + "\(try scanner.kind().words)")
            }
        }
        return turns
    }

    private static func turn(
        _ scanner: inout JSONScanner, _ place: String
    ) throws(JSONFailure) -> Turn {
        var role: [UInt8]?
        var content: [UInt8]?
        try scanner.object { (key, scanner) throws(JSONFailure) in
            let name = String(decoding: copy key, as: UTF8.self)
            guard ["role", "from", "content", "value"].contains(name) else {
                return try scanner.skip()
            }
            guard try scanner.kind() == .string else {
                throw scanner.failure(
                    "\(place): \"\(name)\": expected a string, found \(try scanner.kind().words)")
            }
            var value: [UInt8] = []
            try scanner.string(into: &value)
            let isRole = name == "role" || name == "from"
            guard isRole ? role == nil : content == nil else {
                throw scanner.failure(
                    "\(place): it has more than one \(isRole ? "role or from" : "content or value")"
                )
            }
            if isRole { role = value } else { content = value }
        }
        guard let role, let content else {
            throw scanner.failure(
                "\(place): expected role and content, or from and value; it has no "
                    + (role == nil ? "role" : "content"))
        }
        let name = String(decoding: role, as: UTF8.self)
        return Turn(
            role: ["human": "user", "gpt": "assistant"][name] ?? name, content: content)
    }
}
