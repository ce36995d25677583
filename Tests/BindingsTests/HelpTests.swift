import Bindings
import Testing

@Suite("Help") struct HelpTests {
    private let rig: Rig

    init() throws { rig = try Rig() }

    @Test("every function of Lua's own libraries has help, and no other")
    func manual() throws {
        let names = try rig.bench.interpreter.evaluate(
            """
            local names = {}
            for name, module in pairs(package.loaded) do
              if name ~= "mt" and not name:find "^mt%." then
                for key, value in pairs(module) do
                  if type(value) == "function" then names[#names + 1] = name == "_G" and key or name .. "." .. key end
                end
              end
            end
            return table.unpack(names)
            """
        ).compactMap(\.stringValue)
        #expect(names.count > 110)
        for name in names {
            let help = try rig.bench.interpreter.help(name)
            #expect(help.hasPrefix(name + "("), "\(help)")
        }
        let here = Set(names)
        for (name, entry) in LuaManual.entries where entry.signature.contains("(") {
            #expect(here.contains(name) || ["help", "who"].contains(name), "\(name)")
        }
    }

    @Test("help knows parts of the library, functions by value, and says what is near")
    func others() throws {
        let interpreter = rig.bench.interpreter
        #expect(try interpreter.help("mt.plot").contains("mt.plot.line({…})"))
        #expect(try interpreter.help("string").contains("string.format(format, ...)"))
        try interpreter.run("value = 3 list = { 1 } text = 'x'", name: "=test")
        #expect(try interpreter.help("value").hasPrefix("value: a value"))
        #expect(try interpreter.help("list").hasPrefix("list: a table"))
        #expect(try interpreter.help("text").hasPrefix("text: a string"))
        for (wrong, right) in [("trian", "train"), ("corpuss", "corpus"), ("mt.recipee", "recipe")]
        {
            #expect(throws: (any Error).self) { try interpreter.help(wrong) }
            #expect(rig.bench.error("mt.help '\(wrong)'").contains("did you mean '\(right)'"))
        }
    }
}
