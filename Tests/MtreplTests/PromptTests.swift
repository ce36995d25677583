import Foundation
import TestSupport
import Testing

@Suite("Prompt", .serialized) struct PromptTests {
    @Test("expressions print, statements run, unfinished input continues, Ctrl-D leaves")
    func session() throws {
        let terminal = try Terminal([])
        try terminal.expect("> ")
        terminal.type("6 * 7\n")
        try terminal.expect("\n42\n> ")
        terminal.type("for i = 1, 2 do\n")
        try terminal.expect(">> ")
        terminal.type("print('i', i) end\n")
        try terminal.expect("i\t1\ni\t2\n> ")
        terminal.type("error('oops')\n")
        try terminal.expect("input 3:1: oops\n  1 | error('oops')\n")
        try terminal.expect("> ")
        terminal.type("{ a = 1 }\n")
        try terminal.expect("{ a = 1 }\n{ a = 1 }\n> ")
        terminal.type("\u{4}")
        #expect(terminal.wait() == 0)
    }

    @Test("Ctrl-C clears the line and what was unfinished")
    func clear() throws {
        let terminal = try Terminal([])
        try terminal.expect("> ")
        terminal.type("print('wrong'")
        try terminal.expect("'wrong'")
        terminal.type("\u{3}")
        try terminal.expect("> ")
        terminal.type("print('right')\n")
        try terminal.expect("\nright\n> ")
        terminal.type("for i = 1, 2 do\n")
        try terminal.expect(">> ")
        terminal.type("\u{3}")
        try terminal.expect("> ")
        terminal.type("1 + 1\n")
        try terminal.expect("\n2\n> ")
        terminal.type("os.exit(4)\n")
        #expect(terminal.wait() == 4)
    }

    @Test(
        "Ctrl-C stops a loop, a coroutine and a callback, again and again",
        arguments: [
            "while true do end", "coroutine.wrap(function() while true do end end)()",
            "pcall(function() while true do end end) error('interrupted!')",
            "local co = coroutine.wrap(function() while true do coroutine.yield() end end) while true do co() end",
        ])
    func interrupt(code: String) throws {
        let terminal = try Terminal([])
        try terminal.expect("> ")
        for _ in 0..<4 {
            terminal.type("print('begin') \(code)\n")
            try terminal.expect("\nbegin\n")
            terminal.type("\u{3}")
            try terminal.expect("interrupted!")
            try terminal.expect("> ")
        }
        terminal.type("1 + 1\n")
        try terminal.expect("\n2\n> ")
        terminal.type("\u{4}")
        #expect(terminal.wait() == 0)
    }

    @Test("an interrupted script leaves with 130")
    func script() throws {
        let terminal = try Terminal(["-e", "print('begin') while true do end"])
        try terminal.expect("begin")
        terminal.type("\u{3}")
        try terminal.expect("interrupted!")
        #expect(terminal.wait() == 130)
    }

    @Test("Ctrl-C during a command of os.execute ends the command and the loop around it")
    func execute() throws {
        let terminal = try Terminal([])
        try terminal.expect("> ")
        terminal.type(
            "for i = 1, 8 do print('go', i, os.execute('echo begin; exec sleep 60')) end\n")
        try terminal.expect("\nbegin\n")
        terminal.type("\u{3}")
        let shown = try terminal.expect("interrupted!\n> ")
        #expect(!shown.contains("go"))
        // What it returns is what it always was.
        terminal.type("print(os.execute('exit 3')) print(os.execute('true')) print(os.execute())\n")
        try terminal.expect("\nnil\texit\t3\ntrue\texit\t0\ntrue\n> ")
        terminal.type("\u{4}")
        #expect(terminal.wait() == 0)
        // A signal to the program alone reaches the command.
        let program = try Program.start([
            "-e", "os.execute('echo begin; exec sleep 600') print('went on')",
        ])
        #expect(program.waitUntil { program.output.contains("begin") })
        program.signal(SIGINT)
        let outcome = try program.wait()
        #expect(outcome.code == 130 && outcome.output == "begin\n", "\(outcome)")
    }

    @Test("errors of __tostring show what the researcher wrote, and who counts one field")
    func shown() throws {
        let input = """
            x = setmetatable({}, { __tostring = function() local s = 1 + {} return s end }); y = { a = 1 }
            x
            x = nil who()
            """
        let outcome = try Program.run([], input: input)
        #expect(outcome.errors.contains("attempt to perform arithmetic"), "\(outcome)")
        #expect(!outcome.errors.contains("prelude:"), "\(outcome)")
        #expect(outcome.output.contains("1 field\n"), "\(outcome)")
    }

    @Test("Ctrl-C after the second ends a script within a single call that has no safe point")
    func stubborn() throws {
        let terminal = try Terminal([
            "-e", "print('begin') string.find(('a'):rep(60), ('.-'):rep(30) .. 'b')",
        ])
        try terminal.expect("begin")
        try terminal.expectWork()
        try terminal.interrupt(until: "again to quit at once)\n")
        terminal.type("\u{3}")
        #expect(terminal.wait() == 128 + SIGINT)
    }

    @Test("the history is kept for the next session, one entry for each input")
    func history() throws {
        let scratch = try Scratch()
        let file = scratch.path + "/history"
        let first = try Terminal(["-i", "-e", "x = 3"], environment: ["MTREPL_HISTORY": file])
        try first.expect("> ")
        first.type("print(x * 111)\n")
        try first.expect("\n333\n> ")
        first.type("\u{4}")
        #expect(first.wait() == 0)
        let second = try Terminal(["-e", "x = 4", "-i"], environment: ["MTREPL_HISTORY": file])
        try second.expect("> ")
        second.type("\u{10}\n")
        try second.expect("\n444\n> ")
        second.type("\u{4}")
        #expect(second.wait() == 0)
    }
}
