import Foundation
import TestSupport
import Testing

/// What comes from names, values and errors never commands the terminal that shows it.
@Suite("Hostile text on a terminal", .serialized) struct TerminalTextTests {
    /// As Lua writes it: a title, a colour, a backspace, a control of one byte, a reversal.
    private static let hostile =
        #"evil\27]0;t\7\27[31mred\27[0m\8\u{9b}2J\u{202e}\u{2066}\127"#
    private static let shown =
        #"evil\27]0;t\7\27[31mred\27[0m\8\u{9b}2J\u{202e}\u{2066}\127"#

    private func isHarmless(_ text: String) -> Bool {
        !text.unicodeScalars.contains {
            ["\u{7}", "\u{8}", "\u{9b}", "\u{202e}", "\u{2066}", "\u{7f}"].contains($0)
        }
            && !text.contains("\u{1b}")
    }

    @Test("values, records, objects, errors and displays at the prompt")
    func prompt() throws {
        let scratch = try Scratch()
        let file = try scratch.write(
            "x.lua", "x = \"\(Self.hostile)\" f = function() error(x) end")
        let terminal = try Terminal(["--store", scratch.path + "/store", "-i", file])
        try terminal.expect("> ")
        for code in [
            "x", "{ x }", "{ { name = x, loss = 1 }, { name = 'b', loss = 2 } }",
            "{ { [x] = 1 }, { [x] = 2 } }", "f()", "error({ x })",
            "error(setmetatable({}, { __tostring = function() return x end }))",
            "mt.display { x }", "mt.corpus { x, embedded = 'prose', bytes = 20000 }",
            "mt.corpus { 'c', files = x }", "mt.corpus { 'c', embedded = x }", "mt.neox(x)",
            "mt.help(x)",
            "mt.plot.bars { { x, 1 }, { 'b', 2 } }", "mt.tokenizer { file = x }", "load(x)()",
            "mt[x]", "who()", "print(mt.corpus { x, embedded = 'prose', bytes = 20000 })",
            "print(mt.plot.bars({ { x, 1 }, { 'b', 2 } }, { title = x }))",
        ] {
            terminal.type(code + " -- end\n")
            try terminal.expect(" -- end\n")
            let text = try terminal.expect("> ")
            #expect(isHarmless(text), "\(code): \(text.debugDescription)")
        }
        terminal.type("x -- end\n")
        try terminal.expect(" -- end\n")
        #expect(try terminal.expect("\n> ") == Self.shown)
        // What a script writes is its own.
        terminal.type("print('\\27[31mraw') -- end\n")
        try terminal.expect(" -- end\n")
        try terminal.expect("\u{1b}[31mraw\n> ")
        terminal.type("\u{4}")
        #expect(terminal.wait() == 0)
    }

    @Test("names of runs in lists and pages, on a terminal and in a file")
    func runs() throws {
        let scratch = try Scratch()
        let store = scratch.path + "/store"
        let code =
            StudyScript.prelude
            + "\nbase:with { steps = 2 }:run { name = \"\(Self.hostile)\\nsecond line\" }"
        #expect(try Program.run(["--threads", "1", "--store", store, "-e", code]).code == 0)
        for command in [["runs"], ["runs", "show", "evil"], ["runs", "gc", "--dry-run"]] {
            let key = try Program.run(["runs", "list", "--json", "--store", store]).output
                .firstMatch(of: /"key" ?: ?"([0-9a-f]+)"/)
            let arguments = command.map { $0 == "evil" ? String(key?.1 ?? "") : $0 }
            let terminal = try Terminal(arguments + ["--store", store])
            let text = try terminal.expectEnd()
            #expect(isHarmless(text), "\(text.debugDescription)")
            if command.count == 1 {
                let lines = text.split(separator: "\n")
                #expect(
                    lines[2].contains("\\nsecond line") && lines[3].hasPrefix("1 run"), "\(text)")
            }
            let plain = try Program.run(arguments + ["--store", store])
            if command[0] == "runs", command.count < 3 {
                #expect(
                    plain.output.contains("\u{1b}[31mred") || command.count > 1, "\(plain.output)")
            }
        }
    }

    @Test("numbers keep their point whatever locale a script asks for")
    func locale() throws {
        let scratch = try Scratch()
        let code = """
            for _, name in ipairs { "de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "" } do
              os.setlocale(name) os.setlocale(name, "numeric") os.setlocale(name, "all")
            end
            print(0.5, ("%.2f"):format(0.5), tonumber("0.5"), os.setlocale(nil, "numeric"))
            print(mt.tensor { 0.5, 1.25 })
            mt.plot.bars { { "a", -0.29 }, { "c", 0.01 } }:save("bars.svg")
            mt.write_csv("x.csv", { "a" }, { { a = 0.5 } })
            print(io.open("x.csv"):read("a"))
            """
        let plain = try Program.run(["-e", code], in: scratch.path)
        #expect(plain.code == 0 && plain.output.hasPrefix("0.5\t0.50\t0.5\tC\n"), "\(plain)")
        let figure = try String(contentsOfFile: scratch.path + "/bars.svg", encoding: .utf8)
        for variables in [
            "LC_ALL=de_DE.UTF-8", "LC_NUMERIC=de_DE.UTF-8",
            "GNUTERM=dumb GNUPLOT_FONTPATH=/none GNUPLOT_LIB=/none",
        ] {
            let home = try Scratch()
            try home.write(".gnuplot", "set terminal dumb\nset decimalsign ','\n")
            let other = try Program.start(
                ["-e", code], in: scratch.path, shell: "export HOME=\(home.path) \(variables)"
            ).wait()
            #expect(other.output == plain.output, "\(other)")
            #expect(
                try String(contentsOfFile: scratch.path + "/bars.svg", encoding: .utf8) == figure)
        }
    }
}
