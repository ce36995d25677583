/// A corpus generated here, deterministically, at any size.
public struct EmbeddedCorpus: Sendable {
    /// The name, such as `prose`.
    public let name: String
    /// One sentence on what it holds.
    public let summary: String
    /// Bytes of text when no size is asked for.
    public let defaultBytes: Int
    let write: @Sendable (inout Scribe) -> Void

    /// Changes whenever the text generated from the same seed changes.
    static let version = 1

    /// All of them, general first.
    public static let all: [EmbeddedCorpus] = [
        EmbeddedCorpus(name: "prose", summary: "stub", defaultBytes: 2 << 20) {
            $0.text += "hello world \($0.integer(1000))"
        }
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
                found: "\"\(name)\"")
        }
        return corpus
    }

    /// Calls `body` with documents until they hold `bytes` bytes of text together.
    ///
    /// Document `i` is a pure function of (name, seed, `i`), so that a larger corpus begins with a smaller one.
    func forEachDocument(bytes: Int, seed: UInt64, _ body: (Document) throws -> Void) throws {
        var done = 0
        var index = 0
        while done < bytes {
            var scribe = Scribe(seed: seed, corpus: name, document: index)
            write(&scribe)
            let prompt = Array(scribe.prompt.utf8)
            let text = prompt + Array(scribe.text.utf8)
            done += text.count
            index += 1
            try body(
                Document(
                    text: text, promptBytes: prompt.count, location: "embedded \(name):\(index)"))
        }
    }
}
