import Foundation
import TestSupport
import Testing

@Suite("Notebooks with parameters") struct RunNotebookTests {
    private func write(_ scratch: Scratch, _ cells: [(String, tags: [String])]) throws -> String {
        let path = scratch.path + "/a.ipynb"
        try JSONSerialization.data(withJSONObject: [
            "nbformat": 4, "nbformat_minor": 5,
            "metadata": ["kernelspec": ["name": "mtrepl"], "kept": 1] as [String: Any],
            "cells": cells.enumerated().map { index, cell in
                [
                    "cell_type": "code", "id": "c\(index)", "execution_count": 99,
                    "metadata": cell.tags.isEmpty ? [:] : ["tags": cell.tags],
                    "outputs": [["output_type": "stream", "name": "stdout", "text": "old"]],
                    "source": cell.0,
                ] as [String: Any]
            },
        ]).write(to: URL(fileURLWithPath: path))
        return path
    }

    private func sources(_ notebook: ReadNotebook) -> [String] {
        notebook.cells.map { ReadNotebook.text($0["source"]) }
    }

    @Test(
        "parameters stand behind their cell as Lua's values, and again in the place of those of the run before"
    )
    func parameters() throws {
        let scratch = try Scratch()
        let path = try write(
            scratch,
            [
                ("print('first')", []),
                ("rate = 1\nname, on, steps, text = 'x', false, 2, ''", ["parameters"]),
                ("math.type(rate), rate, #name, on, math.type(steps), steps, text", []),
                ("io.stderr:write('note') error('no')", ["raises"]),
            ])
        let (first, second) = (scratch.path + "/a.run.ipynb", scratch.path + "/b.ipynb")
        let arguments = [
            "-p", "rate", "-2.5e-1", "-p", "name", "a \"quoted\"\n\\ é", "-p", "on", "true", "-p",
            "steps", "-7", "-r", "text",
            "007",
        ]
        let outcome = try Program.run(["run", path] + arguments, in: scratch.path)
        #expect(outcome.code == 1 && outcome.output.hasPrefix("first\nfloat\t"), "\(outcome)")
        #expect(
            outcome.errors.contains("input 5:1: no") && outcome.errors.contains("cell 5 failed")
                && outcome.errors.hasSuffix("written to \(first)\n"), "\(outcome.errors)")
        let done = try ReadNotebook(first)
        #expect(done.metadata["kept"] as? Int == 1)
        #expect(
            sources(done)[2]
                == "-- Parameters\nrate = -2.5e-1\nname = \"a \\\"quoted\\\"\\n\\\\ é\"\non = true\nsteps = -7\ntext = \"007\""
        )
        #expect(
            (done.cells[2]["metadata"] as? [String: Any])?["tags"] as? [String] == [
                "injected-parameters"
            ])
        #expect(
            done.shown.hasPrefix("first\nfloat\t-0.25\t15\ttrue\tinteger\t-7\t007\n"),
            "\(done.shown)")
        let last = try #require(done.cells[4]["outputs"] as? [[String: Any]])
        #expect(last.map { $0["output_type"] as? String } == ["stream", "error"])
        #expect(
            last[0]["name"] as? String == "stderr"
                && last[1]["evalue"] as? String == "input 5:1: no")
        // Run again with other values, from what the run made.
        let again = try Program.run(["run", first, "-o", second, "-p", "rate", "3"])
        #expect(again.code == 1)
        #expect(sources(try ReadNotebook(second))[2] == "-- Parameters\nrate = 3")
        #expect(try ReadNotebook(second).cells.count == 5)
        #expect(try ReadNotebook(second).shown.contains("integer\t3\t1\tfalse\t"))
        // It is a notebook that replays.
        #expect(try Program.run(["replay", second]).output.hasSuffix(": 5 same\n"))
    }

    @Test(
        "cells after a failure are not run; os.exit ends with its code; without a tagged cell parameters come first"
    )
    func ends() throws {
        let scratch = try Scratch()
        let path = try write(scratch, [("n * 2", []), ("error({})", []), ("print('after')", [])])
        let failed = try Program.run([
            "run", path, "-p", "n", "21", "-o", scratch.path + "/o.ipynb",
        ])
        #expect(failed.code == 1)
        let done = try ReadNotebook(scratch.path + "/o.ipynb")
        #expect(sources(done)[0] == "-- Parameters\nn = 21" && done.shown == "42\n")
        #expect(
            done.cells[3]["execution_count"] is NSNull
                && (done.cells[3]["outputs"] as? [Any])?.isEmpty == true)
        let leaving = try write(scratch, [("os.exit(3)", []), ("print('after')", [])])
        #expect(try Program.run(["run", leaving]).code == 3)
        let lua = try scratch.write(
            "b.lua", "-- %% tags=[\"parameters\"]\nx = 1\n\n-- %%\nmt.show(x + 1)\n")
        #expect(try Program.run(["run", lua, "-p", "x", "2"]).code == 0)
        #expect(try ReadNotebook(scratch.path + "/b.run.ipynb").shown == "3\n")
    }

    @Test(
        "values that Lua cannot hold, unknown names and wrong command lines are errors that name them"
    )
    func wrong() throws {
        let scratch = try Scratch()
        let path = try write(scratch, [("rate = 1", ["parameters"])])
        for (arguments, code, word) in [
            (
                ["-p", "rat", "1"], Int32(1),
                "the cell tagged parameters does not set 'rat'; it sets rate"
            ),
            (["-p", "rate"], 2, "a name and a value expected"), (["-p"], 2, "-p"),
            (["-p", "1x", "1"], 2, "the name of a variable of Lua expected"),
            (["-p", "end", "1"], 2, "the name of a variable of Lua expected"),
            (
                ["-p", "rate", "9223372036854775808"], 2,
                "a number that Lua can hold expected, got 9223372036854775808"
            ),
            (["-p", "rate", "1e999"], 2, "a number that Lua can hold"),
            (["-o", "x.lua"], 2, "ends in .ipynb"),
            (["--threads", "0"], 2, "--threads"),
        ] as [([String], Int32, String)] {
            let outcome = try Program.run(["run", path] + arguments, in: scratch.path)
            #expect(
                outcome.code == code && outcome.errors.contains(word), "\(arguments): \(outcome)")
        }
        #expect(try Program.run(["run", path, "-p", "rate=1 print('x') a", "1"]).code == 2)
        #expect(try Program.run(["run", path, "-p", "rate", "1", "-r", "rate", "2"]).code == 0)
        #expect(try Program.run(["run", path, "-p", "rate", "-9223372036854775808"]).code == 0)
        #expect(try Program.run(["run", scratch.path + "/none.ipynb"]).code == 1)
        let own = try Program.run(["run", path, "-o", scratch.path + "/./a.ipynb"])
        #expect(own.code == 1 && own.errors.contains("is the notebook itself"))
        let page = try Program.run(["replay", scratch.path + "/page.md"])
        #expect(page.code == 2 && page.errors.contains("ends in .ipynb expected"))
    }
}
