import RuntimeEvaluation
import RuntimeTraining

extension StudyResult {
    /// The rows as a frame that knows the arm's name and parameters for axes, seeds for seeds, and the rest for what was
    /// measured or is a note.
    ///
    /// - Throws: `FrameError` when a parameter and a measure have one name.
    public func frame() throws -> Frame {
        let records = records()
        let parameters = Set(parameterNames)
        let notes: Set<String> = ["key", "failure", rateColumn, Self.targetColumn]
        return try Frame(
            columns.enumerated().map { place, name in
                let role: Frame.Role =
                    PairedEffects.seedNames.contains(name)
                    ? .seed
                    : place == 0 || parameters.contains(name)
                        ? .axis : notes.contains(name) ? .note : .value
                return Frame.Column(name, role, records.map { $0[place] })
            })
    }

    /// The result with further columns: axes become parameters of the arms, anything else is measured.
    ///
    /// - Throws: `FrameError` for a name that a column has already, and for texts among what was measured.
    public func adding(_ columns: [Frame.Column]) throws -> StudyResult {
        // It refuses names that collide.
        _ = try frame().adding(columns)
        var result = self
        for column in columns {
            switch column.role {
            case .axis, .seed:
                result = result.adding(parameter: column.name, column.values.map(\.armValue))
            case .value, .note:
                let numbers = try column.values.enumerated().map { row, value -> Double? in
                    guard value == .missing || value.number != nil else {
                        throw FrameError(
                            "with",
                            "\(column.name): numbers expected, got \(value.quoted) in row \(row + 1)"
                        )
                    }
                    return value.number
                }
                result = result.adding(
                    MeasureColumn(column.name, title: column.name.replacing("_", with: " ")),
                    numbers)
            }
        }
        return result
    }

    /// The result with the columns of a frame beside its own, where all keys are equal.
    ///
    /// Texts and flags become parameters, numbers are measured, unless the frame's column is an axis. Rows without a partner
    /// go, or stay with nothing in these columns when the join is to the left.
    ///
    /// - Throws: as `Frame.joining`; `FrameError` for an outer join, whose further rows have no arm.
    public func joining(_ other: Frame, on keys: [String], _ join: Frame.Join, repeats: Bool) throws
        -> StudyResult
    {
        guard join != .outer else {
            throw FrameError(
                "join",
                "an outer join has rows of no arm; result:frame() gives a frame that can be joined so"
            )
        }
        let place = "row of the result"
        let mine = try frame().adding([
            Frame.Column(place, .note, rows.indices.map { .integer($0) })
        ])
        let both = try mine.joining(other, on: keys, join, repeats: repeats)
        let kept = try both.numbers(place).map { Int($0) }
        let added = both.columns.dropFirst(mine.columns.count).map { column in
            var column = column
            if column.role != .axis {
                column.role = Frame.role(of: column.values, isMeasured: true)
            }
            return column
        }
        return try keeping(kept).adding(added)
    }

    /// Refuses to put arms into one cell that are not repetitions of each other.
    ///
    /// - Parameters:
    ///   - names: The columns whose values make a cell.
    ///   - cell: Their values.
    /// - Throws: `FrameError` naming what else tells the arms of a cell apart.
    package func checkCells(
        _ names: [String], _ rows: [Row], for field: String, cell: (Row) -> [ResultValue]
    ) throws {
        let others = (["arm"] + parameterNames).filter {
            !names.contains($0) && !PairedEffects.seedNames.contains($0)
        }
        func value(_ name: String, _ row: Row) -> ResultValue {
            name == "arm" ? .text(row.arm.name) : row.arm.parameter(name)?.result ?? .missing
        }
        var first: [[ResultValue]: Row] = [:]
        for row in rows {
            guard let other = first.updateValue(row, forKey: cell(row)),
                let name = others.first(where: { value($0, other) != value($0, row) })
            else { continue }
            throw FrameError(
                field,
                "arms of \(name) \(value(name, other).quoted) and \(value(name, row).quoted) would lie in one cell, and are no repetitions of each other; choose with result:where { \(name) = … }"
            )
        }
    }
}

extension ResultValue {
    /// The value as an arm's parameter.
    var armValue: ArmValue? {
        switch self {
        case .integer(let value): .integer(value)
        case .number(let value): .number(value)
        case .text(let value): .text(value)
        case .flag(let value): .flag(value)
        case .missing: nil
        }
    }
}
