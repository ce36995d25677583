import Bindings
import Runtime

/// Notebooks as Markdown: code in fences marked `lua`, what came of it in fences marked with its kind.
///
/// Comments, which nobody sees who reads the page, say where a cell begins and ends, so that a text may hold fences of its own.
extension Notebook {
    /// The whole text.
    var markdown: String {
        MarkdownFormat.head(self)
            + cells.map { cell in
                guard cell.isCode else { return MarkdownFormat.text(cell) }
                return MarkdownFormat.begin(cell)
                    + cell.outputs.map(MarkdownFormat.output).joined() + MarkdownFormat.end(cell)
            }.joined()
    }
}

/// The pieces of a page, in the order in which a log writes them.
enum MarkdownFormat {
    static func head(_ notebook: Notebook) -> String {
        var fields = notebook.settings
        fields["metadata"] = notebook.metadata
        return mark("notebook", fields) + "\n"
    }

    /// A text cell; one whose ends would be lost among empty lines says how many lines are its own.
    static func text(_ cell: Notebook.Cell) -> String {
        let lines = cell.source.unixLines.map { isLikeMark($0) ? "\\" + $0 : $0 }
        var fields = about(cell)
        let plain = cell.source.trimmedLines
        if plain.isEmpty || !plain.utf8.elementsEqual(cell.source.utf8) {
            fields["lines"] = .integer(lines.count)
        }
        return mark(cell.kind == .raw ? "raw" : "text", fields) + "\n"
            + lines.joined(separator: "\n") + "\n\n"
    }

    /// The source of a code cell; one that has not ended has its record here.
    static func begin(_ cell: Notebook.Cell) -> String {
        let fence = fence(around: cell.source)
        var fields = about(cell)
        if cell.count == nil { fields["record"] = cell.record?.fields }
        return mark("code", fields) + "\(fence)lua\n\(cell.source)\n\(fence)\n"
    }

    /// What is known of a cell beside its source.
    private static func about(_ cell: Notebook.Cell) -> JSON {
        var fields: JSON = [:]
        fields["attachments"] = cell.attachments
        fields["id"] = cell.id.map { .string($0) }
        if cell.metadata != [:] { fields["metadata"] = cell.metadata }
        return fields
    }

    /// An output; of one with pictures, its text.
    static func output(_ output: Notebook.Output) -> String {
        switch output {
        case .stream(let isError, let text):
            let isUnended = text.utf8.last != 10
            return fenced(
                isError ? "messages" : "output", isUnended ? text : String(text.dropLast()))
                + (isUnended ? unended : "")
        case .value(let value): return fenced("value", value.text)
        case .display(let value): return fenced("display", value.text)
        case .aside(let value): return fenced("aside", value.text)
        case .error(let name, let message, let traceback):
            let lines = message.unixLines.count
            return fenced(
                name == "Error" && lines == 1 ? "error" : "error \(name) \(lines)",
                ([message] + traceback).joined(separator: "\n"))
        }
    }

    /// What follows a code cell: its record for readers, and for `convert`.
    static func end(_ cell: Notebook.Cell) -> String {
        guard let count = cell.count else { return "\n" }
        var fields: JSON = ["count": .integer(count)]
        fields["record"] = cell.record?.fields
        return "\n" + mark("end", fields) + (cell.record.map(footer) ?? "") + "\n"
    }

    /// Says of the stream before it that its last line had no end.
    static let unended = mark("unended")

    static func open(_ kind: String, _ fence: String) -> String { "\n\(fence)\(kind)\n" }

    /// A fence that is longer than any run of backticks in a text.
    static func fence(around text: String) -> String {
        var (run, longest) = (0, 2)
        for byte in text.utf8 {
            run = byte == UInt8(ascii: "`") ? run + 1 : 0
            longest = max(longest, run)
        }
        return String(repeating: "`", count: longest + 1)
    }

    private static func fenced(_ kind: String, _ body: String) -> String {
        let fence = fence(around: body)
        return open(kind, fence) + body + "\n\(fence)\n"
    }

    private static func footer(_ record: Notebook.Record) -> String {
        let runs = record.runs.map { "; run \($0.name) at step \($0.step), state \($0.key)" }
        return "*\((record.seconds * 1000).rounded() / 1000) s\(runs.joined())*\n"
    }

    /// Whether a line is what `end` writes for readers.
    static func isFooter(_ line: String) -> Bool {
        line.wholeMatch(of: #/\*[0-9.e-]+ s(; run .*)?\*/#) != nil
    }

    // MARK: - Marks

    /// A comment of ours.
    struct Mark {
        let kind: String
        /// The text of its fields; empty without.
        let fields: String

        init?(_ line: String) {
            // A text among the fields may hold U+2028 and others that a dot takes for line ends.
            guard
                let match = line.trimmed.wholeMatch(of: #/(?s)<!-- mtrepl ([a-z]+)( \{.*\})? -->/#)
            else { return nil }
            kind = String(match.1)
            fields = match.2.map { String($0.dropFirst()) } ?? ""
        }
    }

    private static func mark(_ kind: String, _ fields: JSON = [:]) -> String {
        // No name in it can end the comment.
        let json = fields == [:] ? "" : " " + fields.text.replacing(">", with: "\\u003e")
        return "<!-- mtrepl \(kind)\(json) -->\n"
    }

    /// Whether a line of a text could be taken for a mark; it has a backslash before it then.
    static func isLikeMark(_ line: String) -> Bool {
        line.drop { $0 == "\\" || $0.isWhitespace }.hasPrefix("<!-- mtrepl")
    }
}

extension String {
    /// The lines between line feeds; a carriage return stays with its line.
    var unixLines: [String] {
        utf8.split(separator: 10, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// The text without empty lines at its ends.
    var trimmedLines: String {
        var lines = unixLines[...]
        while let first = lines.first, first.trimmed.isEmpty { lines.removeFirst() }
        while let last = lines.last, last.trimmed.isEmpty { lines.removeLast() }
        return lines.joined(separator: "\n")
    }
}

extension StringProtocol {
    /// The text without white space at its ends.
    var trimmed: String {
        var part = self[...]
        while let first = part.first, first.isWhitespace { part.removeFirst() }
        while let last = part.last, last.isWhitespace { part.removeLast() }
        return String(part)
    }
}
