import Foundation
import RuntimeSupport

/// An axis of a plot.
public struct PlotAxis: Sendable {
    /// What is along it, with its unit.
    public var label: String
    /// Whether it is logarithmic.
    public var isLogarithmic: Bool

    /// Creates an axis.
    public init(_ label: String = "", isLogarithmic: Bool = false) {
        self.label = label
        self.isLogarithmic = isLogarithmic
    }
}

/// What a plot shows; one type a kind of plot.
public protocol PlotContent: Sendable {
    /// Whether there is nothing to draw.
    var isEmpty: Bool { get }
    /// The numbers that are shown, full precision, with a column for each role.
    func table() -> TextTable
    /// The plot in characters, where gnuplot's own would be hard to read; `nil` to use that.
    func characters(width: Int) -> String?
}

/// Draws itself with gnuplot's commands.
package protocol GnuplotContent: PlotContent {
    func draw(_ script: inout GnuplotScript, title: String)
}

/// A figure: what it shows, and the script that draws it.
public struct Plot: Sendable {
    /// What stands above it.
    public var title: String
    /// What it shows.
    public var content: any PlotContent { drawing }
    let drawing: any GnuplotContent

    package init(_ title: String, _ drawing: any GnuplotContent) {
        self.title = title
        self.drawing = drawing
    }

    /// Lines with interval bands.
    public init(title: String, _ content: LinePlot) { self.init(title, content) }
    /// Points with labels, intervals and a fit.
    public init(title: String, _ content: ScatterPlot) { self.init(title, content) }
    /// A matrix of colours and numbers.
    public init(title: String, _ content: HeatMap) { self.init(title, content) }
    /// Bars with intervals.
    public init(title: String, _ content: BarPlot) { self.init(title, content) }

    /// A file format.
    public enum Format: String, CaseIterable, Sendable {
        /// Scalable; the same bytes for the same plot.
        case svg
        /// Pixels, at twice the size.
        case png
        /// Scalable, for papers, with the letters in it; the same bytes for the same plot.
        case pdf
        /// A picture for LaTeX's package tikz, whose texts have the document's font.
        case tikz
        /// The numbers.
        case csv
        /// The gnuplot script with its data.
        case gp
    }

    /// Pixels of a PNG file for each pixel of the figure, for dense screens.
    public static let pngScale = 2

    private func drawn(_ paper: Paper?) -> GnuplotScript {
        var script = GnuplotScript(.picture, paperWidth: paper?.pixels)
        drawing.draw(&script, title: title)
        return script
    }

    /// The gnuplot script for a picture.
    ///
    /// - Parameter paper: The width that it is for, if it is for a paper.
    public func script(_ format: Format = .svg, paper: Paper? = nil) -> String {
        let script = drawn(paper)
        let (width, height) = script.size
        let style = "noenhanced background '#FFFFFF' font 'DejaVu Sans,14'"
        func number(_ value: Double) -> String { String(format: "%.4f", value) }
        // Letters are counted in pixels by the first, and in points, of which 3 are 4 pixels, by the others.
        switch format {
        case .png:
            return script.text(
                terminal:
                    "pngcairo size \(Self.pngScale * width),\(Self.pngScale * height) \(style) fontscale 1.5 linewidth 2 pointscale 2"
            )
        case .pdf:
            let scale = Self.pointsPerPixel(script, paper)
            let (across, upwards) = (scale * Double(width) / 72, scale * Double(height) / 72)
            return script.text(
                terminal:
                    "pdfcairo size \(number(across))in,\(number(upwards))in \(style) fontscale \(number(0.75 * scale)) linewidth \(number(2 * scale)) pointscale \(number(scale))"
            )
        default: return script.text(terminal: "svg size \(width),\(height) \(style) name 'plot'")
        }
    }

    /// How many points of paper a pixel becomes.
    private static func pointsPerPixel(_ script: GnuplotScript, _ paper: Paper?) -> Double {
        72 * (paper.map { $0.inches / Double(script.size.width) } ?? 1 / Paper.pixelsPerInch)
    }

    private func draw(_ script: String, stop: ShouldStop) throws -> [UInt8] {
        guard !drawing.isEmpty else {
            throw InvalidValue("plot", expected: "at least one finite number", found: "none")
        }
        return try Gnuplot.run(script, stop: stop)
    }

