import Bindings
import Testing

@Suite("Arguments") struct ArgumentTests {
    @Test(
        "wrong arguments are named with position, name, expectation and value",
        arguments: [
            (
                "mt.add(1)",
                "test:1: bad argument #2 to 'add' (b: finite number (32 bits) expected, got no value)"
            ),
            (
                "mt.add(1, '2')",
                "test:1: bad argument #2 to 'add' (b: finite number (32 bits) expected, got \"2\")"
            ),
            (
                "mt.add(1, 0/0)",
                "test:1: bad argument #2 to 'add' (b: finite number (32 bits) expected, got -nan)"
            ),
            (
                "mt.add(1, 2, 3)",
                "test:1: bad argument #3 to 'add' (no more than 2 arguments expected, got 3)"
            ),
            (
                "mt.pair(1.5, 2)",
                "test:1: bad argument #1 to 'pair' (left: integer in -2^40 ... 2^40 (position) expected, got 1.5)"
            ),
            (
                "mt.pair(1, 10)",
                "test:1: bad argument #2 to 'pair' (right: integer in 0 ... 9 (count) expected, got 10)"
            ),
            ("mt.apply(1)", "test:1: bad argument #1 to 'apply' (body: function expected, got 1)"),
            (
                "mt.configure { 'a', stpes = 3 }",
                "test:1: bad argument #1 to 'configure' (unknown option 'stpes'; did you mean 'steps'?)"
            ),
            (
                "mt.configure { 'a', steps = -5 }",
                "test:1: bad argument #1 to 'configure' (steps: integer in 1 ... 2^32 (steps) expected, got -5)"
            ),
            (
                "mt.configure { steps = 5 }",
                "test:1: bad argument #1 to 'configure' (name: string expected, but it is missing)"
            ),
            (
                "mt.configure { 'a', 'b' }",
                "test:1: bad argument #1 to 'configure' (unexpected item \"b\" at position 2)"
            ),
            (
                "mt.configure { 'a', schedule = 'cosin' }",
                "test:1: bad argument #1 to 'configure' (schedule: one of \"cosine\", \"linear\" expected, got \"cosin\"; did you mean 'cosine'?)"
            ),
            (
                "mt.configure { 'a', optimizer = { decay = -1 } }",
                "test:1: bad argument #1 to 'configure' (optimizer.decay: number in 0 ... 1e6 (coefficient) expected, got -1)"
            ),
            (
                "mt.configure { 'a', mixture = { web = 'x' } }",
                "test:1: bad argument #1 to 'configure' (mixture.web: number in 0 ... 1e9 (weight) expected, got \"x\")"
            ),
            (
                "mt.configure { 'a', probe = mt.pair(1, 2) }",
                "test:1: bad argument #1 to 'configure' (probe: probe expected, got pair)"
            ),
            (
                "mt.configure { 'a', files = { 'x', 3 } }",
                "test:1: bad argument #1 to 'configure' (files[2]: string expected, got 3)"
            ),
            (
                "mt.echo({ [2] = 1 })",
                "test:1: bad argument #1 to 'echo' (value: a table has the key 2 but not all of 1 ... 1 before it)"
            ),
            (
                "mt.echo({ [true] = 1 })",
                "test:1: bad argument #1 to 'echo' (value: table keys must be strings or 1, 2, 3, …; found a boolean key)"
            ),
            (
                "local t = {} t.t = t mt.echo(t)",
                "test:1: bad argument #1 to 'echo' (value: tables nest deeper than 32 (does one contain itself?))"
            ),
            ("mt.prob()", "test:1: mt has no 'prob'; did you mean 'probe'?"),
            (
                "local p = mt.probe() p.nane = 1",
                "test:1: cannot set \"nane\" of a probe: objects are read-only"
            ),
            (
                "local p = mt.probe() return p.nane",
                "test:1: probe has no field or method 'nane'; did you mean 'name'?"
            ),
            ("local p = mt.probe() return p[1]", "test:1: a probe cannot be indexed with 1"),
            (
                "local p = mt.probe() p.twin(3)",
                "test:1: calling 'twin' on a bad object (probe expected, got 3; is it called with ':'?)"
            ),
            ("local p = mt.probe() p:close() p:twin()", "test:1: the probe is closed"),
            ("mt.pair(1, 2)[3]()", "test:1: index: expected 1 or 2, got 3"),
        ])
    func mistakes(code: String, expected: String) throws {
        #expect(try Bench().error(code) == expected)
    }

