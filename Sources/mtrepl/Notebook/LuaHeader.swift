import Runtime

/// What stands before the cells of a notebook in Lua: Jupytext's header, YAML in comments between two lines `-- ---`.
enum LuaHeader {
    /// What a header says of the file itself, which is not the notebook's.
    private static let representation: JSON = [
        "extension": ".lua", "format_name": "percent", "format_version": "1.3",
    ]

    /// The header of a notebook, after the line that names the program, if it has one.
    static func text(_ notebook: Notebook) -> String {
        var metadata = notebook.allMetadata
        var jupytext = metadata["jupytext"] ?? [:]
        let program = jupytext["executable"]?.string.map { "#!\($0)\n" } ?? ""
        if jupytext["text_representation"] == nil {
            jupytext["text_representation"] = representation
        }
        metadata["jupytext"] = jupytext
        let lines = ["---"] + YAML.lines(["jupyter": metadata]) + ["---"]
        return program + lines.map { "-- \($0)\n" }.joined() + "\n"
    }

    /// Reads the header, if there is one, and removes its lines.
    ///
    /// - Throws: `NotebookError` naming file and line.
    static func read(
        _ lines: inout ArraySlice<ArraySlice<UInt8>>, _ file: String, _ notebook: inout Notebook
    ) throws {
        var executable: String?
        if let first = lines.first, first.starts(with: "#!".utf8) {
            executable = String(decoding: first.dropFirst(2), as: UTF8.self).trimmed
            lines.removeFirst()
        }
        // Jupytext names the encoding where a text has more than ASCII; here it is always UTF-8.
        if let first = lines.first.flatMap(comment), first.hasPrefix("-*- coding:") {
            lines.removeFirst()
        }
        var metadata: JSON?
        if let first = lines.first, comment(first) == "---",
            let end = lines.dropFirst().firstIndex(where: { comment($0) == "---" })
        {
            let number = lines.startIndex + 2
            let inside = lines[(lines.startIndex + 1)..<end].map { comment($0) ?? "" }
            var reader = YAML(inside, file: file, number: number)
            let root = try reader.value()
            guard let found = root["jupyter"], root.fields?.count == 1 else {
                throw NotebookError(
                    "\(file):\(number)", "a header with the key jupyter alone expected")
            }
            metadata = found == .null ? [:] : found
            lines = lines[(end + 1)...].drop { $0.isEmpty || $0.elementsEqual([13]) }
        }
        if let executable {
            var all = metadata ?? notebook.allMetadata
            var jupytext = all["jupytext"] ?? [:]
            jupytext["executable"] = .string(executable)
            all["jupytext"] = jupytext
            metadata = all
        }
        guard var metadata else { return }
        if var jupytext = metadata["jupytext"] {
            if jupytext["text_representation"] == representation {
                jupytext["text_representation"] = nil
            }
            metadata["jupytext"] = jupytext == [:] ? nil : jupytext
        }
        try notebook.take(JSONField(text: metadata.text, file: file, line: 1))
    }

    /// What stands in a comment; `nil` if the line is not one.
    private static func comment(_ line: ArraySlice<UInt8>) -> String? {
        var line = line
        if line.last == 13 { line.removeLast() }
        guard line.starts(with: "--".utf8) else { return nil }
        let rest = line.dropFirst(2)
        return String(decoding: rest.first == 0x20 ? rest.dropFirst() : rest, as: UTF8.self)
    }
}
