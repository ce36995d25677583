import Bindings
import CLua
import Runtime
import TestSupport
import Testing

@Suite("Lua boundary") struct BoundaryTests {
    @Test(
        "objects are released after errors, by the collector, by <close> and when the interpreter closes"
    )
    func release() throws {
        let bench = try Bench()
        try bench.interpreter.run(
            """
            for i = 1, 200 do assert(not pcall(mt.many, true)) end
            for i = 1, 200 do mt.many(false) end
            for i = 1, 50 do local p <close> = mt.probe() end
            for i = 1, 50 do local p = mt.probe() p:close() p:close() end
            for i = 1, 50 do pcall(function() local p <close> = mt.probe() error("x") end) end
            collectgarbage() collectgarbage()
            """, name: "=test")
        #expect(bench.counter.made > 1500)
        #expect(bench.counter.live == 0)
        try bench.interpreter.run("keep = { mt.many(false) } keep[1] = mt.probe()", name: "=test")
        #expect(bench.counter.live == 5)
        bench.interpreter.close()
        bench.interpreter.close()
        #expect(bench.counter.live == 0)
        #expect(throws: LuaError.self) { try bench.interpreter.run("", name: "=test") }
    }

    @Test("an object that keeps a function referring to it dies with the interpreter")
    func cycle() throws {
        let bench = try Bench()
        #expect(
            try bench.text(
                "local p = mt.probe('c') p:keep(function(q) return q == p, q.name end) return p:call()"
            ) == "true c")
        bench.interpreter.close()
        #expect(bench.counter.live == 0)
    }

    @Test(
        "every failing allocation is an ordinary error and leaks nothing",
        arguments: Library.standard.adding(.test(Probe.Counter())).named.indices)
    func allocation(index: Int) throws {
        let scratch = try Scratch()
        let bench = try Bench(Rig.settings(scratch))
        let record = bench.interpreter.library.named[index]
        if ["work", "interrupt"].contains(record.name) { return }  // tested below
        try bench.interpreter.run("print = function() end", name: "=test")
        if let code = Self.use[record.fullName] ?? Self.use[record.name] {
            try fail(bench, code)
        } else if ["losses.csv", "sums.jsonl", "overlap.csv", "scores.csv"].contains(
            where: record.example.contains)
        {
            return  // it would write into the folder of the tests
        } else if !record.example.isEmpty {
            let type = record.fullName.prefix { $0 != ":" && $0 != "." }
            try fail(
                bench, record.example, isExample: true,
                mayNeedMore: !Examples.setUp(String(type)).isEmpty)
        } else if record.parameters.allSatisfy(\.isOptional), record.form == .function {
            try fail(bench, "return mt.\(record.name)()")
        }
    }

    /// Fails allocation 1, 2, 3, … of a chunk until it passes; of a long one, a few on the way.
    ///
    /// - Parameter mayNeedMore: Whether the chunk is left out if it fails by itself, as it needs what stands before it.
    private func fail(
        _ bench: Bench, _ code: String, isExample: Bool = false, mayNeedMore: Bool = false
    ) throws {
        let state = try #require(bench.interpreter.core.state)
        try bench.interpreter.run("f = function() \(code)\nend", name: "=test")
        var step: Int64 = 1
        if isExample {
            mt_fail_allocation(state, 0)
            do { try bench.interpreter.run("f()", name: "=test") } catch {
                if mayNeedMore { return }
                throw error
            }
            let count = mt_fail_allocation(state, 0)
            if count > 1000 { step = count / 12 }
        }
        var n: Int64 = 1
        let most = max(20_000, 40 * step)
        while n < most {
            var passed = false
            let call = try #require(bench.interpreter.evaluate("return f").first)
            guard case .function(let function) = call else { return }
            mt_fail_allocation(state, n)
            do {
                try function.call()
                passed = true
            } catch let error as ExitRequest {
                mt_fail_allocation(state, 0)
                Issue.record("left with \(error)")
            } catch {}
            let made = mt_fail_allocation(state, 0)
            if passed, made < n { break }
            n += step
        }
        #expect(n < most, "\(code)")
        try bench.interpreter.run(
            "f = nil mt.elapsed() collectgarbage() collectgarbage()", name: "=test")
        #expect(bench.counter.live == 0)
        #expect(bench.interpreter.memory.objects == 0)
        bench.interpreter.close()
        #expect(bench.counter.live == 0)
    }

    static let use = [
        "probe": "return mt.probe('a')", "pair": "return mt.pair(1, 2)",
        "many": "return mt.many(false)",
        "configure":
            "return mt.configure { 'a', files = { 'x' }, mixture = { a = 1 }, optimizer = {} }",
        "add": "return mt.add(1, 2)",
        // There is no session to log here.
        "log.start": "pcall(mt.log.start, 'x')",
        "apply": "return mt.apply(function(x) return { x } end, { 'a' })",
        "attempt": "return mt.attempt(function() error('x') end)",
        "echo": "return mt.echo({ 1, 'a', { b = print } })",
        "bytes": "return mt.bytes('abc')", "read": "return mt.read('x')",
        "probe:twin": "return mt.probe('a'):twin('b')",
        "probe:keep": "local p = mt.probe() p:keep(print) p:close()",
        "probe:call": "local p = mt.probe() p:keep(tostring) p:call() p:close()",
        "probe:close": "mt.probe():close()",
        "probe.name":
            "return mt.probe('a').name .. #mt.probe() .. tostring(mt.probe() + mt.probe())",
        "options":
            "return mt.options({ { 'a', default = 1 }, { 'b', default = { 1, 2 } } }, { '--a', '3' })",
        "tensor.grad":
            "local t = mt.ones(3):requires_grad() t:sum():backward() return t.grad, t.shape",
        "tensor.rank":
            "local t = mt.ones { 2, 2 } return t + 1, -t, t[1][1] < 2, #t, 2 ^ t, tostring(t), t.rank",
        "help": "return mt.help('options'), mt.help()",
    ]

    @Test("an error value thrown in a callback inside a callback arrives unchanged")
    func errorValues() throws {
        let bench = try Bench()
        #expect(
            try bench.text(
                """
                local thrown = { code = 1 }
                local ok, caught = pcall(mt.apply, function()
                  mt.apply(function() error(thrown) end)
                end)
                local ok2, first = pcall(mt.apply, function()
                  mt.attempt(function() error("inner") end)
                  error(thrown)
                end)
                return ok, caught == thrown, ok2, first == thrown, mt.attempt(function() error("text", 0) end),
                  mt.attempt(function() error({}) end), mt.attempt(function() error() end)
                """)
                == "false true false true text (error object is a table value) (error object is a nil value)"
        )
    }

    @Test("deep recursion through Swift is an error, not a crash")
    func recursion() throws {
        let bench = try Bench()
        let message = bench.error("local function f() mt.apply(f) end f()")
        #expect(message.contains("stack overflow"))
        #expect(bench.error("local function f() return f() + 1 end f()").contains("stack overflow"))
        #expect(try bench.text("return mt.add(1, 2)") == "3.0")
    }

    @Test("callbacks cannot yield, and coroutines may call Swift")
    func coroutines() throws {
        let bench = try Bench()
        #expect(
            try bench.text(
                """
                local co = coroutine.wrap(function(a)
                  local b = coroutine.yield(mt.add(a, 1))
                  local ok, message = pcall(mt.apply, coroutine.yield)
                  return ok, message, mt.add(b, 1)
                end)
                local first = co(1)
                return first, co(2)
                """) == "2.0 false attempt to yield across a C-call boundary 3.0")
        #expect(
            bench.error("coroutine.wrap(function() error('inside') end)()")
                == "test:1: test:1: inside")
        #expect(
            try bench.text(
                "return coroutine.resume(coroutine.create(function(...) return ... end), 1, 2)")
                == "true 1 2")
        #expect(
            try bench.text(
                "local co = coroutine.create(print) coroutine.close(co) return coroutine.resume(co)"
            )
                == "false cannot resume dead coroutine")
    }

    @Test("running out of memory is an ordinary error")
    func memory() throws {
        var settings = Interpreter.Settings()
        settings.memoryLimit = 16 << 20
        let bench = try Bench(settings)
        #expect(
            try bench.text("return pcall(string.rep, 'x', 1 << 30)") == "false not enough memory")
        #expect(try bench.text("return pcall(string.rep, 'x', 1 << 40)").hasPrefix("false "))
        #expect(bench.error("local t = {} while true do t[#t + 1] = {} end") == "not enough memory")
        #expect(try bench.text("return mt.add(1, 2)") == "3.0")
    }

    @Test("garbage is collected when Swift objects pass the soft maximum")
    func softMaximum() throws {
        var settings = Interpreter.Settings()
        settings.liveBytes = { 1 << 30 }
        settings.softMaximum = 1 << 20
        let bench = try Bench(settings)
        try bench.interpreter.run("for i = 1, 10 do mt.probe() end mt.add(1, 2)", name: "=test")
        #expect(bench.interpreter.memory.collections >= 1)
        #expect(bench.interpreter.memory.soft_maximum > 1 << 30)
    }

    @Test("scripts are text, and cannot reach what could break the boundary")
    func sandbox() throws {
        let bench = try Bench()
        #expect(
            try bench.text("return load('\\27Lua')")
                == "nil attempt to load a binary chunk (mode is 't')")
        #expect(
            try bench.text("return load('return 1', 'x', 'b')")
                == "nil attempt to load a text chunk (mode is 'none')")
        #expect(try bench.text("return load('return ...', 'x', 't', {})(5)") == "5")
        #expect(
            try bench.text(
                "local n = 0 return load(function() n = n + 1 return ({ 'return ', '7' })[n] end)()"
            ) == "7")
        #expect(
            try bench.text(
                "return string.dump, package.loadlib, debug.sethook, debug.setmetatable, debug.getregistry, #package.searchers"
            )
                == "nil nil nil nil nil 2")
        #expect(
            try bench.text(
                "return debug.getinfo(print).func, debug.getinfo(1, 'l').currentline, debug.getinfo(1, 'f').func ~= nil"
            ) == "nil 1 true")
        #expect(
            try bench.text("return getmetatable(mt.probe()), pcall(setmetatable, mt.probe(), {})")
                .hasPrefix("mtrepl.probe false"))
        #expect(
            bench.error("require 'no.such.module'").contains("module 'no.such.module' not found"))
        #expect(try bench.text("return require 'mt' == mt") == "true")
    }

    @Test("os.exit leaves through pcall, coroutines and Swift")
    func exit() throws {
        for code in [
            "os.exit(3)", "pcall(os.exit, 3) error('no')", "while true do pcall(os.exit, 3) end",
            "mt.apply(function() os.exit(3) end)",
            "pcall(mt.apply, function() pcall(os.exit, 3) end) error('no')",
            "coroutine.wrap(function() os.exit(3) end)()",
            "coroutine.resume(coroutine.create(function() os.exit(3) end)) error('no')",
        ] {
            let bench = try Bench()
            #expect(bench.error(code) == "os.exit(3)", "\(code)")
            bench.interpreter.close()
        }
    }

    @Test(
        "Ctrl-C stops Lua loops, coroutines, Swift work and callbacks; the next run is undisturbed")
    func interrupt() throws {
        let bench = try Bench()
        for code in [
            "mt.interrupt() while true do end", "mt.interrupt() repeat local x = #'a' until false",
            "coroutine.wrap(function() mt.interrupt() while true do end end)()",
            "local co = coroutine.wrap(function() while true do coroutine.yield() end end) co() mt.interrupt() while true do co() end",
            "mt.work()", "mt.apply(function() mt.work() end)",
            "mt.apply(function() mt.interrupt() while true do end end)",
            "mt.apply(function() mt.interrupt() end) mt.work(false)",
        ] {
            #expect(throws: Interrupted.self, "\(code)") {
                try bench.interpreter.run(code, name: "=test")
            }
            #expect(!bench.interpreter.clearInterrupt())
            #expect(
                try bench.text("local n = 0 for i = 1, 1000 do n = n + 1 end return n") == "1000")
        }
        // A protected call raises it again; an error in its place does not hide it.
        for code in [
            "pcall(mt.work) for i = 1, 100 do end", "pcall(mt.work) error('other')",
            "mt.apply(function() pcall(mt.work) end)",
            "pcall(mt.apply, function() pcall(mt.work) error('other') end)",
        ] {
            #expect(throws: Interrupted.self, "\(code)") {
                try bench.interpreter.run(code, name: "=test")
            }
        }
        // Without a Ctrl-C it is an error like any other: a callback asked to stop.
        #expect(try bench.text("return pcall(error, 'own')") == "false own")
    }

    @Test("foreign values are not taken for objects")
    func foreign() throws {
        let bench = try Bench()
        #expect(
            bench.error("local p = mt.probe() p.twin(io.stdout)").contains(
                "probe expected, got userdata"))
        #expect(
            bench.error("local p = mt.probe() p.twin(mt.pair(1, 2))").contains(
                "probe expected, got pair"))
        #expect(
            bench.error("local p = mt.probe() p.twin(p, 3)").contains(
                "name: string expected, got 3"))
        #expect(
            bench.error("local p = mt.probe() p.twin(setmetatable({}, { __index = p }))").contains(
                "got "))
    }

    @Test("math.random depends on the seed alone")
    func seed() throws {
        var settings = Interpreter.Settings()
        settings.seed = 5
        let a = try Bench(settings).text("return math.random(1 << 40)")
        #expect(try Bench(settings).text("return math.random(1 << 40)") == a)
        settings.seed = 6
        #expect(try Bench(settings).text("return math.random(1 << 40)") != a)
    }
}
