import Foundation
import RuntimeSupport
import Synchronization

/// A BPE tokenizer: any bytes to ids and back.
///
/// Added tokens are found first, those that are not `normalized` in the text as it is, the others in normalised text;
/// what is left is cut into words (by GPT-2's pattern, or the steps of another pre-tokenizer), and the bytes or characters
/// of each word are merged by rank. Special tokens written out in the text are encoded as ordinary text unless they are
/// asked for. Bytes that are not UTF-8 are kept too, unless the vocabulary has no token for them (Pythia's has none for
/// the 13 bytes that UTF-8 never uses): those become U+FFFD.
public final class Tokenizer: TokenText {
    /// The number of ids: they are `0 ..< vocabularySize`.
    ///
    /// Those that no token has stand for nothing.
    public let vocabularySize: Int
    /// The id that ends every document.
    public let endOfText: Int32
    /// Tokens that are found in the text before words are cut, by id.
    public let addedTokens: [AddedToken]
    /// How text becomes the symbols that merges join; with normalizers, only normal text comes back unchanged.
    package let rules: TokenizerRules
    /// Whether a text that begins with no space gets one, as a word within a text has one before it.
    public var prefixesSpace: Bool { rules.prefixesSpace }
    /// Of everything that decides the ids of a text.
    public let digest: Digest
    /// What was read beside that, to be written back.
    package let extras: TokenizerExtras

    /// The digest that versions before the present rules for added tokens and normal forms gave it.
    package var formerDigest: Digest {
        TokenizerDigest(
            tokens: tokens, merges: merges, added: addedTokens, endOfText: endOfText,
            rules: rules
        ).formerDigest
    }

    /// What a reader should know of what was read with it and is not applied.
    public var notices: [String] {
        extras.notices(
            end: endOfText, String(decoding: tokens[Int(endOfText)], as: UTF8.self),
            appliesTemplate: !opening.isEmpty)
    }

    /// The special tokens that every document begins with; none unless it was loaded so.
    public var opening: [Int32] { rules.opening }

    /// Ids with the special tokens around them that the post-processor of the file puts there.
    ///
    /// - Throws: `TokenizerError` for a post-processor of a kind that is not known.
    public func withSpecialTokens(_ ids: [Int32]) throws -> [Int32] {
        guard let template = rules.template else {
            throw TokenizerError(
                "post_processor",
                "expected TemplateProcessing, RobertaProcessing, BertProcessing, ByteLevel or a Sequence of these"
            )
        }
        return template.before + ids + template.behind
    }

    /// The bytes of each id; of an added token that is not in the vocabulary, its text.
    package let tokens: [[UInt8]]
    /// The pairs of ids that merge, by rank.
    package let merges: [(left: Int32, right: Int32, result: Int32)]
    private let symbols: WordSymbols
    private let lacksBytes: Bool
    /// Added tokens that are looked for in the text as it is.
    private let raw: AddedTokenMatcher?
    /// Added tokens that are looked for in normalised text.
    private let normalized: AddedTokenMatcher?
    /// Of `raw` and every special token, for text of which only parts may hold special tokens.
    private let marked: AddedTokenMatcher?
    private let encoders = Mutex<[WordEncoder]>([])

    /// Puts a tokenizer together from checked parts.
    ///
    /// - Throws: `TokenizerError` at `place` if a byte of UTF-8 has no token, the pair of a merge appears twice, or two
    ///   added tokens are the same text.
    package init(
        tokens: [[UInt8]], merges: [(left: Int32, right: Int32, result: Int32)],
        addedTokens: [AddedToken], endOfText: Int32, rules: TokenizerRules = TokenizerRules(),
        extras: TokenizerExtras = TokenizerExtras(), place: String
    ) throws {
        self.tokens = tokens
        self.merges = merges
        self.addedTokens = addedTokens.sorted { $0.id < $1.id }
        self.endOfText = endOfText
        self.rules = rules
        self.extras = extras
        vocabularySize = tokens.count
        let byteIds = Self.byteIds(tokens, addedTokens)
        let missing = byteIds.indices.filter { byteIds[$0] < 0 }
        if rules.characters == nil,
            let byte = missing.first(where: { !(0xc0...0xc1).contains($0) && $0 < 0xf5 })
        {
            throw TokenizerError(
                place, "the vocabulary has no token for byte \(byte); expected all that UTF-8 uses")
        }
        lacksBytes = rules.characters == nil && !missing.isEmpty
        var table = MergeTable(count: merges.count)
        for (rank, merge) in merges.enumerated() {
            let added = table.insert(
                merge.left, merge.right, rank: Int32(rank), result: merge.result)
            guard added else {
                throw TokenizerError(
                    place,
                    "merge \(rank + 1) (\(ByteAlphabet.text(tokens[Int(merge.left)])) "
                        + "\(ByteAlphabet.text(tokens[Int(merge.right)]))) appears twice")
            }
        }
        symbols = WordSymbols(
            table: table, byteIds: byteIds, characters: rules.characters,
            whole: rules.ignoresMerges ? Self.whole(tokens, addedTokens, rules) : [:])
        (raw, normalized, marked) = try Self.matchers(self.addedTokens, rules, place)
        digest =
            TokenizerDigest(
                tokens: tokens, merges: merges, added: self.addedTokens, endOfText: endOfText,
                rules: rules
            ).present
    }

