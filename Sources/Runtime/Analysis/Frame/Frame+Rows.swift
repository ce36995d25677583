import RuntimeSupport
import RuntimeTraining

extension Frame {
    /// The places of the rows whose columns have given values; several values of a column are alternatives.
    ///
    /// - Throws: `FrameError` for a column that does not exist, a value of another kind than the column holds, and one that
    ///   no row has.
    public func places(where conditions: [(column: String, values: [ResultValue])]) throws -> [Int]
    {
        var places = Array(0..<count)
        for condition in conditions {
            let column = try column(condition.column, for: "where")
            for value in condition.values { try check(value, column) }
            let wanted = Set(condition.values.map(\.key))
            places = places.filter { wanted.contains(column.values[$0].key) }
        }
        return places
    }

    private func check(_ value: ResultValue, _ column: Column) throws {
        if column.values.contains(where: { $0.key == value.key }) { return }
        var known: [ResultValue] = []
        for other in column.values where other != .missing && !known.contains(other) {
            known.append(other)
            if known.count > 12 { break }
        }
        known.sort(by: ResultValue.precedes)
        throw FrameError(
            "where",
            "no row has \(column.name) = \(value.quoted)"
                + (known.isEmpty || known.count > 12
                    ? "" : "; known: \(known.map(\.quoted).joined(separator: ", "))"))
    }

    /// The places of the rows for which an expression is true; where it is missing, the row is left out.
    ///
    /// - Throws: `FrameError` for a column that does not exist, and for a value that is neither true nor false.
    public func places(where condition: FrameExpression) throws -> [Int] {
        try condition.values(in: self, for: "where").enumerated().compactMap { row, value in
            switch value {
            case .flag(let flag): return flag ? row : nil
            case .missing: return nil
            default:
                throw FrameError(
                    "where",
                    "\(condition.text): true or false expected, got \(value.quoted) in row \(row + 1)"
                )
            }
        }
    }

    /// The places of the rows in order of some columns, the first one first; equal rows keep their order, and what is missing
    /// comes last.
    ///
    /// - Throws: `FrameError` for a column that does not exist.
    public func order(by columns: [(name: String, descending: Bool)]) throws -> [Int] {
        let keys = try columns.map { item in
            (ranks: Self.ranks(try column(item.name, for: "sort").values), item.descending)
        }
        return (0..<count).sorted { a, b in
            for (ranks, descending) in keys {
                let (x, y) = (ranks[a], ranks[b])
                if x == y { continue }
                // What is missing has the rank 0.
                if x == 0 || y == 0 { return y == 0 }
                return descending ? x > y : x < y
            }
            return a < b
        }
    }

    /// The place of every value among the distinct ones, from 1; 0 for what is missing.
    private static func ranks(_ values: [ResultValue]) -> [Int] {
        var ranks: [ResultValue: Int] = [:]
        let keys = values.map(\.key)
        for (place, value) in Set(keys).sorted(by: ResultValue.precedes).enumerated() {
            ranks[value] = value == .missing ? 0 : place + 1
        }
        return keys.map { ranks[$0] ?? 0 }
    }

    /// A column by an expression; what it is made of decides its role.
    ///
    /// Of axes alone (and of constants) come axes, unless a seed is among them; of anything that was measured, values; texts
    /// are axes.
    ///
    /// - Throws: `FrameError` for a column that does not exist, for operands that do not fit, and for a result that is not
    ///   finite.
    public func column(_ name: String, _ expression: FrameExpression) throws -> Column {
        let values = try expression.values(in: self, for: "with")
        let roles = try Set(expression.names.map { try column($0, for: "with").role })
        let measured = !roles.isSubset(of: [.axis, .seed])
        return Column(name, Self.role(of: values, isMeasured: measured), values)
    }

    /// The role of a new column: texts and flags tell designs apart, and so do numbers unless they were measured.
    public static func role(of values: [ResultValue], isMeasured: Bool) -> Role {
        let areNumbers = values.allSatisfy { $0 == .missing || $0.number != nil }
        return isMeasured && areNumbers ? .value : .axis
    }
}
