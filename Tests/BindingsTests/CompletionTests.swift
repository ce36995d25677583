import Bindings
import TestSupport
import Testing

@Suite("Completion") struct CompletionTests {
    private let rig: Rig

    init() throws {
        rig = try Rig()
        try rig.make("run")
        try rig.bench.interpreter.run(
            """
            web = mt.corpus { "web", embedded = "prose", bytes = 20000 }
            settings = { learning_rate = 1, steps = 2, ["not a name"] = 3, nested = { deep = {} } }
            animal = setmetatable({ name = "x" }, { __index = { speak = function() end } })
            trap = setmetatable({}, { __index = function() error("code was run") end })
            """, name: "=test")
    }

    private func complete(_ text: String) -> [String] {
        rig.bench.interpreter.complete(text).candidates
    }

    static let exact: [(text: String, candidates: [String])] = [
        ("run:tr", ["train"]), ("run.st", ["step", "steps"]), ("mt.reci", ["recipe"]),
        ("print(mt.neo", ["neox"]), ("settings.", ["learning_rate", "nested", "steps"]),
        ("settings.nested.d", ["deep"]), ("animal:s", ["speak"]), ("trap.x", []),
        ("trap.x.y", []), ("mt.recipe { st", ["steps = "]),
        ("mt.recipe { steps = 3, st", ["string"]),
        ("mt.recipe { optimizer = { warm", ["warmup = "]), ("mt.recipe({ bat", ["batch = "]),
        ("recipe:with { pre", ["precision = "]),
        ("mt.recipe { mixture = { we", ["web = "]),
        ("mt.recipe { mixture = { ", ["prose = ", "web = "]),
        ("mt.neox(\"micro-0.1", ["micro-0.1m"]),
        ("mt.recipe { optimizer = { schedule = \"cos", ["cosine"]),
        ("mt.recipe { precision = ", ["\"bfloat16\"", "\"float32\""]),
        ("recipe:open():tra", ["train"]), ("run.recipe:wi", ["with"]),
        ("mt.recipe { model = 1 }:midt", ["midtrain"]),
        ("x = { f = function(a) return run:gen", ["generate"]),
        ("run:evaluate(corpus, { split = \"va", ["valid"]), ("mt.help \"recip", ["recipe"]),
        ("(\"x\"):upp", ["upper"]), ("-- run:tr", []), ("local abcd = 1\nabc", ["abcd"]),
        ("1 .. sett", ["settings"]), ("repea", ["repeat"]),
    ]

    @Test("names come from records and from looking at values", arguments: exact.indices)
    func candidates(index: Int) {
        let (text, expected) = Self.exact[index]
        #expect(complete(text) == expected, "\(text)")
    }

    @Test("a candidate replaces what was begun, and nothing else")
    func start() {
        let found = rig.bench.interpreter.complete("print(run.st")
        #expect(found.start == 10)
        #expect(!found.inString)
        let string = rig.bench.interpreter.complete("mt.neox('mic")
        #expect(string.start == 9)
        #expect(string.inString)
    }

    @Test("strings that are no choice complete paths")
    func paths() throws {
        let scratch = try Scratch()
        try scratch.write("data.jsonl", "")
        try scratch.write(".hidden", "")
        #expect(complete("io.open(\"\(scratch.path)/da") == [scratch.path + "/data.jsonl"])
        #expect(
            complete("mt.corpus { 'a', files = '\(scratch.path)/") == [scratch.path + "/data.jsonl"]
        )
    }

    @Test("names of runs come from the store, names of corpora from the session")
    func names() throws {
        #expect(complete("mt.records \"") == [])
        try rig.bench.interpreter.run(
            "recipe:run { name = 'trunk', to = 1 } recipe:open { name = 'other' }", name: "=test")
        #expect(complete("mt.records \"tr") == ["trunk"])
        #expect(complete("recipe:open { name = 'tr") == ["trunk"])
        #expect(complete("mt.study {}:run():table { value = 'we") == ["web"])
        #expect(complete("mt.study {}:run():plot { 'we") == ["web"])
    }

    @Test("unfinished and odd text is no obstacle")
    func odd() {
        for text in [
            "", " ", "))}}", "a.b.c.d", "[[", "x = [==[ abc", "'", "\"\\", "{ { { ", "é.", "::",
            "...", "0x", "1e",
        ] {
            _ = complete(text)
        }
    }

    @Test(
        "a semicolon at the end silences, one in a string or before a comment is seen as what it is"
    )
    func silence() {
        #expect(Interpreter.isSilenced("6 * 7;"))
        #expect(Interpreter.isSilenced("6 * 7;  -- seven"))
        #expect(!Interpreter.isSilenced("';'"))
        #expect(!Interpreter.isSilenced("1 -- ;"))
    }
}