    /// The id of each byte, -1 for those without.
    private static func byteIds(_ tokens: [[UInt8]], _ added: [AddedToken]) -> [Int32] {
        let outside = Set(added.filter { !$0.inVocabulary }.map(\.id))
        var ids = [Int32](repeating: -1, count: 256)
        for (id, token) in tokens.enumerated()
        where token.count == 1 && !outside.contains(Int32(id)) { ids[Int(token[0])] = Int32(id) }
        return ids
    }

    /// The ids of the words that are tokens of the vocabulary.
    private static func whole(
        _ tokens: [[UInt8]], _ added: [AddedToken], _ rules: TokenizerRules
    ) -> [[UInt8]: Int32] {
        let outside = Set(added.filter { !$0.inVocabulary }.map(\.id))
        var ids: [[UInt8]: Int32] = [:]
        for (id, token) in tokens.enumerated() where !outside.contains(Int32(id)) {
            let text =
                rules.characters.map { $0.spellings[id].map { Array($0.utf8) } ?? [] } ?? token
            if !text.isEmpty { ids[text] = Int32(id) }
        }
        return ids
    }

    private static func matchers(
        _ added: [AddedToken], _ rules: TokenizerRules, _ place: String
    ) throws -> (
        raw: AddedTokenMatcher?, normalized: AddedTokenMatcher?, marked: AddedTokenMatcher?
    ) {
        func matcher(
            _ tokens: [AddedToken], _ pattern: (AddedToken) throws -> [UInt8]
        ) throws -> AddedTokenMatcher? {
            let patterns = try tokens.map(pattern)
            var seen: [[UInt8]: AddedToken] = [:]
            for (token, pattern) in zip(tokens, patterns) {
                guard let other = seen.updateValue(token, forKey: pattern) else { continue }
                throw TokenizerError(
                    place,
                    "added_tokens: the tokens \(other.id) and \(token.id) are the same text, "
                        + "\(JSONValue.quoted(token.content)); expected each once")
            }
            return AddedTokenMatcher(tokens, patterns: patterns)
        }
        let raw = added.filter { !$0.normalized }
        let normalized = added.filter(\.normalized)
        let marked = raw + normalized.filter(\.special)
        return (
            try matcher(raw) { Array($0.content.utf8) },
            try matcher(normalized) { try rules.normalize(Array($0.content.utf8)) },
            try matcher(marked) { Array($0.content.utf8) }
        )
    }

    /// The ids of a text of any bytes, without end-of-text.
    ///
    /// - Parameters:
    ///   - continuing: Whether it stands behind other text, so that no space is put before it.
    ///   - special: Where the text of special tokens becomes their ids.
    public func encode(
        _ text: [UInt8], continuing: Bool = false, special: SpecialText = .plain
    ) -> [Int32] {
        text.withUnsafeBytes { encode($0, continuing: continuing, special: special) }
    }

    /// The ids of a text, without end-of-text.
    public func encode(_ text: String) -> [Int32] { encode(Array(text.utf8)) }

    /// The ids of a text of any bytes, without end-of-text; see the function for arrays of bytes.
    public func encode(
        _ text: UnsafeRawBufferPointer, continuing: Bool = false, special: SpecialText = .plain
    ) -> [Int32] {
        do {
            return try encode(text, continuing: continuing, special: special) { false }
        } catch {
            fatalError("encoding fails only when it is interrupted, and nothing did: \(error)")
        }
    }

    /// The same for long texts.
    ///
    /// - Throws: `Interrupted` when `stop` says so, which is asked now and then.
    public func encode(
        _ text: UnsafeRawBufferPointer, continuing: Bool = false, special: SpecialText = .plain,
        stop: ShouldStop
    ) throws -> [Int32] {
        var ids: [Int32] = []
        ids.reserveCapacity(text.count / 3 + 8)
        let encoder = encoders.withLock { $0.popLast() } ?? WordEncoder(symbols)
        defer { encoders.withLock { $0.append(encoder) } }
        var raw = raw
        let ranges: [Range<Int>]?
        if case .parsedWithin(let allowed) = special {
            raw = marked
            ranges = allowed
        } else {
            ranges = nil
        }
        var isParsed = false
        if case .parsed = special { isParsed = true }
        func plain(_ range: Range<Int>) throws {
            try encodeUnmarked(
                UnsafeRawBufferPointer(rebasing: text[range]), encoder,
                TextSplitter.Place(
                    isFirst: range.lowerBound == 0,
                    continues: continuing && range.lowerBound == 0), isParsed, stop, into: &ids)
        }
        guard let raw else {
            try plain(0..<text.count)
            return ids
        }
        try raw.split(
            text,
            counts: { range in
                guard let ranges else { return isParsed }
                return ranges.contains {
                    $0.lowerBound <= range.lowerBound && range.upperBound <= $0.upperBound
                }
            },
            plain: plain, token: { ids.append($0) })
        return ids
    }

