import ArgumentParser
import Bindings

/// Prints the reference page of the Lua library.
struct Doc: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doc", _superCommandName: "mtrepl",
        abstract: "Print the reference page of the Lua library, or the help of one name.")

    @Flag(help: "Print definitions for editors with LuaLS or EmmyLua: completion and types.")
    var luals = false

    @Flag(help: "Print every function, type and option as JSON.")
    var json = false

    @Argument(help: "A function or type, such as corpus or corpus:summary.")
    var name: String?

    func validate() throws {
        if luals, name != nil { throw ValidationError("--luals and a name: give one of the two") }
        if json, luals || name != nil {
            throw ValidationError("--json and \(luals ? "--luals" : "a name"): give one of the two")
        }
    }

    func run() throws {
        if json { return print(try Reference.json(.standard)) }
        if luals { return print(LuaLS.definitions(.standard), terminator: "") }
        guard let name else { return print(Reference.markdown(.standard), terminator: "") }
        do {
            print(Screen.display.layOut(try Reference.help(name, .standard)))
        } catch {
            throw ValidationError("\(error)")
        }
    }
}
