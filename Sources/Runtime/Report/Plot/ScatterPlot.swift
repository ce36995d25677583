import Foundation
import RuntimeAnalysis

/// Points with names and intervals, and the line of least squares through them.
public struct ScatterPlot: PlotContent, GnuplotContent {
    /// One point.
    public struct Point: Sendable {
        /// Across.
        public var x: Interval
        /// Upwards.
        public var y: Interval
        /// Its name; empty for none.
        public var label: String
        /// Its group, for colour, shape and legend; empty for none.
        public var group: String

        /// Creates a point.
        public init(x: Interval, y: Interval, label: String = "", group: String = "") {
            (self.x, self.y, self.label, self.group) = (x, y, label, group)
        }

        package var isFinite: Bool { x.value.isFinite && y.value.isFinite }
    }

    /// The points.
    public var points: [Point]
    /// The axis across.
    public var x: PlotAxis
    /// The axis upwards.
    public var y: PlotAxis
    /// Whether the line of least squares is drawn, with the 95% interval of the mean.
    public var fits: Bool
    /// What stands beside the line; `nil` for r with Fisher's interval, which takes the points as independent.
    public var note: String?

    /// Creates the content of a plot; a fit needs at least three points.
    public init(
        points: [Point], x: PlotAxis, y: PlotAxis, fits: Bool = false, note: String? = nil
    ) {
        (self.points, self.x, self.y, self.fits, self.note) = (points, x, y, fits, note)
    }

    /// Whether no point is finite.
    public var isEmpty: Bool { !points.contains(where: \.isFinite) }

    private var correlation: Correlation? {
        let usable = points.filter(\.isFinite)
        return fits ? try? Correlation(usable.map(\.x.value), usable.map(\.y.value)) : nil
    }

    /// A row a point.
    public func table() -> TextTable {
        var table = TextTable([
            "label", "group", "x", "x_low", "x_high", "y", "y_low", "y_high",
        ])
        for point in points {
            table.append(
                [point.label, point.group]
                    + [
                        point.x.value, point.x.low, point.x.high, point.y.value, point.y.low,
                        point.y.high,
                    ].map { $0.map { "\($0)" } ?? "" })
        }
        return table
    }

    /// None of our own.
    public func characters(width: Int) -> String? { nil }

    /// The limits of an axis: all values and intervals, and some room.
    private func range(_ part: (Point) -> Interval, _ axis: PlotAxis) -> (
        low: Double, high: Double
    ) {
        let values = points.filter(\.isFinite).flatMap { point in
            [part(point).value, part(point).low, part(point).high].compactMap { $0 }
        }.filter { $0.isFinite && (!axis.isLogarithmic || $0 > 0) }
        guard let low = values.min(), let high = values.max() else { return (0, 1) }
        if axis.isLogarithmic {
            let room = pow(high / low, 0.08)
            return high > low ? (low / room, high * room) : (low / 2, high * 2)
        }
        let room = high > low ? 0.08 * (high - low) : max(1e-9, 0.1 * abs(low))
        return (low - room, high + room)
    }

    /// The plotting area in pixels.
    private static func area(_ script: GnuplotScript) -> (width: Double, height: Double) {
        (Double((script.paperWidth ?? 560) - 100), 320)
    }

    package func draw(_ script: inout GnuplotScript, title: String) {
        let usable = points.filter(\.isFinite)
        var groups: [String] = []
        for point in usable where !groups.contains(point.group) { groups.append(point.group) }
        script.frame(
            width: script.paperWidth ?? 560, height: Int(Self.area(script).height), left: 76,
            title: title, x: x, y: y,
            legend: groups.enumerated().filter { !$1.isEmpty }.map { index, name in
                .init(
                    name: name, colour: Palette.kind(index),
                    sample: .point(shape: Palette.shape(index)))
            })
        let (across, upwards) = (range(\.x, x), range(\.y, y))
        script.add("set xrange [\(across.low):\(across.high)]")
        script.add("set yrange [\(upwards.low):\(upwards.high)]")
        if script.paperWidth != nil, !x.isLogarithmic {
            script.tics("x", across.low, across.high, pixels: Int(Self.area(script).width))
        }
        var parts: [String] = []
        if script.isPicture {
            for (low, high, isAcross) in [
                (across.low, across.high, true), (upwards.low, upwards.high, false),
            ] where low < 0 && high > 0 {
                let ends =
                    isAcross
                    ? ("0, graph 0", "0, graph 1") : ("graph 0, first 0", "graph 1, first 0")
                script.add(
                    "set arrow from \(ends.0) to \(ends.1) nohead back lw 1 dt 2 lc rgb '#888888'")
            }
        }
        if let correlation, !x.isLogarithmic, !y.isLogarithmic {
            let fit = (0...40).map { step -> [Double]? in
                let place = across.low + (across.high - across.low) * Double(step) / 40
                let mean = correlation.fit.mean(at: place)
                return [place, mean.value, mean.low ?? mean.value, mean.high ?? mean.value]
            }
            script.data("fit", fit)
            if script.isPicture {
                parts.append(
                    "$fit using 1:(max($3,\(upwards.low))):(min($4,\(upwards.high))) with filledcurves fs transparent solid 0.12 noborder lc rgb '#555555' notitle"
                )
                script.add("max(a,b) = a > b ? a : b")
                script.add("min(a,b) = a < b ? a : b")
            }
            parts.append("$fit using 1:2 with lines lw 1.6 lc rgb '#555555' notitle")
            script.label(
                note ?? "r = " + correlation.pearson.text(decimals: 2).replacing("-", with: "−")
                    + ", n = \(correlation.count)",
                at: "graph 0.02, graph 0.96", "left front")
        }
        for (index, group) in groups.enumerated() {
            let members = usable.filter { $0.group == group }
            script.data(
                "points\(index)",
                members.map { point in
                    [
                        point.x.value, point.y.value, point.x.low ?? point.x.value,
                        point.x.high ?? point.x.value, point.y.low ?? point.y.value,
                        point.y.high ?? point.y.value,
                    ]
                })
            let colour = Palette.kind(index)
            let shape = Palette.shape(index)
            let name = group.isEmpty ? "notitle" : "title \(GnuplotScript.quote(group, limit: 60))"
            if script.isPicture, members.contains(where: { $0.x.low != nil || $0.y.low != nil }) {
                parts.append(
                    "$points\(index) using 1:2:3:4:5:6 with xyerrorbars pt 0 lw 1 lc rgb '\(colour)' notitle"
                )
            }
            parts.append(
                script.isPicture
                    ? "$points\(index) using 1:2 with points pt \(shape) ps 1.1 lc rgb '\(colour)' notitle"
                    : "$points\(index) using 1:2 with points pt \(index + 1) \(name)")
        }
        if script.isPicture { place(usable, across, upwards, &script) }
        script.add("plot " + parts.joined(separator: ", \\\n  "))
    }

