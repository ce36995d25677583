import Foundation
import FoundationXML
import Runtime
import TestSupport
import Testing

/// The text of an SVG document's elements; fails if it is not well-formed.
final class Texts: NSObject, XMLParserDelegate {
    private(set) var all: [String] = []
    private var current = ""

    static func of(_ svg: String) throws -> [String] {
        let texts = Texts()
        let parser = XMLParser(data: Data(svg.utf8))
        parser.delegate = texts
        guard parser.parse() else {
            throw InvalidValue(
                "svg", expected: "XML", found: "\(parser.parserError.map { "\($0)" } ?? "")")
        }
        return texts.all
    }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
        qualifiedName: String?, attributes: [String: String]
    ) { current = "" }

    func parser(_ parser: XMLParser, foundCharacters text: String) { current += text }

    func parser(
        _ parser: XMLParser, didEndElement name: String, namespaceURI: String?,
        qualifiedName: String?
    ) {
        let text = current.trimmingCharacters(in: .whitespacesAndNewlines)
        if !text.isEmpty { all.append(text) }
        current = ""
    }
}

@Suite("Plots") struct PlotTests {
    /// Where a command within a label would leave its mark.
    static let owned = NSTemporaryDirectory() + "owned\(getpid())"

    /// What a label must survive: quotes, commands, macros, markup of gnuplot and of XML, line breaks, controls.
    static let hostile =
        "it's `touch \(owned)` @HOME \"q\" {/Bold x}_1^2 <b>&amp; \\ \nset output 'x' %s $d # ü\u{7}"
    static let shown =
        "it's `touch \(owned)` @HOME \"q\" {/Bold x}_1^2 <b>&amp; \\"

    static func plots(_ label: String) throws -> [(String, Plot)] {
        [
            (
                "line",
                Plot(
                    title: label,
                    LinePlot(
                        series: [
                            .init(
                                name: label,
                                points: [
                                    .init(x: 1, y: Interval(2.5, low: 2, high: 3)),
                                    .init(x: 2, y: Interval(.nan)),
                                    .init(x: 3, y: Interval(1.5, low: 1, high: 2)),
                                    .init(x: 4, y: Interval(1.25, low: 1, high: 2)),
                                ])
                        ], x: PlotAxis(label), y: PlotAxis("loss"),
                        marks: [.init(x: 2, label: label)]))
            ),
            (
                "heat map",
                Plot(
                    title: label,
                    try HeatMap(
                        rows: [label, "b"], columns: ["c", label],
                        values: [
                            [Interval(0.125, low: 0.1, high: 0.15), nil],
                            [Interval(-0.375), Interval(0.5)],
                        ], x: label, y: "y", label: label, isDiverging: true))
            ),
            (
                "scatter",
                Plot(
                    title: label,
                    ScatterPlot(
                        points: (1...5).map { index in
                            .init(
                                x: Interval(Double(index)), y: Interval(Double(index * index % 7)),
                                label: label, group: index < 3 ? label : "b")
                        }, x: PlotAxis(label), y: PlotAxis("y"), fits: true))
            ),
            (
                "bars",
                Plot(
                    title: label,
                    BarPlot(
                        bars: [
                            .init(label: label, value: Interval(0.25, low: 0.2, high: 0.3)),
                            .init(label: "b", value: Interval(-0.125)),
                        ], label: label))
            ),
        ]
    }

    @Test("whatever a label holds is drawn as it is, and the document is well-formed")
    func hostileLabels() throws {
        for (kind, plot) in try Self.plots(Self.hostile) {
            let texts = try Texts.of(plot.svg())
            let all = texts.joined(separator: " ")
            // Long titles are broken into lines, and labels cut: the words must be there.
            for word in Self.shown.split(separator: " ") {
                #expect(all.contains(String(word)), "\(kind): \(word) in \(all)")
            }
            _ = try plot.text(width: 60)
        }
        #expect(!FileManager.default.fileExists(atPath: Self.owned))
        for label in ["''two'' it's'", "'", "'''"] {
            for (kind, plot) in try Self.plots(label) {
                let texts = try Texts.of(plot.svg())
                #expect(texts.count { $0 == label } > 1, "\(kind): \(texts)")
            }
        }
    }

