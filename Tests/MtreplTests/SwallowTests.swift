import Foundation
import TestSupport
import Testing

/// One Ctrl-C ends a script whatever catches errors in it.
@Suite("Interrupts that a script catches", .serialized) struct SwallowTests {
    private static let forever = "while true do end"

    /// What is repeated without end; `LOOP` stands for an endless loop.
    private static let bodies = [
        "pcall(function() LOOP end)",
        "pcall(pcall, pcall, function() while true do pcall(function() LOOP end) end end)",
        "local ok = pcall(function() pcall(function() LOOP end) error({}) end)",
        "xpcall(function() LOOP end, function() return 'x' end)",
        "xpcall(function() LOOP end, function() LOOP end)",
        "xpcall(function() LOOP end, function() local co = coroutine.wrap(function() while true do coroutine.yield() end end) while true do co() end end)",
        "local function f(n) if n == 0 then LOOP end xpcall(f, function() LOOP end, n - 1) end f(20)",
        "local h h = function() xpcall(function() LOOP end, h) end xpcall(function() LOOP end, h)",
        "xpcall(function() LOOP end, function() while true do pcall(function() LOOP end) end end)",
        "pcall(function() local x <close> = setmetatable({}, { __close = function() while true do pcall(function() LOOP end) end end }) LOOP end)",
        "coroutine.resume(coroutine.create(function() LOOP end))",
        "pcall(coroutine.wrap(function() LOOP end))",
        "local function deep(n) if n == 0 then while true do pcall(function() LOOP end) end end coroutine.resume(coroutine.create(deep), n - 1) end deep(50)",
        "local co = coroutine.create(function() local x <close> = looping coroutine.yield() end) coroutine.resume(co) coroutine.close(co)",
        "pcall(function() local x <close> = looping local y <close> = looping LOOP end)",
        "pcall(coroutine.wrap(function() local x <close> = looping LOOP end))",
        "setmetatable({}, { __gc = function() LOOP end }) collectgarbage()",
        "setmetatable({}, { __gc = function() while true do pcall(function() LOOP end) end end }) collectgarbage()",
        "pcall(string.gsub, 'aaa', 'a', function() LOOP end)",
        "pcall(table.sort, { 3, 2, 1 }, function() LOOP end)",
        "load(function() LOOP end)",
        "load(function() return ' ' end)",
        "pcall(function() for x in function() LOOP end do end end)",
        "pcall(tostring, setmetatable({}, { __tostring = function() LOOP end }))",
        "package.preload.slow = function() LOOP end pcall(require, 'slow')",
        "pcall(function() local a = mt.ones { 300, 300 } while true do a = a:matmul(a) end end)",
        "pcall(print, setmetatable({}, { __name = 'x', __tostring = function() pcall(function() LOOP end) return 'x' end }))",
    ]

    @Test("Ctrl-C ends it at once", arguments: bodies)
    func swallowed(body: String) throws {
        let looping =
            "looping = setmetatable({}, { __close = function() pcall(function() LOOP end) LOOP end })"
        let code = "\(looping) print('begin') io.stdout:flush() while true do \(body) end"
            .replacing("LOOP", with: Self.forever)
        let program = try Program.start(["--no-strict", "-e", code])
        program.waitForOutput("begin")
        program.signal(SIGINT)
        let outcome = try program.wait(atMost: 60)
        #expect(outcome.code == 130, "\(outcome)")
        #expect(outcome.errors.contains("interrupted"), "\(outcome)")
    }

    @Test(
        "finalizers that never end do not keep a program that was asked to end",
        arguments: [SIGINT, SIGTERM, SIGQUIT])
    func atTheEnd(number: Int32) throws {
        let loop = "setmetatable({}, { __gc = function() while true do end end })"
        for code in [
            "\(loop) BEGIN while true do end", "kept = \(loop) BEGIN \(loop) collectgarbage()",
        ] {
            let begin = "print('begin') io.stdout:flush()"
            let program = try Program.start([
                "--no-strict", "-e", code.replacing("BEGIN", with: begin),
            ])
            program.waitForOutput("begin")
            program.signal(number)
            let outcome = try program.wait(atMost: 60)
            #expect(outcome.code == 128 + number, "\(code): \(outcome)")
            #expect(!outcome.errors.contains("warning"), "\(outcome)")
        }
    }

    @Test("it reaches a finalizer that begins after it came")
    func onTheWay() throws {
        // The collector has a while to go through a million tables before it calls the finalizer.
        let program = try Program.start([
            "--no-strict", "-e",
            "local kept = {} for i = 1, 1e6 do kept[i] = {} end "
                + "setmetatable({}, { __gc = function() while true do end end }) "
                + "print('begin') io.stdout:flush() while true do collectgarbage() end",
        ])
        program.waitForOutput("begin")
        program.signal(SIGINT)
        let outcome = try program.wait(atMost: 60)
        #expect(outcome.code == 130, "\(outcome)")
    }

    @Test("handlers and __close see it, work, and the prompt goes on undisturbed")
    func seen() throws {
        let terminal = try Terminal([])
        try terminal.expect("> ")
        for _ in 0..<3 {
            terminal.type(
                "local x <close> = setmetatable({}, { __close = function(_, e) print('closed', e) end }) "
                    + "xpcall(function() print('begin') while true do end end, "
                    + "function(m) local n = 0 for i = 1, 1e5 do n = n + 1 end print('saw', n, m, pcall(error, 'own')) end) "
                    + "print('went on')\n")
            try terminal.expect("\nbegin\n")
            terminal.type("\u{3}")
            let shown = try terminal.expect("> ")
            #expect(shown.contains("saw\t100000\t"), "\(shown)")
            #expect(shown.contains("interrupted!\tfalse\town"), "\(shown)")
            #expect(shown.contains("closed\t"), "\(shown)")
            #expect(!shown.contains("went on"), "\(shown)")
            terminal.type("print(pcall(error, 'after'))\n")
            try terminal.expect("\nfalse\tafter\n> ")
        }
        terminal.type("\u{4}")
        #expect(terminal.wait() == 0)
    }
}

extension Program.Running {
    /// Returns once the program has written a text to standard output, or has ended.
    func waitForOutput(_ text: String) {
        while !output.contains(text), isRunning { usleep(5000) }
    }

    /// Waits for the end; a program that does not end in time is killed.
    func wait(atMost seconds: Double) throws -> Program.Outcome {
        let deadline = Date().addingTimeInterval(seconds)
        while isRunning {
            if Date() > deadline { signal(SIGKILL) }
            usleep(5000)
        }
        return try wait()
    }
}
