import RuntimeSupport

/// How conversations are read where their form leaves a choice.
public struct ChatOptions: Hashable, Sendable, Codable {
    /// What becomes of a turn's `tool_calls` or `function_call`.
    public enum ToolCalls: String, CaseIterable, Sendable, Codable {
        /// They are an error, as text cannot show them.
        case error
        /// Their JSON, as it is written, follows the content on a line of its own.
        case json
    }

    /// Which orders of turns are accepted.
    public enum Order: String, CaseIterable, Sendable, Codable {
        /// A system turn comes first, then the user, and neither user nor assistant speaks twice in a row.
        case checked
        /// Any.
        case any
    }

    /// What becomes of tool calls.
    public var toolCalls = ToolCalls.error
    /// Which orders of turns are accepted.
    public var order = Order.any

    /// The defaults.
    public init() {}

    /// Refuses options that say nothing about a conversation.
    package func check(_ chat: Chat) throws {
        guard toolCalls == .json, chat.turns["assistant"] == nil else { return }
        throw InvalidValue(
            "tool_calls", expected: "a template for assistant in turns, which has them",
            found: "\"json\"")
    }
}

/// A turn of a conversation as a record has it.
struct ChatTurn {
    /// Who speaks.
    let role: String
    /// What is said, with tool calls as JSON where that was asked for.
    let content: [UInt8]
    /// Whether the record lets it count.
    let counts: Bool

    /// A turn that is a string.
    init(role: String, content: [UInt8]) {
        (self.role, self.content, counts) = (role, content, true)
    }

    /// Takes a turn that is an object.
    ///
    /// - Parameters:
    ///   - place: where it stands, for errors.
    ///   - allowsNull: whether content that is null or missing counts as empty.
    init(
        _ scanner: inout JSONScanner, _ place: String, _ options: ChatOptions, allowsNull: Bool
    ) throws(JSONFailure) {
        var role: [UInt8]?
        var content: [UInt8]?
        var calls: [UInt8] = []
        var counts = true
        try scanner.object { (key, scanner) throws(JSONFailure) in
            let name = String(decoding: copy key, as: UTF8.self)
            switch name {
            case "role", "from":
                let value = try Self.string(&scanner, "\(place): \"\(name)\"")
                guard role == nil else {
                    throw scanner.failure("\(place): it has more than one role or from")
                }
                role = value
            case "content", "value":
                let value = try Self.content(&scanner, "\(place): \"\(name)\"")
                guard content == nil || value == nil else {
                    throw scanner.failure("\(place): it has more than one content or value")
                }
                content = content ?? value
            case "tool_calls", "function_call":
                let text = try scanner.raw()
                guard !["null", "[]", "{}"].contains(text) else { return }
                guard options.toolCalls == .json else {
                    throw scanner.failure(
                        "\(place): it has \(name), which is not text; tool_calls = \"json\" writes them as JSON "
                            + "behind the content")
                }
                calls += (calls.isEmpty ? [] : [10]) + text.utf8
            case "weight": counts = try Self.weight(&scanner, "\(place): \"weight\"") && counts
            case "train":
                guard try scanner.kind() != .null else { return try scanner.skip() }
                guard try scanner.kind() == .boolean else {
                    throw scanner.failure(
                        "\(place): \"train\": expected true or false, found \(try scanner.kind().words)"
                    )
                }
                counts = try scanner.boolean() && counts
            default: try scanner.skip()
            }
        }
        guard let role, content != nil || !calls.isEmpty || allowsNull else {
            throw scanner.failure(
                "\(place): expected role and content, or from and value; it has no "
                    + (role == nil
                        ? "role"
                        : "content that is text; missing = \"empty\" reads that as no text"))
        }
        let name = String(decoding: role, as: UTF8.self)
        self.role = ["human": "user", "gpt": "assistant"][name] ?? name
        let text = content ?? []
        self.content = text + (text.isEmpty || calls.isEmpty ? [] : [10]) + calls
        self.counts = counts
    }

    private static func string(
        _ scanner: inout JSONScanner, _ place: String
    ) throws(JSONFailure) -> [UInt8] {
        guard try scanner.kind() == .string else {
            throw scanner.failure("\(place): expected a string, found \(try scanner.kind().words)")
        }
        var value: [UInt8] = []
        try scanner.string(into: &value)
        return value
    }

    /// A string, or a list of pieces of text; `nil` for null.
    private static func content(
        _ scanner: inout JSONScanner, _ place: String
    ) throws(JSONFailure) -> [UInt8]? {
        switch try scanner.kind() {
        case .null:
            try scanner.skip()
            return nil
        case .array:
            var text: [UInt8] = []
            var number = 0
            try scanner.array { scanner throws(JSONFailure) in
                number += 1
                text += try piece(&scanner, "\(place)[\(number)]")
            }
            return text
        default: return try string(&scanner, place)
        }
    }

    private static func piece(
        _ scanner: inout JSONScanner, _ place: String
    ) throws(JSONFailure) -> [UInt8] {
        guard try scanner.kind() == .object else { return try string(&scanner, place) }
        var type: [UInt8]?
        var text: [UInt8]?
        try scanner.object { (key, scanner) throws(JSONFailure) in
            switch String(decoding: copy key, as: UTF8.self) {
            case "type": type = try string(&scanner, "\(place): \"type\"")
            case "text" where try scanner.kind() == .string: text = try string(&scanner, place)
            default: try scanner.skip()
            }
        }
        let name = type.map { String(decoding: $0, as: UTF8.self) }
        guard name == "text", let text else {
            throw scanner.failure(
                "\(place): expected {\"type\": \"text\", \"text\": …}, found "
                    + (name.map { "one of type \"\($0)\"" } ?? "one without a type")
                    + (name == "text" ? " without a text" : ", which is not read"))
        }
        return text
    }

    /// Whether a weight lets a turn count.
    private static func weight(
        _ scanner: inout JSONScanner, _ place: String
    ) throws(JSONFailure) -> Bool {
        switch try scanner.kind() {
        case .null:
            try scanner.skip()
            return true
        case .number:
            let value = try scanner.number()
            guard value == 0 || value == 1 else {
                throw scanner.failure("\(place): expected 0 or 1, found \(value)")
            }
            return value == 1
        default:
            throw scanner.failure("\(place): expected 0 or 1, found \(try scanner.kind().words)")
        }
    }
}
