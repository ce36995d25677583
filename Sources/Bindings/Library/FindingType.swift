import Runtime

/// What an analysis found, as Lua holds it.
final class FindingBox: LuaObject {
    let finding: Finding

    init(_ finding: Finding) { self.finding = finding }
}

extension Library {
    static var findings: Library { Library(types: [findingType]) }

    private static func lua(_ cell: FindingCell) -> (any LuaConvertible)? {
        switch cell {
        case .plain(let value): lua(value)
        case .interval(let value):
            Record([("value", value.value), ("low", value.low), ("high", value.high)])
        }
    }

    package static func lua(_ value: ResultValue) -> (any LuaConvertible)? {
        switch value {
        case .integer(let number): number
        case .number(let number): number
        case .text(let text): text
        case .flag(let flag): flag
        case .missing: nil
        }
    }

    private static var findingType: ObjectType {
        ObjectType(
            "finding", FindingBox.self,
            "What an analysis found: a table, single values, and what they rest on.",
            describe: { $0.finding.text() },
            fields: [
                Field("title", "string", "What was asked.") { $0.finding.title },
                Field("columns", "list of strings", "Names of the rows' fields.") {
                    $0.finding.columns
                },
                Field(
                    "rows", "list of tables",
                    "The table; numbers with a 95% interval are tables with value, low and high."
                ) { box in
                    Record(
                        [],
                        items: box.finding.rows.map { row in
                            Record(zip(box.finding.columns, row).map { ($0, lua($1)) })
                        })
                },
                Field("values", "table", "Single results by name, in the same form.") { box in
                    Record(box.finding.values.map { ($0.name, lua($0.value)) })
                },
                Field("notes", "list of strings", "What the numbers rest on.") {
                    $0.finding.notes
                },
            ],
            methods: [
                Method(
                    "csv", "Writes the table as CSV, intervals in three columns. \(formulas)",
                    [.path("path", "Where to."), .options([rawOption]).optional]
                ) { box, call in
                    try AtomicFile.write(
                        try call.string("path"),
                        text: box.finding.csv(raw: try call.options().boolean("raw")))
                }
            ])
    }
}
