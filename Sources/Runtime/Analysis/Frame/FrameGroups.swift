import Foundation
import RuntimeSupport
import RuntimeTraining

/// The rows of a frame by the values of some columns, in order of first appearance.
public struct FrameGroups: Sendable {
    /// What a summary says of the repetitions beside their mean.
    public enum Statistic: String, CaseIterable, Sendable {
        /// The standard deviation with n − 1.
        case sd
        /// The middle value, or the mean of the two in the middle.
        case median
        /// The lowest.
        case min
        /// The highest.
        case max

        func of(_ values: [Double]) -> Double? {
            let sorted = values.sorted()
            switch self {
            case .sd: return values.count > 1 ? Samples.deviation(values) : nil
            case .median: return sorted.isEmpty ? nil : Samples.quantile(sorted, 0.5)
            case .min: return sorted.first
            case .max: return sorted.last
            }
        }
    }

    /// The frame that was grouped.
    public let frame: Frame
    /// The columns that it was grouped by.
    public let keys: [String]
    /// The values of `keys`, and the places of the rows that have them.
    public let groups: [(key: [ResultValue], rows: [Int])]

    /// Groups a frame.
    ///
    /// - Throws: `FrameError` for a column that does not exist or is named twice.
    public init(_ frame: Frame, by keys: [String], for field: String = "group") throws {
        let columns = try keys.map { try frame.column($0, for: field).values }
        guard Set(keys).count == keys.count else {
            throw FrameError(
                field, "different columns expected, got \(keys.joined(separator: ", "))")
        }
        let codes = columns.map(Self.codes)
        var found: [[Int]: Int] = [:]
        var groups: [(key: [ResultValue], rows: [Int])] = []
        for row in 0..<frame.count {
            let code = codes.map { $0[row] }
            if let group = found[code] {
                groups[group].rows.append(row)
            } else {
                found[code] = groups.count
                groups.append((columns.map { $0[row] }, [row]))
            }
        }
        self.frame = frame
        self.keys = keys
        self.groups = groups
    }

    /// A number for every value, the same for equal ones.
    static func codes(_ values: [ResultValue]) -> [Int] {
        var known: [ResultValue: Int] = [:]
        return values.map { value in
            let key = value.key
            if let code = known[key] { return code }
            known[key] = known.count
            return known.count - 1
        }
    }

    /// The number of rows of each group, in a column `rows`.
    ///
    /// - Throws: `FrameError` when that is one of the keys.
    public func counts() throws -> Frame {
        try Frame(
            keyColumns + [Frame.Column("rows", .value, groups.map { .integer($0.rows.count) })])
    }

    /// The frame of a group's rows.
    public func frame(of group: Int) -> Frame { frame.rows(at: groups[group].rows) }

    private var keyColumns: [Frame.Column] {
        keys.enumerated().map { place, name in
            let role = (try? frame.column(name))?.role
            return Frame.Column(name, role == .seed ? .seed : .axis, groups.map { $0.key[place] })
        }
    }

    /// The mean of some columns in each group, with interval and count.
    ///
    /// The unit is the seed: what differs in an inner seed only, such as the seed of finetuning, is averaged within the outer
    /// one when there are several of these. A column `V` gives `V` (the mean), `V_low`, `V_high` (Student's interval, missing
    /// for fewer than two units) and `V_n`; `V_missing` where rows have no value.
    ///
    /// - Parameters:
    ///   - over: Axes to average over within each seed, which every seed must have the same values of.
    ///   - confidence: Of the intervals, between 0 and 1.
    /// - Throws: `FrameError` when rows of a group differ in an axis that is neither a key nor among `over`, when a seed
    ///   occurs twice in a group, and when nothing tells rows apart: they are no repetitions.
    public func summary(
        _ values: [String], statistics: [Statistic] = [], over: [String] = [],
        confidence: Double = 0.95
    ) throws -> Frame {
        let units = try FrameUnits(self, over: over)
        var columns = keyColumns
        for name in values {
            _ = try frame.column(name, for: "summary")
            let found = try groups.indices.map { try units.values(of: name, group: $0) }
            let estimates = found.map { Estimate($0.values, confidence: confidence) }
            var mean = Frame.Column(
                name, .value, estimates.map { $0.count > 0 ? .number($0.mean) : .missing })
            mean.companions = .init(low: "\(name)_low", high: "\(name)_high", count: "\(name)_n")
            columns.append(mean)
            for (suffix, sign) in [("low", -1.0), ("high", 1.0)] {
                columns.append(
                    Frame.Column(
                        "\(name)_\(suffix)", .value,
                        estimates.map { estimate in
                            estimate.halfWidth.map { .number(estimate.mean + sign * $0) }
                                ?? .missing
                        }))
            }
            columns.append(Frame.Column("\(name)_n", .value, estimates.map { .integer($0.count) }))
            for statistic in statistics {
                columns.append(
                    Frame.Column(
                        "\(name)_\(statistic.rawValue)", .value,
                        found.map { statistic.of($0.values).map(ResultValue.number) ?? .missing }))
            }
            if found.contains(where: { $0.missing > 0 }) {
                columns.append(
                    Frame.Column("\(name)_missing", .value, found.map { .integer($0.missing) }))
            }
        }
        return try Frame(columns)
    }
}

/// What counts as one value of a group: its seeds.
struct FrameUnits {
    private let groups: FrameGroups
    private let seeds: [(name: String, codes: [Int])]
    private let over: [(name: String, codes: [Int])]

