// The program. A first argument that names a subcommand selects it; anything else is the interpreter's own command line.
// A script with the name of a subcommand is run as `./name`.
import Glibc

// A file that reaches the limit of its size is an error of the write, as a full disk is, not the end of the process.
signal(SIGXFSZ, SIG_IGN)

ProcessLimits.prepareFiles()
ProcessLimits.prepareMemory()

CommandLineText.check()
let arguments = Subcommands.first(Array(CommandLine.arguments.dropFirst()))
if let name = arguments.first, let command = Subcommands.named(name) {
    let rest = Array(arguments.dropFirst())
    CommandLineParser.run(command, command == RunNotebook.self ? RunNotebook.joined(rest) : rest)
} else {
    CommandLineParser.run(Interpret.self, arguments)
}
