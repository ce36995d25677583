import ArgumentParser

/// The commands besides running Lua: `mtrepl NAME …`.
enum Subcommands {
    /// All of them, in the order of the help.
    static let all: [any ParsableCommand.Type] = [
        Runs.self, Export.self, KernelCommand.self, Doc.self,
    ]

    static func named(_ name: String) -> (any ParsableCommand.Type)? {
        all.first { $0.configuration.commandName == name }
    }

    /// Lines for the help of the program.
    static var list: String {
        all.map { "  \($0.configuration.commandName ?? "") – \($0.configuration.abstract)" }
            .joined(separator: "\n")
    }
}
