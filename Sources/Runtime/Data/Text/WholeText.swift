import RuntimeSupport

/// A file of text, which is one document.
enum WholeText {
    /// All of it.
    ///
    /// - Throws: `TextError` for text that is too long or not UTF-8; `Interrupted` when `stop` says so.
    static func read(
        _ input: any ByteInput, _ path: String, limit: Int, stop: ShouldStop
    ) throws -> [UInt8] {
        var text: [UInt8] = []
        var checked = 1 << 24
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { piece.deallocate() }
        while true {
            if stop() { throw Interrupted("interrupted while reading \(path)") }
            let count = try input.read(into: piece)
            if count == 0 { break }
            text.append(contentsOf: piece[..<count])
            if text.count >= checked {
                checked *= 2
                // A list that is full doubles, and the text is copied when it is encoded.
                try Memory.require(
                    [("copies", 4 * text.count)],
                    for: "a text of more than \(text.count) bytes in \(path)")
            }
            guard text.count <= limit else {
                throw TextError(
                    path,
                    "the document is longer than \(limit) bytes; "
                        + "divide it into documents, one on each line of a .jsonl file")
            }
        }
        removeMarks(&text)
        if let position = text.withUnsafeBytes({ UTF8Check.firstInvalid($0) }) {
            let line = text[..<position].count { $0 == 10 } + 1
            throw TextError(path, line: line, "byte \(position + 1) of the text is not UTF-8")
        }
        if let position = text.firstIndex(of: 0) {
            let line = text[..<position].count { $0 == 10 } + 1
            throw TextError(
                path, line: line,
                "byte \(position + 1) of the text is NUL, which no text holds")
        }
        return text
    }

    /// Removes byte order marks from where lines begin; those within are of files that were joined.
    private static func removeMarks(_ text: inout [UInt8]) {
        let mark = ByteWindow.mark
        var kept: [UInt8] = []
        var from = 0
        var place = text.firstIndex(of: mark[0])
        while let found = place {
            let begins = found == 0 || text[found - 1] == 10 || text[found - 1] == 13
            if begins, text[found...].starts(with: mark) {
                kept += text[from..<found]
                from = found + 3
            }
            place = text[(found + 1)...].firstIndex(of: mark[0])
        }
        if from > 0 { text = kept + text[from...] }
    }
}
