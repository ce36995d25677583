import RuntimeAnalysis

extension Finding {
    /// All of it for people.
    public func text() -> String {
        var table = TextTable(columns)
        for row in rows { table.append(row.map(\.text)) }
        let width = values.map(\.name.count).max() ?? 0
        let results = values.map { item in
            item.name + String(repeating: " ", count: width + 2 - item.name.count) + item.value.text
        }
        return
            ([title] + (rows.isEmpty ? [] : [table.text()])
            + (results.isEmpty ? [] : [""] + results) + (notes.isEmpty ? [] : [""] + notes))
            .joined(separator: "\n")
    }

    /// The rows as CSV, intervals in three columns.
    ///
    /// - Parameter raw: As for `TextTable.csv`.
    public func csv(raw: Bool = false) -> String {
        let wide = columns.indices.map { column in
            rows.contains { if case .interval = $0[column] { true } else { false } }
        }
        var table = TextTable(
            columns.indices.flatMap { column in
                wide[column]
                    ? ["", "_low", "_high"].map { columns[column] + $0 } : [columns[column]]
            })
        for row in rows {
            table.append(
                columns.indices.flatMap { column -> [String] in
                    switch row[column] {
                    case .plain(let value):
                        [value.description] + (wide[column] ? ["", ""] : [])
                    case .interval(let value):
                        [value.value, value.low, value.high].map { $0.map { "\($0)" } ?? "" }
                    }
                })
        }
        return table.csv(raw: raw)
    }
}