    /// Puts names beside their points where they cover no other point or name, as far as there is room.
    private func place(
        _ points: [Point], _ across: (low: Double, high: Double),
        _ upwards: (low: Double, high: Double), _ script: inout GnuplotScript
    ) {
        let (width, height) = Self.area(script)
        func fraction(_ value: Double, _ range: (low: Double, high: Double), _ axis: PlotAxis)
            -> Double
        {
            axis.isLogarithmic
                ? log(value / range.low) / log(range.high / range.low)
                : (value - range.low) / (range.high - range.low)
        }
        let places = points.map {
            (
                x: width * fraction($0.x.value, across, x),
                y: height * fraction($0.y.value, upwards, y)
            )
        }
        struct Box {
            var left, bottom, right, top: Double
            func overlap(_ other: Box) -> Double {
                max(0, min(right, other.right) - max(left, other.left))
                    * max(0, min(top, other.top) - max(bottom, other.bottom))
            }
        }
        var taken = places.map {
            Box(left: $0.x - 5, bottom: $0.y - 5, right: $0.x + 5, top: $0.y + 5)
        }
        for (point, middle) in zip(points, places) {
            if let low = point.y.low, let high = point.y.high {
                taken.append(
                    Box(
                        left: middle.x - 3, bottom: height * fraction(low, upwards, y),
                        right: middle.x + 3, top: height * fraction(high, upwards, y)))
            }
            if let low = point.x.low, let high = point.x.high {
                taken.append(
                    Box(
                        left: width * fraction(low, across, x), bottom: middle.y - 3,
                        right: width * fraction(high, across, x), top: middle.y + 3))
            }
        }
        if fits { taken.append(Box(left: 0, bottom: height - 24, right: 230, top: height)) }
        for (point, middle) in zip(points, places) where !point.label.isEmpty {
            let wide = 6.8 * Double(min(point.label.count, 40))
            let choices: [(Double, Double, String)] = [
                (11, -6, "left"), (-11 - wide, -6, "right"), (-wide / 2, 8, "center"),
                (-wide / 2, -20, "center"), (9, 6, "left"), (9, -18, "left"),
                (-9 - wide, 6, "right"), (-9 - wide, -18, "right"),
            ]
            var best: (cost: Double, box: Box, anchor: String)?
            for (dx, dy, anchor) in choices {
                let box = Box(
                    left: middle.x + dx, bottom: middle.y + dy, right: middle.x + dx + wide,
                    top: middle.y + dy + 12)
                let outside =
                    max(0, -box.left) + max(0, box.right - width) + max(0, -box.bottom)
                    + max(0, box.top - height)
                let cost = taken.reduce(40 * outside) { $0 + $1.overlap(box) }
                if best.map({ cost < $0.cost }) ?? true { best = (cost, box, anchor) }
            }
            // Some square pixels of a name may touch something; more could not be read.
            guard let best, best.cost < 30 else { continue }
            taken.append(best.box)
            let anchor =
                best.anchor == "left"
                ? best.box.left : best.anchor == "right" ? best.box.right : middle.x
            script.label(
                String(point.label.prefix(40)),
                at: String(
                    format: "graph %.4f, graph %.4f", anchor / width,
                    (best.box.bottom + 6) / height),
                "\(best.anchor) font ',11' tc rgb '#333333' front")
        }
    }
}
