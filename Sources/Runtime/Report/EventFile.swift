import Foundation
import RuntimeSupport

/// Scalars in a file that TensorBoard reads.
///
/// The file is a sequence of records, each framed by its length (64 bits), the masked CRC-32C of the length, the data
/// and the masked CRC-32C of the data, all little-endian (TFRecord). The data are `Event` messages of protocol
/// buffers: wall_time = 1, step = 2, file_version = 3, summary = 5, session_log = 7; a summary's value = 1 with tag = 1
/// and simple_value = 2; a session log's status = 1 with START = 1.
package enum EventFile {
    /// One number of one curve.
    package struct Scalar {
        package let tag: String
        package let step: Int
        /// Seconds since 1970.
        package let time: Double
        package let value: Double

        package init(tag: String, step: Int, time: Double, value: Double) {
            (self.tag, self.step, self.time, self.value) = (tag, step, time, value)
        }
    }

    /// Brings the event file of a folder up to date, so that a program that has it open sees the new scalars.
    ///
    /// TensorBoard reads on from where it was and never looks at a file again that was replaced under its name. So what
    /// is new is appended; where the file holds other values, a restart is appended that makes TensorBoard drop what it
    /// has from that step on, and then the values from there. A file that cannot be gone on with (it is damaged, or has
    /// curves that are not among these) is replaced by one of the next number.
    ///
    /// - Returns: the path of the file.
    /// - Throws: `FileError`.
    @discardableResult
    package static func update(_ folder: String, _ scalars: [Scalar], start: Double) throws
        -> String
    {
        let names = ((try? FileAccess.names(in: folder)) ?? [])
            .filter { number(of: $0) != nil }.sorted()
        guard let last = names.last else {
            let path = "\(folder)/\(name(0))"
            try write(path, scalars, start: start)
            return path
        }
        let path = "\(folder)/\(last)"
        if let log = EventLog(try FileReader.bytes(path, limit: longest)),
            log.tags.isSubset(of: Set(scalars.map(\.tag)))
        {
            let added = log.continuation(scalars).flatMap(frame)
            try append(added, to: path, at: log.length)
            return path
        }
        let next = "\(folder)/\(name((number(of: last) ?? 0) + 1))"
        try write(next, scalars, start: start)
        for name in names { FileAccess.remove("\(folder)/\(name)") }
        return next
    }

    private static let longest = 1 << 31
    private static let beginning = "events.out.tfevents."
    private static let ending = ".mtrepl"

    private static func name(_ number: Int) -> String {
        let digits = "\(number)"
        return beginning + String(repeating: "0", count: max(0, 10 - digits.count)) + digits
            + ending
    }

    private static func number(of name: String) -> Int? {
        guard name.hasPrefix(beginning), name.hasSuffix(ending) else { return nil }
        let digits = name.dropFirst(beginning.count).dropLast(ending.count)
        guard digits.count == 10, digits.allSatisfy({ ("0"..."9").contains($0) }) else {
            return nil
        }
        return Int(digits)
    }

    /// Writes a new file.
    private static func write(_ path: String, _ scalars: [Scalar], start: Double) throws {
        try AtomicFile.write(path) { writer in
            var version = Message()
            version.add(1, start)
            version.add(3, Array("brain.Event:2".utf8))
            try put(frame(version.bytes), &writer)
            for scalar in scalars { try put(frame(scalar.event), &writer) }
        }
    }

    /// Appends to a file whose whole records end at `length`; a record that a crash cut off is dropped.
    private static func append(_ bytes: [UInt8], to path: String, at length: Int) throws {
        let descriptor = try FileAccess.open(path, O_WRONLY | O_NONBLOCK)
        defer { close(descriptor) }
        guard ftruncate(descriptor, off_t(length)) == 0, lseek(descriptor, 0, SEEK_END) >= 0 else {
            throw FileError("write", path, errno: errno)
        }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress.map { $0 + written }, bytes.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let reason = errno
                // Nobody has read half a record.
                _ = ftruncate(descriptor, off_t(length))
                throw FileError("write", path, errno: reason)
            }
            written += count
        }
        guard fsync(descriptor) == 0 else { throw FileError("write", path, errno: errno) }
    }

    private static func put(_ frame: [UInt8], _ writer: inout FileWriter) throws {
        try frame.withUnsafeBytes { try writer.write($0) }
    }

    /// A record: data between their length and checksums.
    package static func frame(_ data: [UInt8]) -> [UInt8] {
        let length = little(UInt64(data.count))
        return length + little(CRC32C.masked(length)) + data + little(CRC32C.masked(data))
    }

    fileprivate static func little(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    /// A message of protocol buffers in the making.
    struct Message {
        private(set) var bytes: [UInt8] = []

        private mutating func variable(_ value: UInt64) {
            var rest = value
            while rest >= 0x80 {
                bytes.append(UInt8(rest & 0x7f) | 0x80)
                rest >>= 7
            }
            bytes.append(UInt8(rest))
        }

        private mutating func key(_ field: UInt64, wire: UInt64) { variable(field << 3 | wire) }

        mutating func add(_ field: UInt64, _ value: UInt64) {
            key(field, wire: 0)
            variable(value)
        }

        mutating func add(_ field: UInt64, _ value: Double) {
            key(field, wire: 1)
            bytes += little(value.bitPattern)
        }

        mutating func add(_ field: UInt64, _ data: [UInt8]) {
            key(field, wire: 2)
            variable(UInt64(data.count))
            bytes += data
        }

        mutating func add(_ field: UInt64, _ value: Float) {
            key(field, wire: 5)
            bytes += little(value.bitPattern)
        }
    }
}

extension EventFile.Scalar {
    /// Its message.
    package var event: [UInt8] {
        var value = EventFile.Message()
        value.add(1, Array(tag.utf8))
        value.add(2, Float(self.value))
        var summary = EventFile.Message()
        summary.add(1, value.bytes)
        var event = EventFile.Message()
        event.add(1, time)
        event.add(2, UInt64(max(0, step)))
        event.add(5, summary.bytes)
        return event.bytes
    }
}
