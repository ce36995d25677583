import Foundation
import RuntimeSupport

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

/// One split of a corpus as token ids in a file: documents in order, each ended by end-of-text.
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

    private let file: RandomAccessFile
    private let layout: TokenStoreLayout

    package init(_ path: String, repair: String?) throws {
        file = try RandomAccessFile(path)
        layout = try TokenStoreLayout(file)
        self.path = path
        self.repair = repair
        count = layout.tokens
        documents = layout.documents
        textBytes = layout.textBytes
        vocabularySize = layout.vocabularySize
        endOfText = Int32(layout.endOfText)
        digest = layout.digest
    }

    /// Copies the ids of a range within `0 ..< count`.
    ///
    /// - Throws: `FileError`, also when the file has been cut short meanwhile.
    public func copy(_ range: Range<Int>, into output: UnsafeMutablePointer<Int32>) throws {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "tokens out of range")
        let offset = range.lowerBound * layout.idBytes
        guard layout.idBytes == 2 else {
            let bytes = UnsafeMutableRawBufferPointer(start: output, count: range.count * 4)
            return try file.read(at: offset, into: bytes)
        }
        try withUnsafeTemporaryAllocation(of: UInt16.self, capacity: range.count) { narrow in
            try file.read(at: offset, into: UnsafeMutableRawBufferPointer(narrow))
            for (place, id) in narrow.enumerated() { output[place] = Int32(id) }
        }
    }

    /// The ids of a range within `0 ..< count`.
    ///
    /// - Throws: as `copy(_:into:)`.
    public func ids(_ range: Range<Int>) throws -> [Int32] {
        try Array(unsafeUninitializedCapacity: range.count) { buffer, count in
            if let start = buffer.baseAddress { try copy(range, into: start) }
            count = range.count
        }
    }

    /// The ids of document `index` in `0 ..< documents`, with its end-of-text, and the bytes of its text.
    ///
    /// - Throws: as `copy(_:into:)`.
    public func document(_ index: Int) throws -> (tokens: Range<Int>, textBytes: Int) {
        let (entry, next) = try layout.entries(file, index)
        return (entry.token..<next.token, next.byte - entry.byte)
    }
}
