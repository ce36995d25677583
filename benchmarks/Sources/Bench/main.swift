// Measures mtrepl's library. Each subcommand prints one line of JSON; `benchmarks/run` compares it with its peers.
import Foundation
import Runtime

let commands: [String: (Arguments) throws -> Void] = [
    "step": benchmarkStep, "profile": benchmarkProfile, "evaluate": benchmarkEvaluate,
    "generate": benchmarkGenerate,
    "product": benchmarkProduct, "prepare": prepareText, "tokenize": benchmarkTokenize,
]

do {
    let name = CommandLine.arguments.dropFirst().first ?? "nothing"
    guard let command = commands[name] else {
        throw InvalidValue(
            "command", expected: commands.keys.sorted().joined(separator: ", "), found: name)
    }
    try command(try Arguments(CommandLine.arguments.dropFirst(2)))
} catch {
    FileHandle.standardError.write(Data("Bench: \(error)\n".utf8))
    exit(1)
}
