import Bindings
import Runtime

/// Notebooks as Lua in the percent format: cells begin with a line `-- %%`, text cells are comments after `-- %% [markdown]` or
/// `-- %% [raw]`, and what the prompt understands beside Lua is a comment after `-- %% [prompt]`; outputs are left out.
struct LuaFormat {
    private let script: LuaScript

    init() throws { script = try LuaScript() }

    // MARK: - Writing

    /// The whole text.
    func text(_ notebook: Notebook) -> String {
        LuaHeader.text(notebook)
            + notebook.cells.map { text($0) }.joined(separator: "\n")
    }

    private func text(_ cell: Notebook.Cell) -> String {
        var mark = LuaMark()
        (mark.kind, mark.metadata, mark.attachments) = (cell.kind, cell.metadata, cell.attachments)
        var body: String
        if cell.isCode, let code = script.script(cell.source) {
            body = code
            if !isSame(script.cell(code), cell.source) {
                // It looks like what we write for other code.
                mark.isVerbatim = isSame(code, cell.source)
                mark.isPrompt = !mark.isVerbatim
            }
        } else {
            (body, mark.isPrompt) = ("", cell.isCode)
        }
        if !cell.isCode || mark.isPrompt { body = Self.commented(cell.source) }
        let lines = body.isEmpty ? [] : Self.lines(body)
        // Whether a reader would find these lines as they are.
        if Self.natural(lines + [[]]) != lines
            || lines.contains(where: LuaMark.isMark)
        {
            mark.lines = lines.count
        }
        return mark.text + "\n" + body + (body.isEmpty ? "" : "\n")
    }

    private func isSame(_ a: String, _ b: String) -> Bool { a.utf8.elementsEqual(b.utf8) }

    // MARK: - Reading

    /// Reads a text; what stands before the first mark is a cell too.
    ///
    /// - Throws: `NotebookError` naming file and line.
    func notebook(_ text: String, file: String) throws -> Notebook {
        var notebook = Notebook()
        var lines = Self.lines(text)[...]
        try LuaHeader.read(&lines, file, &notebook)
        var mark: LuaMark?
        while true {
            let count = lines.firstIndex(where: LuaMark.isMark) ?? lines.endIndex
            var body = Array(lines[..<count])
            if let own = mark?.lines {
                body = Array(lines.prefix(own))
                let number = lines.startIndex
                lines = lines.dropFirst(own)
                let next = lines.first { !Self.isBlank($0) }
                guard body.count == own, next.map(LuaMark.isMark) ?? true else {
                    throw NotebookError(
                        "\(file):\(number)",
                        "the cell is said to have \(own) lines, and its lines were changed; correct or remove \"lines\" in its mark"
                    )
                }
                lines = lines.drop(while: Self.isBlank)
            } else {
                lines = lines[count...]
                body = Self.natural(body)
            }
            if mark != nil || !body.allSatisfy(Self.isBlank) {
                notebook.cells.append(cell(body, mark ?? LuaMark()))
            }
            guard let line = lines.popFirst() else { return notebook }
            mark = try LuaMark(line, file: file, number: lines.startIndex)
        }
    }

    private func cell(_ lines: [ArraySlice<UInt8>], _ mark: LuaMark) -> Notebook.Cell {
        var cell = Notebook.Cell(kind: mark.kind)
        (cell.metadata, cell.attachments) = (mark.metadata, mark.attachments)
        let text = String(decoding: Array(lines.joined(separator: [10])), as: UTF8.self)
        if mark.kind != .code || mark.isPrompt {
            cell.source = Self.uncommented(text)
        } else {
            cell.source = mark.isVerbatim ? text : script.cell(text)
        }
        return cell
    }

    // MARK: - Lines

    /// The lines between line feeds.
    private static func lines(_ text: String) -> [ArraySlice<UInt8>] {
        Array(text.utf8).split(separator: 10, omittingEmptySubsequences: false)
    }

    private static func isBlank(_ line: ArraySlice<UInt8>) -> Bool {
        line.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0d }
    }

    /// The lines of a cell among those up to the next mark: one or two empty lines before that are none of its own, and of more
    /// the last is not, as Jupytext has it.
    private static func natural(_ lines: [ArraySlice<UInt8>]) -> [ArraySlice<UInt8>] {
        let empty = lines.reversed().prefix { $0.isEmpty || $0.elementsEqual([13]) }.count
        guard empty < lines.count else { return [] }
        return Array(lines.dropLast(empty <= 2 ? empty : 1))
    }

    /// A text with two dashes before every line, as Lua has lines.
    private static func commented(_ text: String) -> String {
        var result: [UInt8] = []
        var last: UInt8 = 10
        for byte in text.utf8 {
            // A line feed behind a carriage return belongs to it.
            if last == 10 || (last == 13 && byte != 10) {
                result += byte == 10 || byte == 13 ? "--".utf8 : "-- ".utf8
            }
            result.append(byte)
            last = byte
        }
        if last == 10 || last == 13 { result += "--".utf8 }
        return String(decoding: result, as: UTF8.self)
    }

    /// The text that a comment was made of.
    private static func uncommented(_ text: String) -> String {
        var result: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while true {
            if rest.starts(with: "-- ".utf8) {
                rest = rest.dropFirst(3)
            } else if rest.starts(with: "--".utf8) {
                rest = rest.dropFirst(2)
            }
            let line = rest.prefix { $0 != 10 && $0 != 13 }
            result += line
            rest = rest.dropFirst(line.count)
            guard let end = rest.popFirst() else { break }
            result.append(end)
        }
        return String(decoding: result, as: UTF8.self)
    }
}
