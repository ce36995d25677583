import Glibc
import RuntimeSupport

/// The documents of a pair of files as Megatron-LM writes them: `.bin` holds the ids of all sequences, `.idx` says
/// where each lies and which of them make a document.
///
/// The index is `MMIDIDX`, two zero bytes, the version 1 (64 bits), a code for the type of an id (8 bits), the number
/// of sequences and the length of the document table (64 bits each), then the lengths of the sequences (32 bits each),
/// their places in bytes (64 bits each), and the number of the first sequence of each document, the end included
/// (64 bits each); all little-endian.
package final class MegatronRecords: TokenRecords {
    package static let magic = Array("MMIDIDX".utf8) + [0, 0]
    static let headerBytes = 34
    /// Bytes of an id, and whether it has a sign, by type code.
    private static let types: [UInt8: (bytes: Int, isSigned: Bool)] = [
        1: (1, false), 2: (1, true), 3: (2, true), 4: (4, true), 5: (8, true), 8: (2, false),
    ]

    private let indexPath: String
    private let lengths: NumberTable<Int32>
    private let places: NumberTable<Int64>
    private let firsts: NumberTable<Int64>
    private let data: RandomAccessFile
    private let type: (bytes: Int, isSigned: Bool)
    private let sequences: Int
    private let documents: Int
    private var next = 0
    private var number = 0

    package init(_ file: String, index path: String, tokens: any TokenText, limit: Int) throws {
        indexPath = path
        let index = try RandomAccessFile(path)
        data = try RandomAccessFile(file)
        func wrong(_ reason: String) -> TextError { TextError(path, reason) }
        let header = try index.bytes(0..<min(Self.headerBytes, index.size))
        guard header.count == Self.headerBytes, header[..<9].elementsEqual(Self.magic) else {
            throw wrong("it is not an index of Megatron's: it does not begin with MMIDIDX")
        }
        func number(at offset: Int) -> UInt64 {
            header.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
        }
        let version = number(at: 9)
        guard version == 1 else { throw wrong("its version is \(version); expected 1") }
        guard let type = Self.types[header[17]] else {
            throw wrong(
                "its ids are of type \(header[17]); expected 1, 2, 3, 4, 5 or 8, whole numbers")
        }
        self.type = type
        let counts = [18, 26].map(number)
        // The sizes come from the file: bounded before they are multiplied.
        guard counts.allSatisfy({ $0 <= UInt64(index.size) }), counts[1] >= 1 else {
            throw wrong(
                "it names \(counts[0]) sequences and \(counts[1]) places of documents, more than its "
                    + "\(index.size) bytes hold")
        }
        sequences = Int(counts[0])
        documents = Int(counts[1]) - 1
        let expected = Self.headerBytes + sequences * 12 + (documents + 1) * 8
        guard index.size == expected else {
            throw wrong("it has \(index.size) bytes; its header asks for \(expected)")
        }
        lengths = NumberTable(index, at: Self.headerBytes)
        places = NumberTable(index, at: Self.headerBytes + sequences * 4)
        firsts = NumberTable(index, at: Self.headerBytes + sequences * 12)
        super.init(file, tokens: tokens, limit: limit)
        try checkPlaces()
    }

    /// Refuses an index that is of another `.bin`: all sequences together must be as long as the file.
    private func checkPlaces() throws {
        var tokens = 0
        for sequence in 0..<sequences {
            let (place, length) = (try places[sequence], try lengths[sequence])
            guard place >= 0, length >= 0, place <= data.size,
                length * type.bytes <= data.size - place
            else {
                throw TextError(
                    indexPath,
                    "sequence \(sequence) lies at byte \(place) with \(length) tokens of \(type.bytes) bytes; "
                        + "\(file) has \(data.size) bytes")
            }
            tokens += length
        }
        guard tokens * type.bytes == data.size else {
            throw TextError(
                indexPath,
                "its documents have \(tokens) tokens of \(type.bytes) bytes: expected \(tokens * type.bytes) "
                    + "bytes in \(file), found \(data.size)")
        }
    }

    package override var consumed: Int { min(number * type.bytes, data.size) }

    package override func advance() throws -> Bool {
        guard next < documents else {
            let last = try firsts[documents]
            guard last == sequences else {
                throw TextError(
                    indexPath,
                    "its documents end with sequence \(last) of \(sequences); expected the last"
                )
            }
            return false
        }
        let (begin, end) = (try firsts[next], try firsts[next + 1])
        guard begin >= 0, begin <= end, end <= sequences, next > 0 || begin == 0 else {
            throw TextError(
                indexPath,
                "document \(next) is made of the sequences \(begin) ..< \(end); expected ascending numbers from 0 up to \(sequences)"
            )
        }
        ids.removeAll(keepingCapacity: true)
        for sequence in begin..<end { try read(sequence) }
        if ids.last == tokens.endOfText { ids.removeLast() }
        next += 1
        return true
    }

    private func read(_ sequence: Int) throws {
        let (place, length) = (try places[sequence], try lengths[sequence])
        let piece = 1 << 16
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: min(length, piece) * type.bytes, alignment: 8)
        defer { buffer.deallocate() }
        for start in stride(from: 0, to: length, by: piece) {
            let count = min(piece, length - start)
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<(count * type.bytes)])
            try data.read(at: place + start * type.bytes, into: part)
            for index in 0..<count {
                try take(id(part, index), number: number)
                number += 1
            }
        }
    }

    private func id(_ part: UnsafeMutableRawBufferPointer, _ index: Int) -> Int {
        let offset = index * type.bytes
        switch (type.bytes, type.isSigned) {
        case (1, false): return Int(part[offset])
        case (1, true): return Int(Int8(bitPattern: part[offset]))
        case (2, false): return Int(part.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
        case (2, true): return Int(part.loadUnaligned(fromByteOffset: offset, as: Int16.self))
        case (4, _): return Int(part.loadUnaligned(fromByteOffset: offset, as: Int32.self))
        default: return Int(part.loadUnaligned(fromByteOffset: offset, as: Int64.self))
        }
    }
}

/// Whole numbers, little-endian, that follow each other in a file; read in blocks, as they are mostly asked for in order.
private final class NumberTable<Number: FixedWidthInteger> {
    private static var block: Int { 1 << 13 }

    private let file: RandomAccessFile
    private let offset: Int
    private var start = 0
    private var numbers: [Number] = []

    init(_ file: RandomAccessFile, at offset: Int) {
        self.file = file
        self.offset = offset
    }

    subscript(index: Int) -> Int {
        get throws {
            if index < start || index >= start + numbers.count { try load(index) }
            return Int(truncatingIfNeeded: Number(littleEndian: numbers[index - start]))
        }
    }

    private func load(_ index: Int) throws {
        let size = MemoryLayout<Number>.size
        start = index
        let count = min(Self.block, (file.size - offset) / size - index)
        numbers = try Array(unsafeUninitializedCapacity: count) { buffer, filled in
            try file.read(at: offset + index * size, into: UnsafeMutableRawBufferPointer(buffer))
            filled = count
        }
    }
}
