import Foundation
import RuntimeSupport

/// Records that are not what was written.
public struct JournalDamage: Hashable, Sendable {
    /// The journal.
    public let path: String
    /// Where the damage begins.
    public let offset: Int
    /// What is wrong there.
    public let reason: String

    /// That of what stands in the place of a journal.
    static let noFile = "it is not a regular file"

    /// `PATH is damaged at byte N: REASON`.
    public var error: DamagedFile { DamagedFile(path, "at byte \(offset): \(reason)") }
}

/// Reads a journal from a place on, record by record.
///
/// A record that is not whole at the end of the file, or an end of zeros, is what a process left that died or still
/// writes: it is not a record yet. Anything else that is not a record is damage, behind which reading goes on.
package struct JournalReader {
    package let path: String
    /// The end of the last whole record.
    package private(set) var offset: Int
    /// The number of the next record.
    package private(set) var number: UInt32
    package private(set) var damages: [JournalDamage] = []
    /// Whether bytes behind `offset` are no record yet.
    package private(set) var isTorn = false

    private let file: RandomAccessFile
    private let end: Int
    private var window: [UInt8] = []
    private var windowStart = 0

    /// - Throws: `FileError`.
    package init(_ path: String, from offset: Int = 0, number: UInt32 = 0) throws {
        self.path = path
        self.offset = offset
        self.number = number
        file = try RandomAccessFile(path)
        end = file.size
    }

    /// Bytes of the file when it was opened.
    package var size: Int { end }

    /// Calls `body` with the header, the offset and the content of every record.
    package mutating func forEach(
        _ body: (JournalForm.Header, Int, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        while offset < end {
            let start = offset
            switch try header(start) {
            case .newer(let version):
                throw FileError(
                    "read", path,
                    reason:
                        "a record has the form \(version), this program knows \(JournalForm.version): "
                        + "use a newer mtrepl")
            case .none:
                guard let next = try search(start + 1) else { return try finish(start) }
                report(start, "\(next - start) bytes are not records")
                offset = next
            case .header(let header):
                if header.number != number {
                    report(
                        start,
                        "expected record \(number) of the journal, found record \(header.number)")
                }
                let next = start + JournalForm.headerBytes + header.count
                guard next <= end else {
                    // What is behind a header whose length is wrong would be found: the header checks itself.
                    isTorn = true
                    return
                }
                try load(start, next - start)
                let from = start + JournalForm.headerBytes - windowStart
                let isWhole = try window.withUnsafeBytes { window in
                    let content = UnsafeRawBufferPointer(
                        rebasing: window[from..<(from + header.count)])
                    guard JournalForm.sum(content) == header.sum, content.last == 0x0a else {
                        return false
                    }
                    try body(header, start, content)
                    return true
                }
                if !isWhole {
                    if try last() == 0, try search(start + 1) == nil {
                        isTorn = true
                        return
                    }
                    report(
                        start, "the content of record \(header.number) does not have its checksum")
                }
                number = header.number &+ 1
                offset = next
            }
        }
    }

    private mutating func report(_ place: Int, _ reason: String) {
        damages.append(JournalDamage(path: path, offset: place, reason: reason))
    }

    /// Nothing behind `start` is a record.
    private mutating func finish(_ start: Int) throws {
        let left = end - start
        let mark = [UInt8]("MTJ".utf8) + [JournalForm.version]
        try load(start, min(left, JournalForm.headerBytes))
        let isShort =
            left < JournalForm.headerBytes
            && zip(window[(start - windowStart)...], mark).allSatisfy { $0 == $1 }
        if try isShort || last() == 0 {
            isTorn = true
        } else {
            report(start, "\(left) bytes at its end are not a record")
            offset = end
        }
    }

    private mutating func last() throws -> UInt8 {
        try load(end - 1, 1)
        return window[end - 1 - windowStart]
    }

    private mutating func header(_ place: Int) throws -> JournalForm.Found {
        guard end - place >= JournalForm.headerBytes else { return .none }
        try load(place, JournalForm.headerBytes)
        return window.withUnsafeBytes {
            JournalForm.header(
                UnsafeRawBufferPointer(
                    rebasing: $0[(place - windowStart)...].prefix(JournalForm.headerBytes)))
        }
    }

    /// The next place with a header.
    private mutating func search(_ from: Int) throws -> Int? {
        var place = from
        let mark = UInt8(ascii: "M")
        while place + JournalForm.headerBytes <= end {
            try load(place, JournalForm.headerBytes)
            let here = window[(place - windowStart)...]
            guard let found = here.firstIndex(of: mark) else {
                place = windowStart + window.count
                continue
            }
            place = windowStart + found
            guard place + JournalForm.headerBytes <= end else { return nil }
            guard case .none = try header(place) else { return place }
            place += 1
        }
        return nil
    }

    /// Makes the window hold some bytes.
    private mutating func load(_ place: Int, _ count: Int) throws {
        guard place < windowStart || place + count > windowStart + window.count else { return }
        let length = min(end - place, max(count, 1 << 20))
        window = [UInt8](repeating: 0, count: length)
        windowStart = place
        try window.withUnsafeMutableBytes { try file.read(at: place, into: $0) }
    }

    /// The content of the record at a place.
    ///
    /// - Throws: `DamagedFile` when there is none of that kind; `FileError`.
    package static func content(
        _ path: String, at offset: Int, count: Int, kind: JournalForm.Kind
    ) throws -> [UInt8] {
        let file = try RandomAccessFile(path)
        let damage = JournalDamage(
            path: path, offset: offset, reason: "there is not the record that was written there")
        guard offset >= 0, count > JournalForm.headerBytes, count <= file.size,
            offset <= file.size - count
        else { throw damage.error }
        var bytes = [UInt8](repeating: 0, count: count)
        try bytes.withUnsafeMutableBytes { try file.read(at: offset, into: $0) }
        let content = Array(bytes[JournalForm.headerBytes...])
        guard case .header(let header) = bytes.withUnsafeBytes({ JournalForm.header($0) }),
            header.kind == kind.rawValue, header.count == content.count,
            header.sum == JournalForm.sum(content)
        else { throw damage.error }
        return content
    }
}
