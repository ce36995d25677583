import ArgumentParser
import Glibc

/// The commands besides running Lua: `mtrepl NAME …`.
enum Subcommands {
    /// All of them, in the order of the help.
    static let all: [any ParsableCommand.Type] = [
        Runs.self, StoreCommand.self, Export.self, RunNotebook.self, Replay.self, Convert.self,
        KernelCommand.self,
        Doc.self,
    ]

    static func named(_ name: String) -> (any ParsableCommand.Type)? {
        all.first { $0.configuration.commandName == name }
    }

    /// Options with a value that may stand before a subcommand; one that it does not take is then its error to name.
    private static let early = ["--store", "--index", "--threads", "--seed"]

    /// The command line with the subcommand first.
    static func first(_ arguments: [String]) -> [String] {
        if arguments.first == "help", access("help", F_OK) != 0 {
            return arguments.dropFirst() + ["--help"]
        }
        var before: [String] = []
        var rest = arguments[...]
        while let option = rest.first,
            early.contains(where: { option == $0 || option.hasPrefix("\($0)=") })
        {
            let count = early.contains(option) ? 2 : 1
            before += rest.prefix(count)
            rest = rest.dropFirst(count)
        }
        guard !before.isEmpty, let name = rest.first, named(name) != nil,
            access(name, F_OK) != 0
        else { return arguments }
        return Array(rest) + before
    }

    /// Lines for the help of the program.
    static var list: String {
        all.map { "  \($0.configuration.commandName ?? "") – \($0.configuration.abstract)" }
            .joined(separator: "\n")
    }
}
