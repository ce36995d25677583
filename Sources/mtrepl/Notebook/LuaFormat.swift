/// Notebooks as Lua: cells begin with `-- %%`, text cells are comments after `-- %% [markdown]`; outputs are left out.
extension Notebook {
    /// The whole text.
    var lua: String {
        cells.map { cell in
            guard cell.isCode else {
                return "-- %% [markdown]\n" + Self.commented(cell.source)
            }
            // What the prompt understands beside Lua cannot stand in a script.
            let isLua = PromptCommand(cell.source) == nil
            return "-- %%\n" + (isLua ? cell.source : Self.commented(cell.source))
        }.joined(separator: "\n\n") + "\n"
    }

    private static func commented(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.isEmpty ? "--" : "-- \($0)" }.joined(separator: "\n")
    }

    /// Reads Lua; what stands before the first mark is a cell too.
    init(lua text: String) {
        var isCode = true
        var lines: [Substring] = []
        func flush(_ cells: inout [Cell]) {
            let source =
                isCode
                ? lines
                : lines.map { line in
                    line.hasPrefix("-- ")
                        ? line.dropFirst(3) : line.hasPrefix("--") ? line.dropFirst(2) : line
                }
            let text = source.joined(separator: "\n").trimmedLines
            if !text.isEmpty { cells.append(Cell(isCode: isCode, source: text)) }
            lines = []
        }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if let mark = line.wholeMatch(of: #/--\s*%%(.*)/#) {
                flush(&cells)
                isCode = !mark.1.contains("[markdown]")
            } else {
                lines.append(line)
            }
        }
        flush(&cells)
    }
}

extension String {
    /// The text without empty lines at its ends.
    fileprivate var trimmedLines: String {
        var lines = split(separator: "\n", omittingEmptySubsequences: false)[...]
        while let first = lines.first, first.trimmed.isEmpty { lines.removeFirst() }
        while let last = lines.last, last.trimmed.isEmpty { lines.removeLast() }
        return lines.joined(separator: "\n")
    }
}
