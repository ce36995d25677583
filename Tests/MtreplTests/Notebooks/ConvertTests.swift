import Foundation
import TestSupport
import Testing

@Suite("Forms of notebooks") struct ConvertTests {
    private func convert(_ from: String, _ to: String) throws {
        let outcome = try Program.run(["convert", from, to, "--force"])
        #expect(outcome.code == 0, "\(outcome.errors)")
    }

    @Test(
        "random notebooks come back from Lua and Markdown: kinds, sources byte by byte, tags, metadata, attachments",
        arguments: [UInt64(1), 2, 3])
    func random(seed: UInt64) throws {
        for round in 0..<UInt64(Long.pick(1, long: 40)) {
            var maker = NotebookMaker(draws: Draws(seed: seed + 3 * round))
            let scratch = try Scratch()
            let path = scratch.path + "/a.ipynb"
            try maker.notebook(cells: 120).write(to: URL(fileURLWithPath: path))
            let original = try ReadNotebook(path)
            for form in ["lua", "md"] {
                let (middle, back) = ("\(scratch.path)/a.\(form)", "\(scratch.path)/\(form).ipynb")
                try convert(path, middle)
                try convert(middle, back)
                let found = try ReadNotebook(back)
                #expect(found.cells.count == original.cells.count)
                for (index, pair) in zip(original.contents, found.contents).enumerated()
                where pair.0 != pair.1 {
                    Issue.record(
                        "seed \(maker.draws.seed), \(form), cell \(index): \(original.cells[index]) came back as \(found.cells[index])"
                    )
                }
                #expect(
                    NSDictionary(dictionary: found.metadata)
                        == NSDictionary(dictionary: original.metadata))
                // The text made of what came back is the same text.
                let again = "\(scratch.path)/again.\(form)"
                try convert(back, again)
                let (a, b) = (
                    try Data(contentsOf: URL(fileURLWithPath: middle)),
                    try Data(contentsOf: URL(fileURLWithPath: again))
                )
                if form == "lua" { #expect(a == b) }
            }
        }
    }

    @Test("the Lua of a notebook runs and shows what the notebook shows")
    func runs() throws {
        let scratch = try Scratch()
        let cells = (NotebookMaker.code + NotebookMaker.code.reversed()).map { source in
            [
                "cell_type": "code", "metadata": [:] as [String: Any], "outputs": [Any](),
                "execution_count": NSNull(), "source": source,
            ] as [String: Any]
        }
        let path = scratch.path + "/a.ipynb"
        try JSONSerialization.data(withJSONObject: [
            "nbformat": 4, "nbformat_minor": 4, "metadata": [:] as [String: Any], "cells": cells,
        ]).write(to: URL(fileURLWithPath: path))
        let done = try Program.run(["run", path, "-o", scratch.path + "/done.ipynb"])
        #expect(done.code == 0, "\(done)")
        try convert(path, scratch.path + "/a.lua")
        let script = try Program.run([scratch.path + "/a.lua"])
        #expect(script.code == 0, "\(script.errors)")
        let expected = try ReadNotebook(scratch.path + "/done.ipynb").shown
        #expect(!expected.isEmpty && script.output == expected)
    }

