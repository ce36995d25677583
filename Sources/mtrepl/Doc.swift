import ArgumentParser
import Bindings

/// Prints the reference page of the Lua library.
struct Doc: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doc",
        abstract: "Print the reference page of the Lua library, or the help of one name.")

    @Argument(help: "A function or type, such as corpus or corpus:size.")
    var name: String?

    func run() throws {
        guard let name else { return print(Reference.markdown(.standard), terminator: "") }
        do {
            print(try Reference.help(name, .standard))
        } catch {
            throw ValidationError("\(error)")
        }
    }
}
