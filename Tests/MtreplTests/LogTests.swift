import Foundation
import TestSupport
import Testing

@Suite("Session logs", .serialized) struct LogTests {
    /// The cells of a notebook, checked against what nbformat 4.5 asks for.
    private func cells(_ path: String) throws -> [[String: Any]] {
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        let root = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(root["nbformat"] as? Int == 4 && root["nbformat_minor"] as? Int == 5)
        #expect(root["metadata"] is [String: Any])
        let cells = try #require(root["cells"] as? [[String: Any]])
        var ids: Set<String> = []
        for cell in cells {
            let id = try #require(cell["id"] as? String)
            #expect(id.wholeMatch(of: /[A-Za-z0-9_-]{1,64}/) != nil && ids.insert(id).inserted)
            #expect(cell["source"] is [String] && cell["metadata"] is [String: Any])
            let kind = try #require(cell["cell_type"] as? String)
            guard kind == "code" else {
                #expect(kind == "markdown" && cell["outputs"] == nil)
                continue
            }
            #expect(cell["execution_count"] is Int || cell["execution_count"] is NSNull)
            for output in try #require(cell["outputs"] as? [[String: Any]]) {
                switch output["output_type"] as? String {
                case "stream":
                    #expect(["stdout", "stderr"].contains(output["name"] as? String))
                    #expect(output["text"] is [String])
                case "execute_result":
                    #expect(output["execution_count"] is Int && output["metadata"] is [String: Any])
                    #expect((output["data"] as? [String: Any])?["text/plain"] is [String])
                case "display_data": #expect(output["data"] is [String: Any])
                case "error": #expect(output["traceback"] is [String] && output["ename"] is String)
                default: Issue.record("\(output)")
                }
            }
        }
        // With the nbformat package at hand, its own verdict counts too; a test of its own fails or is skipped for it.
        if let python = Python.path {
            let code = "import nbformat, sys; nbformat.validate(nbformat.read(sys.argv[1], 4))"
            let verdict = try Program.run(other: python, ["-c", code, path])
            #expect(verdict.code == 0, "nbformat refuses \(path): \(verdict.errors)")
        }
        return cells
    }

    private func text(_ value: Any?) -> String { (value as? [String])?.joined() ?? "" }

    @Test("a session is a notebook and a page; the notebook replays to the same")
    func session() throws {
        let scratch = try Scratch()
        let log = scratch.path + "/day"
        let input = """
            print("one"); io.write("tw"); io.write("o\\n");
            6 * 7
            mt.log.note "## A *note*"
            { { a = 1, seconds = mt.elapsed() }, { a = 2, seconds = mt.elapsed() } }
            error("no good")
            local prose = mt.corpus { "prose", embedded = "prose", bytes = 60000 }; \
            local tokens = mt.tokenizer { train_on = prose, vocabulary = 280 }; \
            run = mt.recipe { model = mt.neox("micro-0.1m", { tokenizer = tokens, context = 8 }), \
            steps = 3, batch = 2, mixture = { prose = 1 } }:run { name = "trunk" }
            run.key
            """
        let outcome = try Program.run(
            ["--store", scratch.path + "/store", "--log", log], input: input)
        #expect(outcome.output.contains("one\ntwo\n42\n"), "\(outcome)")
        let cells = try cells(log + ".ipynb")
        #expect(cells.count == 8, "\(cells.map { text($0["source"]) })")
        let first = try #require((cells[0]["outputs"] as? [[String: Any]])?.first)
        #expect(text(first["text"]) == "one\ntwo\n")
        #expect(
            text(cells[3]["source"]) == "## A *note*"
                && cells[3]["cell_type"] as? String == "markdown")
        let failure = try #require((cells[5]["outputs"] as? [[String: Any]])?.first)
        #expect(failure["evalue"] as? String == "input 5:1: no good")
        let record = (cells[6]["metadata"] as? [String: [String: Any]])?["mtrepl"]
        let run = try #require((record?["runs"] as? [[String: Any]])?.first)
        let shown = try #require((cells[7]["outputs"] as? [[String: Any]])?.first)
        let data = try #require(shown["data"] as? [String: Any])
        #expect(text(data["text/plain"]) == run["key"] as? String)

        let page = try String(contentsOfFile: log + ".md", encoding: .utf8)
        #expect(page.contains("```output\none\ntwo\n```\n") && page.contains("```value\n42\n```"))

        let same = try Program.run(["replay", log + ".ipynb"])
        #expect(same.code == 0 && same.output.hasSuffix(": 7 same\n"), "\(same)")
        let changed = try String(contentsOfFile: log + ".ipynb", encoding: .utf8)
            .replacing("6 * 7", with: "6 * 8")
        let other = try scratch.write("other.ipynb", changed)
        let different = try Program.run(["replay", other])
        #expect(
            different.code == 1 && different.output.contains("cell 2: different"), "\(different)")
        #expect(different.output.contains("was  42") && different.output.contains("is   48"))

        // To Lua and back, and to Markdown and back, sources stay.
        for form in ["lua", "md"] {
            let middle = scratch.path + "/middle." + form
            let back = scratch.path + "/back-\(form).ipynb"
            #expect(try Program.run(["convert", log + ".ipynb", middle]).code == 0)
            #expect(try Program.run(["convert", middle, back]).code == 0)
            #expect(
                try self.cells(back).map { text($0["source"]) } == cells.map { text($0["source"]) })
        }
    }

    @Test("a session killed with SIGKILL leaves a valid notebook of all completed cells")
    func killed() throws {
        let scratch = try Scratch()
        let log = scratch.path + "/killed.ipynb"
        let terminal = try Terminal(["--log", log])
        try terminal.expect("> ")
        for index in 1...20 {
            terminal.type("print('cell', \(index))\n")
            try terminal.expect("\ncell\t\(index)\n> ")
        }
        terminal.type("print('begin') while true do end\n")
        try terminal.expect("\nbegin\n")
        terminal.kill()
        let cells = try cells(log)
        #expect(cells.count == 21)
        for index in 1...20 {
            let output = try #require((cells[index - 1]["outputs"] as? [[String: Any]])?.first)
            #expect(text(output["text"]) == "cell\t\(index)\n")
        }
        #expect(cells[20]["execution_count"] is NSNull)
        // The input that was killed would not end in a replay either.
        let replay = try Program.run(["replay", log])
        #expect(replay.code == 0 && replay.output.contains("it had not ended"), "\(replay)")
        #expect(replay.output.hasSuffix(": 20 same, 1 not compared\n"), "\(replay)")
    }

    @Test("replay gives errors the numbers of their inputs, also in a log that began later")
    func numbers() throws {
        let scratch = try Scratch()
        let log = scratch.path + "/late.ipynb"
        let input = """
            a = 1
            error("before")
            mt.log.start "\(log)"
            ?mt.elapsed
            error("after")
            mt.log.stop() print("the cell that ends the log is in it")
            """
        #expect(try Program.run([], input: input).output.contains("ends the log"))
        let replay = try Program.run(["replay", log])
        #expect(replay.output.hasSuffix(": 3 same\n"), "\(replay)")
        let changed = try String(contentsOfFile: log, encoding: .utf8)
        #expect(changed.contains("input 4:1: after"))
        let nameless = try Program.run(["-e", "mt.log.start ''"])
        #expect(nameless.code == 1 && nameless.errors.contains("the name of a file expected"))
    }

    @Test("a Markdown page gives back the notebook, whatever texts and outputs hold")
    func page() throws {
        let scratch = try Scratch()
        let log = scratch.path + "/day"
        let input = #"""
            print("a\n```\nb") print("`````\nc") io.write("no end")
            "x\n```lua\nos.exit(3)\n```"
            mt.log.note "An example:\n\n```lua\nos.exit(3)\n```\n\n*1.5 s*\n<!-- mtrepl code -->\nend"
            ?mt.elapsed
            io.stderr:write("a message\n") error("two\nlines")
            $ true
            mt.display { "shown" }
            """#
        _ = try Program.run(["--seed", "7", "--log", log], input: input)
        func source(_ path: String) throws -> [[String]] {
            try cells(path).map { [$0["cell_type"] as? String ?? "", text($0["source"])] }
        }
        let original = try String(contentsOfFile: log + ".ipynb", encoding: .utf8)
        // The page of the log, and one that is made from the notebook.
        #expect(try Program.run(["convert", log + ".ipynb", log + "-2.md"]).code == 0)
        for page in ["day.md", "day-2.md"] {
            let back = "\(scratch.path)/\(page).ipynb"
            #expect(try Program.run(["convert", "\(scratch.path)/\(page)", back]).code == 0)
            #expect(try String(contentsOfFile: back, encoding: .utf8) == original, "\(page)")
        }
        #expect(try Program.run(["replay", log + "-2.md.ipynb"]).code != 2)
        // Lua keeps all inputs, those of the prompt too.
        #expect(try Program.run(["convert", log + ".ipynb", log + ".lua"]).code == 0)
        #expect(try Program.run(["convert", log + ".lua", log + "-lua.ipynb"]).code == 0)
        #expect(try source(log + "-lua.ipynb") == source(log + ".ipynb"))
        // A page that somebody else wrote: its Lua is code.
        let other = try scratch.write(
            "other.md", "A text\n\n```lua\nprint(1)\n```\n\n```output\n1\n```\n")
        #expect(try Program.run(["convert", other, scratch.path + "/other.ipynb"]).code == 0)
        #expect(
            try source(scratch.path + "/other.ipynb") == [
                ["markdown", "A text"], ["code", "print(1)"],
            ])
    }

    @Test("a cell that prints much is logged in time that grows with what it prints")
    func much() throws {
        let scratch = try Scratch()
        /// The program's own processor time, which does not depend on what else the machine does.
        func seconds(_ count: Int) throws -> Double {
            let log = "\(scratch.path)/\(count)"
            let code = "for i = 1, \(count) do print(i) end"
            let outcome = try Program.run([
                "--log", log, "-e", code, "-e", "io.stderr:write('\\n', os.clock())",
            ])
            #expect(outcome.code == 0)
            #expect(
                text((try cells(log + ".ipynb")[0]["outputs"] as? [[String: Any]])?[0]["text"])
                    .hasSuffix("\n\(count)\n"))
            let last = outcome.errors.split(separator: "\n").last.map(String.init)
            return try #require(last.flatMap { Double($0) })
        }
        let (few, many) = (try seconds(20_000), try seconds(200_000))
        // The start of the program is in both; quadratic, it would be a hundred times as much.
        #expect(many < 30 * few, "\(few) s and \(many) s")
    }

    @Test("notebooks of the kernel replay: their width, no progress, no keys, no help")
    func jupyter() throws {
        let scratch = try Scratch()
        func cell(_ count: Int, _ source: String, _ outputs: String) -> String {
            """
            {"cell_type": "code", "id": "c\(count)", "metadata": {}, "execution_count": \(count),
             "source": "\(source)", "outputs": [\(outputs)]}
            """
        }
        func shown(_ kind: String, _ text: String, _ more: String) -> String {
            #"{"output_type": "\#(kind)", "metadata": \#(more), "data": {"text/plain": "\#(text)"}}"#
        }
        let wide = (1...24).map { "\($0)" }.joined(separator: ", ")
        let train = """
            local prose = mt.corpus { 'prose', embedded = 'prose', bytes = 60000 }; \
            local t = mt.tokenizer { train_on = prose, vocabulary = 280 }; \
            mt.recipe { model = mt.neox('micro-0.1m', { tokenizer = t, context = 8 }), \
            steps = 3, batch = 2, mixture = { prose = 1 } }:run {};
            """
        let file = try scratch.write(
            "kernel.ipynb",
            """
            {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec":
             {"name": "mtrepl", "display_name": "Lua (mtrepl)", "language": "lua"}},
             "cells": [\(cell(2, train, shown(
                "display_data", "training 3/3  loss 5.6", #"{"mtrepl": {"aside": true}}"#))),
             \(cell(3, "{ \(wide) }", shown(
                "execute_result", "{ \(wide) }", "{}"))),
             \(cell(4, "?mt.elapsed", "")),
             \(cell(7, "for i = 1, 2 do mt.display { 'at ' .. i, id = 'x' } end", shown(
                "display_data", "at 2", "{}"))),
             \(cell(9, "error('no')", #"{"output_type": "error", "ename": "Error", "#
                + #""evalue": "input 9:1: no", "traceback": []}"#))]}
            """)
        let replay = try Program.run(["replay", file])
        #expect(replay.output.contains(": 5 same\n"), "\(replay)")
    }

    @Test("a log replaces nothing, and start, note and stop work from Lua")
    func functions() throws {
        let scratch = try Scratch()
        let path = try scratch.write("here.ipynb", "mine")
        let refused = try Program.run(["--log", path, "-e", "print(1)"])
        #expect(refused.code == 1 && refused.errors.contains("it is there already"), "\(refused)")
        let input = """
            mt.log.note "nobody hears it"
            mt.log.start "\(scratch.path)/from-lua.md"
            print("logged")
            mt.log.stop()
            print("not logged")
            """
        let outcome = try Program.run([], input: input)
        #expect(outcome.code == 0 && outcome.output.hasPrefix("logged\n"), "\(outcome)")
        let page = try String(contentsOfFile: scratch.path + "/from-lua.md", encoding: .utf8)
        #expect(page.contains("```output\nlogged\n```") && !page.contains("not logged"))
    }
}
