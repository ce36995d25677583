import Foundation
import RuntimeAnalysis
import RuntimeTraining

/// One cell of a study's rows.
public enum ResultValue: Hashable, Sendable {
    /// A whole number.
    case integer(Int)
    /// A measurement.
    case number(Double)
    /// A word or a key.
    case text(String)
    /// Nothing known.
    case missing

    /// The value in full precision, as CSV and JSON have it.
    public var description: String {
        switch self {
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .text(let value): value
        case .missing: ""
        }
    }

    /// The value as a number, if it is one.
    public var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}

extension ArmValue {
    package var result: ResultValue {
        switch self {
        case .integer(let value): .integer(value)
        case .number(let value): .number(value)
        case .text(let value): .text(value)
        case .flag(let value): .text("\(value)")
        }
    }
}

extension StudyResult {
    /// The names of the parameters in use, in order of first appearance.
    public var parameterNames: [String] {
        var names: [String] = []
        for row in rows {
            for parameter in row.arm.parameters where !names.contains(parameter.name) {
                names.append(parameter.name)
            }
        }
        return names
    }

    /// The columns of `records()`.
    ///
    /// `arm`, the parameters, `learning_rate` (chosen on valid), for every corpus `NAME` (test loss at the end, nats a
    /// token) and `NAME_before` (before finetuning), for every task the same with its accuracy, and
    /// `NAME_normalised` for choices by length-normalised likelihood, `tokens_SOURCE`, `key`, `failure`.
    public var columns: [String] {
        ["arm"] + parameterNames + ["learning_rate"]
            + (corpora + scoreNames).flatMap { [$0, "\($0)_before"] }
            + sourceNames.map { "tokens_\($0)" } + [
                "key", "failure",
            ]
    }

    /// What tasks are measured by: their names, and `NAME_normalised` of choices.
    public var scoreNames: [String] {
        tasks.flatMap(\.scoreNames)
    }

    private func scores(_ losses: Losses) -> [ResultValue] {
        tasks.flatMap { task -> [ResultValue] in
            let score = losses.scores[task.name]
            let plain = score.map { ResultValue.number($0.accuracy) } ?? .missing
            let normalised = score?.normalised.map { ResultValue.number($0) } ?? .missing
            return task.isChoice ? [plain, normalised] : [plain]
        }
    }

    private var sourceNames: [String] {
        Set(rows.flatMap { $0.base?.sources.map(\.name) ?? [] }).sorted()
    }

    /// One record a row, in the order of `columns`.
    public func records() -> [[ResultValue]] {
        rows.map { row in
            var cells: [ResultValue] = [.text(row.arm.name)]
            cells += parameterNames.map { row.arm.parameter($0)?.result ?? .missing }
            cells.append(row.chosen.map { .number($0.settings.learningRate.peak) } ?? .missing)
            for corpus in corpora {
                cells.append(row.after[corpus, .test].map { .number($0.loss) } ?? .missing)
                cells.append(row.before[corpus, .test].map { .number($0.loss) } ?? .missing)
            }
            for (after, before) in zip(scores(row.after), scores(row.before)) {
                cells += [after, before]
            }
            let exposure = row.base.map { $0.exposure(at: $0.steps).total }
            for source in sourceNames {
                cells.append(exposure.map { .integer($0[source].tokens) } ?? .missing)
            }
            cells.append(row.key.map { .text($0.hex) } ?? .missing)
            cells.append(row.failure.map { .text($0) } ?? .missing)
            return cells
        }
    }

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
