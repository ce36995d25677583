import Foundation
import RuntimeAnalysis
import RuntimeSupport
import RuntimeTraining

extension Frame {
    /// The frame for people: means with half of their interval and their count in one cell.
    ///
    /// - Parameter most: Rows that are shown; how many more there are is said.
    public func text(most: Int = 200) -> String {
        var text = textTable(most: most).text()
        if count > most { text += "\n… and \(count - most) more rows" }
        return text
    }

    /// The table that `text` shows.
    public func textTable(most: Int = .max, missing: String = "–") -> TextTable {
        let part = count > most ? rows(at: Array(0..<max(0, most))) : self
        let shown = part.shownColumns
        let cells = shown.map { column -> [String] in
            let texts = column.texts(missing: missing)
            guard let limits = part.limits(of: column) else { return texts }
            let decimals = texts.contains { $0.contains("e") } ? nil : Self.decimals(texts)
            return texts.indices.map { row in
                guard column.values[row] != .missing else { return missing }
                let half = limits.half[row].map { half in
                    " ±\(decimals.map { String(format: "%.\($0)f", half) } ?? String(format: "%.3g", half))"
                }
                return texts[row] + (half ?? "") + " (n=\(limits.count[row].short))"
            }
        }
        var table = TextTable(shown.map(\.name))
        table.missing = missing
        for row in 0..<part.count { table.append(cells.map { $0[row] }) }
        return table
    }

    private static func decimals(_ texts: [String]) -> Int {
        texts.map { $0.split(separator: ".").dropFirst().first?.count ?? 0 }.max() ?? 0
    }

    /// The rows as CSV, full precision.
    ///
    /// - Parameter raw: As for `TextTable.csv`.
    public func csv(raw: Bool = false) -> String {
        var table = TextTable(names)
        let texts = columns.map { $0.values.map(\.description) }
        for row in 0..<count { table.append(texts.map { $0[row] }) }
        return table.csv(raw: raw)
    }

    /// The rows as a JSON array of objects with sorted keys; what is missing has no key.
    ///
    /// - Throws: errors of encoding.
    public func json() throws -> String {
        let names = names
        return try ResultJSON.text((0..<count).lazy.map { (names, row($0)) })
    }

    /// The frame as a table of LaTeX, with the rules of the package booktabs.
    ///
    /// - Parameters:
    ///   - caption: Makes it a floating `table` with this caption.
    ///   - label: What `\ref` calls that.
    public func latex(caption: String? = nil, label: String? = nil) -> String {
        textTable().latex(caption: caption, label: label)
    }
}

extension Frame {
    /// The columns that a person reads: limits and counts stand with their means, and notes that say nothing are left out.
    fileprivate var shownColumns: [Column] {
        let hidden = Set(columns.flatMap { companionNames(of: $0) })
        return columns.filter { column in
            !hidden.contains(column.name)
                && (column.role != .note || column.values.contains { $0 != .missing })
        }
    }

    /// Half of the intervals and the counts of a column of means.
    fileprivate func limits(of column: Column) -> (half: [Double?], count: [ResultValue])? {
        let names = companionNames(of: column)
        guard names.count == 3, let high = try? self.column(names[1]).values,
            let count = try? self.column(names[2]).values
        else { return nil }
        return (
            zip(column.values, high).map { mean, high in
                guard let mean = mean.number, let high = high.number else { return nil }
                return high - mean
            }, count
        )
    }
}

extension Frame.Column {
    private static func isHex(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }

    /// The values in one form: numbers with as many decimals as show their differences.
    fileprivate func texts(missing: String) -> [String] {
        let numbers = values.compactMap { value -> Double? in
            if case .number(let number) = value { number } else { nil }
        }
        let short = values.map { value in
            if value == .missing { return missing }
            // Keys are shown as far as people compare them.
            let text = value.short
            let isKey = role == .note && text.utf8.count == 64 && text.utf8.allSatisfy(Self.isHex)
            return isKey ? text.prefix(12) + "…" : text
        }
        // Few digits were given so; many were computed.
        guard
            zip(values, short).contains(where: { value, text in
                if case .number = value { text.count > 6 } else { false }
            })
        else { return short }
        let largest = numbers.map { abs($0) }.max() ?? 0
        let smallest = numbers.map { abs($0) }.filter { $0 > 0 }.min() ?? 0
        let form =
            largest < 1e6 && smallest >= 1e-3 || largest < 1e6 && role == .value && largest >= 0.1
            ? "%.4f" : "%.4g"
        return zip(values, short).map { value, text in
            if case .number(let number) = value { String(format: form, number) } else { text }
        }
    }
}
