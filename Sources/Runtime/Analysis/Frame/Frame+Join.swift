import RuntimeSupport
import RuntimeTraining

extension Frame {
    /// Which rows a join keeps.
    public enum Join: String, CaseIterable, Sendable {
        /// Those that have a partner in both.
        case inner
        /// All of the first.
        case left
        /// All of both.
        case outer
    }

    /// Rows of two frames side by side, where all keys are equal; something missing equals something missing.
    ///
    /// Rows stand in the order of the first frame, and of an outer join what only the second has comes last.
    ///
    /// - Parameters:
    ///   - keys: Columns that both have.
    ///   - repeats: Whether several rows of the first frame may have the same keys; never those of the second.
    /// - Throws: `FrameError` for keys that repeat, and for other columns that both have.
    public func joining(
        _ other: Frame, on keys: [String], _ join: Join = .inner, repeats: Bool = false
    ) throws -> Frame {
        let pairs = try partners(other, on: keys, join, repeats: repeats)
        let added = other.columns.filter { !keys.contains($0.name) }
        if let twice = added.first(where: { has($0.name) }) {
            throw FrameError(
                "join",
                "both have a column called \(twice.name), which is no key; select gives it another name: other:select { …, \(twice.name)_2 = \"\(twice.name)\" }"
            )
        }
        let all = columns.map { column -> Column in
            var result = column
            let others = keys.contains(column.name) ? try? other.column(column.name).values : nil
            result.values = pairs.map { pair in
                if let row = pair.first { return column.values[row] }
                return pair.second.flatMap { others?[$0] } ?? .missing
            }
            return result
        }
        return Frame(
            unchecked: all
                + added.map { column in
                    var result = column
                    result.values = pairs.map { $0.second.map { column.values[$0] } ?? .missing }
                    return result
                }, count: pairs.count)
    }

    /// The rows that stand side by side.
    private func partners(_ other: Frame, on keys: [String], _ join: Join, repeats: Bool) throws
        -> [(first: Int?, second: Int?)]
    {
        guard !keys.isEmpty, Set(keys).count == keys.count else {
            throw FrameError(
                "join",
                "on: different columns that both have expected, got \(keys.isEmpty ? "none" : keys.joined(separator: ", "))"
            )
        }
        // One numbering for the values of both.
        let codes = try keys.map { name in
            let (mine, theirs) = (
                try column(name, for: "join").values,
                try other.column(name, for: "join (other)").values
            )
            try Self.check(name, mine, theirs)
            return FrameGroups.codes(mine + theirs)
        }
        func code(_ row: Int) -> [Int] { codes.map { $0[row] } }
        func quoted(_ frame: Frame, _ row: Int) -> String {
            keys.map { "\($0) \((try? frame.column($0).values[row])?.quoted ?? "")" }
                .joined(separator: ", ")
        }
        var places: [[Int]: Int] = [:]
        for row in 0..<other.count {
            if let before = places.updateValue(row, forKey: code(count + row)) {
                throw FrameError(
                    "join",
                    "rows \(before + 1) and \(row + 1) of the other frame have the same keys (\(quoted(other, row))); each may be there once"
                )
            }
        }
        var seen: [[Int]: Int] = [:]
        var used: Set<Int> = []
        var pairs: [(first: Int?, second: Int?)] = []
        for row in 0..<count {
            let code = code(row)
            if let before = seen.updateValue(row, forKey: code), !repeats {
                throw FrameError(
                    "join",
                    "rows \(before + 1) and \(row + 1) have the same keys (\(quoted(self, row))); with repeats = true several rows may have one partner"
                )
            }
            let partner = places[code]
            if let partner { used.insert(partner) }
            if partner != nil || join != .inner { pairs.append((row, partner)) }
        }
        if join == .outer {
            pairs += (0..<other.count).filter { !used.contains($0) }.map { (nil, $0) }
        }
        return pairs
    }

    /// Numbers never equal texts: what looks alike would find no partner.
    private static func check(_ name: String, _ mine: [ResultValue], _ theirs: [ResultValue]) throws
    {
        func kinds(_ values: [ResultValue]) -> Set<String> {
            Set(
                values.compactMap { value in
                    switch value {
                    case .integer, .number: "numbers"
                    case .text: "texts"
                    case .flag: "flags"
                    case .missing: nil
                    }
                })
        }
        let (first, second) = (kinds(mine), kinds(theirs))
        guard !first.isEmpty, !second.isEmpty, first.isDisjoint(with: second) else { return }
        throw FrameError(
            "join",
            "\(name) holds \(first.sorted().joined(separator: " and ")) here and \(second.sorted().joined(separator: " and ")) in the other frame"
        )
    }
}
