import Foundation
import RuntimeAnalysis
import RuntimeTraining

extension StudyResult {
    /// The records as CSV.
    ///
    /// - Parameter raw: As for `TextTable.csv`.
    public func csv(raw: Bool = false) -> String {
        var table = TextTable(columns)
        for record in records() { table.append(record.map(\.description)) }
        return table.csv(raw: raw)
    }

    /// The table of `pivot` and what is excluded from it.
    ///
    /// - Throws: `RecipeError` naming a column that does not exist.
    public func pivotText(rows: String, columns: String, value: String) throws -> String {
        ([try pivot(rows: rows, columns: columns, value: value).text()]
            + exclusions.map { "excluded: \($0)" }).joined(separator: "\n")
    }

    /// Mean and 95% interval of one column for every pair of values of two others, with the number of arms.
    ///
    /// An arm that has no value in the first column, such as a control, has a row of its own name.
    ///
    /// - Throws: `RecipeError` naming a column that does not exist.
    public func pivot(rows rowName: String, columns columnName: String, value valueName: String)
        throws -> TextTable
    {
        let names = columns
        func index(_ name: String) throws -> Int {
            guard let index = names.firstIndex(of: name) else {
                throw RecipeError(
                    "table", "no column is called \(name); known: \(names.joined(separator: ", "))")
            }
            return index
        }
        let (row, column, value) = (try index(rowName), try index(columnName), try index(valueName))
        let records = records()
        let columnValues = Self.ordered(records.map { $0[column] })
        var table = TextTable([rowName] + columnValues.map { "\(columnName)=\(Self.short($0))" })
        func head(_ record: [ResultValue]) -> ResultValue {
            record[row] == .missing ? record[0] : record[row]
        }
        for rowValue in Self.ordered(records.map(head)) {
            var cells = [Self.short(rowValue)]
            for columnValue in columnValues {
                let places = records.indices.filter {
                    head(records[$0]) == rowValue && records[$0][column] == columnValue
                }
                let values = places.compactMap { place in
                    records[place][value].number.map { (arm: self.rows[place].arm, value: $0) }
                }
                let failed = places.count { self.rows[$0].failure != nil }
                // Of arms with several finetuning seeds, each trunk is one value.
                let estimate = Estimate(Repetitions.averaged(values))
                let lost = failed > 0 ? "\(failed) failed" : ""
                cells.append(
                    values.isEmpty
                        ? lost
                        : "\(estimate.text()) (n=\(estimate.count)\(lost.isEmpty ? "" : ", " + lost))"
                )
            }
            table.append(cells)
        }
        return table
    }

    package static func short(_ value: ResultValue) -> String {
        value == .missing ? "–" : ArmText.short(value)
    }

    static func ordered(_ values: [ResultValue]) -> [ResultValue] {
        Set(values).sorted { a, b in
            switch (a.number, b.number) {
            case (let x?, let y?): x < y
            case (nil, .some): true
            case (.some, nil): false
            default: a.description < b.description
            }
        }
    }
}

enum ArmText {
    /// Numbers without a superfluous fraction.
    static func short(_ value: ResultValue) -> String {
        if case .number(let number) = value, number == number.rounded(), abs(number) < 1e15 {
            return "\(Int(number))"
        }
        return value.description
    }
}
