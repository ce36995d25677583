import Bindings
import TestSupport
import Testing

@Suite("The value of the last statement") struct LastValueTests {
    @Test(
        "a last statement that is an expression is returned",
        arguments: [
            ("local a = 1\na", "local a = 1\nreturn a"), ("f()\ng()", "f()\nreturn g()"),
            ("local a = 1; a + 1", "local a = 1; return a + 1"),
            ("x = 1\nmt.display {\n  'y',\n}", "x = 1\nreturn mt.display {\n  'y',\n}"),
            ("x = 1 -- one\n#t", "x = 1 -- one\nreturn #t"),
            ("x = 1\nnot x -- done\n", "x = 1\nreturn not x -- done\n"),
        ])
    func returned(text: String, chunk: String) throws {
        let interpreter = try Interpreter()
        #expect(interpreter.returningLast(text, name: "=test") == chunk)
    }

    @Test(
        "everything else stays what it is in Lua",
        arguments: [
            "f()\nx = 1", "x = f\n(g)(h)", "x = f\n'text'", "x = y\n- z", "s = [[\ntext]]",
            "for i = 1, 3 do\n  f(i)\nend", "if x then\n  f()\nend", "f(\n  a)", "x = y +\n  g(z)",
            "local function f()\n  return 1\nend", "a = 1\nlocal b", "-- a comment\nx = 1", "f(",
            "",
            "do\n  f()\nend\n",
        ])
    func kept(text: String) throws {
        let interpreter = try Interpreter()
        #expect(interpreter.returningLast(text, name: "=test") == nil)
    }

    @Test("help is found for the name at a place, and for the call around it")
    func inspection() throws {
        let interpreter = try Interpreter()
        func first(_ text: String, _ cursor: Int? = nil) -> String? {
            interpreter.inspect(text, cursor: cursor ?? text.utf8.count).map {
                String($0.prefix { $0 != "(" })
            }
        }
        #expect(first("x = mt.corpus") == "mt.corpus")
        #expect(first("x = mt.corpus { 'a' }", 9) == "mt.corpus")
        #expect(first("mt.corpus { 'web', ") == "mt.corpus")
        #expect(first("mt.recipe { optimizer = { ") == "mt.recipe")
        #expect(first("mt.recipe { model = 1 }:midtrain") == "recipe:midtrain")
        #expect(first("nothing_known") == nil)
        #expect(first("") == nil)
        #expect(first("string.format(mt.neox(") == "mt.neox")
        #expect(interpreter.inspect("mt.corpus", cursor: -3) != nil)
        #expect(interpreter.inspect("mt.corpus", cursor: 1 << 40) != nil)
    }
}
