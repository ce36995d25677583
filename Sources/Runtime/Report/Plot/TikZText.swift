import Foundation

/// The marks of one of our SVG documents as commands of TikZ.
///
/// gnuplot's own output for TikZ needs a style file of gnuplot's beside the document; this needs the package alone. It reads
/// what gnuplot writes after `SVGText.compact`: paths of straight lines, polygons, rectangles, circles, symbols and texts.
enum TikZText {
    /// What groups say of the marks in them.
    private struct Style {
        var color = "#000000"
        var width = 1.0
        var size = 14.0

        mutating func read(_ attributes: [String: String]) {
            if let value = attributes["color"].flatMap(TikZText.hex) { color = value }
            if let value = attributes["stroke"].flatMap(TikZText.hex) { color = value }
            if let value = attributes["stroke-width"].flatMap(Double.init) { width = value }
            if let value = attributes["font-size"].flatMap(Double.init) { size = value }
        }
    }

    private struct Tag {
        var name: String
        var attributes: [String: String]
        var isClosing: Bool
        var isEmpty: Bool
        /// What stands between it and the next tag.
        var text: String

        func value(_ name: String) -> Double { attributes[name].flatMap(Double.init) ?? 0 }
    }

    /// Draws in pixels that are counted from below, and writes sizes in points.
    private struct Canvas {
        let height: Double
        let pointsPerPixel: Double

        func point(_ x: Double, _ y: Double) -> String {
            "(\(TikZText.number(x)),\(TikZText.number(height - y)))"
        }

        func points(
            _ numbers: [Double], at place: (x: Double, y: Double) = (0, 0), scale: Double = 1
        )
            -> [String]
        {
            stride(from: 0, to: numbers.count - 1, by: 2).map {
                point(place.x + numbers[$0] * scale, place.y + numbers[$0 + 1] * scale)
            }
        }

        func size(_ pixels: Double) -> String { "\(TikZText.number(pixels * pointsPerPixel))bp" }
    }

    /// - Parameters:
    ///   - size: Of the picture in pixels, which SVG counts from above.
    ///   - pointsPerPixel: How large a pixel becomes.
    static func picture(_ svg: String, size: (width: Int, height: Int), pointsPerPixel: Double)
        -> String
    {
        let canvas = Canvas(height: Double(size.height), pointsPerPixel: pointsPerPixel)
        var lines: [String] = []
        var styles = [Style()]
        var symbols: [String: Tag] = [:]
        var inDefinitions = false
        for tag in tags(svg) {
            if tag.isClosing {
                if tag.name == "g", styles.count > 1 { styles.removeLast() }
                if tag.name == "defs" { inDefinitions = false }
                continue
            }
            if tag.name == "defs" { inDefinitions = true }
            if inDefinitions {
                if let id = tag.attributes["id"] { symbols[id] = tag }
                continue
            }
            var style = styles[styles.count - 1]
            style.read(tag.attributes)
            if tag.name == "g", !tag.isEmpty {
                styles.append(style)
            } else if let line = mark(tag, style, symbols, canvas) {
                lines.append(line)
            }
        }
        let unit = String(format: "%.4f", pointsPerPixel)
        return
            ([
                "\\begin{tikzpicture}[x=\(unit)bp, y=\(unit)bp, line cap=butt, line join=miter]",
                "\\def\\mtfont#1{\\fontsize{#1}{#1}\\selectfont}",
                "\\useasboundingbox (0,0) rectangle (\(size.width),\(size.height));",
            ] + lines + ["\\end{tikzpicture}"]).joined(separator: "\n") + "\n"
    }

