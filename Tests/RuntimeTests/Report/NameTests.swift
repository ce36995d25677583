import Foundation
import Runtime
import TestSupport
import Testing

/// Names of corpora, runs and parameters come from anywhere, and stand in figures and pages as they are.
@Suite("Names in figures, pages and tables") struct NameTests {
    static let names = [
        "10% code", "a%b", "%g", "25%", "%%", "{a}_b^c", "x_{y}", "back\\slash\\n", "\"double\"",
        "it's", "''",
        "a@b", "x^2", "a&b", "&#x41;", "&#65;", "&amp;", "~tilde", "<b>bold</b>", "]]>", "a  b",
        "日本語", "שלום",
        "e\u{301}", "👩‍👩‍👧", "$(rm)", "`x`", "#", "!x", "; plot x", "a|b", "- item", "+ item",
        "1. first",
        "2) second", "=", "---", "* * *", "[a](b)", "![a](b)", "{.class}", ":smile:",
        "\u{202e}reversed", "a\u{200b}b",
        "set output 'x'", "\\\\", "\\u0041", "0.5", "-1",
    ]

    private static var figures: [(String, Plot)] {
        get throws {
            let values = names.indices.map { Interval(Double($0) + 0.5) }
            return [
                (
                    "bars",
                    Plot(
                        title: "",
                        BarPlot(
                            bars: zip(names, values).map { .init(label: $0, value: $1) }, label: "")
                    )
                ),
                (
                    "groups",
                    Plot(
                        title: "",
                        BarPlot(
                            bars: zip(names, values).map {
                                .init(label: "bar", group: $0, value: $1)
                            }, label: ""))
                ),
                (
                    "rows",
                    Plot(
                        title: "",
                        try HeatMap(
                            rows: names, columns: ["c"], values: values.map { [$0] }, x: "", y: "",
                            label: ""))
                ),
                (
                    "columns",
                    Plot(
                        title: "",
                        try HeatMap(
                            rows: ["r"], columns: names, values: [values], x: "", y: "", label: ""))
                ),
                (
                    "lines",
                    Plot(
                        title: "",
                        LinePlot(
                            series: zip(names, values).map {
                                .init(name: $0, points: [.init(x: 1, y: $1), .init(x: 2, y: $1)])
                            }, x: PlotAxis("x"), y: PlotAxis("y")))
                ),
            ]
        }
    }

