import Glibc

/// What reading files of tokens needs of the tokenizer that made them.
public protocol TokenText: Sendable {
    /// Of everything that decides what the ids stand for.
    var digest: Digest { get }
    /// The number of ids.
    var vocabularySize: Int { get }
    /// The id between documents.
    var endOfText: Int32 { get }
    /// The bytes that ids stand for.
    ///
    /// - Throws: for an id beyond the vocabulary.
    func decode(_ ids: some Collection<Int32>) throws -> [UInt8]
}

/// Documents of a file of tokens, read with the tokenizer that made it.
///
/// Their ids are kept as they are; their text is what the ids stand for, with U+FFFD where that is not UTF-8.
class TokenRecords: RecordInput {
    let file: String
    let tokens: any TokenText
    let limit: Int
    /// The ids of the document, without an end-of-text.
    var ids: [Int32] = []

    init(_ file: String, tokens: any TokenText, limit: Int) {
        self.file = file
        self.tokens = tokens
        self.limit = limit
    }

    /// Opens a file: with an index beside it one of Megatron's, otherwise bare 16-bit ids.
    static func open(_ path: String, tokens: any TokenText, limit: Int) throws -> TokenRecords {
        let index = String(path.dropLast(4)) + ".idx"
        if path.hasSuffix(".bin"), access(index, F_OK) == 0 {
            return try MegatronRecords(path, index: index, tokens: tokens, limit: limit)
        }
        return try BareTokenRecords(bare: path, tokens: tokens, limit: limit)
    }

    var consumed: Int { 0 }
    var line: Int? { nil }

    func advance() throws -> Bool { false }

    func document(stop: ShouldStop) throws -> Document {
        var document = Document(text: try tokens.decode(ids))
        if document.text.withUnsafeBytes({ UTF8Check.firstInvalid($0) }) != nil {
            document.text = Array(String(decoding: document.text, as: UTF8.self).utf8)
        }
        document.ids = ids
        return document
    }

    func values(stop: ShouldStop) throws -> [String: [UInt8]] {
        throw TextError(file, "a file of tokens has no fields")
    }

    /// Appends an id that was read as token `number` of the file, from 0.
    @inline(__always)
    func take(_ id: Int, number: Int) throws {
        guard id >= 0, id < tokens.vocabularySize else {
            throw TextError(
                file,
                "token \(number) is \(id); expected an id below \(tokens.vocabularySize), the tokenizer's vocabulary"
            )
        }
        guard ids.count < limit / 4 else {
            throw TextError(
                file,
                "the document that ends at token \(number) or later has more than \(limit / 4) tokens; "
                    + "expected documents that end with the tokenizer's end-of-text, \(tokens.endOfText)"
            )
        }
        ids.append(Int32(id))
    }
}

/// Bare 16-bit little-endian ids, as nanoGPT writes them; documents end with end-of-text.
final class BareTokenRecords: TokenRecords {
    private let input: any ByteInput
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    private var start = 0
    private var end = 0
    private var number = 0

    init(bare file: String, tokens: any TokenText, limit: Int) throws {
        input = try Compression.open(file)
        super.init(file, tokens: tokens, limit: limit)
    }

    deinit { buffer.deallocate() }

    override var consumed: Int { input.consumed }

    override func advance() throws -> Bool {
        ids.removeAll(keepingCapacity: true)
        while true {
            if end - start < 2 {
                let left = end - start
                if left == 1 { buffer[0] = buffer[start] }
                let count = try input.read(
                    into: UnsafeMutableRawBufferPointer(rebasing: buffer[left...]))
                (start, end) = (0, left + count)
                if count == 0 {
                    guard left == 0 else {
                        throw TextError(
                            file,
                            "it ends within token \(number); expected 16 bits for each token")
                    }
                    return !ids.isEmpty
                }
                continue
            }
            let id = Int(buffer[start]) | Int(buffer[start + 1]) << 8
            start += 2
            defer { number += 1 }
            if id == Int(tokens.endOfText) { return true }
            try take(id, number: number)
        }
    }
}
