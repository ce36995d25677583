import Glibc
import RuntimeSupport

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
package class TokenRecords: RecordInput {
    package let file: String
    package let tokens: any TokenText
    package let limit: Int
    /// The ids of the document, without an end-of-text.
    package var ids: [Int32] = []

    package init(_ file: String, tokens: any TokenText, limit: Int) {
        self.file = file
        self.tokens = tokens
        self.limit = limit
    }

    /// Opens a file: with an index beside it one of Megatron's, otherwise ids with or without a header.
    package static func open(
        _ path: String, tokens: any TokenText, _ options: RecordOptions
    ) throws -> TokenRecords {
        let index = String(path.dropLast(4)) + ".idx"
        if path.lowercased().hasSuffix(".bin"), FileAccess.exists(index) {
            return try MegatronRecords(path, index: index, tokens: tokens, limit: options.limit)
        }
        return try BareTokenRecords(bare: path, tokens: tokens, options)
    }

    package var consumed: Int { 0 }
    package var line: Int? { nil }
    package var notice: String? { nil }

    package func advance() throws -> Bool { false }

    package func document(stop: ShouldStop) throws -> Document? {
        var document = Document(text: try tokens.decode(ids))
        if document.text.withUnsafeBytes({ UTF8Check.firstInvalid($0) }) != nil {
            document.text = Array(String(decoding: document.text, as: UTF8.self).utf8)
        }
        document.ids = ids
        return document
    }

    package func values(stop: ShouldStop) throws -> [String: [UInt8]] {
        throw TextError(file, "a file of tokens has no fields")
    }

    /// Appends an id that was read as token `number` of the file, from 0.
    @inline(__always)
    package func take(_ id: Int, number: Int) throws {
        guard id >= 0, id < tokens.vocabularySize else {
            throw TextError(
                file,
                "token \(number) is \(id); expected an id below \(tokens.vocabularySize), the tokenizer's vocabulary: "
                    + "the file is of another tokenizer, or its ids have another width (token_bits)"
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

/// Little-endian ids one after another, as nanoGPT and llm.c write them; documents end with end-of-text.
package final class BareTokenRecords: TokenRecords {
    private let input: any ByteInput
    private let form: TokenFileForm
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    private var start = 0
    private var end = 0
    private var number = 0
    private var hasEnds = false
    private var remark: String?

    init(bare file: String, tokens: any TokenText, _ options: RecordOptions) throws {
        input = try Compression.open(file)
        while end < buffer.count {
            let count = try input.read(
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[end...]))
            if count == 0 { break }
            end += count
        }
        let isPlain = Compression.of(file).0 == .none
        form = try TokenFileForm(
            Array(buffer[..<end]), isWhole: end < buffer.count,
            size: isPlain ? FileAccess.status(file).map { Int($0.st_size) } : nil, file: file,
            vocabulary: tokens.vocabularySize, bits: options.tokenBits)
        start = form.headerBytes
        super.init(file, tokens: tokens, limit: options.limit)
    }

    deinit { buffer.deallocate() }

    package override var consumed: Int { input.consumed }
    package override var notice: String? { remark }

    package override func advance() throws -> Bool {
        ids.removeAll(keepingCapacity: true)
        let width = form.idBytes
        while true {
            if end - start < width {
                let left = end - start
                for index in 0..<left { buffer[index] = buffer[start + index] }
                let count = try input.read(
                    into: UnsafeMutableRawBufferPointer(rebasing: buffer[left...]))
                (start, end) = (0, left + count)
                if count == 0 {
                    try finish(left)
                    return !ids.isEmpty
                }
                continue
            }
            var id = Int(buffer[start]) | Int(buffer[start + 1]) << 8
            if width == 4 { id |= Int(buffer[start + 2]) << 16 | Int(buffer[start + 3]) << 24 }
            start += width
            defer { number += 1 }
            if id == Int(tokens.endOfText) {
                hasEnds = true
                return true
            }
            try take(id, number: number)
        }
    }

    private func finish(_ left: Int) throws {
        guard left == 0 else {
            throw TextError(
                file,
                "it ends within token \(number); expected \(form.idBytes * 8) bits for each token")
        }
        if let count = form.count, count != number {
            throw TextError(file, "it has \(number) tokens; its header promises \(count)")
        }
        if !hasEnds, number > 0 {
            remark =
                "\(file): none of its \(number) tokens is the tokenizer's end-of-text, \(tokens.endOfText), "
                + "so it is one document; is it of another tokenizer?"
        }
    }
}
