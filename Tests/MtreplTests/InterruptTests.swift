import Foundation
import TestSupport
import Testing

@Suite("Interrupted training", .serialized) struct InterruptTests {
    /// Besides the corpora and the recipe: prints the state, and steps of which some wait for Ctrl-C.
    private static let functions = """

        function show()
          local records = run:records()
          print(("state %s %d %.17g %.17g end"):format(run.key, #records, records[#records].loss,
            run:evaluate(prose, { limit = 4 }).loss))
        end
        waits = { [3] = true, [8] = true }
        function slow(step)
          print("at", step.step)
          io.stdout:flush()
          if waits[step.step] then
            waits[step.step] = nil
            while true do end
          end
        end
        """

    @Test("Ctrl-C at the prompt stops at a step, and resume() ends as if nothing had happened")
    func prompt() throws {
        let scratch = try Scratch()
        let prelude = StudyScript.prelude.replacing("local ", with: "") + Self.functions
        let file = try scratch.write("setup.lua", prelude)
        let never = try Program.run([
            "--threads", "1", "--store", scratch.path + "/never", "-e",
            "dofile('\(file)') run = base:run() show()",
        ])
        let expected = try #require(never.output.split(separator: "\n").first)

        let terminal = try Terminal([
            "-i", "--threads", "1", "--store", scratch.path + "/store", "-e", "dofile('\(file)')",
        ])
        try terminal.expect("> ")
        terminal.type("run = base:open()\n")
        try terminal.expect("> ")
        terminal.type("run:train { on_step = slow }\n")
        for step in [3, 8] {
            try terminal.expect("at\t\(step)\n")
            terminal.type("\u{3}")
            // No traceback, and what to do next.
            try terminal.expect("interrupted after step ")
            let message = try terminal.expect("\n> ")
            #expect(message.contains(" of 24; run:resume() goes on from there"))
            #expect(!message.contains("traceback") && !message.contains("[C]"))
            terminal.type("print('now', run.step, run.finished)\n")
            try terminal.expect("\nnow\t")
            let text = try terminal.expect("\tfalse\n> ")
            let now = try #require(Int(text))
            #expect(now >= step && now < 24)
            // The state can be used as it is.
            terminal.type("print(#run:generate { 'the', tokens = 4 } > 0)\n")
            try terminal.expect("\ntrue\n> ")
            terminal.type("run:resume()\n")
        }
        try terminal.expect("at\t24\n")
        try terminal.expect("> ")
        terminal.type("show()\n")
        try terminal.expect("\nstate ")
        let found = try terminal.expect(" end\n> ")
        #expect("state \(found) end" == expected)
        terminal.type("\u{4}")
        #expect(terminal.wait() == 0)
    }

    @Test("SIGTERM saves the state and leaves with 143, also past a pcall and at the prompt")
    func terminated() throws {
        let scratch = try Scratch()
        let file = try scratch.write(
            "setup.lua", StudyScript.prelude.replacing("local ", with: "") + Self.functions)
        let store = ["--threads", "1", "--store", scratch.path + "/store"]
        let program = try Program.start(
            store + [
                "-e",
                "dofile('\(file)') run = base:open() while true do pcall(run.train, run, { on_step = slow }) end",
            ])
        #expect(program.waitUntil { program.output.contains("at\t3\n") })
        program.signal(SIGTERM)
        #expect(try program.wait().code == 143)
        let after = try Program.run(
            store + ["-e", "dofile('\(file)') print(base:open().step >= 3)"])
        #expect(after.output == "true\n")
        let terminal = try Terminal([])
        try terminal.expect("> ")
        terminal.signal(SIGTERM)
        #expect(terminal.wait() == 143)
    }

    @Test("Ctrl-C during large products harms nothing")
    func products() throws {
        let code =
            "local a = mt.ones { 700, 700 } print('begin') io.stdout:flush() while true do a:matmul(a):sum() end"
        for round in 0..<6 {
            let program = try Program.start(["-e", code])
            #expect(program.waitUntil { program.output == "begin\n" })
            // At different places of a product.
            usleep(UInt32(37_000 * round))
            // Twice in a row, as an impatient person or `timeout` does.
            program.signal(SIGINT)
            usleep(1000)
            program.signal(SIGINT)
            let outcome = try program.wait()
            // The second may come after the first was delivered, when it ends the program by default.
            #expect(outcome.code == 130 || outcome.code == 128 + SIGINT, "\(outcome)")
            #expect(!outcome.errors.contains("crash"), "\(outcome.errors)")
        }
    }
}
