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

    /// The number of the input that runs.
    var input: () -> Int = { 0 }

    private let width: () -> Int
    private let notebook: NotebookFile?
    private let markdown: MarkdownFile?
    private var count = 0
    private var current: Notebook.Cell?
    /// The text of the stream that its last outputs are; kept apart, as it grows piece by piece.
    private var stream: (isError: Bool, text: String)?
    /// Called at the end of the cell that ended the log.
    private var whenStopped: (() -> Void)?
    /// Whether the next output takes the place of those before it.
    private var clearing = OutputClearing()
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
        guard !path.isEmpty, !path.hasSuffix("/") else {
            throw FileError("log to", "'\(path)'", reason: "the name of a file expected")
        }
        files = format == nil ? ["\(path).ipynb", "\(path).md"] : [path]
        for file in files where FileCheck.exists(file) {
            throw FileError("log to", file, reason: "it is there already; a log replaces nothing")
        }
        width = settings.display.width
        var empty = Notebook()
        empty.seed = settings.seed
        empty.strict = settings.strict
        notebook = try files.first { $0.hasSuffix(".ipynb") }.map { try NotebookFile($0, empty) }
        markdown = try files.first { $0.hasSuffix(".md") }.map { try MarkdownFile($0, empty) }
    }

    /// Adds a text, after the cell that is being run.
    func note(_ text: String) {
        notes.append(text)
        if current == nil { flushNotes() }
    }

    /// Ends the log with the cell that runs, if one does; `whenStopped` is called then.
    func stop(_ whenStopped: @escaping () -> Void) {
        guard current != nil else { return whenStopped() }
        self.whenStopped = whenStopped
    }

    func begin(_ source: String) {
        guard !source.isEmpty else { return }
        var cell = Notebook.Cell(source: source)
        cell.record = Notebook.Record(width: width(), input: input())
        current = cell
        attempt {
            try markdown?.begin(cell)
            try notebook?.show(cell)
        }
    }

    func receive(_ event: CellEvent) {
        guard current != nil else { return }
        if clearing.comes(with: event) { clear() }
        switch event {
        case .status, .clear: return
        case .output(let text): write(false, PlainText.of(text))
        case .error(let text): write(true, PlainText.of(text))
        case .page(let text): add(.aside(RichOutput(text: PlainText.of(text))))
        case .value(let output): add(.value(plain(output)))
        case .display(let output): add(.display(plain(output)))
        }
        attempt { try notebook?.showSoon(shown) }
    }

    func end(_ result: CellResult) {
        if current != nil, let failure = result.failure {
            add(
                .error(
                    name: failure.name, message: failure.message, traceback: failure.traceback))
        }
        guard var cell = shown else { return }
        count += 1
        cell.count = count
        cell.record?.seconds = result.seconds
        cell.record?.runs = result.runs
        if case .interrupted = result.outcome { cell.record?.isInterrupted = true }
        (current, stream) = (nil, nil)
        attempt {
            try markdown?.end(cell)
            try notebook?.add(cell)
        }
        flushNotes()
        whenStopped?()
    }

    /// The cell that runs, with all that has come of it.
    private var shown: Notebook.Cell? {
        guard var cell = current else { return nil }
        if let stream { cell.outputs.append(.stream(isError: stream.isError, text: stream.text)) }
        return cell
    }

    private func write(_ isError: Bool, _ text: String) {
        if stream?.isError == isError {
            stream?.text += text
        } else {
            endStream()
            stream = (isError, text)
        }
        attempt { try markdown?.add(.stream(isError: isError, text: text)) }
    }

    private func endStream() {
        if let stream {
            current?.outputs.append(.stream(isError: stream.isError, text: stream.text))
        }
        stream = nil
    }

    private func add(_ output: Notebook.Output) {
        endStream()
        current?.outputs.append(output)
        attempt { try markdown?.add(output) }
    }

    private func clear() {
        stream = nil
        current?.outputs = []
    }

    private func plain(_ output: RichOutput) -> RichOutput {
        var output = output
        output.text = PlainText.of(output.text)
        return output
    }

    private func flushNotes() {
        for note in notes {
            attempt {
                let cell = Notebook.Cell(kind: .markdown, source: note)
                try markdown?.note(cell)
                try notebook?.add(cell)
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