    /// - Throws: `FrameError` as `FrameGroups.summary` says.
    init(_ groups: FrameGroups, over: [String]) throws {
        let frame = groups.frame
        self.groups = groups
        func coded(_ column: Frame.Column) -> (String, [Int]) {
            (column.name, FrameGroups.codes(column.values))
        }
        self.over = try over.map { name in
            let column = try frame.column(name, for: "over")
            guard !groups.keys.contains(name), column.role != .seed else {
                throw FrameError(
                    "over",
                    "\(name) is \(groups.keys.contains(name) ? "a key of the groups" : "a seed")")
            }
            return coded(column)
        }
        seeds = frame.columns(.seed).filter { !groups.keys.contains($0.name) }.map(coded)
        let axes = frame.columns(.axis).filter {
            !groups.keys.contains($0.name) && !over.contains($0.name)
        }
        for axis in axes {
            let codes = FrameGroups.codes(axis.values)
            for group in groups.groups {
                guard let first = group.rows.first,
                    let other = group.rows.first(where: { codes[$0] != codes[first] })
                else { continue }
                throw FrameError(
                    "summary",
                    "\(place(group)) has rows of \(axis.name) \(axis.values[first].quoted) and \(axis.values[other].quoted), which are no repetitions of each other; group by \(axis.name) too, choose with where, or average over = { \"\(axis.name)\" }"
                )
            }
        }
        try checkRepetitions()
    }

    private func place(_ group: (key: [ResultValue], rows: [Int])) -> String {
        group.key.isEmpty
            ? "the frame"
            : "the group of "
                + zip(groups.keys, group.key).map { "\($0) \($1.quoted)" }.joined(separator: ", ")
    }

    /// No two rows of a group may have the same seeds, and every seed needs the same values of what is averaged over.
    private func checkRepetitions() throws {
        let tellers = seeds + over
        for group in groups.groups where group.rows.count > 1 {
            guard !tellers.isEmpty else {
                throw FrameError(
                    "summary",
                    "\(place(group)) has \(group.rows.count) rows, and no column says which repetition each is; a column called seed does, or seeds = { … } of mt.frame"
                )
            }
            var rows: [[Int]: Int] = [:]
            var averaged: [[Int]: Set<[Int]>] = [:]
            for row in group.rows {
                if let other = rows.updateValue(row, forKey: tellers.map { $0.codes[row] }) {
                    throw FrameError("summary", twice(group, other, row))
                }
                averaged[seedCode(row), default: []].insert(
                    over.map { $0.codes[row] })
            }
            guard !over.isEmpty, Set(averaged.values).count > 1 else { continue }
            throw FrameError(
                "over",
                "in \(place(group)) not every seed has the same values of \(over.map(\.name).joined(separator: ", ")): means over them would be of different things"
            )
        }
    }

    /// Says that rows have the same seeds, and what else tells them apart.
    private func twice(_ group: (key: [ResultValue], rows: [Int]), _ a: Int, _ b: Int) -> String {
        let frame = groups.frame
        let same = (seeds + over).map(\.name).map { name in
            "\(name) \((try? frame.column(name).values[a])?.quoted ?? "")"
        }
        // What takes many values was measured.
        let others = frame.columns.filter { column in
            column.values[a].key != column.values[b].key
                && Set(group.rows.map { row in column.values[row].key }).count * 2
                    <= group.rows.count
        }.map(\.name)
        return
            "\(place(group)) has two rows of \(same.joined(separator: ", ")), rows \(a + 1) and \(b + 1), which are no repetitions of each other"
            + (others.isEmpty
                ? "" : "; they differ in \(others.joined(separator: ", ")): group by that too")
    }

    /// One value for each unit of a group, and how many rows have none.
    func values(of name: String, group: Int) throws -> (values: [Double], missing: Int) {
        let column = try groups.frame.column(name, for: "summary")
        let rows = groups.groups[group].rows
        let known = try rows.filter { (row: Int) -> Bool in
            guard column.values[row].number == nil else { return true }
            guard column.values[row] == .missing else {
                throw FrameError(
                    "summary",
                    "\(name) holds \(column.values[row].quoted) in row \(row + 1); numbers expected"
                )
            }
            return false
        }
        // A mean over axes of which one value is missing would be of something else.
        var lost: Set<[Int]> = []
        if !over.isEmpty {
            lost = Set(rows.filter { column.values[$0] == .missing }.map(seedCode))
        }
        let used = known.filter { lost.isEmpty || !lost.contains(seedCode($0)) }
        func averages(_ rows: [(code: [Int], value: Double)]) -> [(code: [Int], value: Double)] {
            var places: [[Int]: Int] = [:]
            var sums: [(code: [Int], sum: Double, count: Int)] = []
            for (code, value) in rows {
                if let place = places[code] {
                    sums[place].sum += value
                    sums[place].count += 1
                } else {
                    places[code] = sums.count
                    sums.append((code, value, 1))
                }
            }
            return sums.map { ($0.code, $0.sum / Double($0.count)) }
        }
        // Over what is averaged, then over inner seeds.
        let single = averages(
            used.map { row in (seedCode(row), column.values[row].number ?? .nan) })
        let outer = seeds.indices.first { seed in
            Set(single.map { unit in unit.code[seed] }).count > 1
        }
        let units = averages(
            single.map { unit in (outer.map { seed in [unit.code[seed]] } ?? [], unit.value) })
        return (units.map(\.value), rows.count - used.count)
    }

    private func seedCode(_ row: Int) -> [Int] { seeds.map { $0.codes[row] } }
}
