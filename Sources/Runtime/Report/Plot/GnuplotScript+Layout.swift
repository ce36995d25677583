import Foundation

/// Where the parts of a picture are, in pixels: gnuplot's own margins and legends let texts run into each other and out of
/// the picture.
extension GnuplotScript {
    /// What a kind looks like in the legend.
    package enum Sample {
        case line(dash: Int, shape: Int?)
        case point(shape: Int)
        case box
    }

    /// One kind in the legend.
    package struct Entry {
        package var name: String
        var colour: String
        package var sample: Sample
    }

    /// What a line of text takes.
    private static let line = 20
    /// What a letter takes on average, a little generously.
    private static let letter = 7.6

    /// Lines of at most `width` characters, broken at spaces.
    package static func lines(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        for word in text.split(whereSeparator: \.isWhitespace) {
            if let last = lines.last, last.count + word.count < width {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }

    /// Pixels that the longest of some names takes.
    package static func width(_ names: [String]) -> Int {
        Int((letter * Double(names.map { min($0.count, 60) }.max() ?? 0)).rounded(.up))
    }

    /// Gives the plotting area its size, and everything around it its place: the title and what the numbers are above it,
    /// the axis' label and the legend below it.
    ///
    /// - Parameters:
    ///   - width: Of the whole picture.
    ///   - height: Of the plotting area.
    ///   - left: Beside it, for the axis and its label.
    ///   - tics: Below it, for the axis.
    ///   - note: What the numbers are, where no axis says it.
    package mutating func frame(
        width: Int, height: Int, left: Int, right: Int = 24, tics: Int = 38, title: String,
        note: String = "", x: PlotAxis, y: PlotAxis, legend: [Entry] = []
    ) {
        axis("y", y)
        guard isPicture else {
            // Characters cannot be turned, so that gnuplot leaves the label of the axis upwards out.
            self.title(title, note: y.label.isEmpty ? "" : "upwards: " + y.label)
            axis("x", x)
            add(legend.isEmpty ? "unset key" : "set key outside below center")
            return
        }
        axis("x", PlotAxis(isLogarithmic: x.isLogarithmic))
        let room = Int(Double(width - 32) / Self.letter)
        let heads =
            Self.lines(title, width: room).prefix(4).map { ($0, "font ',15'") }
            + Self.lines(note, width: room).prefix(2).map { ($0, "font ',12' tc rgb '#444444'") }
        let above = (heads.isEmpty ? 14 : 24) + Self.line * heads.count
        let rows = Self.rows(legend, width: width - 28)
        let foot = x.label.isEmpty ? 4 : 28
        let bottom = tics + foot + (rows.isEmpty ? 0 : 6 + Self.line * rows.count)
        size = (width, above + height + bottom)
        for (index, (text, style)) in heads.enumerated() {
            label(
                text, at: screen(14, bottom + height + above - 18 - Self.line * index),
                "left front \(style)")
        }
        if !x.label.isEmpty {
            label(
                x.label, at: screen((left + width - right) / 2, bottom - tics - 12), "center front")
        }
        for (row, entries) in rows.enumerated() {
            for (place, entry) in entries {
                draw(entry, place + 14, Self.line * (rows.count - row) - 8)
            }
        }
        add("unset key")
        for (name, pixels, whole) in [
            ("l", left, width), ("r", width - right, width), ("b", bottom, size.height),
            ("t", bottom + height, size.height),
        ] {
            add("set \(name)margin at screen \(Self.part(pixels, of: whole))")
        }
    }

    private static func part(_ pixels: Int, of whole: Int) -> String {
        String(format: "%.4f", Double(pixels) / Double(whole))
    }

    /// A place by its pixels from the left and from below.
    private func screen(_ x: Int, _ y: Int) -> String {
        "screen \(Self.part(x, of: size.width)), screen \(Self.part(y, of: size.height))"
    }

    /// The legend in lines, each entry with its pixels from the left.
    private static func rows(_ legend: [Entry], width: Int) -> [[(place: Int, entry: Entry)]] {
        var rows: [[(place: Int, entry: Entry)]] = []
        var end = Int.max
        for entry in legend {
            let needed = 38 + Self.width([entry.name])
            if end == .max || end + needed > width {
                rows.append([])
                end = 0
            }
            rows[rows.count - 1].append((end, entry))
            end += needed + 22
        }
        return rows
    }

    private mutating func draw(_ entry: Entry, _ x: Int, _ y: Int) {
        func mark(_ shape: Int, _ size: Double) {
            lines.append(
                "set label \(nextLabel()) '' at \(screen(x + 15, y)) point pt \(shape) ps \(size) lc rgb '\(entry.colour)' front"
            )
        }
        switch entry.sample {
        case .line(let dash, let shape):
            add(
                "set arrow from \(screen(x, y)) to \(screen(x + 30, y)) nohead lw 2 dt \(dash) lc rgb '\(entry.colour)' front"
            )
            if let shape { mark(shape, 0.6) }
        case .point(let shape): mark(shape, 1.1)
        case .box:
            add(
                "set object rectangle from \(screen(x + 2, y - 5)) to \(screen(x + 28, y + 5)) fs solid 0.85 noborder fc rgb '\(entry.colour)' front"
            )
        }
        let name = entry.name.count > 60 ? String(entry.name.prefix(59)) + "…" : entry.name
        label(name, at: screen(x + 38, y), "left front")
    }

    /// Round numbers along an axis, as close as their texts leave room for.
    mutating func tics(_ name: String, _ low: Double, _ high: Double, pixels: Int) {
        let span = high - low
        guard isPicture, span.isFinite, span > 0 else { return }
        let largest = max(abs(low), abs(high))
        let first = Int(log10(span).rounded(.down)) - 1
        for exponent in first...first + 2 {
            for factor in [1.0, 2, 5] {
                let step = factor * pow(10, Double(exponent))
                let decimals = max(0, -exponent)
                // gnuplot's own short form where plain numbers are long.
                let isPlain = decimals <= 6 && largest < 1e6
                let digits = isPlain ? max(1, Int(log10(max(1, largest))) + 1) + decimals : 7
                let wide = Self.letter * Double(digits + 3)
                guard Double(pixels) * step / span >= wide, span / step <= 8 else { continue }
                add("set \(name)tics \(Self.number(step))")
                if isPlain { add("set format \(name) '%.\(decimals)f'") }
                return
            }
        }
    }

    /// Whole numbers along an axis that has nothing between them.
    mutating func wholeTics(_ name: String, _ values: [Double]) {
        guard let low = values.min(), let high = values.max(), high - low <= 12,
            values.allSatisfy({ $0 == $0.rounded() })
        else { return }
        add("set \(name)tics 1")
    }
}
