import RuntimeAnalysis
import RuntimeTraining
extension Finding {
    /// The finding as parts of a report: its table, its single values, and what they rest on.
    public var blocks: [ReportDocument.Block] {
        var blocks: [ReportDocument.Block] = []
        if !rows.isEmpty {
            var table = TextTable(columns.map(Self.words))
            for row in rows { table.append(row.map(\.text)) }
            blocks.append(.table(table, caption: title + "."))
        }
        if !values.isEmpty {
            var table = TextTable(["result", "value [95% interval]"])
            for (name, value) in values { table.append([Self.words(name), value.text]) }
            blocks.append(.table(table, caption: title + "."))
        }
        if !notes.isEmpty { blocks.append(.paragraph(notes.joined(separator: " "))) }
        return blocks
    }

    private static func words(_ name: String) -> String { name.replacing("_", with: " ") }
}
