import Foundation
import TestSupport
import Testing

@Suite("Prompt's comforts", .serialized) struct PromptHelpTests {
    private func prompt(_ arguments: [String] = [], _ environment: [String: String] = [:]) throws
        -> Terminal
    {
        let terminal = try Terminal(arguments, environment: environment)
        try terminal.expect("\n> ")
        return terminal
    }

    private func leave(_ terminal: Terminal) {
        terminal.type("\u{4}")
        #expect(terminal.wait() == 0)
    }

    @Test("the Tab key completes names, options and choices")
    func completion() throws {
        let terminal = try prompt()
        terminal.type("print(mt.elap\t() > 0)\n")
        try terminal.expect("mt.elapsed() > 0)\ntrue\n> ")
        terminal.type("mt.recipe { st\t")
        try terminal.expect("mt.recipe { steps = ")
        terminal.type("\u{3}")
        try terminal.expect("> ")
        terminal.type("mt.neox(\"pythia-14\t")
        try terminal.expect("mt.neox(\"pythia-14m\"")
        // The quote is completed once, also before one that is there.
        terminal.type(", 1")
        #expect(try terminal.expect(", 1") == "")
        terminal.type("\u{3}")
        try terminal.expect("> ")
        leave(terminal)
    }

    @Test("help of functions, and its errors, are those of the input")
    func helpFunction() throws {
        let terminal = try prompt()
        terminal.type("help(mt.plot.line)\n")
        try terminal.expect("\nmt.plot.line({…})")
        try terminal.expect("\n> ")
        terminal.type("?string.rep\n")
        try terminal.expect("\nstring.rep(s, n, [separator])\n")
        try terminal.expect("\n> ")
        terminal.type("help 'nosuch'\n")
        try terminal.expect("\ninput 2:1: nothing is called 'nosuch'")
        try terminal.expect("\n> ")
        leave(terminal)
    }

    @Test("records under names, wide characters and tensors print as aligned tables")
    func tables() throws {
        let terminal = try prompt()
        terminal.type("{ b = { x = 1, y = 'a' }, a = { x = 22 }, seed = 3 }\n")
        try terminal.expect("\nname   x  y\na     22\nb      1  a\n{ seed = 3 }\n> ")
        terminal.type("{ { name = '日本語', v = 1 }, { name = 'ab', v = 22 } }\n")
        try terminal.expect("\nname     v\n日本語   1\nab      22\n> ")
        terminal.type("mt.ones { 2 }\n")
        try terminal.expect("\n  1  1\ntensor[2] float32\n> ")
        leave(terminal)
    }

    @Test("what is typed while something trains is not shown, and run afterwards")
    func typedAhead() throws {
        let scratch = try Scratch()
        let file = try scratch.write(
            "train.lua",
            StudyScript.prelude + "\nbase:with { steps = 60, repeats = true }:run()\n")
        let terminal = try Terminal(
            ["--store", scratch.path + "/store"], environment: ["TERM": "xterm", "NO_COLOR": "1"])
        try terminal.expect("> ")
        terminal.type("dofile '\(file)'\n")
        try terminal.expect("pretrain ")
        terminal.type("'typed' .. 'ahead'\n")
        let before = try terminal.expect("'typed'")
        #expect(before.hasSuffix("> "), "\(before.suffix(200))")
        try terminal.expect("typedahead")
        try terminal.expect("> ")
        leave(terminal)
    }

    @Test("another width of the terminal draws the line again where it is")
    func resize() throws {
        let terminal = try Terminal(
            [], environment: ["TERM": "xterm", "NO_COLOR": "1"], columns: 60, rows: 20)
        try terminal.expect("> ")
        // Its last digit stands nowhere else: when it is there, so is the whole line.
        terminal.type(String(repeating: "1 + ", count: 20) + "9")
        try terminal.expect("9")
        terminal.resize(columns: 40, rows: 20)
        // Two rows above the cursor, in rows of the new width.
        try terminal.expect("\u{1b}[2A")
        try terminal.expect("> 1 + 1")
        terminal.type("\n")
        try terminal.expect("29\n")
        try terminal.expect("> ")
        leave(terminal)
    }