    private static func mark(
        _ tag: Tag, _ style: Style, _ symbols: [String: Tag], _ canvas: Canvas
    ) -> String? {
        switch tag.name {
        case "rect":
            guard let fill = tag.attributes["fill"].flatMap(hex), fill != "#ffffff" else {
                return nil
            }
            let (x, y) = (tag.value("x"), tag.value("y"))
            let end = canvas.point(x + tag.value("width"), y + tag.value("height"))
            return "\(filling(fill, 1)) \(canvas.point(x, y)) rectangle \(end);"
        case "path": return path(tag, style, canvas)
        case "polygon", "polyline":
            guard let fill = tag.attributes["fill"].flatMap(hex) else { return nil }
            let points = canvas.points(numbers(tag.attributes["points"] ?? ""))
            let opacity = tag.attributes["fill-opacity"].flatMap(Double.init) ?? 1
            return "\(filling(fill, opacity)) \(points.joined(separator: " -- ")) -- cycle;"
        case "use": return symbol(tag, style, symbols, canvas)
        case "text": return text(tag, style, canvas)
        default: return nil
        }
    }

    private static func path(_ tag: Tag, _ style: Style, _ canvas: Canvas) -> String? {
        var lines: [[String]] = []
        var isClosed = false
        for match in (tag.attributes["d"] ?? "").matches(of: /([MLZ])\s*(?:(-?[\d.]+),(-?[\d.]+))?/)
        {
            guard let x = match.2.flatMap({ Double($0) }), let y = match.3.flatMap({ Double($0) })
            else {
                isClosed = isClosed || match.1 == "Z"
                continue
            }
            if match.1 == "M" || lines.isEmpty { lines.append([]) }
            lines[lines.count - 1].append(canvas.point(x, y))
        }
        // Places from which nothing is drawn are left out.
        let drawn = lines.filter { $0.count > 1 }.map { $0.joined(separator: " -- ") }
        guard !drawn.isEmpty else { return nil }
        var options = ["draw=\(mix(style.color))", "line width=\(canvas.size(style.width))"]
        let dashes = numbers(tag.attributes["stroke-dasharray"] ?? "")
        if !dashes.isEmpty {
            let pattern = dashes.enumerated().map { place, length in
                "\(place % 2 == 0 ? "on" : "off") \(canvas.size(length))"
            }
            options.append("dash pattern=\(pattern.joined(separator: " "))")
        }
        if let fill = tag.attributes["fill"].flatMap(hex) { options.append("fill=\(mix(fill))") }
        let end = isClosed ? " -- cycle" : ""
        return "\\draw[\(options.joined(separator: ", "))] \(drawn.joined(separator: " "))\(end);"
    }

