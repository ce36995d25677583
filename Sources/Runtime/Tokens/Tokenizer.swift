import Foundation
import Synchronization

/// A byte-level BPE tokenizer: any bytes to ids and back.
///
/// Text is cut into words by GPT-2's pattern, each word's bytes are merged by rank. Special tokens written out in the
/// text are encoded as ordinary text; only added tokens that are not special are recognised. Bytes that are not UTF-8
/// are kept too, unless the vocabulary has no token for them (GPT-NeoX's has none for the 13 bytes that UTF-8 never
/// uses): those become U+FFFD.
public final class Tokenizer: TokenText {
    /// A token that stands outside of the merges.
    public struct AddedToken: Hashable, Sendable {
        /// Its id.
        public let id: Int32
        /// Its text.
        public let content: String
        /// Whether it marks structure (end of text) and is never recognised in a text.
        public let special: Bool
    }

    /// The number of ids: they are `0 ..< vocabularySize`.
    public let vocabularySize: Int
    /// The id that ends every document.
    public let endOfText: Int32
    /// Tokens outside of the merges, by id.
    public let addedTokens: [AddedToken]
    /// Whether text is brought to Unicode normal form C first (then only normal text comes back unchanged).
    public let normalizes: Bool
    /// Whether a text that begins with no space gets one, as a word within a text has one before it.
    public let prefixesSpace: Bool
    /// Of everything that decides the ids of a text.
    public let digest: Digest

    /// The bytes of each id; of an added token, its text.
    let tokens: [[UInt8]]
    /// The pairs of ids that merge, by rank.
    let merges: [(left: Int32, right: Int32, result: Int32)]
    private let table: MergeTable
    private let byteIds: [Int32]
    private let lacksBytes: Bool
    private let recognised: AddedTokenMatcher?
    private let encoders = Mutex<[WordEncoder]>([])

    /// Puts a tokenizer together from checked parts.
    ///
    /// - Throws: `TokenizerError` at `place` if a byte of UTF-8 has no token or the pair of a merge stands twice.
    init(
        tokens: [[UInt8]], merges: [(left: Int32, right: Int32, result: Int32)],
        addedTokens: [AddedToken], endOfText: Int32, normalizes: Bool, prefixesSpace: Bool = false,
        place: String
    ) throws {
        self.tokens = tokens
        self.merges = merges
        self.addedTokens = addedTokens.sorted { $0.id < $1.id }
        self.endOfText = endOfText
        self.normalizes = normalizes
        self.prefixesSpace = prefixesSpace
        vocabularySize = tokens.count
        let outside = Set(addedTokens.map(\.id))
        var byteIds = [Int32](repeating: -1, count: 256)
        for (id, token) in tokens.enumerated()
        where token.count == 1 && !outside.contains(Int32(id)) {
            byteIds[Int(token[0])] = Int32(id)
        }
        let missing = byteIds.indices.filter { byteIds[$0] < 0 }
        if let byte = missing.first(where: { !(0xc0...0xc1).contains($0) && $0 < 0xf5 }) {
            throw TokenizerError(
                place, "the vocabulary has no token for byte \(byte); expected all that UTF-8 uses")
        }
        lacksBytes = !missing.isEmpty
        self.byteIds = byteIds
        var table = MergeTable(count: merges.count)
        for (rank, merge) in merges.enumerated() {
            let added = table.insert(
                merge.left, merge.right, rank: Int32(rank), result: merge.result)
            guard added else {
                throw TokenizerError(
                    place,
                    "merge \(rank + 1) (\(ByteAlphabet.text(tokens[Int(merge.left)])) "
                        + "\(ByteAlphabet.text(tokens[Int(merge.right)]))) stands twice")
            }
        }
        self.table = table
        recognised = AddedTokenMatcher(addedTokens.filter { !$0.special })
        digest = Self.digest(
            tokens, merges, self.addedTokens, endOfText, normalizes, prefixesSpace)
    }

    private static func digest(
        _ tokens: [[UInt8]], _ merges: [(left: Int32, right: Int32, result: Int32)],
        _ added: [AddedToken], _ endOfText: Int32, _ normalizes: Bool, _ prefixesSpace: Bool
    ) -> Digest {
        var builder = DigestBuilder("tokenizer 1")
        builder.add(WordPattern.source)
        builder.add(normalizes ? 1 : 0)
        builder.add(Int(endOfText))
        builder.add(tokens.count)
        for token in tokens { token.withUnsafeBytes { builder.add(bytes: $0) } }
        builder.add(merges.count)
        for merge in merges {
            builder.add(
                UInt64(UInt32(bitPattern: merge.left)) << 32
                    | UInt64(UInt32(bitPattern: merge.right)))
        }
        builder.add(added.count)
        for token in added {
            builder.add(Int(token.id))
            builder.add(token.content)
            builder.add(token.special ? 1 : 0)
        }
        if prefixesSpace { builder.add("prefix space") }
        return builder.finish()
    }

    /// The ids of a text of any bytes, without end-of-text.
    ///
    /// - Parameter continuing: Whether it stands behind other text, so that no space is put before it.
    public func encode(_ text: [UInt8], continuing: Bool = false) -> [Int32] {
        text.withUnsafeBytes { encode($0, continuing: continuing) }
    }

    /// The ids of a text, without end-of-text.
    public func encode(_ text: String) -> [Int32] { encode(Array(text.utf8)) }

