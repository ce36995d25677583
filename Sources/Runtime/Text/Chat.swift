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

    /// A document that grows by turns; nothing else of them is kept, since a record can have millions.
    private struct Conversation {
        let chat: Chat
        private(set) var document = Document(text: [])
        /// Turns so far.
        private(set) var count = 0
        /// Places where prompt and counted text change, so far.
        private var boundaries = 0
        var countsNothing: Bool { boundaries == 0 }

        init(_ chat: Chat) { self.chat = chat }

        mutating func append(
            _ role: String, _ content: [UInt8], _ scanner: JSONScanner
        ) throws(JSONFailure) {
            count += 1
            guard let template = chat.turns[role] else {
                throw scanner.failure(
                    "turn \(count) of \"\(chat.field)\": no template for the role \"\(role)\"; "
                        + "turns has \(chat.turns.keys.sorted().joined(separator: ", "))")
            }
            var counts = false
            for part in template.parts {
                let isContent = if case .field = part { true } else { false }
                counts = counts || (isContent && chat.counted.contains(role))
                if counts == boundaries.isMultiple(of: 2) {
                    let place = document.text.count
                    if boundaries == 0 {
                        document.promptBytes = place
                    } else {
                        document.turns.append(place)
                    }
                    boundaries += 1
                }
                switch part {
                case .literal(let bytes): document.appendTemplate(bytes)
                case .field: document.text += content
                }
            }
        }
    }

    /// Takes a list of turns and makes a document of them.
    ///
    /// - Throws: `JSONFailure`, also for a role without template or a conversation without a counted turn.
    func read(_ scanner: inout JSONScanner, stop: ShouldStop) throws(JSONFailure) -> Document {
        guard try scanner.kind() == .array else {
            throw scanner.failure(
                "field \"\(field)\": expected a list of turns, found \(try scanner.kind().words)")
        }
        var conversation = Conversation(self)
        try scanner.array { scanner throws(JSONFailure) in
            let number = conversation.count + 1
            if number & 0xffff == 0, stop() { throw JSONFailure.interruption }
            switch try scanner.kind() {
            case .string:
                var content: [UInt8] = []
                try scanner.string(into: &content)
                try conversation.append(
                    number.isMultiple(of: 2) ? "assistant" : "user", content, scanner)
            case .object:
                let turn = try Self.turn(&scanner, "turn \(number) of \"\(field)\"")
                try conversation.append(turn.role, turn.content, scanner)
            default:
                throw scanner.failure(
                    "turn \(number) of \"\(field)\": expected an object or a string, found "
                        + "\(try scanner.kind().words)")
            }
        }
        guard !conversation.countsNothing else {
            throw scanner.failure(
                "\"\(field)\" has no turn of \(counted.joined(separator: " or ")), "
                    + "so nothing would count")
        }
        return conversation.document
    }

    private static func turn(
        _ scanner: inout JSONScanner, _ place: String
    ) throws(JSONFailure) -> (role: String, content: [UInt8]) {
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
        return (["human": "user", "gpt": "assistant"][name] ?? name, content)
    }
}
