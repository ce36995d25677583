extension Tokenizer {
    /// A token that is found in the text before words are cut and merged.
    public struct AddedToken: Hashable, Sendable {
        /// Its id.
        public let id: Int32
        /// Its text.
        public let content: String
        /// Whether it marks structure, such as the end of a text, and is plain text where it is written out.
        public let special: Bool
        /// Whether it is looked for in normalised text (and normalised itself), not in the text as it is.
        public var normalized: Bool
        /// Whether it takes the white space before it.
        public var leftStrip = false
        /// Whether it takes the white space behind it.
        public var rightStrip = false
        /// Whether it counts only where no letter, digit, mark or underscore touches it.
        public var singleWord = false
        /// Whether it also stands in the vocabulary that merges use.
        public var inVocabulary = false

        /// Creates a token.
        ///
        /// - Parameter normalized: By default as in the tokenizers library, unless it is special.
        public init(id: Int32, content: String, special: Bool, normalized: Bool? = nil) {
            self.id = id
            self.content = content
            self.special = special
            self.normalized = normalized ?? !special
        }

        /// Whether it is found wherever its text stands, and takes nothing beside it.
        package var isPlain: Bool { !(leftStrip || rightStrip || singleWord) }
    }

    /// Where the text of a special token becomes its id.
    public enum SpecialText: Sendable {
        /// Nowhere: it is encoded as other text is.
        case plain
        /// Everywhere.
        case parsed
        /// Within these ranges of bytes alone, which are in order.
        case parsedWithin([Range<Int>])
    }
}

/// Finds added tokens in a text as the tokenizers library does: the leftmost, and of those the longest.
///
/// A match that does not count (a special token that is to be plain text, a single word within another) still hides
/// the tokens that begin within it, as there.
struct AddedTokenMatcher: Sendable {
    private struct Node {
        var children: [UInt8: Int32] = [:]
        /// The index of the token that ends here, or -1.
        var token: Int32 = -1
    }

    let tokens: [Tokenizer.AddedToken]
    private var nodes = [Node()]
    private var begins = [Bool](repeating: false, count: 256)

    /// `nil` if there is nothing to find.
    ///
    /// Patterns are what is looked for, one a token; they must differ.
    init?(_ tokens: [Tokenizer.AddedToken], patterns: [[UInt8]]) {
        guard !tokens.isEmpty else { return nil }
        self.tokens = tokens
        for (index, pattern) in patterns.enumerated() {
            guard let first = pattern.first else { continue }
            begins[Int(first)] = true
            var node = 0
            for byte in pattern {
                if let next = nodes[node].children[byte] {
                    node = Int(next)
                } else {
                    nodes[node].children[byte] = Int32(nodes.count)
                    node = nodes.count
                    nodes.append(Node())
                }
            }
            nodes[node].token = Int32(index)
        }
    }

    /// The longest token that begins at `start`, and where it ends.
    private func longest(
        _ text: UnsafeRawBufferPointer, from start: Int
    ) -> (token: Tokenizer.AddedToken, end: Int)? {
        var node = 0
        var index = start
        var found: (token: Tokenizer.AddedToken, end: Int)?
        while index < text.count, let next = nodes[node].children[text[index]] {
            node = Int(next)
            index += 1
            if nodes[node].token >= 0 { found = (tokens[Int(nodes[node].token)], index) }
        }
        return found
    }

    /// Calls `token` with the id of each token and `plain` with each stretch of text between them, in order.
    ///
    /// - Parameter counts: Whether a special token counts at a place.
    func split(
        _ text: UnsafeRawBufferPointer, counts: (Range<Int>) -> Bool,
        plain: (Range<Int>) throws -> Void, token: (Int32) -> Void
    ) throws {
        var done = 0
        var index = 0
        while index < text.count {
            guard begins[Int(text[index])], let match = longest(text, from: index) else {
                index += 1
                continue
            }
            let range = index..<match.end
            index = match.end
            if match.token.special, !counts(range) { continue }
            if match.token.singleWord, TextEdges.isWithinWord(text, range) { continue }
            var (start, end) = (range.lowerBound, range.upperBound)
            if match.token.leftStrip {
                // White space that the token before has taken is not taken twice.
                start = max(TextEdges.spaceStart(text, before: start), done)
            }
            if match.token.rightStrip { end = TextEdges.spaceEnd(text, from: end) }
            if done < start { try plain(done..<start) }
            // A token of white space of which the one before has left nothing is not there.
            if start < end { token(match.token.id) }
            done = end
        }
        if done < text.count { try plain(done..<text.count) }
    }
}

/// What stands beside a match: characters of words, and white space.
enum TextEdges {
    /// The character that ends at `end`; `nil` where the text begins or is not UTF-8.
    private static func scalar(
        _ text: UnsafeRawBufferPointer, before end: Int
    ) -> (UnicodeScalar, length: Int)? {
        for length in 1...4 where length <= end {
            guard UTF8Check.sequenceLength(text, end - length) == length else { continue }
            return scalar(text, at: end - length)
        }
        return nil
    }

    /// The character that begins at `start`; `nil` where the text ends or is not UTF-8.
    private static func scalar(
        _ text: UnsafeRawBufferPointer, at start: Int
    ) -> (UnicodeScalar, length: Int)? {
        guard start < text.count else { return nil }
        let length = UTF8Check.sequenceLength(text, start)
        let bytes = text[start..<start + length]
        guard length > 0, let scalar = String(decoding: bytes, as: UTF8.self).unicodeScalars.first
        else { return nil }
        return (scalar, length)
    }

    /// Whether a character of a word touches the range.
    static func isWithinWord(_ text: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
        let before = scalar(text, before: range.lowerBound)?.0
        let after = scalar(text, at: range.upperBound)?.0
        return [before, after].contains { $0.map(CharacterClasses.isWord) ?? false }
    }

    /// Where the white space that ends at `end` begins.
    static func spaceStart(_ text: UnsafeRawBufferPointer, before end: Int) -> Int {
        var start = end
        while let (scalar, length) = scalar(text, before: start), scalar.properties.isWhitespace {
            start -= length
        }
        return start
    }

    /// Where the white space that begins at `start` ends.
    static func spaceEnd(_ text: UnsafeRawBufferPointer, from start: Int) -> Int {
        var end = start
        while let (scalar, length) = scalar(text, at: end), scalar.properties.isWhitespace {
            end += length
        }
        return end
    }
}
