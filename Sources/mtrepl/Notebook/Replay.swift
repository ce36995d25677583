import ArgumentParser
import Bindings
import Foundation
import Runtime

/// `mtrepl replay` says whether a notebook gives again what it holds.
struct Replay: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", _superCommandName: "mtrepl",
        abstract:
            "Run a notebook again in a fresh interpreter, and say of each cell whether it gives the same.",
        discussion: """
            Compared are what was printed, values, errors and, in logs, the keys of trained states; not timings, progress, \
            help pages and messages on standard error. Cells that were interrupted or had not ended are left out. Everything is trained again in an empty store unless \
            --store names one. The exit code is 0 if all cells are the same, 1 if one is not.
            """)

    @Option(help: "A store to use (default: an empty one that is removed at the end).")
    var store: String?

    @Option(
        parsing: .unconditional,
        help: "Threads to use (default: all). It changes speed, never results.")
    var threads: Int?

    @OptionGroup var form: JSONOption

    @Argument(help: ArgumentHelp("A notebook: .ipynb.", valueName: "file"))
    var file: String

    func validate() throws {
        try CommandLineParser.check(threads: threads)
        if try NotebookFormat(file) != .ipynb {
            throw ValidationError(
                "\(file): a notebook that ends in .ipynb expected, which alone holds what its cells gave"
            )
        }
    }

    func run() throws {
        let notebook = try Notebook(jupyter: file)
        if let threads { Parallel.threads = threads }
        let temporary = NSTemporaryDirectory() + "/mtrepl-replay-\(UUID().uuidString)"
        defer { if store == nil { try? FileManager.default.removeItem(atPath: temporary) } }
        let recorder = CellRecorder()
        var settings = Interpreter.Settings()
        settings.seed = notebook.seed
        settings.strict = notebook.strict
        settings.store = store ?? temporary
        settings.liveBytes = { Int64(Memory.liveBytes) }
        settings.display.width = { recorder.width }
        let host = try Host(settings, observer: recorder, exclusive: true)
        _ = host.begin()
        var counts: [Verdict.Kind: Int] = [:]
        var cells: [CellVerdict] = []
        for (index, cell) in notebook.cells.enumerated() where cell.isCode {
            let verdict = replay(cell, notebook, host, recorder)
            counts[verdict.kind, default: 0] += 1
            cells.append(
                CellVerdict(
                    cell: index + 1, verdict: verdict.kind.rawValue, details: verdict.details))
            if !form.json {
                say("cell \(index + 1): \(verdict.kind.rawValue)\(verdict.time)")
                for line in verdict.details { say("    \(line)") }
            }
            if case .interrupted? = recorder.result?.outcome {
                say(form.json ? try CanonicalJSON.text(cells, pretty: true) : "interrupted")
                throw ExitCode(ExitStatus.interrupted)
            }
            if host.isLeaving { break }
        }
        host.endBackground()
        host.interpreter.close()
        let different = counts[.different] ?? 0
        let order: [Verdict.Kind] = [.same, .different, .notCompared, .leftOut]
        say(
            form.json
                ? try CanonicalJSON.text(cells, pretty: true)
                : "\(file): "
                    + order.compactMap { kind in counts[kind].map { "\($0) \(kind.rawValue)" } }
                    .joined(separator: ", "))
        if different > 0 { throw ExitCode(ExitStatus.failure) }
    }

    private func say(_ text: String) { Interpreter.Report.put(text + "\n", to: 1) }

    private func replay(
        _ cell: Notebook.Cell, _ notebook: Notebook, _ host: Host, _ recorder: CellRecorder
    ) -> Verdict {
        recorder.reset(
            width: cell.record?.width ?? notebook.width, replacesDisplays: cell.record == nil)
        // Errors name a cell by its number, whatever was left out before it.
        if let number = cell.record?.input ?? cell.count { host.inputs = max(0, number - 1) }
        // A log begins a record with the cell; the count comes with its end.
        if cell.record != nil, cell.count == nil {
            return Verdict(.notCompared, ["it had not ended"])
        }
        if cell.record?.isInterrupted == true { return Verdict(.leftOut, ["it was interrupted"]) }
        if case .shell(let command)? = PromptCommand(cell.source) {
            _ = host.evaluate("$ {\n\(command)\n} > /dev/null 2>&1")
            return Verdict(.notCompared, ["a command of the shell"])
        }
        let result = host.evaluate(cell.source) ?? host.complain(cell.source)
        guard cell.count != nil else {
            return Verdict(.notCompared, ["it had not been run"], seconds: result.seconds)
        }
        let details = Comparison.differences(
            Comparison(cell.outputs, cell.record?.runs),
            Comparison(recorder.outputs, result.runs))
        return Verdict(
            details.isEmpty ? .same : .different, details, seconds: result.seconds)
    }
}

/// What became of a cell, as JSON.
private struct CellVerdict: Encodable {
    let cell: Int
    let verdict: String
    let details: [String]
}

/// What became of a cell.
private struct Verdict {
    enum Kind: String {
        case same, different
        case notCompared = "not compared"
        case leftOut = "left out"
    }

    let kind: Kind
    let details: [String]
    let time: String

    init(_ kind: Kind, _ details: [String], seconds: Double? = nil) {
        self.kind = kind
        self.details = details
        time = seconds.map { $0 < 1 ? "" : " (\(($0 * 10).rounded() / 10) s)" } ?? ""
    }
}
