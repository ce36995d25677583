import Bindings
import Testing

@Suite("Definitions for editors") struct EditorTests {
    private let text = LuaLS.definitions(.standard)

    @Test("they are Lua, and running them defines the same names")
    func loads() throws {
        let interpreter = try Interpreter()
        defer { interpreter.close() }
        try interpreter.parse(text, name: "=definitions")
        try interpreter.run(
            "local real = mt " + text.replacing("---@meta", with: "")
                + " for name in pairs(real) do assert(name == 'version' or mt[name], name) end",
            name: "=definitions")
    }

    @Test("every function, method and option is in it")
    func complete() {
        for record in Library.standard.named {
            if case .field(let type) = record.form {
                #expect(text.contains("---@field \(record.name) "), "\(type).\(record.name)")
            } else {
                #expect(text.contains("function \(record.fullName)("), "\(record.fullName)")
            }
            for option in record.parameters.flatMap(\.kind.options) {
                #expect(
                    text.contains("---@field \(option.name)? "), "\(record.fullName) \(option.name)"
                )
            }
        }
        #expect(text.contains("---@return mt.run # run\n"))
    }
}
