import ArgumentParser
import Bindings
import Runtime

/// `mtrepl export`: a state of a run for other programs.
struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", _superCommandName: "mtrepl",
        abstract: "Write a state of a run as a folder that Hugging Face's transformers loads.",
        discussion: """
            The state must have a checkpoint: the last state of a run has, and those that other runs branched from and \
            that `keep` named; `mtrepl runs show` lists them. An earlier export in the folder is replaced.
            """)

    @OptionGroup var place: StoreOption
    @OptionGroup var form: JSONOption

    @Option(
        help: "How weights are stored: float32, or bfloat16 or float16, which round every weight.")
    var storage = "float32"

    @Option(
        help: ArgumentHelp(
            "The most that a file of weights holds, such as 500MB or 2GB; default: one file.",
            valueName: "size"))
    var maxShardSize: String?

    @Option(
        help: ArgumentHelp(
            "The run's tokenizer.json, if the store does not have it.", valueName: "file"))
    var tokenizer: String?

    @Argument(
        help: ArgumentHelp(
            "The run's name, or the beginning of its key; its last state, or that of a step.",
            valueName: "run[@step]"))
    var state: String

    @Argument(help: ArgumentHelp("Where to.", valueName: "folder"))
    var folder: String

    private struct Written: Encodable {
        let folder, run, name, storage: String
        let step, steps: Int
    }

    private var shardBytes: Int? { maxShardSize.flatMap { try? ModelShards.bytes($0) } }

    func validate() throws {
        guard StorageFormat(rawValue: storage) != nil else {
            throw ValidationError(
                "--storage: float32, float16 or bfloat16 expected, got '\(storage)'")
        }
        guard maxShardSize == nil || shardBytes != nil else {
            throw ValidationError(
                "--max-shard-size: a size in KB, MB, GB or TB expected, such as 500MB, got '\(maxShardSize ?? "")'"
            )
        }
    }

    func run() throws {
        StopSignals.catchAll()
        let found: (run: StoredRun, step: Int)
        do {
            found = try place.open(forReading: true).export(
                state, to: folder, storage: StorageFormat(rawValue: storage) ?? .float32,
                shardBytes: shardBytes, tokenizer: tokenizer, stop: { StopSignals.came })
        } catch let error as Interrupted {
            Interpreter.Report.toStandardError("mtrepl: \(error.message)\n")
            throw ExitCode(StopSignals.code)
        }
        let (run, step) = found
        try form.say(
            "\(folder): run \(run.row.name) after \(step) of \(run.row.steps) steps, \(storage)"
        ) {
            try CanonicalJSON.text(
                Written(
                    folder: folder, run: run.row.key.hex, name: run.row.name, storage: storage,
                    step: step, steps: run.row.steps), pretty: true)
        }
    }
}
