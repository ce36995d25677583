import RuntimeSupport

/// A corpus generated here, deterministically, at any size.
public struct EmbeddedCorpus: Sendable {
    /// The name, such as `prose`.
    public let name: String
    /// One sentence on what it holds.
    public let summary: String
    /// Bytes of text when no size is asked for.
    public let defaultBytes: Int
    package let write: @Sendable (inout Scribe) -> Void

    /// Changes whenever the text generated from the same seed changes.
    package static let version = 1

    /// All of them: the general one, the special ones by growing distance from it, and their finetuning sets.
    public static let all: [EmbeddedCorpus] = [
        EmbeddedCorpus(
            name: "prose",
            summary: "general prose: lives, towns, animals, crafts, letters, news, stories",
            defaultBytes: 8 << 20, write: Prose.write),
        EmbeddedCorpus(
            name: "questions",
            summary: "questions and answers about the people and places of prose",
            defaultBytes: 3 << 20, write: Questions.write),
        EmbeddedCorpus(
            name: "arithmetic", summary: "word problems with worked answers",
            defaultBytes: 3 << 20, write: Arithmetic.write),
        EmbeddedCorpus(
            name: "code", summary: "small programs in Lua with comments", defaultBytes: 3 << 20,
            write: Programs.write),
        EmbeddedCorpus(
            name: "question-tasks", summary: "finetuning set: a question, a short answer",
            defaultBytes: 1 << 17, write: Questions.task),
        EmbeddedCorpus(
            name: "arithmetic-tasks", summary: "finetuning set: a problem, its steps and result",
            defaultBytes: 1 << 18, write: Arithmetic.task),
        EmbeddedCorpus(
            name: "code-tasks", summary: "finetuning set: a request in words, a function in Lua",
            defaultBytes: 1 << 18, write: Programs.task),
    ]

    /// Their names.
    public static var names: [String] { all.map(\.name) }

    /// The one called `name`.
    ///
    /// - Throws: `InvalidValue` with the names there are.
    public static func named(_ name: String) throws -> EmbeddedCorpus {
        guard let corpus = all.first(where: { $0.name == name }) else {
            throw InvalidValue(
                "embedded corpus", expected: "one of " + names.joined(separator: ", "),
                found: "\"\(name)\"" + NearestName.hint(name, among: names))
        }
        return corpus
    }

    /// Document `index`, a pure function of (name, seed, `index`), so that a larger corpus begins with a smaller one.
    package func document(_ index: Int, seed: UInt64) -> Document {
        var scribe = Scribe(seed: seed, corpus: name, document: index)
        write(&scribe)
        let prompt = Array(scribe.prompt.utf8)
        return Document(
            text: prompt + Array(scribe.text.utf8), promptBytes: prompt.count,
            location: "embedded \(name):\(index + 1)")
    }
}
