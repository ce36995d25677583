import Foundation
import RuntimeSupport

/// A report: headings, text, tables and figures, to be written as one HTML file or as Markdown with its figures beside it.
///
/// The same content gives the same bytes: no date, no time taken.
public struct ReportDocument: Sendable {
    /// A part of a report.
    public enum Block: Sendable {
        /// A heading; level 1 is a section's.
        case heading(String, level: Int)
        /// A paragraph of plain text.
        case paragraph(String)
        /// A list of short texts.
        case list([String])
        /// A table with a caption.
        case table(TextTable, caption: String)
        /// A figure with a caption; its title stands in it.
        case figure(Plot, caption: String)
        /// Text as it is, such as a command.
        case code(String)
    }

    /// What stands at the top.
    public var title: String
    /// The parts in order.
    public var blocks: [Block]

    /// Creates a report.
    public init(title: String, blocks: [Block] = []) {
        self.title = title
        self.blocks = blocks
    }

    /// Appends a section.
    public mutating func section(_ heading: String, level: Int = 1, _ blocks: [Block]) {
        self.blocks.append(.heading(heading, level: level))
        self.blocks += blocks
    }

    /// A figure as it goes into the report.
    package enum Drawn {
        case svg(String)
        /// It could not be drawn: why, and its numbers.
        case numbers(String, TextTable)
    }

    /// What a report was written to.
    public struct Written: Sendable {
        /// The files, the report first.
        public var files: [String]
        /// Why figures are missing; `nil` when none is.
        public var warning: String?
    }

    /// Writes the report, every file whole or not at all.
    ///
    /// A path that ends in `.html` gives one file that needs no other; `.md` gives Markdown, with the figures in a folder
    /// beside it; anything else is a folder that gets both, called `report`. Without gnuplot, figures become tables of
    /// their numbers.
    ///
    /// - Parameter allow: Asked about every file before it is written.
    /// - Throws: `FileError`; `ProcessError`; `Interrupted`.
    public func write(
        _ path: String, allow: (String) throws -> Void = { _ in }, stop: ShouldStop = { false }
    ) throws -> Written {
        var missing: MissingGnuplot?
        var figures: [Drawn] = []
        for case .figure(let plot, _) in blocks {
            if stop() { throw Interrupted("interrupted while drawing the figures of \(path)") }
            guard missing == nil, !plot.content.isEmpty else {
                figures.append(
                    .numbers(missing?.message ?? "nothing to draw", plot.content.table()))
                continue
            }
            do { figures.append(.svg(try plot.svg(stop: stop))) } catch let error as MissingGnuplot
            {
                missing = error
                figures.append(.numbers(error.message, plot.content.table()))
            }
        }
        var result = Written(files: [], warning: missing?.message)
        func put(_ name: String, _ text: String) throws {
            try allow(name)
            // An unchanged file keeps its date.
            if (try? FileReader.text(name)) != text { try AtomicFile.write(name, text: text) }
            result.files.append(name)
        }
        func putMarkdown(_ name: String) throws {
            let stem = PathName.stem(name) + "-figures"
            let folder = PathName.last(stem)
            try put(name, markdown(figures, folder: folder))
            for (index, figure) in figures.enumerated() {
                if case .svg(let text) = figure { try put("\(stem)/\(index + 1).svg", text) }
            }
        }
        switch PathName.type(path).lowercased() {
        case "html", "htm": try put(path, html(figures))
        case "md", "markdown": try putMarkdown(path)
        default:
            try put(path + "/report.html", html(figures))
            try putMarkdown(path + "/report.md")
        }
        return result
    }
}
