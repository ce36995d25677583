import ArgumentParser
import Bindings
import Runtime

/// `mtrepl runs export`: what a run measured, for other programs.
struct RunsExport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write what every step of a run measured, and its recorded losses.",
        discussion: """
            csv and jsonl write steps and evaluations as two files; tensorboard writes an event file, which \
            `tensorboard --logdir FOLDER` shows. An earlier export in the folder is replaced.
            """)

    @OptionGroup var place: StoreOption
    @OptionGroup var form: JSONOption

    @Option(help: "csv, jsonl or tensorboard.")
    var format = "csv"

    @Flag(help: "Write texts as they are, also those that a spreadsheet would take for formulas.")
    var raw = false

    @Argument(
        help: ArgumentHelp("The run's name, or the beginning of its key.", valueName: "run"))
    var name: String

    @Argument(help: ArgumentHelp("Where to.", valueName: "folder"))
    var folder: String

    func validate() throws {
        guard RunMetrics.Format(rawValue: format) != nil else {
            let known = RunMetrics.Format.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--format: \(known) expected, got '\(format)'")
        }
    }

    func run() throws {
        let store = try place.open(forReading: true)
        let metrics = try store.metrics(of: try store.run(name))
        let files = try metrics.write(
            to: folder, format: RunMetrics.Format(rawValue: format) ?? .csv, raw: raw)
        try form.say(files.joined(separator: "\n")) { try CanonicalJSON.text(files, pretty: true) }
    }
}
