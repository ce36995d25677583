import Foundation
import TestSupport
import Testing

/// Signals that ask a process to end: from a closed terminal, from a batch system before its limit, from a limit of the system.
@Suite("Signals that end the program", .serialized) struct SignalTests {
    static let ending = [SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU]

    private static let training =
        StudyScript.prelude.replacing("local ", with: "")
            + """

            long = base:with { steps = 100000, repeats = true }
            function say(step) if step.step == 3 then print("at 3") io.stdout:flush() end end
            """

    @Test("training, finetuning and training in the background save their state", arguments: ending)
    func saves(number: Int32) throws {
        let scratch = try Scratch()
        let file = try scratch.write("setup.lua", Self.training)
        let store = ["--threads", "1", "--store", scratch.path + "/store"]
        let ways = [
            (
                "trained",
                "while true do pcall(function() long:run { name = 'trained', on_step = say } end) end"
            ),
            (
                "tuned",
                "base:finetune { tasks, epochs = 1000, batch = 1, learning_rate = 1e-4 }:run { name = 'tuned', on_step = function(s) if s.step == 30 then print('at 3') io.stdout:flush() end end }"
            ),
            (
                "behind",
                "run = long:open { name = 'behind' } local first = run.step run:background() while run:progress().step < first + 3 do end print('at 3') io.stdout:flush() while true do pcall(run.wait, run) end"
            ),
        ]
        // What follows a signal is the same for all.
        for (name, code) in number == SIGHUP ? ways : [ways[0]] {
            let program = try Program.start(store + ["-e", "dofile('\(file)') \(code)"])
            program.waitForOutput("at 3")
            program.signal(number)
            // Whoever is impatient while it saves loses nothing. Of signals that wait, the lowest number comes first.
            for other in Self.ending { program.signal(number == SIGHUP ? other : number) }
            let outcome = try program.wait(atMost: 120)
            #expect(outcome.code == 128 + number, "\(name): \(outcome)")
            let shown = try Program.run(["runs", "show", name] + store.suffix(2))
            #expect(shown.output.contains("interrupted"), "\(name): \(shown)")
            #expect(!shown.output.contains("killed"), "\(name): \(shown)")
        }
        let after = try Program.run(
            store + ["-e", "dofile('\(file)') print(long:open().step >= 3)"])
        #expect(after.output == "true\n", "\(after)")
    }

    @Test("the prompt leaves with 128 + signal", arguments: ending)
    func prompt(number: Int32) throws {
        let terminal = try Terminal([])
        try terminal.expect("> ")
        terminal.signal(number)
        #expect(terminal.wait() == 128 + number)
    }

    @Test("a terminal that is closed saves what trains, in front and in the background")
    func hangUp() throws {
        let scratch = try Scratch()
        let file = try scratch.write("setup.lua", Self.training)
        let store = scratch.path + "/store"
        let idle = try Terminal([])
        try idle.expect("> ")
        #expect(idle.hangUp() == 128 + SIGHUP)
        for (name, code) in [
            ("front", "long:run { name = 'front', on_step = say }"),
            (
                "behind",
                "run = long:open { name = 'behind' } local first = run.step run:background() while run:progress().step < first + 3 do end print('at 3')"
            ),
        ] {
            let terminal = try Terminal(["--threads", "1", "--store", store, "-i", file])
            try terminal.expect("> ")
            terminal.type(code + "\n")
            try terminal.expect("\nat 3\n")
            #expect(terminal.hangUp() == 128 + SIGHUP, "\(name)")
            let shown = try Program.run(["runs", "show", name, "--store", store])
            #expect(shown.output.contains("interrupted, "), "\(name): \(shown)")
        }
    }

    @Test(
        "the program leaves while it waits for the text of a script", arguments: ending + [SIGINT])
    func script(number: Int32) throws {
        let scratch = try Scratch()
        let pipe = scratch.path + "/pipe"
        #expect(mkfifo(pipe, 0o600) == 0)
        // Somebody who never writes.
        let writer = open(pipe, O_RDWR)
        defer { close(writer) }
        let program = try Program.start(["-e", "print('begin') io.stdout:flush()", pipe])
        program.waitForOutput("begin")
        program.signal(number)
        let outcome = try program.wait(atMost: 60)
        #expect(outcome.code == 128 + number, "\(outcome)")
    }

    @Test("what nohup ignores stays ignored")
    func ignored() throws {
        let scratch = try Scratch()
        let flag = scratch.path + "/go"
        let patient = try Program.start(
            [
                "-e",
                "print('begin') io.stdout:flush() repeat local f = io.open('\(flag)') until f print('end')",
            ], shell: "trap '' HUP USR1")
        patient.waitForOutput("begin")
        patient.signal(SIGHUP)
        patient.signal(SIGUSR1)
        try scratch.write("go", "")
        let outcome = try patient.wait(atMost: 60)
        #expect(outcome.code == 0 && outcome.output == "begin\nend\n", "\(outcome)")
    }

    @Test("output into a pipe that nobody reads ends the script with its state saved")
    func closedPipe() throws {
        let scratch = try Scratch()
        let file = try scratch.write("setup.lua", Self.training)
        let script = try scratch.write(
            "train.lua",
            "dofile('\(file)') while true do pcall(long.run, long, { name = 'piped', on_step = function(s) print(s.step) io.stdout:flush() end }) end"
        )
        let store = scratch.path + "/store"
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/bash")
        shell.arguments = [
            "-c", "\"$0\" --threads 1 --store \"$1\" \"$2\" | head -n 3; echo ${PIPESTATUS[0]}",
            Program.path, store, script,
        ]
        let pipe = Pipe()
        shell.standardOutput = pipe
        shell.standardError = FileHandle.nullDevice
        try shell.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        shell.waitUntilExit()
        #expect(text == "1\n2\n3\n141\n")
        let shown = try Program.run(["runs", "show", "piped", "--store", store])
        #expect(shown.output.contains("interrupted"), "\(shown)")
    }

    @Test("going on after a stop draws the prompt again")
    func goesOn() throws {
        let terminal = try Terminal([])
        try terminal.expect("> ")
        terminal.type("return 6 *")
        try terminal.expect("return 6 *")
        terminal.signal(SIGCONT)
        try terminal.expect("return 6 *")
        terminal.type("\u{1a}")
        try terminal.expect("return 6 *")
        terminal.type(" 7\n")
        try terminal.expect("42\n> ")
        terminal.type("\u{4}")
        #expect(terminal.wait() == 0)
    }
}
