import ArgumentParser
import Bindings
import Foundation
import Runtime

/// `mtrepl run` carries out a notebook with parameters and keeps what came of it in another.
struct RunNotebook: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", _superCommandName: "mtrepl",
        abstract:
            "Run a notebook from its first cell to its last, with parameters, and write what came of it.",
        usage: "mtrepl run <notebook> [-p name value ...] [-r name text ...] [-o file] [options]",
        discussion: """
            As papermill does: the values of -p and -r stand in a cell tagged injected-parameters, behind the cell that is \
            tagged parameters and says what they are otherwise; without one, before all cells. A value of -p that is a \
            number, true or false in Lua is that, and else a text; one of -r is always a text. What cells print is \
            printed, and with all else goes to -o, or beside the notebook to NAME.run.ipynb, whole after every cell. A cell \
            that fails ends the run: its error is in the notebook, and the exit code is 1.
            """)

    @Option(
        name: [.customShort("p"), .customLong("parameter")], parsing: .unconditionalSingleValue,
        help: ArgumentHelp("A parameter: its name and its value.", valueName: "name value"))
    var parameters: [String] = []

    @Option(
        name: [.customShort("r"), .customLong("raw-parameter")], parsing: .unconditionalSingleValue,
        help: ArgumentHelp("A parameter that is a text.", valueName: "name text"))
    var rawParameters: [String] = []

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("Where to write (default: NAME.run.ipynb).", valueName: "file"))
    var output: String?

    @Option(help: "The folder of runs, checkpoints and token stores (default: .mtrepl).")
    var store: String?

    @Option(
        parsing: .unconditional,
        help: "Threads to use (default: all). It changes speed, never results.")
    var threads: Int?

    @Flag(
        help: "Withhold files outside the working folder, processes and the network from the cells."
    )
    var safe = false

    @Argument(help: ArgumentHelp("A notebook: .ipynb, .lua or .md.", valueName: "notebook"))
    var file: String

    /// The arguments with every `-p name value` as one argument, as the parser takes one value for an option.
    static func joined(_ arguments: [String]) -> [String] {
        var result: [String] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            result.append(argument)
            guard ["-p", "--parameter", "-r", "--raw-parameter"].contains(argument) else {
                continue
            }
            guard let name = rest.popFirst() else { break }
            // Where the value is missing, the error is the parameter's.
            result.append(
                rest.popFirst().map { "\(name)\(NotebookParameter.separator)\($0)" } ?? name)
        }
        return result
    }

    func validate() throws {
        try CommandLineParser.check(threads: threads)
        if let store, store.isEmpty {
            throw ValidationError("--store: a folder expected, got nothing")
        }
        if let output, !output.hasSuffix(".ipynb") {
            throw ValidationError("-o: a name that ends in .ipynb expected, got '\(output)'")
        }
        _ = try values()
    }

    private func values() throws -> [NotebookParameter] {
        var found: [NotebookParameter] = []
        for (texts, isRaw) in [(parameters, false), (rawParameters, true)] {
            for text in texts {
                let parameter = try NotebookParameter(text, isRaw: isRaw)
                // The last one counts, so that a command can be called again with more behind it.
                found.removeAll { $0.name == parameter.name }
                found.append(parameter)
            }
        }
        return found
    }

    func run() throws {
        var notebook = try NotebookFormat.read(file)
        try notebook.inject(try values(), file: file)
        for index in notebook.cells.indices {
            (notebook.cells[index].outputs, notebook.cells[index].count) = ([], nil)
            notebook.cells[index].record = nil
        }
        let target = output ?? PathName.stem(file) + ".run.ipynb"
        if let there = FileIdentity(path: target), there == FileIdentity(path: file) {
            throw NotebookError(target, "is the notebook itself; give -o another name")
        }
        if let threads { Parallel.threads = threads }
        let recorder = CellRecorder()
        recorder.keepsMessages = true
        var settings = Interpreter.Settings()
        settings.seed = notebook.seed
        settings.strict = notebook.strict
        settings.store = store
        settings.liveBytes = { Int64(Memory.liveBytes) }
        settings.display.width = { recorder.width }
        if safe { settings.safeFolder = "." }
        let host = try Host(settings, observer: TerminalView())
        host.add(recorder)
        _ = host.begin()
        try AtomicFile.write(target, text: notebook.jupyter)
        var code = ExitStatus.success
        for index in notebook.cells.indices where notebook.cells[index].isCode {
            guard code == ExitStatus.success, !host.isLeaving else { break }
            code = carryOut(index, &notebook, host, recorder)
            try AtomicFile.write(target, text: notebook.jupyter)
        }
        host.endBackground()
        host.interpreter.close()
        Interpreter.Report.toStandardError("written to \(target)\n")
        throw ExitCode(code)
    }

    /// Runs a cell; returns the code to leave with.
    private func carryOut(
        _ index: Int, _ notebook: inout Notebook, _ host: Host, _ recorder: CellRecorder
    ) -> Int32 {
        let source = notebook.cells[index].source
        recorder.reset(width: notebook.width, replacesDisplays: true)
        let result = host.evaluate(source) ?? host.complain(source)
        notebook.cells[index].outputs = recorder.outputs
        notebook.cells[index].count = host.inputs
        var record = Notebook.Record(width: notebook.width, input: host.inputs)
        record.seconds = result.seconds
        record.runs = result.runs
        if case .interrupted = result.outcome { record.isInterrupted = true }
        notebook.cells[index].record = record
        if result.failure != nil {
            Interpreter.Report.toStandardError("cell \(index + 1) failed\n")
        }
        return result.code
    }
}