    private static func symbol(
        _ tag: Tag, _ style: Style, _ symbols: [String: Tag], _ canvas: Canvas
    ) -> String? {
        func named(_ tag: Tag) -> Tag? {
            symbols[String((tag.attributes["xlink:href"] ?? "").drop { $0 == "#" })]
        }
        guard let first = named(tag) else { return nil }
        let transform = tag.attributes["transform"] ?? ""
        let place = numbers(
            transform.firstMatch(of: /translate\(([^)]*)\)/).map { String($0.1) } ?? "")
        let scale = transform.firstMatch(of: /scale\(([\d.]+)\)/).flatMap { Double($0.1) } ?? 1
        let (x, y) = place.count == 2 ? (place[0], place[1]) : (tag.value("x"), tag.value("y"))
        // A filled symbol refers to its outline.
        let outline = named(first) ?? first
        let isFilled = [first, outline].contains { $0.attributes["fill"] == "currentColor" }
        let style =
            isFilled
            ? filling(style.color, 1)
            : "\\draw[draw=\(mix(style.color)), line width=\(canvas.size(style.width))]"
        switch outline.name {
        case "circle":
            let radius = max(outline.value("r") * scale, 0.5)
            return "\(style) \(canvas.point(x, y)) circle[radius=\(number(radius))];"
        case "rect":
            let (left, top) = (x + outline.value("x") * scale, y + outline.value("y") * scale)
            let end = canvas.point(
                left + outline.value("width") * scale, top + outline.value("height") * scale)
            return "\(style) \(canvas.point(left, top)) rectangle \(end);"
        default:
            let all = numbers(outline.attributes["points"] ?? outline.attributes["d"] ?? "")
            let points = canvas.points(all, at: (x, y), scale: scale)
            guard points.count > 1 else { return nil }
            return "\(style) \(points.joined(separator: " -- ")) -- cycle;"
        }
    }

    private static func text(_ tag: Tag, _ style: Style, _ canvas: Canvas) -> String? {
        let transform = tag.attributes["transform"] ?? ""
        let place = numbers(
            transform.firstMatch(of: /translate\(([^)]*)\)/).map { String($0.1) } ?? "")
        guard place.count == 2 else { return nil }
        let content = tag.text.replacing("&lt;", with: "<").replacing("&gt;", with: ">")
            .replacing("&quot;", with: "\"").replacing("&apos;", with: "'")
            .replacing("&amp;", with: "&").trimmingCharacters(in: .whitespaces)
        guard !content.isEmpty else { return nil }
        let anchor =
            switch tag.attributes["text-anchor"] {
            case "end": "base east"
            case "middle": "base"
            default: "base west"
            }
        var options = [
            "anchor=\(anchor)", "inner sep=0", "font=\\mtfont{\(canvas.size(style.size))}",
        ]
        let fill = tag.attributes["fill"].flatMap(hex) ?? "#000000"
        if fill != "#000000" { options.append("text=\(mix(fill))") }
        if let angle = transform.firstMatch(of: /rotate\((-?[\d.]+)\)/).flatMap({ Double($0.1) }) {
            // SVG turns to the right.
            options.append("rotate=\(number((360 - angle).truncatingRemainder(dividingBy: 360)))")
        }
        let middle = canvas.point(place[0], place[1])
        return "\\node[\(options.joined(separator: ", "))] at \(middle) {\(LaTeX.text(content))};"
    }

    private static func filling(_ hex: String, _ opacity: Double) -> String {
        "\\fill[fill=\(mix(hex))\(opacity < 1 ? ", fill opacity=\(number(opacity))" : "")]"
    }

    /// A colour that needs no definition.
    private static func mix(_ hex: String) -> String {
        guard hex != "#000000", let value = Int(hex.dropFirst(), radix: 16) else { return "black" }
        return "{rgb,255:red,\(value >> 16);green,\(value >> 8 & 255);blue,\(value & 255)}"
    }

    /// `#rrggbb` for a colour; `nil` for none and for that of the surroundings.
    private static func hex(_ text: String) -> String? {
        switch text {
        case "black": "#000000"
        case "gray": "#808080"
        case "white": "#ffffff"
        default: text.wholeMatch(of: /#[0-9a-fA-F]{6}/) == nil ? nil : text.lowercased()
        }
    }

    private static func numbers(_ text: String) -> [Double] {
        text.matches(of: /-?\d*\.?\d+/).compactMap { Double($0.0) }
    }

    private static func number(_ value: Double) -> String {
        String(format: "%.2f", value).replacing(/\.?0+$/, with: "")
    }

    /// The tags of the document in order.
    private static func tags(_ svg: String) -> [Tag] {
        var tags: [Tag] = []
        var rest = svg[...]
        while let open = rest.firstIndex(of: "<"), let close = rest[open...].firstIndex(of: ">") {
            let inside = rest[rest.index(after: open)..<close]
            rest = rest[rest.index(after: close)...]
            var attributes: [String: String] = [:]
            for match in inside.matches(of: /([\w:\-]+)\s*=\s*(?:'([^']*)'|"([^"]*)")/) {
                attributes[String(match.1)] = String(match.2 ?? match.3 ?? "")
            }
            tags.append(
                Tag(
                    name: String(inside.drop { $0 == "/" }.prefix { $0.isLetter }),
                    attributes: attributes, isClosing: inside.hasPrefix("/"),
                    isEmpty: inside.hasSuffix("/"), text: String(rest.prefix { $0 != "<" })))
        }
        return tags
    }
}
