import ArgumentParser
import Bindings
import Glibc
import Runtime

/// `mtrepl [options] [script [arguments]]`.
struct Interpret: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mtrepl",
        abstract: "A laboratory for midtraining: runs Lua scripts, or opens a prompt.",
        usage: "mtrepl [options] [script [arguments ...]]",
        discussion: """
            Without a script and without -e, a prompt opens on a terminal; otherwise lines are read from standard \
            input. A script '-' is standard input. What follows the script's name is the script's own.

            Exit codes: 0 success, 1 error in a script, 2 wrong command line, 130 interrupted.

            Commands (mtrepl COMMAND --help says more; run a script of that name as ./COMMAND):
            \(Subcommands.list)
            """)

    @Option(
        name: .short,
        help: ArgumentHelp("Run Lua code; may be given several times.", valueName: "code"))
    var e: [String] = []

    @Flag(name: .short, help: "Open the prompt after the script or the code.")
    var i = false

    @Option(
        parsing: .unconditional,
        help: "Threads to use (default: all). It changes speed, never results.")
    var threads: Int?

    @Option(help: "The folder of runs, checkpoints and token stores (default: .mtrepl).")
    var store: String?

    @Option(
        help: ArgumentHelp(
            "The file of the store's index (default: in the store, or in the user's cache on a network file system).",
            valueName: "file"))
    var index: String?

    @Option(
        parsing: .unconditional,
        help: "The seed of whatever a script does not seed itself.",
        transform: { text in
            guard let seed = UInt64(text) else {
                throw ValidationError(
                    "an integer in 0 ... \(UInt64.max) expected, got '\(text)'")
            }
            return seed
        })
    var seed: UInt64 = 0

    @Option(
        help: ArgumentHelp(
            "Log the session to FILE.ipynb or FILE.md, or to both if the name has neither ending.",
            valueName: "file"))
    var log: String?

    @Flag(
        help: "Withhold files outside the working folder, processes and the network from scripts.")
    var safe = false

    @Flag(help: "Print on standard error, at the end, where the time of all kernels went.")
    var profile = false

    @Flag(
        name: .customLong("no-strict"),
        help: "Let a global that nobody has set be nil, as in plain Lua.")
    var noStrict = false

    @Flag(
        name: .customLong("no-rc"),
        help: "Open the prompt without .mtreplrc.lua of the working folder or the home folder.")
    var noStartUpFile = false

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("The script and its arguments.", valueName: "script"))
    var script: [String] = []

    func validate() throws {
        try CommandLineParser.check(threads: threads)
        // Whatever stands before the script's name and is not an option of ours arrives here too.
        if let first = script.first, first.hasPrefix("-"), first != "-" {
            if first == "--help" || first == "-h" { throw CleanExit.helpRequest(Self.self) }
            if first == "--version" { throw CleanExit.message(Self.version) }
            throw ValidationError("unknown option '\(first)'")
        }
        if let store, store.isEmpty {
            throw ValidationError("--store: a folder expected, got nothing")
        }
        if let index, index.isEmpty {
            throw ValidationError("--index: a file expected, got nothing")
        }
    }

    /// The version, and what the bits of results depend on beside it.
    private static var version: String {
        """
        mtrepl \(Version.text)
        kernels \(Numerics.processor); this processor has \(Numerics.levels.joined(separator: ", "))
        """
    }

    func run() throws {
        var input = stat()
        if script.isEmpty && e.isEmpty, fstat(0, &input) == 0, input.st_mode & S_IFMT == S_IFDIR {
            throw ValidationError("standard input is a folder: Lua expected")
        }
        let terminal = isatty(0) != 0
        let wantsPrompt = i || (e.isEmpty && script.isEmpty)
        if let threads { Parallel.threads = threads }
        var settings = Interpreter.Settings()
        settings.seed = seed
        settings.liveBytes = { Int64(Memory.liveBytes) }
        settings.store = store
        settings.index = index
        settings.strict = !noStrict
        settings.display = Screen.display
        if safe { settings.safeFolder = "." }
        let view = TerminalView()
        let host = try Host(settings, observer: view)
        // What the command line names, no script does.
        for name in script.prefix(1) + [log].compactMap({ $0 }).map(PathName.parent)
        where safe && !name.isEmpty {
            FileAccess.exempt(name)
        }
        if let log { try host.startLog(log) }
        let code =
            profile
            ? try profiled { try carryOut(host, view, prompt: wantsPrompt, terminal: terminal) }
            : try carryOut(host, view, prompt: wantsPrompt, terminal: terminal)
        host.endBackground()
        host.stopLog()
        host.interpreter.close()
        throw ExitCode(code)
    }

    private func profiled(_ body: () throws -> Int32) throws -> Int32 {
        let started = ContinuousClock.now
        let (code, lines) = try Profile.measure(body)
        let seconds = started.duration(to: .now) / .seconds(1)
        Interpreter.Report.toStandardError(Profile.text(lines, seconds: seconds) + "\n")
        return code
    }

    private func carryOut(
        _ host: Host, _ view: TerminalView, prompt wantsPrompt: Bool, terminal: Bool
    ) throws -> Int32 {
        let arguments = Array(script.dropFirst())
        try host.interpreter.setArguments(
            script: script.first ?? "mtrepl", arguments, program: CommandLine.arguments.first)
        host.interpreter.commandTexts = e
        var code = ExitStatus.success
        for text in e where code == ExitStatus.success && !host.isLeaving {
            host.interpreter.chunks["=(command line)"] = text
            code = host.run(text) { try $0.run(text, name: "=(command line)") }.code
        }
        if let name = script.first, code == ExitStatus.success, !host.isLeaving {
            let source = (try? FileReader.text(name)) ?? ""
            code =
                host.run(source) {
                    try $0.run(file: name == "-" ? nil : name, arguments: arguments)
                }.code
        }
        if wantsPrompt, !host.isLeaving {
            code =
                terminal
                ? Prompt(host, view, readsStartUpFile: !noStartUpFile && !safe && script.isEmpty)
                    .run()
                : LineInput(host).run()
        }
        return code
    }
}
