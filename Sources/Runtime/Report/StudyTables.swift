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
    /// An arm that has no value in the first column, such as a control, has a row of its own name. What else tells arms apart
    /// that would lie in one cell has a column of its own: they are no repetitions.
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
        func head(_ record: [ResultValue]) -> ResultValue {
            record[row] == .missing ? record[0] : record[row]
        }
        let further = apart(records, head: head, row: row, column: column)
        var table = TextTable(
            [rowName] + further.map { names[$0] }
                + columnValues.map { "\(columnName)=\(Self.short($0))" })
        func heads(_ record: [ResultValue]) -> [ResultValue] {
            [head(record)] + further.map { record[$0] }
        }
        for rowValues in Self.ordered(records.map(heads)) {
            var cells = rowValues.map(Self.short)
            for columnValue in columnValues {
                let places = records.indices.filter {
                    heads(records[$0]) == rowValues && records[$0][column] == columnValue
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

    /// The places of the arm's name and parameters in which arms of one cell differ.
    private func apart(
        _ records: [[ResultValue]], head: ([ResultValue]) -> ResultValue, row: Int, column: Int
    ) -> [Int] {
        let names = columns
        let axes = names.indices.filter { place in
            (place == 0 || parameterNames.contains(names[place])) && place != row && place != column
                && !PairedEffects.seedNames.contains(names[place])
        }
        return axes.filter { axis in
            var seen: [[ResultValue]: ResultValue] = [:]
            return records.contains { record in
                let before = seen.updateValue(record[axis], forKey: [head(record), record[column]])
                return before.map { $0 != record[axis] } ?? false
            }
        }
    }

    package static func short(_ value: ResultValue) -> String {
        value == .missing ? "–" : ArmText.short(value)
    }

    static func ordered(_ values: [ResultValue]) -> [ResultValue] {
        Set(values).sorted(by: precedes)
    }

    private static func ordered(_ values: [[ResultValue]]) -> [[ResultValue]] {
        Set(values).sorted { a, b in
            for (x, y) in zip(a, b) where x != y { return precedes(x, y) }
            return false
        }
    }

    private static func precedes(_ a: ResultValue, _ b: ResultValue) -> Bool {
        switch (a.number, b.number) {
        case (let x?, let y?): x < y
        case (nil, .some): true
        case (.some, nil): false
        default: a.description < b.description
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
