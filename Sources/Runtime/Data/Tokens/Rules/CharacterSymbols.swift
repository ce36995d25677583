import RuntimeSupport

/// How the characters of a word become symbols where words are not bytes, as in tokenizers that came from SentencePiece.
package struct CharacterSymbols: Sendable {
    /// The text of each id in the vocabulary; `nil` where none has it.
    package let spellings: [String?]
    /// The id of a character that the vocabulary lacks.
    package let unknown: Int32?
    /// Whether unknown characters that follow each other are one.
    package let fusesUnknown: Bool
    /// The ids of the tokens `<0x00>` … `<0xFF>` that stand for the bytes of such characters; -1 for those that lack.
    package let bytes: [Int32]?

    /// What decoding takes away where a text begins, since encoding has put it there.
    package enum Start: Sendable { case nothing, oneSpace, spacesOfFirstToken }

    package let start: Start
    /// The character that stands for a space.
    private let space: UnicodeScalar?
    /// Ids of the characters of the basic plane, -1 for none, and of the others.
    private let basic: [Int32]
    private let others: [UInt32: Int32]
    /// The character that stands for a space, if words may be cut before it, and what may join with it from before.
    private let mark: [UInt8]?
    private let joined: Set<UInt32>

    /// - Parameters:
    ///   - merges: The merges, by which it is found where a word can be cut.
    package init(
        spellings: [String?], unknown: Int32?, fusesUnknown: Bool, fallsBack: Bool,
        merges: [(left: Int32, right: Int32, result: Int32)], mark: UnicodeScalar?, start: Start
    ) {
        self.start = start
        space = mark
        self.spellings = spellings
        self.unknown = unknown
        self.fusesUnknown = fusesUnknown
        var basic = [Int32](repeating: -1, count: 0x10000)
        var others: [UInt32: Int32] = [:]
        var bytes = [Int32](repeating: -1, count: 256)
        for (id, text) in spellings.enumerated() {
            guard let text else { continue }
            let scalars = text.unicodeScalars
            if scalars.count == 1, let scalar = scalars.first {
                if scalar.value < 0x10000 {
                    basic[Int(scalar.value)] = Int32(id)
                } else {
                    others[scalar.value] = Int32(id)
                }
            }
            if fallsBack, let byte = Self.byte(text) { bytes[Int(byte)] = Int32(id) }
        }
        self.basic = basic
        self.others = others
        self.bytes = fallsBack ? bytes : nil
        var joined: Set<UInt32> = []
        var isCut = false
        if let mark, mark.value < 0x10000, basic[Int(mark.value)] >= 0 {
            isCut = true
            let special = Set(bytes.filter { $0 >= 0 } + [unknown ?? -1])
            for merge in merges {
                guard let right = spellings[Int(merge.right)]?.unicodeScalars.first, right == mark
                else { continue }
                if special.contains(merge.left) { isCut = false }
                if let left = spellings[Int(merge.left)]?.unicodeScalars.last {
                    joined.insert(left.value)
                }
            }
        }
        self.mark = isCut ? mark.map { Array(String($0).utf8) } : nil
        self.joined = joined
    }

    /// The byte that a token such as `<0x0A>` stands for.
    package static func byte(_ text: String) -> UInt8? {
        let utf8 = Array(text.utf8)
        guard utf8.count == 6, utf8.starts(with: Array("<0x".utf8)), utf8[5] == UInt8(ascii: ">")
        else { return nil }
        let digits = utf8[3...4]
        guard digits.allSatisfy({ (0x30...0x39).contains($0) || (0x41...0x46).contains($0) }) else {
            return nil
        }
        return UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
    }

    /// Whether every byte has a token.
    package var hasAllBytes: Bool { bytes?.allSatisfy { $0 >= 0 } ?? false }

    private func id(_ value: UInt32) -> Int32 {
        value < 0x10000 ? basic[Int(value)] : others[value] ?? -1
    }

    /// The bytes that a token stands for.
    func decoded(_ text: String) -> [UInt8] {
        if bytes != nil, let byte = Self.byte(text) { return [byte] }
        return Array(
            String(
                String.UnicodeScalarView(
                    text.unicodeScalars.map { $0 == space ? " " : $0 })
            ).utf8)
    }

    /// Puts the symbols of a word into `symbols`.
    func symbols(_ word: UnsafeRawBufferPointer, into symbols: inout [Int32]) {
        symbols.removeAll(keepingCapacity: true)
        var pending: Int32?
        var index = 0
        while index < word.count {
            let (value, length) = UTF8Check.character(word, index)
            defer { index += length }
            // A byte that is not UTF-8 is itself where bytes have tokens, otherwise U+FFFD.
            let id = value.map(id) ?? (hasAllBytes ? -1 : id(0xfffd))
            if id >= 0 {
                if let unknown = pending {
                    symbols.append(unknown)
                    pending = nil
                }
                symbols.append(id)
                continue
            }
            if let bytes {
                let tokens = word[index..<index + length].map { bytes[Int($0)] }
                if tokens.allSatisfy({ $0 >= 0 }) {
                    symbols.append(contentsOf: tokens)
                    continue
                }
            }
            guard let unknown else { continue }
            if let before = pending, !fusesUnknown { symbols.append(before) }
            pending = unknown
        }
        if let unknown = pending { symbols.append(unknown) }
    }

    /// Calls `body` with parts of a word that merges do not join.
    func forEachPart(
        _ word: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) rethrows {
        guard let mark else { return try body(word) }
        var start = 0
        var index = 0
        // The character before `index`.
        var before: UInt32?
        while index < word.count {
            if word[index] == mark[0], index > start, word[index...].starts(with: mark),
                before.map({ !joined.contains($0) }) ?? false
            {
                try body(UnsafeRawBufferPointer(rebasing: word[start..<index]))
                start = index
            }
            let (value, length) = UTF8Check.character(word, index)
            before = value ?? CodePointSet.malformed
            index += length
        }
        if start < word.count { try body(UnsafeRawBufferPointer(rebasing: word[start...])) }
    }

    /// For a digest.
    var text: String {
        let texts = spellings.map { $0.map(JSONValue.quoted) ?? "" }.joined(separator: "\n")
        return "characters \(unknown ?? -1) \(fusesUnknown) \(bytes != nil)\n\(texts)"
    }
}
