import Foundation

/// A gnuplot script with its data, put together from parts that cannot be mistaken for commands.
struct GnuplotScript {
    /// What it is drawn as.
    enum Target {
        /// SVG or PNG, of a size in pixels.
        case picture
        /// Characters.
        case text
    }

    /// Width and height in pixels.
    var size = (width: 640, height: 400)
    /// Whether it is drawn as a picture.
    let target: Target
    private(set) var lines: [String] = []
    private var labels = 0

    init(_ target: Target) { self.target = target }

    var isPicture: Bool { target == .picture }

    /// Text as gnuplot takes it literally: between single quotes nothing has a meaning but the quote itself.
    ///
    /// - Parameter limit: Characters after which it is cut.
    static func quote(_ text: String, limit: Int = 200) -> String {
        let plain = String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .lineSeparator, .paragraphSeparator, .format, .surrogate,
                        .privateUse, .unassigned:
                        " "
                    default: scalar
                    }
                }))
        let short = plain.count > limit ? String(plain.prefix(limit - 1)) + "…" : plain
        return "'" + short.replacing("'", with: "''") + "'"
    }

    /// A number in the shortest form that reads back as the same.
    static func number(_ value: Double) -> String { value.isFinite ? "\(value)" : "NaN" }

    /// Lines of at most `width` characters, broken at spaces, as one string expression.
    static func wrap(_ text: String, width: Int) -> String {
        var lines: [String] = []
        for word in text.split(whereSeparator: \.isWhitespace) {
            if let last = lines.last, last.count + word.count < width {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(String(word))
            }
        }
        return "(" + lines.prefix(4).map { quote($0) }.joined(separator: ".\"\\n\".") + ")"
    }

    mutating func add(_ line: String) { lines.append(line) }

    /// A block of numbers that `plot` refers to as `$name`; `nil` rows interrupt a line.
    mutating func data(_ name: String, _ rows: [[Double]?]) {
        lines.append("$\(name) << MTREPL_DATA")
        for row in rows { lines.append(row?.map(Self.number).joined(separator: " ") ?? "") }
        lines.append("MTREPL_DATA")
    }

    /// Text at a place of the plot, given in axis coordinates or with `screen`.
    mutating func label(_ text: String, at place: String, _ style: String) {
        labels += 1
        lines.append("set label \(labels) \(Self.quote(text)) at \(place) \(style)")
    }

    /// Names along an axis.
    mutating func names(_ axis: String, _ texts: [String], _ style: String = "") {
        let list = texts.enumerated().map { "\(Self.quote($1, limit: 60)) \($0)" }
        lines.append("set \(axis)tics (\(list.joined(separator: ", "))) scale 0 \(style)")
    }

    mutating func title(_ text: String) {
        guard text.contains(where: { !$0.isWhitespace }) else { return }
        let width = isPicture ? max(24, size.width / 9) : 72
        lines.append("set title \(Self.wrap(text, width: width))")
    }

    mutating func axis(_ name: String, _ axis: PlotAxis) {
        if !axis.label.isEmpty { lines.append("set \(name)label \(Self.quote(axis.label))") }
        if axis.isLogarithmic { lines.append("set logscale \(name)") }
    }

    /// The whole script for a terminal.
    func text(terminal: String) -> String {
        let before = [
            "reset session", "set encoding utf8", "set terminal \(terminal)", "set minussign",
            "set style textbox opaque noborder", "set border 3 lw 1",
            "set tics nomirror out scale 0.5", "set grid back lc rgb '#DDDDDD' lw 1 dt 1",
        ]
        let plain = isPicture ? before : before.filter { !$0.hasPrefix("set grid") }
        return (plain + lines).joined(separator: "\n") + "\n"
    }
}
