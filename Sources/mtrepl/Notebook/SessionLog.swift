import Bindings
import Glibc
import Runtime

/// Whether something lies at a path.
enum FileCheck {
    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
}

/// Records the cells of a session in files as they are run.
final class SessionLog: CellObserver {
    /// The files that are written.
    let files: [String]
    let isRich = true

    private let width: () -> Int
    private let notebook: NotebookFile?
    private let markdown: MarkdownFile?
    private var count = 0
    private var current: Notebook.Cell?
    /// Whether the next output takes the place of those before it.
    private var clears = false
    private var notes: [String] = []

    /// Begins a log: `NAME.ipynb` and `NAME.md`, or only the one that the path names.
    ///
    /// - Throws: `FileError` if a file is there already, or cannot be written.
    init(_ path: String, _ settings: Interpreter.Settings) throws {
        let format = try? NotebookFormat(path)
        guard format != .lua else {
            throw FileError(
                "log to", path, reason: "a name that ends in .ipynb or .md, or in neither, expected"
            )
        }
        files = format == nil ? ["\(path).ipynb", "\(path).md"] : [path]
        for file in files where FileCheck.exists(file) {
            throw FileError("log to", file, reason: "it is there already; a log replaces nothing")
        }
        width = settings.display.width
        var empty = Notebook()
        (empty.seed, empty.strict) = (settings.seed, settings.strict)
        notebook = try files.first { $0.hasSuffix(".ipynb") }.map { try NotebookFile($0, empty) }
        markdown = try files.first { $0.hasSuffix(".md") }.map { try MarkdownFile($0) }
    }

    /// Adds a text, after the cell that is being run.
    func note(_ text: String) {
        notes.append(text)
        if current == nil { flushNotes() }
    }

    /// Ends the log.
    func stop() {
        guard let cell = current else { return }
        // The cell that ends the log is in it, without a timing.
        current = nil
        count += 1
        attempt { try finish(cell) }
    }

    func begin(_ source: String) {
        guard !source.isEmpty else { return }
        var cell = Notebook.Cell(source: source)
        cell.record = Notebook.Record(width: width())
        current = cell
        attempt {
            try markdown?.begin(source)
            try notebook?.show(cell)
        }
    }

    func receive(_ event: CellEvent) {
        guard current != nil else { return }
        if case .clear(let wait) = event {
            clears = wait
            if !wait { current?.outputs = [] }
            return
        }
        if clears, !event.isStatus {
            clears = false
            current?.outputs = []
        }
        switch event {
        case .status, .clear: return
        case .output(let text): stream(false, PlainText.of(text))
        case .error(let text): stream(true, PlainText.of(text))
        case .page(let text): stream(false, PlainText.of(text) + "\n")
        case .value(let output): add(.value(plain(output)))
        case .display(let output): add(.display(plain(output)))
        }
        attempt { if let current { try notebook?.showSoon(current) } }
    }

    func end(_ result: CellResult) {
        guard var cell = current else { return }
        if let failure = result.failure {
            let output = Notebook.Output.error(
                name: failure.name, message: failure.message, traceback: failure.traceback)
            cell.outputs.append(output)
            attempt { try markdown?.add(output) }
        }
        count += 1
        cell.count = count
        cell.record?.seconds = result.seconds
        cell.record?.runs = result.runs
        if case .interrupted = result.outcome { cell.record?.isInterrupted = true }
        current = nil
        attempt { try finish(cell) }
        flushNotes()
    }

    private func finish(_ cell: Notebook.Cell) throws {
        try markdown?.end(cell.record)
        try notebook?.add(cell)
    }

    private func stream(_ isError: Bool, _ text: String) {
        if case .stream(isError, let before)? = current?.outputs.last {
            current?.outputs.removeLast()
            current?.outputs.append(.stream(isError: isError, text: before + text))
        } else {
            current?.outputs.append(.stream(isError: isError, text: text))
        }
        attempt { try markdown?.add(.stream(isError: isError, text: text)) }
    }

    private func add(_ output: Notebook.Output) {
        current?.outputs.append(output)
        attempt { try markdown?.add(output) }
    }

    private func plain(_ output: RichOutput) -> RichOutput {
        var output = output
        output.text = PlainText.of(output.text)
        return output
    }

    private func flushNotes() {
        for note in notes {
            attempt {
                try markdown?.note(note)
                try notebook?.add(Notebook.Cell(isCode: false, source: note))
            }
        }
        notes = []
    }

    /// A log that cannot be written must not stop the session.
    private var hasFailed = false

    private func attempt(_ body: () throws -> Void) {
        guard !hasFailed else { return }
        do { try body() } catch {
            hasFailed = true
            Interpreter.Report.put("the log ends here: \(error)\n", to: 2)
        }
    }
}