    /// The ids of a text of any bytes, without end-of-text.
    public func encode(_ text: UnsafeRawBufferPointer, continuing: Bool = false) -> [Int32] {
        if lacksBytes, text.contains(where: { byteIds[Int($0)] < 0 }) {
            return encode(
                text.flatMap { byteIds[Int($0)] < 0 ? [0xef, 0xbf, 0xbd] : [$0] },
                continuing: continuing)
        }
        var ids: [Int32] = []
        ids.reserveCapacity(text.count / 3 + 8)
        let encoder = encoders.withLock { $0.popLast() } ?? WordEncoder(table, byteIds)
        defer { encoders.withLock { $0.append(encoder) } }
        if normalizes, let normal = NormalForm.composed(text) {
            normal.withUnsafeBytes { encodeNormal($0, encoder, continuing, into: &ids) }
        } else {
            encodeNormal(text, encoder, continuing, into: &ids)
        }
        return ids
    }

    private func encodeNormal(
        _ text: UnsafeRawBufferPointer, _ encoder: WordEncoder, _ continuing: Bool,
        into ids: inout [Int32]
    ) {
        /// The text between two added tokens, each of which gets its space.
        func encode(_ range: Range<Int>, into ids: inout [Int32]) {
            let part = UnsafeRawBufferPointer(rebasing: text[range])
            guard prefixesSpace, !(continuing && range.lowerBound == 0), let first = part.first,
                first != 0x20
            else { return encoder.encode(part, into: &ids) }
            ([0x20] + part).withUnsafeBytes { encoder.encode($0, into: &ids) }
        }
        var start = 0
        recognised?.forEachMatch(text) { range, id in
            encode(start..<range.lowerBound, into: &ids)
            ids.append(id)
            start = range.upperBound
        }
        encode(start..<text.count, into: &ids)
    }

    /// Whether `WordPattern.pieces` may cut a text for this tokenizer: no added token may hold such a cut.
    var allowsPieces: Bool {
        !normalizes
            && (recognised?.tokens ?? []).allSatisfy { !$0.content.utf8.contains { $0 != 0x20 } }
    }

    /// The bytes of some ids; special tokens give their text.
    ///
    /// - Throws: `TokenizerError` naming the position of an id outside of the vocabulary.
    public func decode(_ ids: some Collection<Int32>) throws -> [UInt8] {
        var bytes: [UInt8] = []
        for (index, id) in ids.enumerated() {
            guard id >= 0, Int(id) < tokens.count else {
                throw TokenizerError(
                    "decoding",
                    "id \(id) at position \(index + 1) is outside of 0 ..< \(tokens.count)")
            }
            bytes.append(contentsOf: tokens[Int(id)])
        }
        return bytes
    }

    /// The text of some ids; bytes that are not UTF-8 become U+FFFD.
    public func text(_ ids: some Collection<Int32>) throws -> String {
        String(decoding: try decode(ids), as: UTF8.self)
    }

    /// The id of exactly this text as one token, if there is one.
    public func id(of token: String) -> Int32? {
        if let added = addedTokens.first(where: { $0.content == token }) { return added.id }
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

/// What one thread needs to encode: the rules, a cache of words, and room to merge in.
final class WordEncoder: @unchecked Sendable {
    // In the hands of one thread at a time: taken from and given back to the tokenizer's list under its lock.
    private let table: MergeTable
    private let byteIds: [Int32]
    private let cache = WordCache()
    private var symbols: [Int32] = []
    private var rules: [UInt64] = []

    init(_ table: MergeTable, _ byteIds: [Int32]) {
        self.table = table
        self.byteIds = byteIds
    }

    /// Appends the ids of `text`.
    func encode(_ text: UnsafeRawBufferPointer, into ids: inout [Int32]) {
        WordPattern.forEachWord(text) { start, end in
            let word = UnsafeRawBufferPointer(rebasing: text[start..<end])
            if word.count == 1 { return ids.append(byteIds[Int(word[0])]) }
            guard word.count <= WordCache.longest else {
                merge(word)
                return ids.append(contentsOf: symbols)
            }
            let hash = WordCache.hash(word)
            if cache.append(word, hash: hash, to: &ids) { return }
            merge(word)
            cache.insert(word, hash: hash, ids: symbols)
            ids.append(contentsOf: symbols)
        }
    }

    private func merge(_ word: UnsafeRawBufferPointer) {
        symbols.removeAll(keepingCapacity: true)
        for byte in word { symbols.append(byteIds[Int(byte)]) }
        table.apply(&symbols, &rules)
    }
}

/// Finds added tokens in a text: the leftmost, and of those the longest.
struct AddedTokenMatcher: Sendable {
    let tokens: [Tokenizer.AddedToken]
    private let byFirst: [[(bytes: [UInt8], id: Int32)]]

    /// `nil` if there is nothing to find.
    init?(_ tokens: [Tokenizer.AddedToken]) {
        guard !tokens.isEmpty else { return nil }
        self.tokens = tokens
        var byFirst = [[(bytes: [UInt8], id: Int32)]](repeating: [], count: 256)
        for token in tokens {
            let bytes = Array(token.content.utf8)
            if let first = bytes.first { byFirst[Int(first)].append((bytes, token.id)) }
        }
        self.byFirst = byFirst.map { $0.sorted { $0.bytes.count > $1.bytes.count } }
    }

    func forEachMatch(_ text: UnsafeRawBufferPointer, _ body: (Range<Int>, Int32) -> Void) {
        var index = 0
        while index < text.count {
            let candidates = byFirst[Int(text[index])]
            let found = candidates.first { text[index...].starts(with: $0.bytes) }
            if let found {
                body(index..<index + found.bytes.count, found.id)
                index += found.bytes.count
            } else {
                index += 1
            }
        }
    }
}
