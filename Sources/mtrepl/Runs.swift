import ArgumentParser
import Bindings
import Glibc
import Runtime

/// `mtrepl runs`: what a store holds, and its upkeep.
struct Runs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs", _superCommandName: "mtrepl",
        abstract: "List the runs of a store, show or export one, remove some, or collect garbage.",
        subcommands: [
            RunsList.self, RunsShow.self, RunsExport.self, RunsRemove.self, RunsGarbage.self,
        ],
        defaultSubcommand: RunsList.self)
}

/// The option that all of them take.
struct StoreOption: ParsableArguments {
    @Option(help: "The folder of the store (default: MTREPL_STORE, or .mtrepl).")
    var store: String?

    @Option(
        help: ArgumentHelp(
            "The file of the store's index (default: in the store, or in the user's cache on a network file system).",
            valueName: "file"))
    var index: String?

    /// The store; one that is not there is an error rather than made.
    ///
    /// - Parameter forReading: Whether a folder that cannot be written will do.
    func open(forReading: Bool = false) throws -> Store {
        let folder = Session.storeFolder(store)
        guard Store.isStore(folder) else {
            throw access(folder, X_OK) == 0 || errno == ENOENT
                ? FileError(
                    "open", folder, reason: "there is no store here; --store names another folder")
                : FileError("open", folder, errno: errno)
        }
        let store = try Store(folder, index: index, forReading: forReading)
        for notice in store.takeNotices() {
            Interpreter.Report.toStandardError("mtrepl: warning: \(notice)\n")
        }
        return store
    }

    /// Fails when a checkpoint or a journal cannot be read: what was printed leaves it out.
    func checkCheckpoints(_ store: Store) throws {
        if let damage = try store.registry.damages().first { throw damage.error }
        if let damage = try store.checkpoints().damaged.first { throw damage }
    }
}

/// The option of commands that print.
struct JSONOption: ParsableArguments {
    @Flag(help: "Print JSON.")
    var json = false

    /// Prints what a command says.
    func say(_ text: @autoclosure () throws -> String, json: () throws -> String) throws {
        mtrepl.say(self.json ? try json() : try text())
    }
}

struct RunsList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the runs, the latest change last.")

    @OptionGroup var place: StoreOption
    @OptionGroup var form: JSONOption

    func run() throws {
        let store = try place.open(forReading: true)
        let runs = try store.runs()
        try form.say(RunList.text(runs)) { try RunList.json(runs) }
        try place.checkCheckpoints(store)
    }
}

struct RunsShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a run: recipe, exposure, status, last losses, checkpoints.")

    @OptionGroup var place: StoreOption
    @OptionGroup var form: JSONOption

    @Flag(help: "Print what every step measured, as CSV, and nothing else.")
    var steps = false

    @Flag(help: "Print the recipe as JSON, and nothing else.")
    var recipe = false

    @Argument(
        help: ArgumentHelp("The run's name, or the beginning of its key.", valueName: "run"))
    var name: String

    func validate() throws {
        if steps && recipe { throw ValidationError("--steps and --recipe: give one of the two") }
        if form.json, steps || recipe {
            throw ValidationError(
                "--json and \(steps ? "--steps" : "--recipe"): give one of the two")
        }
    }

    func run() throws {
        let store = try place.open(forReading: true)
        let found = try store.run(name)
        if recipe { return say(found.row.recipe) }
        let history = try found.row.state.map { try store.registry.history($0) } ?? []
        if steps {
            say(StepRecord.csv(history), end: "")
        } else {
            try form.say(found.text(history: history)) {
                try found.json(
                    history: history, evaluations: store.metrics(of: found).evaluations)
            }
        }
        if !steps { try place.checkCheckpoints(store) }
    }
}
