import Foundation

/// A gnuplot script with its data, put together from parts that cannot be mistaken for commands.
package struct GnuplotScript {
    /// What it is drawn as.
    package enum Target {
        /// SVG or PNG, of a size in pixels.
        case picture
        /// Characters.
        case text
    }

    /// Width and height in pixels.
    package var size = (width: 640, height: 400)
    /// Whether it is drawn as a picture.
    package let target: Target
    /// The width in pixels that a paper leaves for it; `nil` for the width that suits it.
    package let paperWidth: Int?
    package var lines: [String] = []
    private var labels = 0

    init(_ target: Target, paperWidth: Int? = nil) {
        self.target = target
        self.paperWidth = paperWidth
    }

    var isPicture: Bool { target == .picture }

    /// Text as gnuplot takes it literally: between single quotes nothing has a meaning but the quote itself.
    ///
    /// - Parameter limit: Characters after which it is cut.
    package static func quote(_ text: String, limit: Int = 200) -> String {
        let plain = String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    switch scalar.value {
                    case 0x09, 0x0a, 0x0d, 0x85, 0x2028, 0x2029: " "
                    case _ where Markup.isExcluded(scalar): "\u{fffd}"
                    default: scalar
                    }
                }))
        let short = plain.count > limit ? String(plain.prefix(limit - 1)) + "…" : plain
        guard short.contains("'") else { return "'\(short)'" }
        // Doubled quotes beside each other confuse gnuplot, so that quotes are strings of their own.
        var pieces: [String] = []
        var rest = short[...]
        while let first = rest.first {
            let run = rest.prefix { ($0 == "'") == (first == "'") }
            pieces.append(
                first == "'"
                    ? "\"\(String(repeating: "\\047", count: run.count))\"" : "'\(run)'")
            rest = rest.dropFirst(run.count)
        }
        return "(\(pieces.joined(separator: ".")))"
    }

    /// A number in the shortest form that reads back as the same.
    package static func number(_ value: Double) -> String { value.isFinite ? "\(value)" : "NaN" }

    package mutating func add(_ line: String) { lines.append(line) }

    /// A block of numbers that `plot` refers to as `$name`; `nil` rows interrupt a line.
    package mutating func data(_ name: String, _ rows: [[Double]?]) {
        lines.append("$\(name) << MTREPL_DATA")
        for row in rows { lines.append(row?.map(Self.number).joined(separator: " ") ?? "") }
        lines.append("MTREPL_DATA")
    }

    /// Text at a place of the plot, given in axis coordinates or with `screen`.
    package mutating func label(_ text: String, at place: String, _ style: String) {
        lines.append("set label \(nextLabel()) \(Self.quote(text)) at \(place) \(style)")
    }

    /// The number of a new label.
    mutating func nextLabel() -> Int {
        labels += 1
        return labels
    }

    /// Names along an axis, where gnuplot takes a percent sign for the beginning of a format.
    package mutating func names(_ axis: String, _ texts: [String], _ style: String = "") {
        let list = texts.enumerated().map {
            "\(Self.quote($1, limit: 60).replacing("%", with: "%%")) \($0)"
        }
        lines.append("set \(axis)tics (\(list.joined(separator: ", "))) scale 0 \(style)")
    }

    /// The title above a drawing in characters.
    package mutating func title(_ text: String, note: String = "") {
        let lines = (Self.lines(text, width: 72).prefix(4) + Self.lines(note, width: 72).prefix(2))
            .map { Self.quote($0) }
        guard !lines.isEmpty else { return }
        add("set title (\(lines.joined(separator: ".\"\\n\".")))")
    }

    package mutating func axis(_ name: String, _ axis: PlotAxis) {
        if !axis.label.isEmpty { lines.append("set \(name)label \(Self.quote(axis.label))") }
        if axis.isLogarithmic { lines.append("set logscale \(name)") }
    }

    /// The whole script for a terminal.
    package func text(terminal: String) -> String {
        let before = [
            "reset session", "set encoding utf8", "set terminal \(terminal)", "set minussign",
            "set style textbox opaque noborder", "set border 3 lw 1",
            "set tics nomirror out scale 0.5", "set grid back lc rgb '#DDDDDD' lw 1 dt 1",
        ]
        let plain = isPicture ? before : before.filter { !$0.hasPrefix("set grid") }
        return (plain + lines).joined(separator: "\n") + "\n"
    }
}
