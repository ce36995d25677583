import RuntimeSupport

/// How a text becomes the symbols that merges join, beside vocabulary and merges.
package struct TokenizerRules: Sendable {
    /// What changes a text first, in this order.
    package var normalizers: [Normalizer] = []
    /// What cuts it into words.
    package var splitter = TextSplitter.gpt2
    /// Whether a word that is a token is that token, whatever the merges are.
    package var ignoresMerges = false
    /// How characters become symbols, where words are not bytes.
    package var characters: CharacterSymbols?
    /// What stands around a text that is encoded with special tokens.
    package var template: TokenTemplate?
    /// The special tokens with which every document begins, if the post-processor is applied to documents.
    package var opening: [Int32] = []

    /// Those of GPT-2's tokenizer.
    package init() {}

    /// The normal forms, if there is no other normalizer.
    var normalForms: [NormalForm]? {
        let forms = normalizers.compactMap { if case .form(let form) = $0 { form } else { nil } }
        return forms.count == normalizers.count ? forms : nil
    }

    /// Whether a text that begins with no space gets one.
    package var prefixesSpace: Bool {
        splitter.steps.contains { step in
            switch step {
            case .bytes(let puts, _): return puts
            case .metaspace(_, let scheme, _): return scheme != .never
            default: return false
            }
        }
    }

    /// Whether these are of the kind that was the only one before: normal forms and GPT-2's words.
    var isPlain: Bool {
        normalForms != nil && splitter.isGPT2 && !ignoresMerges && characters == nil
            && opening.isEmpty
    }

    /// What decides the ids, as text for a digest.
    var text: String {
        let steps =
            normalizers.map(\.json.text) + ["|"] + splitter.steps.map(\.json.text)
            + ["ignore_merges \(ignoresMerges)"] + opening.map { "begins with \($0)" }
        return steps.joined(separator: "\n") + (characters?.text ?? "")
    }

    /// A text after the normalizers.
    ///
    /// - Parameter continues: Whether other text stands before it.
    /// - Throws: `Interrupted`.
    func normalize(
        _ text: [UInt8], continues: Bool = false, stop: ShouldStop = { false }
    ) throws -> [UInt8] {
        var text = text
        for step in normalizers {
            if let normal = try step.apply(text, continues: continues, stop: stop) { text = normal }
        }
        return text
    }
}

/// The special tokens that a post-processor puts around a text.
package struct TokenTemplate: Sendable, Equatable {
    package var before: [Int32] = []
    package var behind: [Int32] = []

    package init(before: [Int32] = [], behind: [Int32] = []) {
        self.before = before
        self.behind = behind
    }
}
