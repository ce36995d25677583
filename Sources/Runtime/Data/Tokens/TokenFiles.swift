import Glibc
import RuntimeSupport

/// Token stores as files of other programs.
extension TokenStore {
    /// How a file of tokens is laid out.
    public enum FileFormat: String, CaseIterable, Sendable {
        /// 16-bit ids and nothing else, as nanoGPT reads them.
        case nanogpt
        /// A `.bin` with ids and an `.idx` with the places of the documents, as Megatron-LM reads them.
        case megatron
    }

    /// Writes every token, ends of documents included.
    ///
    /// - Parameter path: ends in `.bin`; Megatron's index is written beside it.
    /// - Throws: `InvalidValue` for another ending, or ids that 16 bits do not hold; `FileError`, also for an index of
    ///   Megatron's beside nanoGPT's form; `Interrupted`.
    public func write(_ path: String, format: FileFormat, stop: ShouldStop = { false }) throws {
        guard path.hasSuffix(".bin") else {
            throw InvalidValue("path", expected: "a name that ends in .bin", found: "\"\(path)\"")
        }
        // Ids are 16 bits wide wherever the vocabulary allows it, as Megatron does.
        let isNarrow = vocabularySize <= 1 << 16
        guard isNarrow || format == .megatron else {
            throw InvalidValue(
                "format",
                expected: "megatron for a vocabulary above 65536, which 16 bits do not hold",
                found: "nanogpt with \(vocabularySize) ids")
        }
        let index = String(path.dropLast(4)) + ".idx"
        // With an index beside it the file would be read as Megatron's, by the places of other documents.
        guard format == .megatron || !FileAccess.exists(index) else {
            throw FileError(
                "write", path,
                reason: "\(index) is beside it, with which it would be read as Megatron's; "
                    + "remove that file, or give another name")
        }
        let idBytes = isNarrow ? 2 : 4
        try AtomicFile.write(path) { writer in
            var ids = [Int32](repeating: 0, count: 1 << 16)
            for start in stride(from: 0, to: count, by: ids.count) {
                if stop() { throw Interrupted("interrupted while writing \(path)") }
                let range = start..<min(start + ids.count, count)
                try ids.withUnsafeMutableBufferPointer {
                    try copy(range, into: $0.baseAddress.unsafelyUnwrapped)
                }
                let part = ids[..<range.count]
                if isNarrow {
                    try part.map { UInt16(truncatingIfNeeded: $0).littleEndian }.withUnsafeBytes {
                        try writer.write($0)
                    }
                } else {
                    try part.withUnsafeBytes { try writer.write($0) }
                }
            }
        }
        if format == .megatron { try writeIndex(path, idBytes: idBytes, stop: stop) }
    }

    private func writeIndex(_ path: String, idBytes: Int, stop: ShouldStop) throws {
        try AtomicFile.write(path.dropLast(4) + ".idx") { writer in
            func put<Number: FixedWidthInteger>(_ number: Number, _ writer: inout FileWriter) throws
            {
                try withUnsafeBytes(of: number.littleEndian) { try writer.write($0) }
            }
            try MegatronRecords.magic.withUnsafeBytes { try writer.write($0) }
            try put(UInt64(1), &writer)
            // Type codes: 8 for unsigned 16 bits, 4 for signed 32.
            try put(UInt8(idBytes == 2 ? 8 : 4), &writer)
            try put(UInt64(documents), &writer)
            try put(UInt64(documents + 1), &writer)
            for index in 0..<documents {
                let length = try document(index).tokens.count
                guard let short = Int32(exactly: length) else {
                    throw InvalidValue(
                        "document \(index)", expected: "at most \(Int32.max) tokens", found: length)
                }
                try put(short, &writer)
            }
            for index in 0..<documents {
                try put(Int64(try document(index).tokens.lowerBound * idBytes), &writer)
            }
            for index in 0...documents { try put(Int64(index), &writer) }
        }
    }
}
