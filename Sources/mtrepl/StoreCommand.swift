import ArgumentParser
import Bindings
import Runtime

/// `mtrepl store`: the files of a store.
struct StoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store", _superCommandName: "mtrepl",
        abstract:
            "Check the files of a store, merge another into it, export runs as an archive, import one.",
        discussion: "docs/stores.md is the page for those who care for a store.",
        subcommands: [
            StoreCheckCommand.self, StoreMergeCommand.self, StoreExport.self, StoreImport.self,
        ])

    /// Runs a body that can be stopped by a signal.
    static func stoppable<T>(_ body: (@escaping ShouldStop) throws -> T) throws -> T {
        StopSignals.catchAll()
        do { return try body { StopSignals.came } } catch let error as Interrupted {
            Interpreter.Report.toStandardError("mtrepl: \(error.message)\n")
            throw ExitCode(StopSignals.code)
        }
    }
}

struct StoreCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Read every file of the store and say what is not as it was written.",
        discussion: """
            The exit code is 1 if something is damaged and was not repaired. The index is made again in any case. Two versions \
            of one state, which two processors may give, are shown and are no damage.
            """)

    @OptionGroup var place: StoreOption
    @OptionGroup var form: JSONOption

    @Flag(
        help:
            "Move what is damaged to the folder 'damaged', and write what is whole of a damaged journal into another."
    )
    var repair = false

    func run() throws {
        let store = try place.open(forReading: !repair)
        let check = try StoreCommand.stoppable { try store.check(repair: repair, stop: $0) }
        try form.say(check.text(repaired: repair)) { try check.json(repaired: repair) }
        if !check.damages.isEmpty && !repair { throw ExitCode(ExitStatus.failure) }
    }
}

struct StoreMergeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge", abstract: "Copy what another store has and this one has not.",
        discussion: """
            Copying the files of the other store into this one's folder does the same; this command reads them first and \
            leaves out what is damaged. Runs that were removed from either store do not come back.
            """)

    @OptionGroup var place: StoreOption
    @OptionGroup var form: JSONOption

    @Argument(help: ArgumentHelp("The folder of the other store.", valueName: "folder"))
    var other: String

    func run() throws {
        guard Store.isStore(other) else {
            throw FileError("open", other, reason: "there is no store here")
        }
        let store = try place.open()
        let from = try Store(other, index: Store.ownIndex(other), forReading: true)
        let merge = try StoreCommand.stoppable { try store.merge(from, stop: $0) }
        try StoreImport.report(merge, form)
    }
}

struct StoreExport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write runs with their records, checkpoints and tokenizers as one archive.",
        discussion: """
            The archive is a tar file that holds a store and a README.md: recipe, exposure, digests of the data, keys, losses \
            and what computed them. It holds no text of corpora.
            """)

    @OptionGroup var place: StoreOption
    @OptionGroup var form: JSONOption

    @Flag(help: "Only the latest checkpoint of each run.")
    var last = false

    @Option(help: ArgumentHelp("The archive, such as paper.tar.", valueName: "file"))
    var to: String

    @Argument(help: "Names of runs, or beginnings of their keys.")
    var runs: [String]

    private struct Written: Encodable {
        let path: String
        let runs: [String]
        let bytes: Int
    }

    func validate() throws {
        if runs.isEmpty { throw ValidationError("expected at least one run") }
    }

    func run() throws {
        let store = try place.open(forReading: true)
        let found = try runs.map { try store.run($0) }
        try StoreCommand.stoppable {
            try store.archive(found, to: to, lastOnly: last, stop: $0)
        }
        let bytes = try FileReader.size(to)
        try form.say("\(to): \(found.count) runs, \(Amount.bytes(bytes))") {
            try CanonicalJSON.text(
                Written(path: to, runs: found.map(\.row.key.hex), bytes: bytes), pretty: true)
        }
    }
}

struct StoreImport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Add the runs of an archive that `mtrepl store export` wrote.")

    @OptionGroup var place: StoreOption
    @OptionGroup var form: JSONOption

    @Argument(help: ArgumentHelp("The archive.", valueName: "file"))
    var archive: String

    func run() throws {
        // A store is made where there is none.
        let store = try Store(Session.storeFolder(place.store), index: place.index)
        let merge = try StoreCommand.stoppable { try store.importArchive(archive, stop: $0) }
        try Self.report(merge, form)
    }

    static func report(_ merge: StoreMerge, _ form: JSONOption) throws {
        try form.say(
            "copied \(merge.copied) files and checkpoints, \(Amount.bytes(merge.bytes)); \(merge.known) were here already"
        ) { try merge.json() }
        for reason in merge.left {
            Interpreter.Report.toStandardError("mtrepl: left out: \(reason)\n")
        }
        if !merge.left.isEmpty { throw ExitCode(ExitStatus.failure) }
    }
}
