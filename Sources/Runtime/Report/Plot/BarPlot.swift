import Foundation
import RuntimeAnalysis

/// Bars from zero with intervals, a line for each, so that long names stay readable.
public struct BarPlot: PlotContent, GnuplotContent {
    /// One bar.
    public struct Bar: Sendable {
        /// Its name; bars of one name and different groups stand together.
        public var label: String
        /// Its group, for the legend; empty for none.
        public var group: String
        /// Its length and interval.
        public var value: Interval

        /// Creates a bar.
        public init(label: String, group: String = "", value: Interval) {
            (self.label, self.group, self.value) = (label, group, value)
        }
    }

    /// The bars from the top.
    public var bars: [Bar]
    /// What their length stands for, with the unit.
    public var label: String
    /// Decimals of the numbers.
    public var decimals: Int

    /// Creates the content of a plot.
    ///
    /// - Parameter decimals: By default 3, and more where the longest bar would have fewer than two digits.
    public init(bars: [Bar], label: String, decimals: Int? = nil) {
        let longest = bars.map { abs($0.value.value) }.filter(\.isFinite).max() ?? 0
        let needed = longest > 0 ? 1 - Int(log10(longest).rounded(.down)) : 0
        (self.bars, self.label) = (bars, label)
        self.decimals = decimals ?? max(3, min(9, needed))
    }

    /// Whether no value is finite.
    public var isEmpty: Bool { !bars.contains { $0.value.value.isFinite } }

    private func distinct(_ texts: [String]) -> [String] {
        var known: Set<String> = []
        return texts.filter { known.insert($0).inserted }
    }

    /// A row a bar.
    public func table() -> TextTable {
        var table = TextTable(["label", "group", "value", "low", "high"])
        for bar in bars {
            table.append(
                [bar.label, bar.group]
                    + [bar.value.value, bar.value.low, bar.value.high].map {
                        $0.map { "\($0)" } ?? ""
                    })
        }
        return table
    }

    private func text(_ value: Interval) -> String {
        value.text(decimals: decimals, signed: bars.contains { $0.value.value < 0 })
            .replacing("-", with: "−")
    }

    private func number(_ value: Double, signed: Bool) -> String {
        Interval(value).text(decimals: decimals, signed: signed).replacing("-", with: "−")
    }

    /// A line a bar: name, bar, value.
    public func characters(width: Int) -> String? {
        let names = bars.map { bar in
            [bar.label, bar.group].filter { !$0.isEmpty }.joined(separator: ", ")
        }
        let numbers = bars.map { $0.value.value.isFinite ? text($0.value) : "–" }
        let wide = min(names.map(\.count).max() ?? 0, width / 2)
        let room = max(
            8, width - wide - (numbers.map(\.count).max() ?? 0) - 4)
        let values = bars.map(\.value.value).filter(\.isFinite)
        let (low, high) = (min(0, values.min() ?? 0), max(0, values.max() ?? 0))
        let span = high > low ? high - low : 1
        func cell(_ value: Double) -> Int { Int(((value - low) / span * Double(room)).rounded()) }
        let lines = bars.indices.map { index in
            let name = String(names[index].prefix(wide))
            let value = bars[index].value.value
            var line = [Character](repeating: " ", count: room + 1)
            if value.isFinite {
                for place in min(cell(0), cell(value))..<max(cell(0), cell(value)) {
                    line[place] = value < 0 ? "▒" : "█"
                }
            }
            if low < 0, line[cell(0)] == " " { line[cell(0)] = "│" }
            return name + String(repeating: " ", count: wide - name.count) + "  " + String(line)
                + " " + numbers[index]
        }
        return (lines + (label.isEmpty ? [] : [label])).joined(separator: "\n")
    }

    package func draw(_ script: inout GnuplotScript, title: String) {
        let names = distinct(bars.map(\.label))
        let groups = distinct(bars.map(\.group))
        let thick = 0.8 / Double(groups.count)
        let line = groups.count == 1 ? 30 : 14 * groups.count + 12
        let right = 24
        let left = 30 + GnuplotScript.width(names)
        let width = max(script.paperWidth ?? 620, left + (script.paperWidth == nil ? 320 : 240))
        script.frame(
            width: width, height: line * names.count, left: left, right: right, title: title,
            x: PlotAxis(label), y: PlotAxis(),
            legend: groups.enumerated().filter { !$1.isEmpty }.map { index, name in
                .init(name: name, colour: Palette.kind(index), sample: .box)
            })
        script.add("set border 1")
        script.names("y", names)
        script.add("set grid xtics noytics")
        script.add("set yrange [\(names.count).0-0.5:-0.5]")
        let limits = bars.flatMap { [$0.value.value, $0.value.low ?? 0, $0.value.high ?? 0] }
            .filter(\.isFinite)
        let low = min(0, limits.min() ?? 0)
        let high = max(low < 0 ? 0 : 1e-9, limits.max() ?? 0)
        let span = high - low
        // Room for the numbers beyond the ends.
        let single = groups.count == 1
        let longest = bars.map { number($0.value.value, signed: low < 0).count }.max() ?? 0
        let room = max(64, 8 * longest + 12)
        let edge = single ? Double(room) / Double(max(160, width - left - right - 2 * room)) : 0.04
        let (from, to) = (low < 0 ? low - edge * span : 0, high > 0 ? high + edge * span : 0)
        script.add("set xrange [\(from):\(to)]")
        script.tics("x", from, to, pixels: width - left - right)
        script.add("set arrow from 0, graph 0 to 0, graph 1 nohead front lw 1.2 lc rgb '#333333'")
        var parts: [String] = []
        for (index, group) in groups.enumerated() {
            let members = bars.filter { $0.group == group && $0.value.value.isFinite }
            guard !members.isEmpty else { continue }
            let rows = members.map { bar -> [Double]? in
                let row = Double(names.firstIndex(of: bar.label) ?? 0)
                let y = row - 0.4 + (Double(index) + 0.5) * thick
                return [
                    bar.value.value, y, min(0, bar.value.value), max(0, bar.value.value),
                    y - 0.42 * thick, y + 0.42 * thick, bar.value.low ?? .nan,
                    bar.value.high ?? .nan,
                ]
            }
            script.data("bars\(index)", rows)
            if single {
                for (bar, row) in zip(members, rows) {
                    guard let row else { continue }
                    let value = bar.value.value
                    let end =
                        value < 0 ? min(value, bar.value.low ?? 0) : max(value, bar.value.high ?? 0)
                    script.label(
                        number(value, signed: low < 0),
                        at: "\(GnuplotScript.number(end)),\(GnuplotScript.number(row[1]))",
                        value < 0
                            ? "right offset -0.6,0 font ',12' front"
                            : "left offset 0.6,0 font ',12' front")
                }
            }
            parts.append(
                "$bars\(index) using 1:2:3:4:5:6 with boxxyerror fs solid 0.85 noborder lc rgb '\(Palette.kind(index))' notitle"
            )
            let limits = rows.filter { $0.map { $0[6].isFinite && $0[7].isFinite } ?? false }
            if !limits.isEmpty {
                script.data("limits\(index)", limits)
                parts.append(
                    "$limits\(index) using 1:2:7:8 with xerrorbars pt 0 lw 1.4 lc rgb '#222222' notitle"
                )
            }
        }
        script.add("plot " + parts.joined(separator: ", \\\n  "))
    }
}