    @Test("a picture holds the numbers that it shows, and is the same bytes every time")
    func numbers() throws {
        let expected = [
            "line": ["loss", "2.5"], "heat map": ["+0.125", "±0.025", "−0.375", "+0.500", "–"],
            "scatter": ["n = 5"], "bars": ["+0.250", "−0.125"],
        ]
        for (kind, plot) in try Self.plots("name") {
            let svg = try plot.svg()
            #expect(try plot.svg() == svg)
            #expect(!svg.contains("GNUPLOT"))
            let texts = try Texts.of(svg)
            for text in expected[kind] ?? [] + ["name"] {
                #expect(texts.contains { $0.contains(text) }, "\(kind): \(text) in \(texts)")
            }
            #expect(try plot.png().starts(with: [0x89, 0x50, 0x4e, 0x47]))
            #expect(plot.script() == plot.script())
        }
    }

    @Test("the script of a line is data and commands, nothing else")
    func script() throws {
        let plot = Plot(
            title: "Loss",
            LinePlot(
                series: [
                    .init(
                        name: "a",
                        points: [
                            .init(x: 1, y: Interval(0.1, low: 0, high: 1)),
                            .init(x: 2, y: Interval(1e-7)),
                        ])
                ], x: PlotAxis("step", isLogarithmic: true), y: PlotAxis("loss, nats")))
        let lines = plot.script().split(separator: "\n").map(String.init)
        let data = lines.firstIndex(of: "$line0 << MTREPL_DATA")
        #expect(
            data.map { Array(lines[($0 + 1)...($0 + 3)]) } == [
                "1.0 0.1 0.0 1.0", "2.0 1e-07 1e-07 1e-07", "MTREPL_DATA",
            ])
        #expect(lines.contains { $0.hasPrefix("set label 1 'Loss' at screen") })
        #expect(lines.contains("set ylabel 'loss, nats'"))
        #expect(lines.contains("set logscale x"))
    }

    @Test("titles, legends and axis labels stay inside the picture and off each other")
    func layout() throws {
        let names = [
            "control", "continued pretraining", "midtrained on mathematics", "midtrained on code",
            "midtrained on questions and answers", "x",
        ]
        let title = String(repeating: "a title that needs several lines ", count: 5)
        let line = LinePlot(
            series: names.map {
                .init(name: $0, points: [.init(x: 0, y: Interval(1)), .init(x: 3, y: Interval(2))])
            }, x: PlotAxis("step"), y: PlotAxis("loss"))
        let bars = BarPlot(
            bars: names.map {
                .init(label: "a", group: $0, value: Interval(-0.5, low: -1, high: 0))
            },
            label: "difference")
        let scatter = ScatterPlot(
            points: names.map { .init(x: Interval(1), y: Interval(2), group: $0) },
            x: PlotAxis("advantage"), y: PlotAxis("gain"))
        let map = try HeatMap(
            rows: names, columns: names, values: names.map { _ in names.map { _ in Interval(1) } },
            x: "finetuned on", y: "midtrained on", label: "nats a token")
        for plot in [
            Plot(title: title, line), Plot(title: title, bars), Plot(title: title, scatter),
            Plot(title: title, map),
        ] {
            let svg = try plot.svg()
            let size = try #require(svg.firstMatch(of: /width="(\d+)" height="(\d+)"/))
            let (width, height) = (Double(size.1) ?? 0, Double(size.2) ?? 0)
            let texts = svg.matches(
                of:
                    /<text transform="translate\(([-\d.]+),([-\d.]+)\)([^"]*)"[^>]*>([^<]+)/
            ).map {
                (
                    x: Double($0.1) ?? -1, y: Double($0.2) ?? -1, turned: !$0.3.isEmpty,
                    text: "\($0.4)"
                )
            }
            #expect(texts.count > 8, "\(svg.prefix(3000))")
            for text in texts {
                #expect(0...width ~= text.x && 8...(height - 2) ~= text.y, "\(text) of \(size.0)")
            }
            for name in names { #expect(texts.contains { $0.text == name }, "\(name)") }
            // Lines of text that start at the same place or in the same line keep apart.
            let level = texts.filter { !$0.turned }
            for (index, a) in level.enumerated() {
                for b in level[(index + 1)...] where abs(a.x - b.x) < 8 {
                    #expect(abs(a.y - b.y) > 8, "\(a) \(b)")
                }
            }
            #expect(!svg.contains("<title>$"))
        }
    }

    @Test("nothing finite to draw is an error, not an empty picture")
    func empty() throws {
        let plot = Plot(
            title: "", BarPlot(bars: [.init(label: "a", value: Interval(.nan))], label: ""))
        #expect(throws: InvalidValue.self) { try plot.svg() }
        #expect(throws: InvalidValue.self) {
            try HeatMap(
                rows: ["a"], columns: ["b"], values: [[nil, nil]], x: "", y: "", label: "")
        }
    }

    @Test("text of bars and matrices needs no gnuplot")
    func characters() throws {
        let bars = try #require(try Self.plots("name").last?.1.content.characters(width: 60))
        let lines = bars.split(separator: "\n")
        #expect(lines[0].hasPrefix("name") && lines[0].contains("██"))
        #expect(lines[0].hasSuffix("+0.250 [+0.200, +0.300]"))
        #expect(lines[1].contains("▒") && lines[1].hasSuffix("−0.125"))
        #expect(lines.allSatisfy { $0.count <= 60 })
    }

    @Test("many lines have each their own pair of colour and dash")
    func manyLines() {
        let series = (0..<40).map { index in
            LinePlot.Series(
                name: "\(index)",
                points: (0..<30).map { .init(x: Double($0), y: Interval(Double(index))) })
        }
        let script = Plot(title: "", LinePlot(series: series, x: PlotAxis(), y: PlotAxis()))
            .script()
        let styles = script.matches(of: /lw 2 dt (\d) lc rgb '(#\w+)' notitle/).map {
            "\($0.1) \($0.2)"
        }
        #expect(styles.count == 40 && Set(styles).count == 40)
    }

    @Test("bars have few numbers along the axis, whole names and enough decimals")
    func bars() throws {
        let name = "midtrained on questions and answers, weight 0.25, late"
        let small = BarPlot(
            bars: [.init(label: name, value: Interval(-0.0001, low: -0.0002, high: 0))], label: "Δ")
        let script = Plot(title: "", small).script()
        #expect(script.contains("−0.00010"))
        #expect(script.contains("set xtics 5e-05") || script.contains("set xtics 0.0001"))
        // The names' margin takes the longest, 7.6 pixels a letter.
        let match = try #require(script.firstMatch(of: /set lmargin at screen ([\d.]+)/))
        let width = try #require(script.firstMatch(of: /svg size (\d+),/))
        let left = (Double(match.1) ?? 0) * (Double(width.1) ?? 0)
        #expect(left >= 7.6 * Double(name.count) + 20)
        #expect(BarPlot(bars: [.init(label: "a", value: Interval(2.5))], label: "").decimals == 3)
    }
}

