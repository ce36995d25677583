import Foundation
import RuntimeAnalysis

/// Lines over a common axis, each with a band for its interval.
public struct LinePlot: PlotContent, GnuplotContent {
    /// One point of a line.
    public struct Point: Sendable {
        /// Along the axis.
        public var x: Double
        /// The value with its interval.
        public var y: Interval

        /// Creates a point.
        public init(x: Double, y: Interval) { (self.x, self.y) = (x, y) }
    }

    /// One line.
    public struct Series: Sendable {
        /// What the legend calls it.
        public var name: String
        /// Its points in order; one that is not finite interrupts the line.
        public var points: [Point]

        /// Creates a line.
        public init(name: String, points: [Point]) { (self.name, self.points) = (name, points) }
    }

    /// A place of the axis that deserves a name, such as the start of a phase.
    public struct Mark: Sendable {
        /// Where.
        public var x: Double
        /// What.
        public var label: String

        /// Creates a mark.
        public init(x: Double, label: String) { (self.x, self.label) = (x, label) }
    }

    /// The lines in order.
    public var series: [Series]
    /// The axis that they share.
    public var x: PlotAxis
    /// The axis of the values.
    public var y: PlotAxis
    /// Vertical lines with names.
    public var marks: [Mark]

    /// Creates the content of a plot.
    public init(series: [Series], x: PlotAxis, y: PlotAxis, marks: [Mark] = []) {
        (self.series, self.x, self.y, self.marks) = (series, x, y, marks)
    }

    /// Whether no point is finite.
    public var isEmpty: Bool {
        !series.contains { $0.points.contains { $0.x.isFinite && $0.y.value.isFinite } }
    }

    /// A row a point.
    public func table() -> TextTable {
        var table = TextTable(["series", "x", "y", "low", "high"])
        for line in series {
            for point in line.points {
                table.append(
                    [line.name]
                        + [point.x, point.y.value, point.y.low, point.y.high].map {
                            $0.map { "\($0)" } ?? ""
                        })
            }
        }
        return table
    }

    /// None of our own.
    public func characters(width: Int) -> String? { nil }

    /// The shape of a line's points; of few, every one or every second or third shows where it is.
    private static func shape(_ index: Int, _ line: Series) -> Int? {
        line.points.count <= 24 ? Palette.shape(index) : nil
    }

    package func draw(_ script: inout GnuplotScript, title: String) {
        let places = series.flatMap(\.points).filter { $0.y.value.isFinite }.map(\.x)
            .filter(\.isFinite)
        script.frame(
            width: script.paperWidth ?? 572, height: 260, left: 100, title: title, x: x, y: y,
            legend: series.enumerated().filter { !$1.name.isEmpty }.map { index, line in
                .init(
                    name: line.name, colour: Palette.kind(index),
                    sample: .line(dash: Palette.dash(index), shape: Self.shape(index, line)))
            })
        if !x.isLogarithmic, let low = places.min(), let high = places.max() {
            let room = low < high ? 0 : 0.5
            script.add("set xrange [\(low - room):\(high + room)]")
            // Steps up to a dozen are whole numbers, and few enough.
            let isShort = high - low <= 12 && places.allSatisfy { $0 == $0.rounded() }
            if let width = script.paperWidth, !isShort {
                script.tics("x", low - room, high + room, pixels: width - 124)
            }
            script.wholeTics("x", places)
        }
        for mark in marks where mark.x.isFinite {
            let place = GnuplotScript.number(mark.x)
            guard script.isPicture else { continue }
            script.add(
                "set arrow from \(place), graph 0 to \(place), graph 1 nohead dt 3 lc rgb '#777777'"
            )
            script.label(
                mark.label, at: "\(place), graph 0.97", "left offset 0.4,0 tc rgb '#555555' front")
        }
        var parts: [String] = []
        for (index, line) in series.enumerated() {
            // A band needs both limits.
            let rows = line.points.map { point -> [Double]? in
                guard point.x.isFinite, point.y.value.isFinite else { return nil }
                return [
                    point.x, point.y.value, point.y.low ?? point.y.value,
                    point.y.high ?? point.y.value,
                ]
            }
            guard rows.contains(where: { $0 != nil }) else { continue }
            script.data("line\(index)", rows)
            let colour = Palette.kind(index)
            if script.isPicture, line.points.contains(where: { $0.y.low != nil }) {
                parts.insert(
                    "$line\(index) using 1:3:4 with filledcurves fs transparent solid 0.18 noborder lc rgb '\(colour)' notitle",
                    at: 0)
            }
            let name =
                line.name.isEmpty
                ? "notitle" : "title \(GnuplotScript.quote(line.name, limit: 60))"
            let style =
                Self.shape(index, line).map {
                    "linespoints pt \($0) ps 0.6 pi \(max(1, line.points.count / 7))"
                } ?? "lines"
            parts.append(
                script.isPicture
                    ? "$line\(index) using 1:2 with \(style) lw 2 dt \(Palette.dash(index)) lc rgb '\(colour)' notitle"
                    // Lines have seven characters, points a letter each.
                    : series.count > 7
                        ? "$line\(index) using 1:2 with points pt \(index + 1) \(name)"
                        : "$line\(index) using 1:2 with lines lt \(index + 1) \(name)")
        }
        script.add("plot " + parts.joined(separator: ", \\\n  "))
    }
}
