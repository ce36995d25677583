import ArgumentParser
import Runtime

/// The forms a notebook has on disk, by the ending of the file's name.
enum NotebookFormat: String, CaseIterable {
    case ipynb, lua, md

    init(_ path: String) throws {
        let ending = path.split(separator: ".").last.map(String.init) ?? ""
        guard path.contains("."), let format = NotebookFormat(rawValue: ending) else {
            throw NotebookError(path, "a name that ends in .ipynb, .lua or .md expected")
        }
        self = format
    }

    /// Reads a notebook of any form.
    static func read(_ path: String) throws -> Notebook {
        switch try NotebookFormat(path) {
        case .ipynb: try Notebook(jupyter: path)
        case .lua: try LuaFormat().notebook(try text(path), file: path)
        case .md: try Notebook(markdown: try text(path), file: path)
        }
    }

    private static func text(_ path: String) throws -> String {
        let bytes = try FileReader.bytes(path, limit: 1 << 30)
        if let place = bytes.withUnsafeBytes({ UTF8Check.firstInvalid($0) }) {
            let line = bytes[..<place].count { $0 == 10 } + 1
            throw NotebookError("\(path):\(line)", "byte \(place) of the file is not UTF-8")
        }
        return String(decoding: unixLines(bytes), as: UTF8.self)
    }

    /// The bytes without a byte order mark, and with line feeds where all lines end otherwise; what we write never does.
    private static func unixLines(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes[...]
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { bytes = bytes.dropFirst(3) }
        let feeds = bytes.count { $0 == 10 }
        if feeds == 0 { return bytes.map { $0 == 13 ? 10 : $0 } }
        let pairs = zip(bytes, bytes.dropFirst()).count { $0 == 13 && $1 == 10 }
        guard pairs == feeds else { return Array(bytes) }
        return zip(bytes, bytes.dropFirst() + [0]).filter { !($0 == 13 && $1 == 10) }.map(\.0)
    }
}

/// `mtrepl convert`: a notebook in another form.
struct Convert: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert", _superCommandName: "mtrepl",
        abstract: "Convert a notebook between .ipynb, .lua and .md.",
        discussion: """
            In .lua, cells begin with a line `-- %%`, text cells with `-- %% [markdown]`, as Jupytext has it (lua:percent), \
            and outputs are left out; what a notebook shows of a cell, `mt.show(…)` shows in the script. In .md, comments \
            mark the cells, code stands in fences marked lua, outputs in fences marked output, value and error; \
            pictures are left out.
            """)

    @Flag(help: "Replace the target if it is there.")
    var force = false

    @Argument(help: ArgumentHelp("What to read.", valueName: "from"))
    var source: String

    @Argument(help: ArgumentHelp("What to write.", valueName: "to"))
    var target: String

    func run() throws {
        let format = try NotebookFormat(target)
        let notebook = try NotebookFormat.read(source)
        guard force || !FileCheck.exists(target) else {
            throw FileError("write", target, reason: "it is there already; --force replaces it")
        }
        // In its own form it stays as it is, with what we do not know of it.
        if try NotebookFormat(source) == format {
            let bytes = try FileReader.bytes(source, limit: 1 << 30)
            return try AtomicFile.write(target) { writer in
                try bytes.withUnsafeBytes { try writer.write($0) }
            }
        }
        let text: String
        let back: Notebook
        switch format {
        case .ipynb: return try AtomicFile.write(target, text: notebook.jupyter)
        case .lua:
            let form = try LuaFormat()
            text = form.text(notebook)
            back = try form.notebook(text, file: target)
        case .md:
            text = notebook.markdown
            back = try Notebook(markdown: text, file: target)
        }
        guard back.hasSameCells(as: notebook) else {
            throw NotebookError(source, "a cell of it cannot be kept in .\(format.rawValue)")
        }
        try AtomicFile.write(target, text: text)
    }
}
