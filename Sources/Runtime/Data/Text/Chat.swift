import RuntimeSupport

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
        let options: ChatOptions
        let allowsNull: Bool
        private(set) var document = Document(text: [])
        /// Turns so far.
        private(set) var count = 0
        /// Places where prompt and counted text change, so far.
        private var boundaries = 0
        var countsNothing: Bool { boundaries == 0 }

        /// The role of the turn before.
        private var previous: String?

        init(_ chat: Chat, _ options: ChatOptions, allowsNull: Bool) {
            (self.chat, self.options, self.allowsNull) = (chat, options, allowsNull)
        }

        /// Refuses a turn that cannot follow the one before it.
        private mutating func checkOrder(
            _ role: String, _ place: String, _ scanner: JSONScanner
        ) throws(JSONFailure) {
            defer { previous = role }
            guard options.order == .checked else { return }
            let wrong: String? =
                switch role {
                case "system" where previous != nil: "a system turn comes first"
                case "user" where previous == "user", "assistant" where previous == "assistant":
                    "\(role) speaks twice in a row"
                case "assistant" where previous == nil || previous == "system":
                    "assistant speaks before user"
                default: nil
                }
            guard let wrong else { return }
            throw scanner.failure("\(place): \(wrong); order = \"any\" accepts every order")
        }

        mutating func append(
            _ turn: ChatTurn, _ place: String, _ scanner: JSONScanner
        ) throws(JSONFailure) {
            count += 1
            let (role, content) = (turn.role, turn.content)
            guard let template = chat.turns[role] else {
                throw scanner.failure(
                    "\(place): no template for the role \"\(role)\"; "
                        + "turns has \(chat.turns.keys.sorted().joined(separator: ", "))")
            }
            try checkOrder(role, place, scanner)
            var isCounted = turn.counts && chat.counted.contains(role)
            if isCounted, content.isEmpty {
                guard allowsNull else {
                    throw scanner.failure(
                        "\(place): \(role) says nothing, so that only its end would be learnt; "
                            + "missing = \"empty\" leaves such a turn out of the loss")
                }
                isCounted = false
            }
            var counts = false
            for part in template.parts {
                let isContent = if case .field = part { true } else { false }
                counts = counts || (isContent && isCounted)
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
    package func read(
        _ scanner: inout JSONScanner, _ options: ChatOptions, allowsNull: Bool, stop: ShouldStop
    ) throws(JSONFailure) -> Document {
        guard try scanner.kind() == .array else {
            throw scanner.failure(
                "field \"\(field)\": expected a list of turns, found \(try scanner.kind().words)")
        }
        var conversation = Conversation(self, options, allowsNull: allowsNull)
        try scanner.array { scanner throws(JSONFailure) in
            let number = conversation.count + 1
            let place = "turn \(number) of \"\(field)\""
            if number & 0xffff == 0, stop() { throw JSONFailure.interruption }
            switch try scanner.kind() {
            case .string:
                var content: [UInt8] = []
                try scanner.string(into: &content)
                let role = number.isMultiple(of: 2) ? "assistant" : "user"
                try conversation.append(ChatTurn(role: role, content: content), place, scanner)
            case .object:
                let turn = try ChatTurn(&scanner, place, options, allowsNull: allowsNull)
                try conversation.append(turn, place, scanner)
            default:
                throw scanner.failure(
                    "\(place): expected an object or a string, found \(try scanner.kind().words)")
            }
        }
        guard !conversation.countsNothing else {
            throw scanner.failure(
                "\"\(field)\" has no turn of \(counted.joined(separator: " or ")) that counts, "
                    + "so nothing would be learnt")
        }
        return conversation.document
    }
}
