import Bindings
import TestSupport
import Testing

@Suite("Strict globals") struct StrictTests {
    private let rig: Rig

    init() throws { rig = try Rig() }

    private func message(_ code: String) -> String {
        do {
            try rig.bench.interpreter.run(code, name: "=test")
            return ""
        } catch { return (error as? LuaError)?.message ?? "\(error)" }
    }

    @Test("reading a global that nobody has set names it and the nearest known name")
    func undefined() {
        #expect(
            message("steps_taken = 1 print(steps_takn)").hasPrefix(
                "test:1: the global 'steps_takn' is not defined; did you mean 'steps_taken'?"))
        #expect(message("recipe {}").contains("did you mean 'mt.recipe'?"))
        #expect(message("return function() new_name = 1 end").isEmpty)
    }

    @Test("rawget, mt.strict(false) and a script's own metatable are left alone")
    func off() {
        #expect(message("assert(rawget(_G, 'nothing_here') == nil)").isEmpty)
        #expect(
            message("mt.strict(false) assert(nothing_here == nil) assert(not mt.strict())").isEmpty)
        #expect(message("mt.strict(true) return nothing_here").contains("nothing_here"))
        #expect(message("setmetatable(_G, {}) assert(nothing_here == nil)").isEmpty)
    }
}
