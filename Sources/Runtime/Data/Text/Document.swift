/// The three disjoint parts of a corpus.
public enum Split: String, CaseIterable, Codable, Sendable {
    /// Documents for training.
    case train
    /// Documents for choices made while developing, such as a learning rate.
    case valid
    /// Documents for the figures that are reported.
    case test
}

/// One document: some text, of which a leading part may be a prompt that the loss ignores.
public struct Document: Sendable {
    /// The text, valid UTF-8.
    public var text: [UInt8]
    /// How many leading bytes are prompt; 0 when every byte counts.
    public var promptBytes: Int
    /// Of a conversation, the further places where counted text ends and prompt begins again, in turn; empty for a
    /// prompt and a response.
    public var turns: [Int] = []
    /// Where the text of templates stands, as ranges of bytes in order, if special tokens there become their ids.
    public var templateText: [Range<Int>] = []
    /// The ids it was read from, without an end-of-text, if its file holds tokens.
    public var ids: [Int32]?
    /// Where it was read, `FILE:LINE`, or the file alone.
    public var location: String
    /// The record it was made of, if it is read to be looked at.
    package var record: RawRecord?

    /// Creates a document.
    public init(text: [UInt8], promptBytes: Int = 0, location: String = "") {
        self.text = text
        self.promptBytes = promptBytes
        self.location = location
    }

    /// The parts of the text in order, prompt and counted in turn, beginning with a prompt that may be empty.
    public var parts: [(bytes: Range<Int>, counts: Bool)] {
        var parts: [(bytes: Range<Int>, counts: Bool)] = []
        var start = 0
        for end in [promptBytes] + turns + [text.count] {
            parts.append((start..<end, parts.count % 2 == 1))
            start = end
        }
        return parts
    }

    /// Appends text of a template, not of a record.
    mutating func appendTemplate(_ bytes: [UInt8]) {
        templateText.append(text.count..<text.count + bytes.count)
        text += bytes
    }

    /// Bytes that the loss ignores.
    var ignoredBytes: Int {
        stride(from: 0, to: turns.count, by: 2).reduce(promptBytes) { sum, index in
            sum + (index + 1 < turns.count ? turns[index + 1] : text.count) - turns[index]
        }
    }
}

/// Which parts of a record make a document.
public enum Fields: Hashable, Sendable, Codable {
    /// The whole document.
    case text(Template)
    /// A prompt that the loss ignores and the response to it.
    case prompted(prompt: Template, response: Template)
    /// The turns of a conversation, of which some count.
    case chat(Chat)

    /// The field called `text`.
    public static let standard = Fields.text(Template(field: "text"))

    /// The names of the fields needed.
    package var names: [String] {
        switch self {
        case .text(let template): template.fields
        case .prompted(let prompt, let response): prompt.fields + response.fields
        case .chat(let chat): [chat.field]
        }
    }

    /// The templates, with what an error or a warning calls them.
    package var templates: [(name: String, template: Template)] {
        switch self {
        case .text(let template): [("text", template)]
        case .prompted(let prompt, let response): [("prompt", prompt), ("response", response)]
        case .chat(let chat):
            chat.turns.sorted { $0.key < $1.key }.map { ("turns.\($0.key)", $0.value) }
        }
    }

    /// The document that the values of the fields make; a conversation is `Chat`'s to make.
    package func document(_ values: [String: [UInt8]]) -> Document {
        var document = Document(text: [])
        switch self {
        case .text(let template): template.render(values, into: &document)
        case .prompted(let prompt, let response):
            prompt.render(values, into: &document)
            document.promptBytes = document.text.count
            response.render(values, into: &document)
        case .chat: break
        }
        return document
    }
}
