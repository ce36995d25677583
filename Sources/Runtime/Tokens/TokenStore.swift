import Foundation

/// A token store that cannot be built or used.
public struct TokenStoreError: RuntimeError {
    /// The file, or the corpus it is built from.
    public let place: String
    /// What is wrong and what was expected.
    public let reason: String

    /// Creates an error.
    public init(_ place: String, _ reason: String) {
        self.place = place
        self.reason = reason
    }

    /// `PLACE: REASON`.
    public var message: String { "\(place): \(reason)" }
}

/// One split of a corpus as token ids in a mapped file: documents in order, each ended by end-of-text.
public final class TokenStore: Sendable {
    /// The file.
    public let path: String
    /// Tokens in all, ends of documents included.
    public let count: Int
    /// Documents.
    public let documents: Int
    /// Bytes of the documents' text, for bits per byte.
    public let textBytes: Int
    /// The number of ids the tokenizer has.
    public let vocabularySize: Int
    /// The id that ends each document.
    public let endOfText: Int32
    /// Of the documents, in order, and of the tokenizer: what decides every id in it.
    public let digest: Digest
    /// Why an earlier file was built again, such as damage; `nil` if nothing was wrong.
    public let repair: String?

    private let map: MappedFile
    private let layout: TokenStoreLayout
    // Into the mapping, which is read-only and lives as long as this object.
    private nonisolated(unsafe) let narrow: UnsafePointer<UInt16>
    private nonisolated(unsafe) let wide: UnsafePointer<Int32>

    init(mapping path: String, repair: String?) throws {
        let map = try MappedFile(path)
        let layout = try TokenStoreLayout(map, path: path)
        self.path = path
        self.map = map
        self.layout = layout
        self.repair = repair
        count = layout.tokens
        documents = layout.documents
        textBytes = layout.textBytes
        vocabularySize = layout.vocabularySize
        endOfText = Int32(layout.endOfText)
        digest = layout.digest
        narrow = map.bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt16.self)
        wide = map.bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: Int32.self)
    }

    /// The id at `index`, which must be in `0 ..< count`.
    public subscript(index: Int) -> Int32 {
        layout.idBytes == 2 ? Int32(narrow[index]) : wide[index]
    }

    /// Copies the ids of a range within `0 ..< count`.
    public func copy(_ range: Range<Int>, into output: UnsafeMutablePointer<Int32>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "tokens out of range")
        if layout.idBytes == 2 {
            for (place, index) in range.enumerated() { output[place] = Int32(narrow[index]) }
        } else {
            output.update(from: wide + range.lowerBound, count: range.count)
        }
    }

    /// The ids of document `index` in `0 ..< documents`, with its end-of-text, and the bytes of its text.
    public func document(_ index: Int) -> (tokens: Range<Int>, textBytes: Int) {
        let entry = layout.entry(map, index)
        let next = layout.entry(map, index + 1)
        return (entry.token..<next.token, next.byte - entry.byte)
    }

    /// How often each id occurs, over the first `limit` tokens (`nil`: all).
    public func histogram(limit: Int? = nil) -> [Int] {
        var counts = [Int](repeating: 0, count: vocabularySize)
        for index in 0..<min(count, limit ?? count) { counts[Int(self[index])] += 1 }
        return counts
    }
}
