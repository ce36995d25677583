import Glibc
import RuntimeSupport

/// Text that has been looked at before it is read: what is something else by its first bytes is refused by its name.
package final class SniffedInput: ByteInput {
    private let input: any ByteInput
    private var start = [UInt8](repeating: 0, count: 4096)
    private var given = 0

    package var consumed: Int { input.consumed }

    /// Looks at what `input` begins with.
    ///
    /// - Parameter allowsPages: whether the text may be a page of HTML or XML.
    /// - Throws: `TextError` for what is not text in UTF-8; as reading does.
    package init(_ input: any ByteInput, file: String, allowsPages: Bool) throws {
        self.input = input
        var count = 0
        while count < start.count {
            let more = try start.withUnsafeMutableBytes {
                try input.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[count...]))
            }
            if more == 0 { break }
            count += more
        }
        start.removeLast(start.count - count)
        if let reason = Self.fault(start) { throw TextError(file, reason) }
        if !allowsPages, let page = Self.page(start) {
            throw TextError(
                file,
                "it is \(page), perhaps a message of a server that was saved in its place: load it down again"
            )
        }
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard given < start.count else { return try input.read(into: buffer) }
        let part = start[given...].prefix(buffer.count)
        buffer.copyBytes(from: part)
        given += part.count
        return part.count
    }

    /// Why a file that begins with these bytes is not read as text; `nil` if it may be text.
    package static func fault(_ start: [UInt8]) -> String? {
        if let format = UnreadFormat.of(start) { return format.reason }
        if let compression = Compression.mark(of: start) {
            return "its content is compressed with \(compression.name): expected text; "
                + "the name of such a file ends in \(compression.ending), once for each time it was packed"
        }
        if LargeFilePointer.matches(start) { return LargeFilePointer.reason }
        return encoding(start).map { name in
            "it is text in \(name); expected UTF-8: iconv -f \(name) -t UTF-8 converts it"
        }
    }

    /// UTF-16 or UTF-32, by its mark or by where the zeros of common characters stand.
    private static func encoding(_ start: [UInt8]) -> String? {
        if start.starts(with: [0xff, 0xfe, 0, 0]) { return "UTF-32LE" }
        if start.starts(with: [0, 0, 0xfe, 0xff]) { return "UTF-32BE" }
        if start.starts(with: [0xff, 0xfe]) { return "UTF-16LE" }
        if start.starts(with: [0xfe, 0xff]) { return "UTF-16BE" }
        guard start.count >= 4, start.contains(0) else { return nil }
        var zeros = [0, 0, 0, 0]
        for (index, byte) in start.enumerated() where byte == 0 { zeros[index % 4] += 1 }
        let places = start.count / 4
        // Few characters of any script lie above U+FFFF, and every line end and space has a zero.
        func many(_ place: Int) -> Bool { zeros[place] * 8 > places }
        func all(_ place: Int) -> Bool { zeros[place] >= places }
        if all(3), zeros[2] * 2 > places, !all(0) { return "UTF-32LE" }
        if all(0), zeros[1] * 2 > places, !all(3) { return "UTF-32BE" }
        if many(1), many(3), zeros[0] + zeros[2] == 0 { return "UTF-16LE" }
        if many(0), many(2), zeros[1] + zeros[3] == 0 { return "UTF-16BE" }
        return nil
    }

    /// What kind of page a text is.
    package static func page(_ start: [UInt8]) -> String? {
        let marked = start.starts(with: ByteWindow.mark) ? start[3...] : start[...]
        let text = String(
            decoding: marked.drop { [0x20, 0x09, 0x0a, 0x0d].contains($0) }.prefix(16),
            as: UTF8.self
        ).lowercased()
        if text.hasPrefix("<!doctype html") || text.hasPrefix("<html") { return "an HTML page" }
        return text.hasPrefix("<?xml") ? "an XML document" : nil
    }
}
