import ArgumentParser
import Bindings
import Glibc
import Runtime

struct RunsRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Forget runs, and delete their checkpoints that no other run uses.",
        discussion:
            """
            What was measured stays in the registry, so that a study need not measure again. In patterns * stands for any \
            characters, ? for one, and […] for one of some; the list of what would be removed is shown first.
            """)

    @OptionGroup var place: StoreOption
    @OptionGroup var form: JSONOption

    @Flag(help: "Do not ask.")
    var yes = false

    @Argument(
        help:
            "Names of runs, beginnings of their keys, or patterns of names such as 'ramp*', in quotes."
    )
    var runs: [String]

    func validate() throws {
        if runs.isEmpty { throw ValidationError("expected at least one run") }
    }

    func run() throws {
        let store = try place.open()
        var known: Set<Digest> = []
        let found = try runs.flatMap { try store.runs(matching: $0) }.filter {
            known.insert($0.row.key).inserted
        }
        let isPattern = found.count != runs.count || found.map(\.row.name) != runs
        if !yes || isPattern, !form.json { say(RunList.text(found)) }
        if !yes {
            guard isatty(0) != 0, !form.json else {
                throw ValidationError("--yes is needed where nobody can be asked")
            }
            say("Remove? [y/N] ", end: "")
            fflush(nil)
            guard let answer = readLine(), ["y", "yes"].contains(answer.lowercased()) else {
                throw ExitCode(ExitStatus.failure)
            }
        }
        let gone = try store.remove(found)
        try form.say(
            "removed \(found.count) runs and \(gone.count) checkpoints, "
                + Amount.bytes(gone.reduce(0) { $0 + $1.bytes })
        ) { try RunList.json(removed: found, gone) }
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
    @OptionGroup var form: JSONOption

    @Flag(help: "Also remove damaged checkpoints that were set aside.")
    var damaged = false

    @Flag(help: "Only say what would go.")
    var dryRun = false

    func run() throws {
        let store = try place.open()
        let garbage = try store.collectGarbage(damaged: damaged, dryRun: dryRun)
        if dryRun, !form.json { for item in garbage where item.kind != .claim { say(item.path) } }
        try form.say(garbage.text(dryRun: dryRun)) { try garbage.json(dryRun: dryRun) }
        try place.checkCheckpoints(store)
    }
}
