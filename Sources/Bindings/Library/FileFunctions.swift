import Runtime

extension Library {
    package static var files: Library { Library(functions: [writeCSV]) }

    /// What every function that writes CSV says.
    package static let formulas =
        "Texts that begin with =, +, -, @, a tab or a carriage return get an apostrophe before them, as spreadsheets would run them; numbers stay as they are."

    /// The option of functions that write CSV.
    static var rawOption: Parameter {
        .boolean("raw", "Write texts as they are, whatever they begin with.").or(false)
    }

    private static var writeCSV: Function {
        Function(
            "write_csv",
            "Writes rows as CSV, whole or not at all, making the folder if need be. \(formulas)",
            [
                .path("path", "Where to."), .strings("columns", "The heads of the columns."),
                .table("rows", "A list of tables with a field for every column that is known."),
                .options([rawOption]).optional,
            ],
            example: """
                mt.write_csv("losses.csv", { "step", "loss" }, { { step = 1, loss = 3.5 }, { step = 2, loss = 3.1 } })
                """
        ) { call in
            let columns = try call.strings("columns")
            var table = TextTable(columns)
            let stop = call.interpreter.session.stop
            let raw = try call.options().boolean("raw")
            for (index, row) in try call.table("rows").items.enumerated() {
                if index % 4096 == 0, stop() { throw Interrupted("interrupted while writing rows") }
                guard case .table(let fields) = row else {
                    throw call.mistake(
                        "rows", "a table expected at [\(index + 1)], got \(row.summary)")
                }
                if let odd = fields.fields.first(where: { !columns.contains($0.key) }) {
                    throw call.mistake(
                        "rows", "[\(index + 1)] has a field '\(odd.key)' that is not a column")
                }
                table.append(try columns.map { try text(fields[$0], call, "[\(index + 1)].\($0)") })
            }
            try AtomicFile.write(try call.string("path")) { writer in
                for (index, line) in table.csvLines(raw: raw).enumerated() {
                    if index % 4096 == 0, stop() {
                        throw Interrupted("interrupted while writing rows")
                    }
                    try writer.write(line)
                }
            }
        }
    }

    private static func text(_ value: Value?, _ call: Call, _ place: String) throws -> String {
        switch value {
        case nil, .null?: return ""
        case .boolean(let flag)?: return "\(flag)"
        case .integer(let number)?: return "\(number)"
        case .number(let number)?: return "\(number)"
        case .string(let text)?: return text
        case let other?:
            throw call.mistake(
                "rows", "\(place): number, string or boolean expected, got \(other.summary)")
        }
    }
}
