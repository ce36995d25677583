import Bindings
import Runtime

extension Notebook {
    /// Reads Markdown.
    ///
    /// In a page that we wrote, which begins with a mark of ours, marks tell the cells; in others, a fence marked `lua` is a
    /// code cell, and all else but its outputs is text.
    ///
    /// - Throws: `NotebookError` naming file and line for a mark that is not as we write it.
    init(markdown text: String, file: String) throws {
        var reader = MarkdownReader(text, file)
        try reader.read()
        self = reader.notebook
    }
}

private struct MarkdownReader {
    private(set) var notebook = Notebook()
    private var lines: ArraySlice<String>
    private let file: String
    private let isMarked: Bool
    /// The text that is being collected.
    private var prose: [String] = []
    /// The cell that it will be.
    private var next = Notebook.Cell(kind: .markdown)
    /// The place of the code cell that has begun and not ended, and whether its source is still to come.
    private var open: Int?
    private var isSourceMissing = false
    /// The kind of the last fence, if it was a stream.
    private var stream: String?

    init(_ text: String, _ file: String) {
        self.file = file
        lines = text.unixLines[...]
        let first = lines.first { !$0.trimmed.isEmpty }
        isMarked = first.flatMap(MarkdownFormat.Mark.init)?.kind == "notebook"
    }

    mutating func read() throws {
        while let line = lines.popFirst() {
            if isMarked, let mark = MarkdownFormat.Mark(line) {
                try take(mark, JSONField(text: mark.fields, file: file, line: lines.startIndex))
            } else if !isMarked || open != nil, let fence = Fence(line) {
                take(fence, line)
            } else if isMarked, let open, let match = line.wholeMatch(of: #/!\[(.*)\]\(.*\)/#) {
                stream = nil
                notebook.cells[open].outputs.append(.display(RichOutput(text: String(match.1))))
            } else {
                prose.append(plain(line))
                if !isMarked { skipFence(line) }
            }
        }
        flush()
    }

