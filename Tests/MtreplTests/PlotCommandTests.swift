import Foundation
import TestSupport
import Testing

@Suite("Plots of the program") struct PlotCommandTests {
    private static let bars =
        "mt.plot.bars { { \"a\", 0.5, low = 0.4, high = 0.6 }, { \"b\", 1 }, title = \"Bars\", value = \"nats\" }"

    @Test("a plot that the prompt is given shows itself as text")
    func prompt() throws {
        let scratch = try Scratch()
        let outcome = try Program.run(
            ["--store", scratch.path + "/store"], input: Self.bars + "\n", in: scratch.path)
        #expect(outcome.code == 0, "\(outcome.errors)")
        let lines = outcome.output.split(separator: "\n")
        #expect(lines.contains("Bars") && lines.contains { $0.contains("0.500 [0.400, 0.600]") })
        #expect(!outcome.output.contains("userdata"))
    }

    @Test("without gnuplot the numbers and the script are written, and the error says so")
    func missing() throws {
        let scratch = try Scratch()
        let script = try scratch.write("plot.lua", Self.bars + ":save 'out/bars.svg'")
        let outcome = try Program.start(
            ["--store", scratch.path + "/store", script], in: scratch.path,
            shell: "PATH=\(scratch.path)"
        ).wait()
        #expect(outcome.code == 1)
        #expect(
            outcome.errors.contains("install the package gnuplot-nox")
                && outcome.errors.contains("out/bars.csv and out/bars.gp"), "\(outcome.errors)")
        let csv = try String(contentsOfFile: scratch.path + "/out/bars.csv", encoding: .utf8)
        #expect(csv == "label,group,value,low,high\na,,0.5,0.4,0.6\nb,,1.0,,\n")
        #expect(FileManager.default.fileExists(atPath: scratch.path + "/out/bars.gp"))
        #expect(!FileManager.default.fileExists(atPath: scratch.path + "/out/bars.svg"))
    }

    @Test("without gnuplot a report has the numbers in place of figures")
    func report() throws {
        let scratch = try Scratch()
        let script = try scratch.write(
            "plot.lua",
            "mt.report { 'report.html', title = 't', sections = { { 'h', { \(Self.bars), caption = 'c' } } } }"
        )
        let outcome = try Program.start(
            ["--store", scratch.path + "/store", script], in: scratch.path,
            shell: "PATH=\(scratch.path)"
        ).wait()
        #expect(outcome.code == 0 && outcome.errors.contains("has no figures"), "\(outcome.errors)")
        let html = try String(contentsOfFile: scratch.path + "/report.html", encoding: .utf8)
        #expect(html.contains("Not drawn: plots are drawn by gnuplot"))
        #expect(html.contains("<td class=\"n\">0.5</td>"))
    }

    @Test("under --safe plots and reports stay inside the working folder")
    func safe() throws {
        let scratch = try Scratch()
        let script = try scratch.write(
            "plot.lua",
            """
            local plot = \(Self.bars)
            plot:save "inside.svg"
            print(pcall(plot.save, plot, "../outside.svg"))
            print(pcall(mt.report, { "../outside", title = "t", sections = {} }))
            """)
        let outcome = try Program.run(
            ["--safe", "--store", scratch.path + "/store", script], in: scratch.path)
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(FileManager.default.fileExists(atPath: scratch.path + "/inside.svg"))
        #expect(outcome.output.ranges(of: "not inside the working folder").count == 2)
    }
}