    @Test(
        "headers and marks of Jupytext are read: kinds, tags, titles, values, metadata of the notebook"
    )
    func jupytext() throws {
        let scratch = try Scratch()
        let file = try scratch.write(
            "a.lua",
            """
            #!/usr/bin/env mtrepl
            -- ---
            -- jupyter:
            --   authors:
            --   - name: A
            --     roles: [x]
            --   jupytext:
            --     text_representation:
            --       extension: .lua
            --       format_name: percent
            --       format_version: '1.3'
            --       jupytext_version: 1.19.6
            --   kernelspec:
            --     display_name: Lua (mtrepl)
            --     language: lua
            --     name: mtrepl
            --   title: 'a long title that goes on in the next line: it''s
            --     here'
            -- ---

            -- %% [markdown] tags=["x", "y z"] slideshow={"slide_type": "slide"}
            -- # A title
            --
            -- text

            -- %% tags=["parameters"] n=3 f=1.5 b=true z
            rate = 1


            -- %% Load the data
            rate + 1

            -- %%%% deep [md]
            -- text

            -- %% [raw] raw_mimetype="text/x"
            -- raw
            """)
        try convert(file, scratch.path + "/a.ipynb")
        let read = try ReadNotebook(scratch.path + "/a.ipynb")
        #expect(
            read.cells.map { ReadNotebook.text($0["source"]) } == [
                "# A title\n\ntext", "rate = 1", "rate + 1", "text", "raw",
            ])
        #expect(
            read.cells.map { $0["cell_type"] as? String } == [
                "markdown", "code", "code", "markdown", "raw",
            ])
        let metadata = read.cells.map { $0["metadata"] as? [String: Any] ?? [:] }
        #expect(metadata[0]["tags"] as? [String] == ["x", "y z"])
        #expect(metadata[0]["slideshow"] as? [String: String] == ["slide_type": "slide"])
        #expect(metadata[1]["tags"] as? [String] == ["parameters"])
        #expect(metadata[1]["n"] as? Int == 3 && metadata[1]["f"] as? Double == 1.5)
        #expect(metadata[1]["b"] as? Bool == true && metadata[1]["z"] is NSNull)
        #expect(metadata[2]["title"] as? String == "Load the data")
        #expect(metadata[3]["cell_depth"] as? Int == 2)
        #expect(
            read.metadata["title"] as? String
                == "a long title that goes on in the next line: it's here")
        #expect(
            (read.metadata["kernelspec"] as? [String: String])?["display_name"] == "Lua (mtrepl)")
        try convert(scratch.path + "/a.ipynb", scratch.path + "/b.lua")
        try convert(scratch.path + "/b.lua", scratch.path + "/b.ipynb")
        #expect(try ReadNotebook(scratch.path + "/b.ipynb").contents == read.contents)
        #expect(try Program.run([scratch.path + "/b.lua"]).output == "2\n")
    }

    @Test(
        "files of other programs: line ends, marks without spaces, objects in marks, fences in fences"
    )
    func others() throws {
        let scratch = try Scratch()
        for (name, text, expected) in [
            (
                "a.lua", "-- %%\r\nx = 1\r\ny = 2\r\n-- %% [markdown]\r\n-- t\r\n",
                ["code x = 1\ny = 2", "markdown t"]
            ),
            ("a.lua", "-- %%\rx = 1\r-- %%\ry = 2\r", ["code x = 1", "code y = 2"]),
            ("a.lua", "\u{feff}-- %%\nx = 1\n", ["code x = 1"]),
            ("a.lua", "--%%\nx = 1\n--%% [markdown]\n--y\n", ["code x = 1", "markdown y"]),
            ("a.lua", "-- %% A [markdown] {\"a\": 1} tags=[\"t\"]\n-- x\n", ["markdown x"]),
            ("a.lua", "x = 1\n\ny = 2\n", ["code x = 1\n\ny = 2"]),
            ("a.lua", "x = 1\n-- %%\ny = 2\n", ["code x = 1", "code y = 2"]), ("a.lua", "", []),
            ("a.md", "# T\r\n\r\n```lua\r\nx = 1\r\n```\r\n", ["markdown # T", "code x = 1"]),
            ("a.md", "````md\n```lua\nno\n```\n````\n", ["markdown ````md\n```lua\nno\n```\n````"]),
            ("a.md", "~~~\n```lua\nno\n```\n~~~\n", ["markdown ~~~\n```lua\nno\n```\n~~~"]),
            ("a.md", "```lua\nx = 1\n", ["code x = 1"]),
            ("a.md", "\u{feff}# T\n", ["markdown # T"]),
        ] as [(String, String, [String])] {
            let file = try scratch.write(name, text)
            try convert(file, scratch.path + "/o.ipynb")
            let found = try ReadNotebook(scratch.path + "/o.ipynb").cells.map {
                "\($0["cell_type"] as? String ?? "") \(ReadNotebook.text($0["source"]))"
            }
            #expect(found == expected, "\(text)")
        }
    }

    @Test(
        "Jupytext reads our Lua as the same cells, and we read its",
        .enabled(if: Python.path != nil, "it needs the Python packages of scripts/venv"))
    func bothWays() throws {
        let scratch = try Scratch()
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("both_ways.py").path
        let outcome = try Program.run(
            other: try #require(Python.path), [script, Program.path], in: scratch.path)
        #expect(outcome.code == 0, "\(outcome.output)\(outcome.errors)")
    }

    @Test("a notebook that is not one is an error with the file and the field")
    func hostile() throws {
        let scratch = try Scratch()
        func cell(_ fields: String) -> String {
            #"{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{\#(fields)}]}"#
        }
        func code(_ fields: String) -> String {
            cell(#""cell_type": "code", "source": "x", "metadata": {}, \#(fields)"#)
        }
        let deep = String(repeating: "[", count: 100_000)
        for (text, expected) in [
            ("", "not a notebook"), ("[]", "an object expected, got a list"),
            ("{\"nbformat\": 4", ":1: column"), (deep, "nested deeper than"),
            ("{\"a\": 1, \"a\": 2}", "the key \"a\" appears twice"),
            ("{}", "nbformat: it is missing"), (#"{"nbformat": 3}"#, "nbformat: 4 expected, got 3"),
            (#"{"nbformat": 4.0}"#, "nbformat: 4 expected, got 4.0"),
            (#"{"nbformat": 1e999}"#, "nbformat: 4 expected, got 1e999"),
            (#"{"nbformat": 4}"#, "cells: it is missing"),
            (#"{"nbformat": 4, "cells": 1}"#, "cells: a list expected, got 1"),
            (#"{"nbformat": 4, "cells": [1]}"#, "cells[0]: an object expected, got 1"),
            (cell(""), "cells[0].cell_type: it is missing"),
            (
                cell(#""cell_type": "x", "source": """#),
                "cells[0].cell_type: code, markdown or raw expected"
            ),
            (
                cell(#""cell_type": "code", "source": 5"#),
                "cells[0].source: a text or a list of texts expected"
            ),
            (
                cell(#""cell_type": "code", "source": ["a", 5]"#),
                "cells[0].source[1]: a text expected, got 5"
            ),
            (code(#""id": """#), "cells[0].id: 1 to 64 letters"),
            (code(#""id": 7"#), "cells[0].id: a text expected"),
            (code(#""execution_count": 1e300"#), "cells[0].execution_count: an integer in 0"),
            (code(#""execution_count": 9223372036854775808"#), "cells[0].execution_count"),
            (code(#""execution_count": -1"#), "cells[0].execution_count"),
            (code(#""execution_count": "x""#), "cells[0].execution_count"),
            (code(#""outputs": {}"#), "cells[0].outputs: a list expected"),
            (code(#""outputs": [{"output_type": "x"}]"#), "cells[0].outputs[0].output_type"),
            (
                code(#""outputs": [{"output_type": "stream", "name": "x", "text": ""}]"#),
                "outputs[0].name: stdout or stderr"
            ),
            (
                code(#""outputs": [{"output_type": "stream", "name": "stdout", "text": {}}]"#),
                "outputs[0].text"
            ),
            (
                code(
                    #""outputs": [{"output_type": "error", "ename": "", "evalue": 1, "traceback": []}]"#
                ), "outputs[0].evalue"
            ),
            (
                code(#""outputs": [{"output_type": "display_data", "data": {"image/png": "!"}}]"#),
                ""
            ),
            (code(#""attachments": []"#), "cells[0].attachments: an object expected"),
            (
                cell(#""cell_type": "code", "source": "", "metadata": 5"#),
                "cells[0].metadata: an object expected"
            ),
            (
                cell(
                    #""cell_type": "code", "source": "", "metadata": {"mtrepl": {"width": 1e99}}"#),
                "cells[0].metadata.mtrepl.width: an integer in 1"
            ),
            (
                cell(
                    #""cell_type": "code", "source": "", "metadata": {"mtrepl": {"seconds": 1e999}}"#
                ),
                "cells[0].metadata.mtrepl.seconds: a number in"
            ),
            (
                #"{"nbformat": 4, "metadata": {"mtrepl": {"seed": -1}}, "cells": []}"#,
                "metadata.mtrepl.seed"
            ),
            (
                #"{"nbformat": 4, "metadata": {"mtrepl": {"seed": 1e99}}, "cells": []}"#,
                "metadata.mtrepl.seed"
            ),
            (#"{"nbformat": 4, "nbformat_minor": "x", "cells": []}"#, "nbformat_minor: an integer"),
        ] as [(String, String)] {
            let file = try scratch.write("a.ipynb", text)
            for arguments in [
                ["convert", file, scratch.path + "/b.lua", "--force"], ["replay", file],
            ] {
                let outcome = try Program.run(arguments)
                if expected.isEmpty {
                    #expect(outcome.code <= 1)
                } else {
                    #expect(
                        outcome.code == 1 && outcome.errors.contains(file)
                            && outcome.errors.contains(expected), "\(text): \(outcome.errors)")
                }
            }
        }
        for (name, text, expected) in [
            (
                "a.lua", "-- %% tags=[x]\n",
                "a.lua:1: tags=[x]: key=value with values in JSON expected"
            ),
            ("a.lua", "-- %% mtrepl={\"lines\":-1}\n", "a.lua:1: lines: an integer"),
            (
                "a.lua", "-- %% mtrepl={\"lines\":3}\nx\n\n-- %%\ny\n",
                "a.lua:1: the cell is said to have 3 lines"
            ),
            ("a.lua", "-- ---\n-- jupyter:\n--   a: *x\n-- ---\n", "a.lua:3: the header"),
            (
                "a.lua", "-- ---\n-- jupyter:\n--   a: 'x\n-- ---\n",
                "a.lua:3: the header: the quoted text does not end"
            ),
            ("a.md", "<!-- mtrepl notebook {\"seed\":1e9} -->\n", "a.md:1: seed"),
            ("a.md", "<!-- mtrepl notebook -->\n<!-- mtrepl code {x} -->\n", "a.md:2: not JSON"),
        ] as [(String, String, String)] {
            let file = try scratch.write(name, text)
            let outcome = try Program.run(["convert", file, scratch.path + "/b.ipynb", "--force"])
            #expect(outcome.code == 1 && outcome.errors.contains(expected), "\(text): \(outcome)")
        }
        try Data([0x78, 0xff, 0x0a]).write(to: URL(fileURLWithPath: scratch.path + "/c.lua"))
        let bytes = try Program.run(["convert", scratch.path + "/c.lua", scratch.path + "/c.ipynb"])
        #expect(
            bytes.code == 1 && bytes.errors.contains("c.lua:1: byte 1 of the file is not UTF-8"))
    }
}