    /// The plot as an SVG document, the same bytes for the same plot.
    ///
    /// - Throws: `InvalidValue` when there is nothing to draw; `MissingGnuplot`; `ProcessError`; `Interrupted`.
    public func svg(paper: Paper? = nil, stop: ShouldStop = { false }) throws -> String {
        // gnuplot takes `&#x…` for a character of XML; what keeps the two apart is not a character, and is removed again.
        let script = script(.svg, paper: paper).replacing("&#x", with: "&\(SVGText.gap)#x")
        let text = String(decoding: try draw(script, stop: stop), as: UTF8.self)
        return SVGText.compact(text.replacing(SVGText.gap, with: ""), title: title)
    }

    /// The plot as a PNG file.
    ///
    /// - Throws: as `svg(stop:)`.
    public func png(paper: Paper? = nil, stop: ShouldStop = { false }) throws -> Data {
        Data(try draw(script(.png, paper: paper), stop: stop))
    }

    /// The plot as a PDF file of one page, with the letters that it needs; the same bytes for the same plot.
    ///
    /// - Throws: as `svg(stop:)`.
    public func pdf(paper: Paper? = nil, stop: ShouldStop = { false }) throws -> Data {
        var data = Data(try draw(script(.pdf, paper: paper), stop: stop))
        // The time at which it was drawn is not part of a figure.
        if let found = data.range(of: Data("/CreationDate (D:".utf8)),
            found.upperBound + 14 <= data.count
        {
            data.replaceSubrange(
                found.upperBound..<found.upperBound + 14, with: Data("20000101000000".utf8))
        }
        return data
    }

    /// The plot as a `tikzpicture`, whose texts have the document's font.
    ///
    /// - Throws: as `svg(stop:)`.
    public func tikz(paper: Paper? = nil, stop: ShouldStop = { false }) throws -> String {
        let script = drawn(paper)
        return TikZText.picture(
            try svg(paper: paper, stop: stop), size: script.size,
            pointsPerPixel: Self.pointsPerPixel(script, paper))
    }

    /// The plot in characters.
    ///
    /// - Throws: as `svg(stop:)`.
    public func text(width: Int = 80, stop: ShouldStop = Interruption.stop) throws -> String {
        let width = max(40, min(width, 400))
        if let text = content.characters(width: width) {
            return title.isEmpty ? text : title + "\n" + text
        }
        var script = GnuplotScript(.text)
        drawing.draw(&script, title: title)
        let height = max(16, min(30, width / 4 + 4))
        let bytes = try draw(
            script.text(terminal: "dumb noenhanced mono size \(width),\(height)"), stop: stop)
        return String(decoding: bytes, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false
        ).map { $0.replacing(/\s+$/, with: "").replacing("\u{0c}", with: "") }
            .joined(separator: "\n").trimmingCharacters(in: .newlines)
    }

    /// Writes the plot in the format of the path's extension, whole or not at all.
    ///
    /// Without gnuplot, the script and the numbers are written beside it.
    ///
    /// - Parameters:
    ///   - paper: The width that it is for, if it is for a paper.
    ///   - raw: As for `TextTable.csv`.
    ///   - allow: Asked about every file before it is written.
    /// - Throws: `InvalidValue` for another extension; `MissingGnuplot` naming the files written instead.
    public func save(
        _ path: String, paper: Paper? = nil, raw: Bool = false,
        allow: (String) throws -> Void = { _ in },
        stop: ShouldStop = { false }
    ) throws {
        try allow(path)
        let name = PathName.type(path).lowercased()
        guard let format = Format(rawValue: name) else {
            throw InvalidValue(
                "path", expected: "a name that ends in .svg, .png, .pdf, .tikz, .csv or .gp",
                found: path)
        }
        do {
            switch format {
            case .svg: try AtomicFile.write(path, text: try svg(paper: paper, stop: stop))
            case .tikz: try AtomicFile.write(path, text: try tikz(paper: paper, stop: stop))
            case .png, .pdf:
                let data =
                    try format == .png
                    ? png(paper: paper, stop: stop) : pdf(paper: paper, stop: stop)
                try AtomicFile.write(path) { writer in
                    try data.withUnsafeBytes { try writer.write($0) }
                }
            case .csv: try AtomicFile.write(path, text: content.table().csv(raw: raw))
            case .gp: try AtomicFile.write(path, text: script(paper: paper))
            }
        } catch var missing as MissingGnuplot {
            let stem = PathName.stem(path)
            missing.written = [stem + ".csv", stem + ".gp"]
            for file in missing.written { try allow(file) }
            try AtomicFile.write(stem + ".csv", text: content.table().csv(raw: raw))
            try AtomicFile.write(stem + ".gp", text: script(format, paper: paper))
            throw missing
        }
    }
}