    /// Encodes text without the added tokens that are looked for before it is normalised.
    private func encodeUnmarked(
        _ text: UnsafeRawBufferPointer, _ encoder: WordEncoder, _ place: TextSplitter.Place,
        _ parsesSpecial: Bool, _ stop: ShouldStop, into ids: inout [Int32]
    ) throws {
        // Normal forms change nothing below U+0080.
        let isNormal = rules.normalForms.map { forms in
            forms.isEmpty || !text.contains { $0 >= 0xc2 }
        }
        if isNormal == true {
            return try encodeNormal(text, encoder, place, parsesSpecial, stop, into: &ids)
        }
        let normal = try rules.normalize(Array(text), continues: place.continues, stop: stop)
        try normal.withUnsafeBytes {
            try encodeNormal($0, encoder, place, parsesSpecial, stop, into: &ids)
        }
    }

    private func encodeNormal(
        _ text: UnsafeRawBufferPointer, _ encoder: WordEncoder, _ place: TextSplitter.Place,
        _ parsesSpecial: Bool, _ stop: ShouldStop, into ids: inout [Int32]
    ) throws {
        /// The text between two added tokens, each of which gets its space.
        func plain(_ range: Range<Int>) throws {
            let isStart = range.lowerBound == 0
            try encodeWords(
                UnsafeRawBufferPointer(rebasing: text[range]), encoder,
                TextSplitter.Place(
                    isFirst: place.isFirst && isStart, continues: place.continues && isStart),
                stop, into: &ids)
        }
        guard let normalized else { return try plain(0..<text.count) }
        try normalized.split(
            text, counts: { _ in parsesSpecial }, plain: plain, token: { ids.append($0) })
    }

    private func encodeWords(
        _ text: UnsafeRawBufferPointer, _ encoder: WordEncoder, _ place: TextSplitter.Place,
        _ stop: ShouldStop, into ids: inout [Int32]
    ) throws {
        let splitter = rules.splitter
        var changed: [UInt8]?
        if splitter.isGPT2, prefixesSpace, !place.continues, let first = text.first, first != 0x20 {
            changed = [0x20] + text
        }
        if lacksBytes, text.contains(where: { symbols.byteIds[Int($0)] < 0 }) {
            changed = (changed ?? Array(text)).flatMap {
                symbols.byteIds[Int($0)] < 0 ? [0xef, 0xbf, 0xbd] : [$0]
            }
        }
        if let changed {
            try changed.withUnsafeBytes {
                try encoder.encode($0, splitter, place, stop, into: &ids)
            }
        } else {
            try encoder.encode(text, splitter, place, stop, into: &ids)
        }
    }

    /// Whether `WordPattern.pieces` may cut a text for this tokenizer: no added token may hold such a cut, or look
    /// beyond one.
    var allowsPieces: Bool {
        guard rules.splitter.allowsCuts, rules.normalizers.allSatisfy(\.allowsCuts) else {
            return false
        }
        return addedTokens.allSatisfy { token in
            // A cut is at a space, so that a special token, which can only hide others, holds none without one.
            token.special
                ? token.content.utf8.allSatisfy { (0x21...0x7e).contains($0) }
                : !token.singleWord && token.content.utf8.allSatisfy { $0 == 0x20 }
        }
    }

    /// The bytes of some ids; special tokens give their text, and ids that no token has nothing.
    ///
    /// A space that encoding has put before the text goes again, where the file says so.
    ///
    /// - Throws: `TokenizerError` naming the position of an id outside of the vocabulary.
    public func decode(_ ids: some Collection<Int32>) throws -> [UInt8] {
        var bytes: [UInt8] = []
        let start = rules.characters?.start ?? .nothing
        for (index, id) in ids.enumerated() {
            guard id >= 0, Int(id) < tokens.count else {
                throw TokenizerError(
                    "decoding",
                    "id \(id) at position \(index + 1) is outside of 0 ..< \(tokens.count)")
            }
            let token = tokens[Int(id)]
            if index == 0, start == .spacesOfFirstToken {
                bytes.append(contentsOf: token.filter { $0 != 0x20 })
            } else {
                bytes.append(contentsOf: token)
            }
        }
        if start == .oneSpace, bytes.first == 0x20 { bytes.removeFirst() }
        return bytes
    }

    /// The text of some ids; bytes that are not UTF-8 become U+FFFD.
    public func text(_ ids: some Collection<Int32>) throws -> String {
        String(decoding: try decode(ids), as: UTF8.self)
    }

    /// The id of exactly this text as one token, if there is one.
    public func id(of token: String) -> Int32? {
        let added = addedTokens.first { $0.content.utf8.elementsEqual(token.utf8) }
        if let added { return added.id }
        let ids = encode(Array(token.utf8), continuing: true)
        return ids.count == 1 ? ids[0] : nil
    }

    /// The number of bytes of an id, for bits per byte; special tokens count 0.
    public func byteCount(_ id: Int32) -> Int {
        guard id >= 0, Int(id) < tokens.count else { return 0 }
        let special = addedTokens.contains { $0.id == id && $0.special }
        return special ? 0 : tokens[Int(id)].count
    }
}
