import RuntimeSupport
import RuntimeTraining

extension Frame {
    /// One column for every value of some columns: a row for every value of `rows`, and in the cells the mean of `value` with
    /// interval and count, as `FrameGroups.summary` has them.
    ///
    /// Of a frame without seeds a cell is the value of its one row, with its interval if it has one.
    ///
    /// - Throws: `FrameError` as `FrameGroups.summary` does, and when a cell of a frame without seeds has several rows.
    public func pivot(
        rows: [String], columns names: [String], value: String, over: [String] = [],
        confidence: Double = 0.95
    ) throws -> Frame {
        let both = rows.filter(names.contains)
        guard both.isEmpty, !rows.isEmpty, !names.isEmpty else {
            throw FrameError(
                "pivot",
                both.isEmpty
                    ? "names of rows and of columns expected"
                    : "\(both.joined(separator: ", ")) cannot be rows and columns at once")
        }
        let cells = try cells(rows + names, value, over, confidence)
        let across = try FrameGroups(cells, by: names, for: "pivot")
        let down = try FrameGroups(cells, by: rows, for: "pivot")
        let order = across.groups.indices.sorted { a, b in
            for (x, y) in zip(across.groups[a].key, across.groups[b].key) where x.key != y.key {
                return ResultValue.precedes(x, y)
            }
            return false
        }
        var places = [Int](repeating: 0, count: cells.count)
        for (place, group) in down.groups.enumerated() {
            for row in group.rows { places[row] = place }
        }
        var columns = rows.enumerated().map { place, name in
            Column(name, .axis, down.groups.map { $0.key[place] })
        }
        let source = try cells.column(value, for: "pivot")
        let parts = source.companions
        for group in order.map({ across.groups[$0] }) {
            let name = zip(names, group.key).map {
                "\($0)=\($1 == .missing ? "–" : $1.short)"
            }.joined(separator: ", ")
            func spread(_ column: Column, _ name: String) -> Column {
                var values = [ResultValue](repeating: .missing, count: down.groups.count)
                for row in group.rows { values[places[row]] = column.values[row] }
                return Column(name, .value, values)
            }
            var mean = spread(source, name)
            guard let parts else {
                columns.append(mean)
                continue
            }
            mean.companions = .init(low: "\(name)_low", high: "\(name)_high", count: "\(name)_n")
            columns.append(mean)
            for (part, suffix) in [(parts.low, "low"), (parts.high, "high"), (parts.count, "n")] {
                columns.append(spread(try cells.column(part, for: "pivot"), "\(name)_\(suffix)"))
            }
        }
        return try Frame(columns)
    }

    /// One row for every combination of the keys.
    private func cells(_ keys: [String], _ value: String, _ over: [String], _ confidence: Double)
        throws -> Frame
    {
        let groups = try FrameGroups(self, by: keys, for: "pivot")
        if columns(.seed).isEmpty, over.isEmpty {
            guard let crowd = groups.groups.first(where: { $0.rows.count > 1 }) else { return self }
            throw FrameError(
                "pivot",
                "\(crowd.rows.count) rows have "
                    + zip(keys, crowd.key).map { "\($0) \($1.quoted)" }.joined(separator: ", ")
                    + "; one expected, or a column that says which repetition each is")
        }
        return try groups.summary([value], over: over, confidence: confidence)
    }
}
