extension ReportDocument {
    /// Markdown with figures as files of a folder beside it.
    package func markdown(_ figures: [Drawn], folder: String) -> String {
        var parts = ["# \(Markup.markdown(title))"]
        var drawn = 0
        var tables = 0
        for block in blocks {
            switch block {
            case .heading(let text, let level):
                parts.append(
                    String(repeating: "#", count: min(6, max(2, level + 1))) + " "
                        + Markup.markdown(text, beginsLine: true))
            case .paragraph(let text): parts.append(Markup.markdown(text, beginsLine: true))
            case .list(let items):
                parts.append(
                    items.map { "- " + Markup.markdown($0, beginsLine: true) }.joined(
                        separator: "\n"))
            case .code(let text): parts.append(Self.fenced(text))
            case .table(let table, let caption):
                tables += 1
                parts.append("Table \(tables). \(Markup.markdown(caption))")
                parts.append(Self.table(table))
            case .figure(let plot, let caption):
                drawn += 1
                switch figures[drawn - 1] {
                case .svg:
                    let place = "\(folder)/\(drawn).svg".replacing(" ", with: "%20")
                    parts.append("![\(Markup.markdown(plot.title))](<\(place)>)")
                    parts.append("Figure \(drawn). \(Markup.markdown(caption))")
                case .numbers(let reason, let table):
                    parts.append("Figure \(drawn). \(Markup.markdown(caption))")
                    parts.append(Self.table(table))
                    parts.append("Not drawn: \(Markup.markdown(reason)).")
                }
            }
        }
        return parts.joined(separator: "\n\n") + "\n"
    }

    private static func table(_ table: TextTable) -> String {
        func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
        let rule = table.numericColumns.map { $0 ? "--:" : "---" }
        return
            ([row(table.columns.map { Markup.markdown($0) }), row(rule)]
            + table.rows.map { row($0.map { Markup.markdown($0) }) }).joined(separator: "\n")
    }

    /// Text as it is, inside a fence longer than any in it.
    private static func fenced(_ text: String) -> String {
        var fence = "```"
        while text.contains(fence) { fence += "`" }
        return "\(fence)\n\(text)\n\(fence)"
    }
}
