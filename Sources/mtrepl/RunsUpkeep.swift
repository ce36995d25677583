import ArgumentParser
import Bindings
import Glibc
import Runtime

struct RunsRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Forget runs, and delete their checkpoints that no other run uses.",
        discussion:
            "What was measured stays in the registry, so that a study need not measure again.")

    @OptionGroup var place: StoreOption

    @Flag(help: "Do not ask.")
    var yes = false

    @Argument(help: "Names of runs, or beginnings of their keys.")
    var runs: [String]

    func validate() throws {
        if runs.isEmpty { throw ValidationError("expected at least one run") }
    }

    func run() throws {
        let store = try place.open()
        let found = try runs.map { try store.run($0) }
        if !yes {
            guard isatty(0) != 0 else {
                throw ValidationError("--yes is needed where nobody can be asked")
            }
            say(RunList.text(found))
            say("Remove? [y/N] ", end: "")
            fflush(nil)
            guard let answer = readLine(), ["y", "yes"].contains(answer.lowercased()) else {
                throw ExitCode(ExitStatus.failure)
            }
        }
        let gone = try store.remove(found)
        say(
            "removed \(found.count) runs and \(gone.count) checkpoints, "
                + Amount.bytes(gone.reduce(0) { $0 + $1.bytes }))
    }
}

struct RunsGarbage: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc",
        abstract: "Remove checkpoints that no run needs, and what dead processes left.",
        discussion: """
            A run needs its latest checkpoint, and those that were to stay: where other runs branched, and what save() and \
            keep named. A run that is being trained needs all of its checkpoints.
            """)

    @OptionGroup var place: StoreOption

    @Flag(help: "Also remove damaged checkpoints that were set aside.")
    var damaged = false

    @Flag(help: "Only say what would go.")
    var dryRun = false

    func run() throws {
        let store = try place.open()
        let garbage = try store.collectGarbage(damaged: damaged, dryRun: dryRun)
        if dryRun { for item in garbage where item.kind != .claim { say(item.path) } }
        say(garbage.text(dryRun: dryRun))
        try place.checkCheckpoints(store)
    }
}
