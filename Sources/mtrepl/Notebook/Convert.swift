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
        case .lua: Notebook(lua: try FileReader.text(path))
        case .md: Notebook(markdown: try FileReader.text(path))
        }
    }
}

/// `mtrepl convert`: a notebook in another form.
struct Convert: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert", _superCommandName: "mtrepl",
        abstract: "Convert a notebook between .ipynb, .lua and .md.",
        discussion: """
            In .lua, cells begin with a line `-- %%`, text cells with `-- %% [markdown]`, and outputs are left out. In .md, \
            comments mark the cells, code stands in fences marked lua, outputs in fences marked output, value and error; \
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
        let text =
            switch format {
            case .ipynb: notebook.jupyter
            case .lua: notebook.lua
            case .md: notebook.markdown
            }
        try AtomicFile.write(target, text: text)
    }
}
