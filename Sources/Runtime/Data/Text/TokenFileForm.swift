import RuntimeSupport

/// How a file of tokens without an index is laid out, told by what it begins with.
struct TokenFileForm {
    /// Bytes before the first id.
    var headerBytes = 0
    /// Bytes of an id.
    var idBytes = 2
    /// How many ids the header promises; `nil` without a header.
    var count: Int?

    /// Looks at the first bytes of a file.
    ///
    /// - Parameters:
    ///   - isWhole: whether they are all of it.
    ///   - size: bytes of the file when that is known.
    ///   - bits: what the researcher says about an id of a file without a header.
    /// - Throws: `TextError` for a file of another kind, by its name, and where the width of an id cannot be told.
    init(
        _ start: [UInt8], isWhole: Bool, size: Int?, file: String, vocabulary: Int, bits: Int?
    ) throws {
        func word(_ index: Int) -> Int { Self.word(start, index * 4) }
        if let magic = Self.magics[start.count >= 4 ? word(0) : 0] {
            guard start.count >= 1024, word(1) == 1 else {
                throw TextError(
                    file,
                    "it begins as a file of llm.c, but has no header of 1024 bytes of version 1")
            }
            (headerBytes, idBytes, count) = (1024, magic / 8, word(2))
            return
        }
        let wide = bits == nil && vocabulary > 256 && Self.isWideText(start)
        if let kind = wide ? "text in UTF-16" : Self.kind(start, isWhole: isWhole, size: size) {
            throw TextError(
                file,
                "it is \(kind): expected ids of 16 or 32 bits and nothing else, a file of llm.c, "
                    + "or Megatron's with its .idx beside it")
        }
        if let bits {
            idBytes = bits / 8
            return
        }
        // Of 16 bits, every other id would be 0: no text is like that, even if a few words of 32 bits are not ids.
        let words = start.count / 4
        let known = (0..<words).count { word($0) < vocabulary }
        guard words > 0, known * 10 >= words * 9 else { return }
        guard known == words, !isWhole || start.count.isMultiple(of: 4) else {
            throw TextError(
                file,
                "its ids look like 32 bits, but "
                    + (known < words
                        ? "\(words - known) of the first \(words) are not of the tokenizer"
                        : "it has \(start.count) bytes, which is not a multiple of 4")
                    + ": expected a whole file of the same tokenizer, or token_bits = 16 if every other id is really 0"
            )
        }
        // Of 16 bits, every other id would be 0 (or below the vocabulary's size / 65536).
        let isLong =
            words > 1 && (!isWhole || words.isMultiple(of: 2))
            && stride(from: 1, to: words, by: 2).allSatisfy { word($0) == 0 }
            && stride(from: 0, to: words, by: 2).contains { word($0) != 0 }
        throw TextError(
            file,
            isLong
                ? "its ids look like 64 bits, of which every upper half is 0: write them with 16 or 32 bits, "
                    + "and say token_bits = 32 if they are that already"
                : "its ids look like 32 bits, each of which the tokenizer knows: say token_bits = 32, "
                    + "or token_bits = 16 if every other id is really so small")
    }

    /// Bits of an id by the first number of llm.c's files.
    private static let magics = [2024_0520: 16, 2024_0801: 32]

    private static func word(_ bytes: [UInt8], _ offset: Int) -> Int {
        (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
    }

    /// What else the file is; `nil` if it may be bare ids.
    private static func kind(_ start: [UInt8], isWhole: Bool, size: Int?) -> String? {
        if let format = UnreadFormat.of(start) { return format.name }
        if let compression = Compression.mark(of: start) {
            return
                "compressed with \(compression.name), which its name must say (\(compression.ending))"
        }
        if LargeFilePointer.matches(start) { return "a Git LFS pointer (run git lfs pull)" }
        if start.starts(with: "LITPKDS".utf8) { return "a packed data set of litgpt" }
        if start.starts(with: MegatronRecords.magic) {
            return "the index of one of Megatron's files"
        }
        if start.starts(with: "GGUF".utf8) { return "a GGUF model" }
        if isPickle(start, isWhole: isWhole) { return "a pickle of Python" }
        if start.prefix(16).starts(with: [0x0a, 0x0e, 0x0a, 0x05] + Array("<unk>".utf8)) {
            return "a SentencePiece model"
        }
        if isRecord(start) { return "a TFRecord file" }
        if isShard(start) { return "a shard of MosaicML's streaming" }
        if isChunk(start, size: size) { return "a chunk of litdata (as litgpt prepares data)" }
        if let page = SniffedInput.page(start) { return page }
        let isText = start.prefix(4096).allSatisfy {
            (0x20..<0x7f).contains($0) || (9...13).contains($0)
        }
        return start.count >= 64 && isText ? "text" : nil
    }

    /// Whether every character of 16 bits is of ASCII's text: only a vocabulary of characters has such ids.
    private static func isWideText(_ start: [UInt8]) -> Bool {
        let units = stride(from: 0, to: min(start.count, 4096) - 1, by: 2)
        func isText(low: Int, high: Int) -> Bool {
            units.allSatisfy {
                start[$0 + high] == 0
                    && ((0x20..<0x7f).contains(start[$0 + low])
                        || (9...13).contains(start[$0 + low]))
            }
        }
        return start.count >= 64 && (isText(low: 0, high: 1) || isText(low: 1, high: 0))
    }

    private static func isPickle(_ start: [UInt8], isWhole: Bool) -> Bool {
        guard start.count > 11, start[0] == 0x80, (2...5).contains(start[1]) else { return false }
        guard start[1] >= 4 else {
            return "]}c(XKMJ)".utf8.contains(start[2]) && (!isWhole || start.last == 0x2e)
        }
        // A frame, whose length has 8 bytes of which the upper are 0.
        return start[2] == 0x95 && start[8] == 0 && start[9] == 0 && start[10] == 0
    }

    /// A length, and the checksum of its bytes.
    private static func isRecord(_ start: [UInt8]) -> Bool {
        start.count >= 12
            && CRC32C.masked(Array(start[..<8])) == UInt32(truncatingIfNeeded: word(start, 8))
    }

    /// A count of samples, where each of them and the end lies, and what their columns are as JSON.
    private static func isShard(_ start: [UInt8]) -> Bool {
        guard start.count >= 12 else { return false }
        let table = 4 * (word(start, 0) + 2)
        guard table < start.count - 1, start[table] == UInt8(ascii: "{") else { return false }
        return start[(table + 1)...].prefix(64).contains(UInt8(ascii: "\""))
    }

    /// A count of items, and where each of them and the end lies.
    private static func isChunk(_ start: [UInt8], size: Int?) -> Bool {
        guard start.count >= 12 else { return false }
        let items = word(start, 0)
        guard items >= 1, items < 1 << 28, word(start, 4) == 4 * (items + 2) else { return false }
        let last = 4 * (items + 1)
        guard let size, last + 4 <= start.count else { return word(start, 8) >= word(start, 4) }
        return word(start, last) == size
    }
}