    @Test(
        "a search back through entries of several lines draws them whole, and they can be edited",
        arguments: ["1", ""])
    func search(_ noColour: String) throws {
        let terminal = try Terminal(
            [], environment: ["TERM": "xterm", "NO_COLOR": noColour], columns: 60, rows: 20)
        try terminal.expect("> ")
        for (line, end) in [
            ("for i = 1, 2 do", ">> "), ("print('abc', i)", ">> "), ("end", "abc\t2"),
            ("1 + 1", "2\n"),
        ] {
            terminal.type(line + "\n")
            try terminal.expect(end)
        }
        try terminal.expect("> ")
        // Ctrl-R; then the line is left alone, with the cursor at what was found.
        terminal.type("\u{12}abc")
        try terminal.expect("abc': for i = 1, 2 do\n")
        terminal.type("\u{1b}[D")
        // Drawn anew: not what differs from the search, which readline gets wrong.
        let prompt = noColour.isEmpty ? "\u{1b}[0m" : "> "
        for line in [prompt + "for i = 1, 2 do\n", "print('abc', i)", "end"] {
            try terminal.expect(line)
        }
        terminal.type("\u{5} print('edited')\n")
        try terminal.expect("abc\t1\nabc\t2\nedited\n")
        try terminal.expect("> ")
        // Given up with Ctrl-G, nothing of it stays.
        terminal.type("\u{12}edited")
        try terminal.expect("edited': for i = 1, 2 do\n")
        terminal.type("\u{7}")
        terminal.type("6 * 7\n")
        try terminal.expect("42\n")
        try terminal.expect("> ")
        leave(terminal)
    }

    @Test("help, source and the shell")
    func help() throws {
        let terminal = try prompt()
        terminal.type("?mt.elapsed\n")
        try terminal.expect("mt.elapsed() -> number\n")
        try terminal.expect("> ")
        terminal.type("mt.elapsed?\n")
        try terminal.expect("mt.elapsed() -> number\n")
        try terminal.expect("> ")
        terminal.type("help 'elapsed'\n")
        try terminal.expect("\nmt.elapsed() -> number\n")
        try terminal.expect("> ")
        terminal.type("function double(x) return 2 * x end\n")
        try terminal.expect("> ")
        terminal.type("??double\n")
        try terminal.expect("input 2:1\nfunction double(x) return 2 * x end\n> ")
        terminal.type("$ echo from the shell\n")
        try terminal.expect("\nfrom the shell\n> ")
        leave(terminal)
    }

    @Test(
        "a semicolon silences; _ and Out keep results; who lists; an undefined global is an error")
    func results() throws {
        let terminal = try prompt()
        terminal.type("6 * 7;\n")
        try terminal.expect("6 * 7;\n> ")
        terminal.type("_ + 1\n")
        try terminal.expect("\n43\n> ")
        terminal.type("Out[1] + Out[-1]\n")
        try terminal.expect("\n85\n> ")
        terminal.type("answer = 42\n")
        try terminal.expect("> ")
        terminal.type("who()\n")
        try terminal.expect("answer  number  42\n> ")
        terminal.type("anser\n")
        try terminal.expect("the global 'anser' is not defined; did you mean 'answer'?")
        try terminal.expect("> ")
        leave(terminal)
        let plain = try prompt(["--no-strict"])
        plain.type("anser\n")
        try plain.expect("\nnil\n> ")
        leave(plain)
    }

    @Test("a pasted block stays one chunk and keeps its locals")
    func paste() throws {
        let terminal = try Terminal([], environment: ["TERM": "xterm", "NO_COLOR": "1"])
        try terminal.expect("> ")
        terminal.type("\u{1b}[200~local a = 20\nlocal b = 22\nprint('sum', a + b)\u{1b}[201~\n")
        try terminal.expect("sum\t42")
        try terminal.expect("> ")
        leave(terminal)
    }

    @Test("the start-up file is run at the prompt, and not with --no-rc, --safe or a script")
    func startUp() throws {
        let scratch = try Scratch()
        try scratch.write(".mtreplrc.lua", "greeting = 'from the start-up file'\n")
        let home = ["HOME": scratch.path]
        let terminal = try prompt([], home)
        terminal.type("greeting\n")
        try terminal.expect("\nfrom the start-up file\n> ")
        leave(terminal)
        for arguments in [["--no-rc"], ["--safe"]] {
            let other = try prompt(arguments, home)
            other.type("greeting\n")
            try other.expect("the global 'greeting' is not defined")
            try other.expect("\n> ")
            leave(other)
        }
        #expect(
            try Program.run(["-e", "print(rawget(_G, 'greeting'))"], in: scratch.path).output
                == "nil\n")
    }
}