@Suite("Other programs") struct ChildProcessTests {
    private func shell(_ script: String, seconds: Double = 20, stop: ShouldStop = { false }) throws
        -> String
    {
        String(
            decoding: try ChildProcess.run(
                "/bin/sh", ["-s"], environment: ["A": "b c"], input: script, seconds: seconds,
                limit: 1 << 16, stop: stop), as: UTF8.self)
    }

    @Test("input, output and environment are what was given")
    func streams() throws {
        #expect(try shell("echo \"$A\"; env | grep -c HOME; exit 0") == "b c\n0\n")
    }

    @Test("a failure says what the program said")
    func failure() throws {
        #expect {
            try shell("echo first >&2; echo no such thing >&2; exit 3")
        } throws: { error in
            "\(error)" == "sh: ended with status 3: first; no such thing"
        }
        #expect { try shell("kill -9 $$") } throws: { "\($0)" == "sh: was ended by signal 9" }
    }

    // If one of them were not ended, the test would not end.
    @Test(
        "one that takes too long, writes too much or is to be stopped is ended at once",
        .timeLimit(.minutes(5)))
    func limits() throws {
        #expect { try shell("exec sleep 1000", seconds: 0.05) } throws: {
            "\($0)".contains("took longer")
        }
        #expect { try shell("while :; do echo 0123456789; done") } throws: {
            "\($0)".contains("wrote more than")
        }
        #expect(throws: Interrupted.self) { try shell("exec sleep 1000", stop: { true }) }
    }
}