    /// Passes over a fence that is not one of ours: what stands in it is text, fences included.
    private mutating func skipFence(_ line: String) {
        guard let match = line.firstMatch(of: #/^ {0,3}(```+|~~~+)/#) else { return }
        let marks = String(match.1)
        while let next = lines.popFirst() {
            prose.append(next)
            let end = next.trimmed
            if end.hasPrefix(marks), end.allSatisfy({ $0 == marks.first }) { return }
        }
    }

    /// A line of a text: what it has before something that looks like a mark is not its own.
    private func plain(_ line: String) -> String {
        let isEscaped = isMarked && line.hasPrefix("\\") && MarkdownFormat.isLikeMark(line)
        return isEscaped ? String(line.dropFirst()) : line
    }

    /// Makes a cell of the text so far.
    private mutating func flush() {
        let text = prose.joined(separator: "\n").trimmedLines
        if !text.isEmpty {
            next.source = text
            notebook.cells.append(next)
        }
        (prose, next) = ([], Notebook.Cell(kind: .markdown))
    }

    private mutating func begin(_ cell: Notebook.Cell = Notebook.Cell()) {
        flush()
        open = notebook.cells.count
        stream = nil
        notebook.cells.append(cell)
    }

    /// A cell of which a mark tells all but the source.
    private func cell(_ kind: Notebook.Kind, _ field: JSONField) throws -> Notebook.Cell {
        var cell = Notebook.Cell(kind: kind)
        cell.attachments = try field.optional("attachments")?.object()
        cell.id = try field.optional("id")?.string()
        cell.metadata = try field.optional("metadata")?.object() ?? [:]
        cell.record = try field.optional("record").map(Notebook.Record.init)
        // Pages of earlier versions have the record itself here.
        if cell.record == nil, kind == .code, try field.optional("seconds") != nil {
            cell.record = try Notebook.Record(field)
        }
        return cell
    }

    private mutating func take(_ mark: MarkdownFormat.Mark, _ field: JSONField) throws {
        switch mark.kind {
        case "notebook":
            if let metadata = try field.optional("metadata") { try notebook.take(metadata) }
            try notebook.take(settings: field)
        case "code":
            begin(try cell(.code, field))
            isSourceMissing = true
        case "text", "raw":
            flush()
            open = nil
            var cell = try self.cell(mark.kind == "raw" ? .raw : .markdown, field)
            guard let count = try field.optional("lines")?.integer(0...(1 << 40)) else {
                next = cell
                break
            }
            if lines.first?.isEmpty == true { lines.removeFirst() }
            cell.source = lines.prefix(count).map(plain).joined(separator: "\n")
            lines = lines.dropFirst(count)
            notebook.cells.append(cell)
        case "unended":
            guard let open, case .stream(let isError, let text)? = notebook.cells[open].outputs.last
            else { return }
            let last = notebook.cells[open].outputs.count - 1
            notebook.cells[open].outputs[last] = .stream(
                isError: isError, text: String(decoding: text.utf8.dropLast(), as: UTF8.self))
            stream = nil
        case "end":
            if let open {
                notebook.cells[open].count = try field.optional("count")?.integer(0...(1 << 53))
                notebook.cells[open].record = try field.optional("record").map(
                    Notebook.Record.init)
            }
            flush()
            open = nil
            if let line = lines.first, MarkdownFormat.isFooter(line) { lines.removeFirst() }
        default: break
        }
    }

    private mutating func take(_ fence: Fence, _ line: String) {
        var inside: [String] = []
        var end: String?
        while end == nil, let next = lines.popFirst() {
            if next.trimmed == fence.marks { end = next } else { inside.append(next) }
        }
        // A fence that does not end has the line end of the file.
        if end == nil, inside.last?.isEmpty == true { inside.removeLast() }
        let body = inside.joined(separator: "\n")
        if fence.kind == "lua", isSourceMissing, let open {
            notebook.cells[open].source = body
            isSourceMissing = false
        } else if fence.kind == "lua", !isMarked {
            begin()
            notebook.cells[open ?? 0].source = body
        } else if fence.kind != "lua", let open, prose.allSatisfy({ $0.trimmed.isEmpty }) {
            prose = []
            add(fence, inside, body, to: open)
        } else {
            prose += [line] + inside + (end.map { [$0] } ?? [])
        }
    }

    private mutating func add(_ fence: Fence, _ inside: [String], _ body: String, to open: Int) {
        let last = notebook.cells[open].outputs.count - 1
        // A log begins another fence where a longer one is needed.
        if stream == fence.kind,
            case .stream(let isError, let text) = notebook.cells[open].outputs[last]
        {
            notebook.cells[open].outputs[last] = .stream(isError: isError, text: text + body + "\n")
            return
        }
        stream = ["output", "messages"].contains(fence.kind) ? fence.kind : nil
        let output: Notebook.Output =
            switch fence.kind {
            case "output": .stream(isError: false, text: body + "\n")
            case "messages": .stream(isError: true, text: body + "\n")
            case "value": .value(RichOutput(text: body))
            case "display": .display(RichOutput(text: body))
            case "aside": .aside(RichOutput(text: body))
            default:
                .error(
                    name: fence.error.name,
                    message: inside.prefix(fence.error.lines).joined(separator: "\n"),
                    traceback: Array(inside.dropFirst(fence.error.lines)))
            }
        notebook.cells[open].outputs.append(output)
        if !isMarked { notebook.cells[open].count = notebook.cells.count { $0.isCode } }
    }
}

/// The first line of a fence of ours.
private struct Fence {
    let marks: String
    let kind: String
    /// Of an error, its name and the lines of its message.
    let error: (name: String, lines: Int)

    init?(_ line: String) {
        let pattern =
            #/(```+)(lua|output|messages|value|display|aside|error)(?: (\w+) (\d+))?\s*/#
        guard let match = line.wholeMatch(of: pattern) else { return nil }
        marks = String(match.1)
        kind = String(match.2)
        error = (match.3.map(String.init) ?? "Error", match.4.flatMap { Int($0) } ?? 1)
    }
}
