/// Notebooks as Lua: cells begin with `-- %%`, text cells are comments after `-- %% [markdown]` or `-- %% [raw]`, and what the
/// prompt understands beside Lua is a comment after `-- %% [prompt]`; outputs are left out.
extension Notebook {
    /// The whole text.
    var lua: String {
        cells.map { cell in
            switch cell.kind {
            case .markdown, .raw: "-- %% [\(cell.kind.rawValue)]\n" + Self.commented(cell.source)
            case .code where PromptCommand(cell.source) != nil:
                "-- %% [prompt]\n" + Self.commented(cell.source)
            case .code: "-- %%\n" + cell.source
            }
        }.joined(separator: "\n\n") + "\n"
    }

    private static func commented(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.isEmpty ? "--" : "-- \($0)" }.joined(separator: "\n")
    }

    /// Reads Lua; what stands before the first mark is a cell too.
    init(lua text: String) {
        var kind = Kind.code
        var isCommented = false
        var lines: [Substring] = []
        func flush(_ cells: inout [Cell]) {
            let source =
                isCommented
                ? lines.map { line in
                    line.hasPrefix("-- ")
                        ? line.dropFirst(3) : line.hasPrefix("--") ? line.dropFirst(2) : line
                } : lines
            let text = source.joined(separator: "\n").trimmedLines
            if !text.isEmpty { cells.append(Cell(kind: kind, source: text)) }
            lines = []
        }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if let mark = line.wholeMatch(of: #/--\s*%%(.*)/#) {
                flush(&cells)
                kind =
                    mark.1.contains("[markdown]")
                    ? .markdown : mark.1.contains("[raw]") ? .raw : .code
                isCommented = kind != .code || mark.1.contains("[prompt]")
            } else {
                lines.append(line)
            }
        }
        flush(&cells)
    }
}

extension String {
    /// The text without empty lines at its ends.
    var trimmedLines: String {
        var lines = split(separator: "\n", omittingEmptySubsequences: false)[...]
        while let first = lines.first, first.trimmed.isEmpty { lines.removeFirst() }
        while let last = lines.last, last.trimmed.isEmpty { lines.removeLast() }
        return lines.joined(separator: "\n")
    }
}