    @Test("code points that are no characters do not break a figure or a page")
    func noncharacters() throws {
        // The compiler refuses them in literals.
        let excluded = [0xfffe, 0xffff, 0xfdd0, 0x1ffff, 0x1].compactMap(Unicode.Scalar.init)
        let name = "a\(String(String.UnicodeScalarView(excluded)))b"
        let plot = Plot(
            title: name,
            try HeatMap(
                rows: [name], columns: ["c"], values: [[Interval(1)]], x: name, y: name,
                label: name))
        #expect(
            Set(try Texts.of(try plot.svg())).contains("a\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}b")
        )
        for text in [Markup.html(name), Markup.markdown(name)] {
            #expect(text == "a\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}b")
        }
    }

    @Test("figures show them unchanged")
    func pictures() throws {
        for (kind, plot) in try Self.figures {
            let texts = Set(try Texts.of(try plot.svg()))
            for name in Self.names {
                #expect(texts.contains(name), "\(kind): \(name.debugDescription)")
            }
            _ = try plot.png()
            _ = try plot.text()
        }
    }

    @Test("an empty name and one with a line break leave a figure whole")
    func odd() throws {
        for name in [
            "", " ", "a\nb", "\t", "\u{0}\u{1b}[2J", String(repeating: "long ", count: 400),
        ] {
            let plot = Plot(
                title: name,
                BarPlot(
                    bars: [
                        .init(label: name, value: Interval(1)),
                        .init(label: "z", value: Interval(2)),
                    ], label: name))
            #expect(try Texts.of(try plot.svg()).contains("z"), "\(name.debugDescription)")
        }
    }

    @Test("HTML shows them unchanged")
    func html() throws {
        for name in Self.names {
            let text = Markup.html(name)
            #expect(try Texts.of("<p>\(text)</p>") == [name], "\(text)")
        }
    }

    @Test(
        "Markdown shows them unchanged, in headings, paragraphs, lists and tables",
        .enabled(if: Python.path != nil, "it needs the Python packages of scripts/venv"))
    func markdown() throws {
        let python = try #require(Python.path)
        var table = TextTable(["first", "name"])
        for name in Self.names { table.append(["x", name]) }
        let document = ReportDocument(
            title: "t",
            blocks: Self.names.flatMap { [.heading($0, level: 1), .paragraph($0), .list([$0])] }
                + [.table(table, caption: "c")])
        let scratch = try Scratch()
        _ = try document.write(scratch.path + "/names.md")
        let program = """
            import json, sys
            from markdown_it import MarkdownIt
            tokens = MarkdownIt("commonmark").enable("table").parse(open(sys.argv[1]).read())
            plain = lambda token: "".join(c.content for c in token.children if c.type in ("text", "text_special"))
            json.dump([(tokens[i - 1].type, plain(t)) for i, t in enumerate(tokens) if t.type == "inline"], sys.stdout)
            """
        let outcome = try Program.run(
            other: python, ["-c", program, scratch.path + "/names.md"])
        #expect(outcome.code == 0, "\(outcome.errors)")
        let read = try JSONDecoder().decode([[String]].self, from: Data(outcome.output.utf8))
        func texts(_ kind: String) -> [String] { read.filter { $0[0] == kind }.map { $0[1] } }
        #expect(texts("heading_open").dropFirst() == Self.names[...])
        let paragraphs = texts("paragraph_open").filter { !$0.hasPrefix("Table ") }
        #expect(paragraphs == Self.names.flatMap { [$0, $0] })
        #expect(texts("td_open") == Self.names.flatMap { ["x", $0] })
    }

    @Test("what begins as a formula is text in CSV; numbers stay, and raw writes all as it is")
    func formulas() {
        let texts = [
            "=1+1", "+cmd", "-2+3", "@SUM(A1)", "\tx", "\rx", "=", "＝1",
            "=HYPERLINK(\"http://x\",\"y\")",
        ]
        let others = [
            "-0.5", "+1", "-1e-05", "-inf", "-nan", "", "'=1", "a=1", " =1", "−1",
            "-9223372036854775808",
        ]
        var table = TextTable(["=head", "x"])
        for text in texts + others { table.append([text, "-1.5"]) }
        func cell(_ text: String) -> String {
            text.contains(where: { "\",".contains($0) }) || text.unicodeScalars.contains("\r")
                ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
        }
        let safe = texts.map { cell("'" + $0) } + others
        #expect(table.csv() == "'=head,x\n" + safe.map { "\($0),-1.5\n" }.joined())
        let raw = (texts + others).map(cell)
        #expect(table.csv(raw: true) == "=head,x\n" + raw.map { "\($0),-1.5\n" }.joined())
    }

    @Test("a table keeps a line for each row and its columns, whatever is in a cell")
    func cells() {
        var table = TextTable(["name", "n"])
        let cells = [
            "a\nb", "a\r\nb", "\t", "日本語", "e\u{301}", "\u{1b}[2J", "\u{202e}x", "👩‍👩‍👧", "ｗｉｄｅ",
        ]
        for cell in cells { table.append([cell, "1"]) }
        let lines = table.text().split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == cells.count + 2)
        #expect(Set(lines.map { String($0).visible().columns }).count == 1, "\(lines)")
        #expect(lines[2].hasPrefix("a\\nb ") && lines[7].contains("\u{1b}[2J"))
    }

    @Test("a terminal gets nothing that it would act on, but our own colours")
    func visible() {
        let text =
            "\u{1b}]0;t\u{7}\u{1b}[31mred\u{1b}[0m\r\u{8}\u{9b}2J\u{202e}\u{2066}\u{feff}\u{7f}\u{0}\u{e0041}ok\n\té"
        let shown =
            "\\27]0;t\\7\\27[31mred\\27[0m\\r\\8\\u{9b}2J\\u{202e}\\u{2066}\\u{feff}\\127\\0\\u{e0041}ok\n\té"
        #expect(text.visible() == shown)
        #expect(text.visible(styles: true) == shown.replacing("\\27[0m", with: "\u{1b}[0m"))
        #expect("plain é 日本 👩‍👩‍👧\n".visible() == "plain é 日本 👩‍👩‍👧\n")
        #expect(text.visible().columns == text.columns)
    }
}
