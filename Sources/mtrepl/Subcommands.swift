import ArgumentParser
import Glibc

/// The commands besides running Lua: `mtrepl NAME …`.
enum Subcommands {
    /// All of them, in the order of the help.
    static let all: [any ParsableCommand.Type] = [
        Runs.self, Export.self, Replay.self, Convert.self, KernelCommand.self, Doc.self,
    ]

    static func named(_ name: String) -> (any ParsableCommand.Type)? {
        all.first { $0.configuration.commandName == name }
    }

    /// The command line with the subcommand first: `--store FOLDER` may stand before it.
    static func first(_ arguments: [String]) -> [String] {
        var before: [String] = []
        var rest = arguments[...]
        while let option = rest.first, option == "--store" || option.hasPrefix("--store=") {
            let count = option == "--store" ? 2 : 1
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
