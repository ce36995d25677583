import Foundation
import RuntimeAnalysis
import RuntimeSupport

/// A matrix in colours, with its numbers.
public struct HeatMap: PlotContent, GnuplotContent {
    /// Names of the rows from the top.
    public var rows: [String]
    /// Names of the columns.
    public var columns: [String]
    /// A row a list; `nil` where there is nothing.
    public var values: [[Interval?]]
    /// What runs across.
    public var x: String
    /// What runs down.
    public var y: String
    /// What the colours stand for, with the unit.
    public var label: String
    /// Whether white is zero, and the two sides have colours of their own.
    public var isDiverging: Bool
    /// Decimals of the numbers.
    public var decimals: Int

    /// Creates the content of a plot.
    ///
    /// - Throws: `InvalidValue` when the names do not fit the values.
    public init(
        rows: [String], columns: [String], values: [[Interval?]], x: String, y: String,
        label: String, isDiverging: Bool = false, decimals: Int = 3
    ) throws {
        guard values.count == rows.count else {
            throw InvalidValue(
                "rows", expected: "\(values.count) names, one for each row", found: rows.count)
        }
        for (index, row) in values.enumerated() where row.count != columns.count {
            throw InvalidValue(
                "values", expected: "\(columns.count) numbers in row \(index + 1)",
                found: row.count)
        }
        (self.rows, self.columns, self.values) = (rows, columns, values)
        (self.x, self.y, self.label) = (x, y, label)
        (self.isDiverging, self.decimals) = (isDiverging, decimals)
    }

    private var finite: [Double] {
        values.flatMap { $0 }.compactMap { $0?.value }.filter(\.isFinite)
    }

    /// Whether no value is finite.
    public var isEmpty: Bool { finite.isEmpty }

    /// A row a cell.
    public func table() -> TextTable {
        var table = TextTable([
            y.isEmpty ? "row" : y, x.isEmpty ? "column" : x, "value", "low", "high",
        ])
        for (row, cells) in zip(rows, values) {
            for (column, cell) in zip(columns, cells) {
                table.append(
                    [row, column]
                        + [cell?.value, cell?.low, cell?.high].map { $0.map { "\($0)" } ?? "" })
            }
        }
        return table
    }

    private func texts(_ cell: Interval) -> [String] {
        func number(_ value: Double, signed: Bool) -> String {
            let text = String(format: signed ? "%+.\(decimals)f" : "%.\(decimals)f", value)
            return text.replacing("-", with: "−")
        }
        // What cannot vary, such as the similarity of a corpus to itself, has no interval to show.
        let half = cell.low.flatMap { low in cell.high.map { ($0 - low) / 2 } }
            .flatMap { $0 > 0 ? $0 : nil }
        return [number(cell.value, signed: isDiverging)]
            + (half.map { ["±" + number($0, signed: false)] } ?? [])
    }

    /// The matrix as a table, in characters more readable than a drawing.
    public func characters(width: Int) -> String? {
        func table(_ lines: Int) -> String {
            var table = TextTable(
                [[y, x].filter { !$0.isEmpty }.joined(separator: " \\ ")] + columns)
            for (row, cells) in zip(rows, values) {
                table.append(
                    [row]
                        + cells.map { cell in
                            guard let cell, cell.value.isFinite else { return "–" }
                            return texts(cell).prefix(lines).joined(separator: " ")
                        })
            }
            return table.text()
        }
        let whole = table(2)
        // Intervals go where they would break the lines.
        let fits = whole.split(separator: "\n").allSatisfy { $0.count <= width }
        return (fits ? whole : table(1)) + (label.isEmpty ? "" : "\n\(label)")
    }

    package func draw(_ script: inout GnuplotScript, title: String) {
        let left = 36 + GnuplotScript.width(rows) + (y.isEmpty ? 0 : 28)
        let room = script.paperWidth.map { $0 - 24 } ?? 740
        let cell = max(58, min(110, (room - left) / max(1, columns.count)))
        let names = GnuplotScript.width(columns)
        let turned = names > cell - 8
        let right = 24
        // Every cell says its number, so that colours need no scale of their own.
        let width = max(left + cell * columns.count + right, script.paperWidth ?? 460)
        script.frame(
            width: width, height: max(46 * rows.count, GnuplotScript.width([y]) + 8), left: left,
            right: width - left - cell * columns.count, tics: turned ? 28 + names * 6 / 10 : 34,
            title: title, note: label, x: PlotAxis(x), y: PlotAxis(y))
        let scale = isDiverging ? Palette.Scale.diverging : .sequential
        var (low, high) = (finite.min() ?? 0, finite.max() ?? 1)
        if isDiverging { (low, high) = (-max(abs(low), abs(high)), max(abs(low), abs(high))) }
        if low == high { (low, high) = (low - 0.5, high + 0.5) }
        script.add("unset grid")
        script.add("unset border")
        script.add("unset colorbox")
        script.add(scale.definition)
        script.add("set cbrange [\(GnuplotScript.number(low)):\(GnuplotScript.number(high))]")
        script.names("x", columns, turned ? "rotate by 35 right" : "")
        script.names("y", rows)
        script.add("set xrange [-0.5:\(columns.count).0-0.5]")
        script.add("set yrange [\(rows.count).0-0.5:-0.5]")
        var boxes: [[Double]?] = []
        for (row, cells) in values.enumerated() {
            for (column, cell) in cells.enumerated() {
                guard let cell, cell.value.isFinite else {
                    script.label("–", at: "\(column),\(row)", "center tc rgb '#777777' front")
                    continue
                }
                boxes.append([Double(column), Double(row), cell.value])
                let dark = scale.wantsDarkText((cell.value - low) / (high - low))
                let colour = dark ? "#000000" : "#FFFFFF"
                let lines = texts(cell)
                for (line, text) in lines.enumerated() {
                    let shift =
                        lines.count == 1 ? "" : line == 0 ? "offset 0,0.45" : "offset 0,-0.55"
                    let size = line == 0 ? "" : "font ',11'"
                    script.label(
                        text, at: "\(column),\(row)",
                        "center \(shift) \(size) tc rgb '\(colour)' front")
                }
            }
        }
        script.data("cells", boxes)
        script.add(
            "plot $cells using 1:2:($1-0.49):($1+0.49):($2-0.48):($2+0.48):3 with boxxyerror fs solid 1.0 noborder lc palette"
        )
    }
}