    @Test("options fill defaults, take items and integral floats, and sort names")
    func options() throws {
        let bench = try Bench()
        #expect(
            try bench.text(
                """
                local c = mt.configure { "web", files = "a", steps = 20.0, mixture = { b = 1, a = 2 } }
                return c.name, c.files[1], c.steps, math.type(c.steps), c.rate, c.schedule, c.order[1], c.order[2], c.decay
                """) == "web a 20 integer 1.0 cosine a b 0.1")
    }

    @Test("values survive the way to Swift and back")
    func echo() throws {
        let bench = try Bench()
        #expect(
            try bench.text(
                """
                local t = mt.echo({ 1, 2.5, "x", { a = true }, k = "\\xff\\0" })
                return t[1], t[2], t[3], t[4].a, #t.k, t.k == "\\xff\\0", mt.echo(nil) == nil, #t, mt.echo(print) == print
                """) == "1 2.5 x true 2 true true 4 true")
        #expect(try bench.text("return mt.bytes('\\xff\\0a')") == "3")
        #expect(
            try bench.text(
                "local p = mt.probe('q') local r = mt.echo(p) return p == r, tostring(r), #r, r.name"
            ) == "true probe q 1 q")
        #expect(
            try bench.text("return tostring(mt.probe('a') + mt.probe('b')), mt.pair(3, 4)[2]")
                == "probe a+b 4")
    }

    @Test(
        "every function refuses wrong arguments with an error that names it",
        arguments: Library.standard.adding(.test(Probe.Counter())).named.indices)
    func everyFunction(index: Int) throws {
        var rig = try Rig()
        let record = rig.bench.interpreter.library.named[index]
        var target = "mt.\(record.name)"
        try rig.make(record)
        switch record.form {
        case .function: break
        case .method(let type), .field(let type), .metamethod(let type):
            let object = try rig.make(type)
            target =
                record.form == .field(type)
                ? "_ = \(object).\(record.name)" : "\(object):\(record.name)"
        }
        for values in Self.wrong(for: record) {
            let isField = target.hasPrefix("_")
            let code = isField ? target : "\(target)(\(values.joined(separator: ", ")))"
            let message = rig.bench.error(code)
            #expect(
                message == "no error" || message == "os.exit(0)" || message == "os.exit(2)"
                    || message.hasPrefix("test:1: ") || message.hasPrefix("interrupted"),
                "\(code): \(message)")
            rig.bench.interpreter.clearInterrupt()
            if isField { break }
            if message.hasPrefix("os.exit") {  // an interpreter that was left is not used again
                rig = try Rig()
                try rig.make(record)
            }
        }
        rig.bench.interpreter.close()
        #expect(rig.bench.counter.live == 0)
    }

    static let samples = [
        "nil", "true", "0", "1", "3", "-1", "-9", "2.5", "1e308", "0/0", "1 << 53",
        "math.mininteger", "math.maxinteger", "''", "'\\xff'", "{}", "{ {} }", "{ x = 1 }",
        "{ 1, 2 }", "{ 4, -1 }", "{ 1e12 }", "{ 1 << 40, 1 << 40 }", "{ 0, 1 << 40, 1 << 40 }",
        "{ { 1 }, { 2, 3 } }", "{ { 1 }, 2 }", "print", "coroutine.create(print)", "io.stdout",
        "mt.probe()", "(function() local p <close> = mt.probe() return p end)()", "mt.zeros(0)",
        "mt.ones { 2, 3 }", "mt.ones(3):requires_grad()", "mt.full({}, 0/0)",
        "mt.ones(1):expand(1 << 40)",
        "(function() local t <close> = mt.ones(2) return t end)()",
    ]

    /// None, one of each kind in every place, good ones with one of each kind in one place, and too
    /// many.
    static func wrong(for record: Function) -> [[String]] {
        var lists: [[String]] = [[]]
        for count in 1...(record.parameters.count + 2) {
            for sample in samples { lists.append(Array(repeating: sample, count: count)) }
        }
        let good = record.parameters.map { Rig.good($0.kind) }
        for place in good.indices where good.count > 1 {
            for sample in samples {
                var list = good
                list[place] = sample
                lists.append(list)
            }
        }
        return lists
    }
}
