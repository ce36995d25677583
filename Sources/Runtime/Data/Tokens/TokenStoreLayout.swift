import RuntimeSupport

/// Where things lie in a token store's file, read from and written to its footer.
///
///     ids         tokens × 2 or 4 bytes, then zeros up to a multiple of 8
///     documents   (documents + 1) × (first token, first byte of text), 8 bytes each
///     footer      256 bytes: magic, sizes, digest, checksum of everything before the footer, checksum of the footer
///                 up to here, zeros
///
/// All numbers are little-endian. The first checksum is the SHA-256 of the SHA-256 of each MiB, so that it can be checked
/// on all threads. Version 1 had no second one.
package struct TokenStoreLayout: Sendable {
    package static let magic: UInt64 = 0x3230_4b4f_5452_544d  // MTRTOK02
    private static let magic1: UInt64 = 0x3130_4b4f_5452_544d  // MTRTOK01
    static let footerBytes = 256
    /// The bytes of the footer before its own checksum.
    private static let checkedBytes = 184
    static let chunkBytes = 1 << 20

    let idBytes: Int
    package let tokens: Int
    package let documents: Int
    package let textBytes: Int
    package let vocabularySize: Int
    package let endOfText: Int
    package let digest: Digest

    private var tableOffset: Int { (tokens * idBytes + 7) / 8 * 8 }
    private var bodyBytes: Int { tableOffset + (documents + 1) * 16 }

    init(
        idBytes: Int, tokens: Int, documents: Int, textBytes: Int, vocabularySize: Int,
        endOfText: Int, digest: Digest
    ) {
        self.idBytes = idBytes
        self.tokens = tokens
        self.documents = documents
        self.textBytes = textBytes
        self.vocabularySize = vocabularySize
        self.endOfText = endOfText
        self.digest = digest
    }

    /// Reads and checks a file: footer, sizes, checksum, ids within the vocabulary by way of the checksum.
    init(_ file: RandomAccessFile) throws {
        func damaged(_ reason: String) -> TokenStoreError {
            TokenStoreError(file.path, "the token store is damaged: \(reason)")
        }
        let start = file.size - Self.footerBytes
        guard start >= 0 else { throw damaged("it has \(file.size) bytes, too few") }
        let footer = try file.bytes(start..<file.size)
        func number(_ index: Int) -> UInt64 {
            UInt64(
                littleEndian: footer.withUnsafeBytes {
                    $0.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self)
                })
        }
        func text(_ offset: Int) -> Digest? {
            Digest(hex: String(decoding: footer[offset..<offset + 64], as: UTF8.self))
        }
        guard number(0) != Self.magic1 else {
            throw damaged("an earlier version wrote it, without a checksum of its last 256 bytes")
        }
        guard number(0) == Self.magic else {
            throw damaged("it does not end with a footer (truncated, or not a token store)")
        }
        let sizes = (1...6).map { Int(exactly: number($0)) ?? -1 }
        let checked = footer[..<Self.checkedBytes]
        guard text(Self.checkedBytes) == Digest.of(checked),
            footer[(Self.checkedBytes + 64)...].allSatisfy({ $0 == 0 })
        else { throw damaged("the checksum of its last \(Self.footerBytes) bytes differs") }
        guard sizes.allSatisfy({ $0 >= 0 && $0 < 1 << 48 }), sizes[0] == 2 || sizes[0] == 4,
            let digest = text(56), let checksum = text(120)
        else { throw damaged("its footer is not readable") }
        self.init(
            idBytes: sizes[0], tokens: sizes[1], documents: sizes[2], textBytes: sizes[3],
            vocabularySize: sizes[4], endOfText: sizes[5], digest: digest)
        guard bodyBytes == start else {
            throw damaged("it has \(start) bytes of data; expected \(bodyBytes)")
        }
        guard try Self.checksum(file, upTo: start) == checksum else {
            throw damaged("its checksum differs")
        }
    }

    /// First token and first byte of document `index`, and of what follows it.
    package func entries(_ file: RandomAccessFile, _ index: Int) throws -> (
        (token: Int, byte: Int), next: (token: Int, byte: Int)
    ) {
        try withUnsafeTemporaryAllocation(of: Int.self, capacity: 4) { numbers in
            try file.read(
                at: tableOffset + index * 16, into: UnsafeMutableRawBufferPointer(numbers))
            return ((numbers[0], numbers[1]), (numbers[2], numbers[3]))
        }
    }

    /// The footer for a body with this checksum.
    package func footer(checksum: Digest) -> [UInt8] {
        var bytes: [UInt8] = []
        let numbers = [idBytes, tokens, documents, textBytes, vocabularySize, endOfText]
        for number in [Self.magic] + numbers.map({ UInt64($0) }) {
            withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
        }
        bytes.append(contentsOf: digest.hex.utf8)
        bytes.append(contentsOf: checksum.hex.utf8)
        bytes.append(contentsOf: Digest.of(bytes).hex.utf8)
        bytes.append(contentsOf: repeatElement(0, count: Self.footerBytes - bytes.count))
        return bytes
    }

    private static func checksum(_ file: RandomAccessFile, upTo end: Int) throws -> Digest {
        let chunks = (end + chunkBytes - 1) / chunkBytes
        let digests = try Parallel.map(chunks) { chunk in
            let first = chunk * chunkBytes
            let bytes = try file.bytes(first..<min(first + chunkBytes, end))
            return Digest.of(bytes)
        }
        var builder = DigestBuilder("token store body")
        for digest in digests { builder.add(digest) }
        return builder.finish()
    }
}

/// The checksum of a body as it is written.
struct BodyChecksum {
    private var builder = DigestBuilder("token store body")
    private var hasher = SHA256()
    private var filled = 0

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = rest.prefix(TokenStoreLayout.chunkBytes - filled)
            hasher.add(UnsafeRawBufferPointer(rebasing: part))
            filled += part.count
            rest = rest.dropFirst(part.count)
            if filled == TokenStoreLayout.chunkBytes { close() }
        }
    }

    private mutating func close() {
        builder.add(Digest(hasher))
        hasher = SHA256()
        filled = 0
    }

    mutating func finish() -> Digest {
        if filled > 0 { close() }
        return builder.finish()
    }
}
