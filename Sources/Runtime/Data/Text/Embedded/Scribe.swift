import RuntimeSupport

/// Writes one embedded document: random choices in order, and the text so far.
package struct Scribe {
    /// The text of the document, after the prompt.
    package var text = ""
    /// The part that the loss ignores.
    package var prompt = ""
    /// What names in braces stand for in a grammar.
    package var variables: [String: String] = [:]
    private let stream: RandomStream
    private var index: UInt64 = 0

    /// The scribe of document number `document`.
    init(seed: UInt64, corpus: String, document: Int) {
        stream = RandomStream(seed: seed &+ UInt64(document) &* 0x9e37_79b9_7f4a_7c15, corpus)
    }

    /// A number in `0 ..< bound`.
    package mutating func integer(_ bound: Int) -> Int {
        defer { index += 1 }
        return stream.integer(index, below: bound)
    }

    /// A number in a range.
    package mutating func integer(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + integer(range.count)
    }

    /// `true` with this probability.
    mutating func chance(_ probability: Double) -> Bool {
        defer { index += 1 }
        return stream.uniform(index) < probability
    }

    /// One of some things, which must not be none.
    package mutating func pick<T>(_ things: [T]) -> T { things[integer(things.count)] }
}
