import Foundation
import TestSupport
import Testing

@Suite("Training in the background", .serialized) struct BackgroundTests {
    private func setUp(_ scratch: Scratch, steps: Int) throws -> String {
        try scratch.write(
            "setup.lua",
            StudyScript.prelude.replacing("local ", with: "")
                + "\nrun = base:with { steps = \(steps), repeats = true }:open { name = 'trunk' }\n"
        )
    }

    @Test("the prompt stays live, the end is announced, and the state is that of training in front")
    func prompt() throws {
        let scratch = try Scratch()
        let file = try setUp(scratch, steps: 60)
        let long = try scratch.write(
            "long.lua",
            "long = base:with { steps = 20000, repeats = true, seed = 2 }:open { name = 'long' }")
        let front = try Program.run([
            "--store", scratch.path + "/front", "-e",
            "dofile('\(file)') run:train() print(run.key, run:evaluate(prose, { limit = 4 }).loss)",
        ])
        let terminal = try Terminal([
            "-i", "--store", scratch.path + "/back", "-e", "dofile('\(file)')",
        ])
        try terminal.expect("> ")
        // So long that it has not ended when it is looked at, however busy the machine is.
        terminal.type("dofile('\(long)') long:background();\n")
        try terminal.expect(";\n")
        try terminal.expect("> ")
        terminal.type("long:progress().status, long.step\n")
        try terminal.expect("\nrunning\t0\n> ")
        terminal.type("long:train()\n")
        try terminal.expect("run long is being trained in the background (step ")
        try terminal.expect("> ")
        terminal.type("long:background {}\n")
        try terminal.expect("run long is being trained in the background")
        try terminal.expect("> ")
        terminal.type("long:stop() run:background();\n")
        // Announced while the prompt waits for a line.
        try terminal.expect("run trunk has reached step 60 in the background")
        terminal.type("print(run.key, run:evaluate(prose, { limit = 4 }).loss)\n")
        try terminal.expect(front.output)
        try terminal.expect("> ")
        terminal.type("\u{4}")
        #expect(terminal.wait() == 0)
    }

    @Test("it can be stopped and resumed, and leaving stops it with the state saved")
    func stop() throws {
        let scratch = try Scratch()
        let file = try setUp(scratch, steps: 20000)
        let outcome = try Program.run([
            "--store", scratch.path + "/store", "-e",
            """
            dofile('\(file)')
            local taken, reason = pcall(run.background, run, { on_step = print })
            assert(not taken and reason:find("unknown option 'on_step'", 1, true), reason)
            assert(not mt.help("run:background"):find("on_step (", 1, true))
            run:background()
            while run:progress().step < 2 do run:wait(0.01) end
            run:stop()
            assert(run.step >= 2 and run.step < 20000 and run:progress().status == 'idle')
            print(run.step)
            local before = run.step
            run:background()
            while run:progress().step < before + 2 do run:wait(0.01) end
            run:stop()
            run:train { to = run.step + 1 }
            run:background()
            """,
        ])
        #expect(outcome.code == 0, "\(outcome)")
        let stopped = try #require(
            Int(outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(outcome.errors.contains("was stopped in the background after step"), "\(outcome)")
        let again = try Program.run([
            "--store", scratch.path + "/store", "-e", "dofile('\(file)') print(run.step)",
        ])
        let now = try #require(Int(again.output.trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(now > stopped)
    }
}
