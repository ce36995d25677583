import Runtime

/// The line before a cell in Lua: `-- %% title [kind] key=value …`, the percent format of Jupytext, Spyder and VS Code.
///
/// Values are JSON. What the line has no place for stands under the key `mtrepl`.
struct LuaMark {
    var kind = Notebook.Kind.code
    /// Whether the cell's lines are a comment: what Lua does not read, but the prompt does.
    var isPrompt = false
    /// The metadata of the cell.
    var metadata: JSON = [:]
    /// How many lines the cell has, where that could not be told.
    var lines: Int?
    /// Whether the code stands as it is in the notebook, though it looks like what we write for other code.
    var isVerbatim = false
    var attachments: JSON?

    init() {}

    /// Whether a line is a mark.
    static func isMark(_ line: ArraySlice<UInt8>) -> Bool { rest(line) != nil }

    /// What stands behind `-- %%`, without white space at its ends.
    private static func rest(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        var rest = trimmed(line)
        guard rest.starts(with: "--".utf8) else { return nil }
        rest = rest.dropFirst(2).drop { $0 == 0x20 || $0 == 0x09 }
        guard rest.starts(with: "%%".utf8) else { return nil }
        let depth = rest.dropFirst(2).drop { $0 == UInt8(ascii: "%") }
        guard depth.isEmpty || depth.first == 0x20 || depth.first == 0x09 else { return nil }
        return rest.dropFirst(2)
    }

    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0d }
        var part = line.drop(while: isSpace)
        while let last = part.last, isSpace(last) { part.removeLast() }
        return part
    }

    // MARK: - Reading

    /// Reads a line; `nil` if it is not a mark.
    ///
    /// - Throws: `NotebookError` naming `file` and the line's number.
    init?(_ line: ArraySlice<UInt8>, file: String, number: Int) throws {
        guard var rest = Self.rest(line) else { return nil }
        let place = "\(file):\(number)"
        let depth = rest.prefix { $0 == UInt8(ascii: "%") }.count
        rest = Self.trimmed(rest.dropFirst(depth))
        var (head, fields) = try Self.fields(rest, place)
        // An object of JSON may stand before `key=value` too.
        if let start = head.firstIndex(of: UInt8(ascii: "{")),
            let (value, after) = JSON.prefix(of: head[start...]), Self.trimmed(after).isEmpty
        {
            fields = (value.fields ?? []) + fields
            head = head[..<start]
        }
        var title = String(decoding: Self.trimmed(head), as: UTF8.self)
        if let match = title.wholeMatch(of: /(.*?)\s*\[(markdown|md|raw|code|prompt)\]/) {
            title = String(match.1)
            switch match.2 {
            case "markdown": kind = .markdown
            case "md":
                kind = .markdown
                metadata["region_name"] = .string("md")
            case "raw": kind = .raw
            case "prompt": isPrompt = true
            default: break
            }
        }
        if depth > 0 { metadata["cell_depth"] = .integer(depth) }
        if !title.isEmpty { metadata["title"] = .string(title) }
        for (key, value) in fields where key != "mtrepl" { metadata[key] = value }
        guard let own = fields.first(where: { $0.0 == "mtrepl" })?.1 else { return }
        let field = try JSONField(text: own.text, file: file, line: number)
        lines = try field.optional("lines")?.integer(0...(1 << 40))
        isVerbatim = try field.optional("verbatim")?.boolean() ?? false
        attachments = try field.optional("attachments")?.object()
        if let whole = try field.optional("metadata") { metadata = try whole.object() }
    }

    /// The title and the `key=value` behind it.
    private static func fields(
        _ text: ArraySlice<UInt8>, _ place: String
    ) throws -> (ArraySlice<UInt8>, [(String, JSON)]) {
        // A whole object of JSON may stand instead.
        if let start = text.firstIndex(of: UInt8(ascii: "{")),
            !text[..<start].contains(UInt8(ascii: "=")),
            let (value, rest) = JSON.prefix(of: text[start...]), trimmed(rest).isEmpty
        {
            return (text[..<start], value.fields ?? [])
        }
        var looksLikeOne = false
        for start in text.indices where start == text.startIndex || text[start - 1] == 0x20 {
            guard let (_, rest) = key(text[start...]) else { continue }
            if let found = pairs(text[start...]) { return (text[..<start], found) }
            looksLikeOne =
                looksLikeOne || rest.first.map { "[{\"'".utf8.contains($0) } == true
        }
        if looksLikeOne {
            throw NotebookError(
                place,
                "\(String(decoding: text, as: UTF8.self)): key=value with values in JSON expected")
        }
        return (text, [])
    }

    /// A key with its equals sign, and what follows.
    private static func key(_ text: ArraySlice<UInt8>) -> (String, ArraySlice<UInt8>)? {
        let name = text.prefix { byte in
            (byte | 32 >= 97 && byte | 32 <= 122) || (byte >= 48 && byte <= 57)
                || "_.@/-".utf8.contains(byte)
        }
        guard !name.isEmpty, text.dropFirst(name.count).first == UInt8(ascii: "=") else {
            return nil
        }
        return (String(decoding: name, as: UTF8.self), text.dropFirst(name.count + 1))
    }

    /// A text that is nothing but `key=value` and keys whose value is null.
    private static func pairs(_ text: ArraySlice<UInt8>) -> [(String, JSON)]? {
        var found: [(String, JSON)] = []
        var rest = text
        while !rest.isEmpty {
            if let (name, value) = key(rest) {
                guard let (json, after) = JSON.prefix(of: value),
                    after.isEmpty || after.first == 0x20
                else { return nil }
                found.append((name, json))
                rest = trimmed(after)
            } else {
                let name = rest.prefix { $0 != 0x20 }
                guard
                    String(decoding: name, as: UTF8.self).wholeMatch(
                        of: /[A-Za-z_.][A-Za-z0-9_.]*/)
                        != nil
                else { return nil }
                found.append((String(decoding: name, as: UTF8.self), .null))
                rest = trimmed(rest.dropFirst(name.count))
            }
        }
        return found
    }

    // MARK: - Writing

    /// The line.
    var text: String {
        let plain = text(metadata, whole: nil)
        // Metadata that a reader would not find again goes into one value.
        guard !plain.utf8.contains(10), !plain.utf8.contains(13),
            let read = try? LuaMark(Array(plain.utf8)[...], file: "", number: 0),
            read.metadata == metadata
        else { return text([:], whole: metadata) }
        return plain
    }

    private func text(_ metadata: JSON, whole: JSON?) -> String {
        var metadata = metadata
        var parts: [String] = []
        var head = "-- %%"
        if let depth = metadata["cell_depth"]?.int, (1...20).contains(depth) {
            head += String(repeating: "%", count: depth)
            metadata["cell_depth"] = nil
        }
        parts.append(head)
        if let title = metadata["title"]?.string {
            parts.append(title)
            metadata["title"] = nil
        }
        switch kind {
        case .markdown where metadata["region_name"] == "md":
            parts.append("[md]")
            metadata["region_name"] = nil
        case .markdown, .raw: parts.append("[\(kind.rawValue)]")
        case .code: if isPrompt { parts.append("[prompt]") }
        }
        for (key, value) in metadata.fields ?? [] { parts.append("\(key)=\(value.text)") }
        var own: JSON = [:]
        own["attachments"] = attachments
        own["lines"] = lines.map { .integer($0) }
        own["metadata"] = whole
        if isVerbatim { own["verbatim"] = true }
        if own != [:] { parts.append("mtrepl=\(own.text)") }
        return parts.joined(separator: " ")
    }
}
