import Foundation
import TestSupport
import Testing

/// The experiment scripts that come with the program, as small as they go.
@Suite("Experiment scripts", .serialized) struct ExperimentTests {
    private static let scripts =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path + "/scripts"

    private static let small = [
        "--steps", "24", "--batch", "5", "--context", "128", "--model", "micro-0.1m",
        "--vocabulary",
        "300", "--finetune-rates", "1e-3", "--finetune-batch", "64", "--evaluation", "4",
    ]

    /// The rows of the CSV that a script leaves.
    private func rows(_ script: String, _ options: [String]) throws -> [[String: String]] {
        let scratch = try Scratch()
        let outcome = try Program.run(
            ["--threads", "1", "--store", scratch.path + "/store", "\(Self.scripts)/\(script).lua"]
                + Self.small + options + ["--out", scratch.path])
        #expect(outcome.code == 0, "\(outcome.errors)")
        let csv = try String(contentsOfFile: scratch.path + "/results.csv", encoding: .utf8)
        let lines = csv.split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        return lines.dropFirst().map {
            Dictionary(zip(lines[0], $0)) { first, _ in first }
        }
    }

    private static let designs: [String] =
        ((try? FileManager.default.contentsOfDirectory(atPath: scripts + "/designs")) ?? [])
        .filter { $0.hasSuffix(".lua") }.sorted()

    @Test("there are at least ten designs, of at most 60 lines each")
    func designCount() throws {
        #expect(Self.designs.count >= 10)
        for design in Self.designs {
            let text = try String(
                contentsOfFile: "\(Self.scripts)/designs/\(design)", encoding: .utf8)
            #expect(text.split(separator: "\n").count <= 60, "\(design)")
        }
    }

    @Test("every design runs on embedded text and prints its table", arguments: designs)
    func design(name: String) throws {
        let scratch = try Scratch()
        let outcome = try Program.run(
            [
                "--threads", "1", "--store", scratch.path + "/store",
                "\(Self.scripts)/designs/\(name)",
            ] + Self.small + ["--out", scratch.path])
        #expect(outcome.code == 0, "\(outcome.errors)")
        let lines = outcome.output.split(separator: "\n")
        #expect(
            name == "averages.lua"
                ? lines.contains { $0.contains("moving") } && lines.count >= 3
                : lines.contains { $0.contains("Δ") } && outcome.output.contains("With 2 pairs"),
            "\(outcome.output)")
        #expect(!outcome.output.contains("nan"), "\(outcome.output)")
    }

    @Test("an own metric goes through table, comparison, figure and report in 30 lines")
    func ownMetric() throws {
        let scratch = try Scratch()
        let script = "\(Self.scripts)/own_metric.lua"
        #expect(
            try String(contentsOfFile: script, encoding: .utf8).split(separator: "\n").count <= 30)
        let outcome = try Program.run([
            "--threads", "1", "--store", scratch.path + "/store", script, scratch.path + "/out",
        ])
        #expect(outcome.code == 0, "\(outcome.errors)")
        for part in ["weight=0.6", "Δ sure", "Δ trade", "(n=3)", "report.html"] {
            #expect(outcome.output.contains(part), "\(part) in \(outcome.output)")
        }
        let page = try String(contentsOfFile: scratch.path + "/out/report.html", encoding: .utf8)
        #expect(
            page.contains("sure: in probability; above zero is better.") && page.contains("trade"))
        let figure = try String(contentsOfFile: scratch.path + "/out/sure.svg", encoding: .utf8)
        #expect(figure.contains("sure"))
    }

    @Test("with --matched every arm but the control reads the same specialised tokens")
    func matched() throws {
        let options = ["--starts", "4,11", "--weights", "0.3,0.7", "--matched"]
        let rows = try rows("timing_weight", options)
        #expect(rows.count == 6)
        let special = rows.filter { $0["arm"] != "control" }.map { $0["tokens_special"] }
        // The arm that starts last at the lowest weight reads fewest: 13 steps × 5 sequences × 0.3, to a sequence.
        let fewest = try #require(special.first.flatMap { $0 }.flatMap(Int.init))
        #expect([19, 20].contains(fewest / 128) && fewest % 128 == 0)
        #expect(Set(special) == ["\(fewest)"])
        #expect(rows.first { $0["arm"] == "control" }?["tokens_special"] == "0")
        let totals = rows.map { row in
            (Int(row["tokens_special"] ?? "") ?? -1) + (Int(row["tokens_general"] ?? "") ?? -1)
        }
        #expect(Set(totals) == [24 * 5 * 128])
    }

    @Test(
        "the paper's report is whole with a single seed, and the same bytes when it is made again")
    func paper() throws {
        let scratch = try Scratch()
        func report() throws -> String {
            let outcome = try Program.run(
                [
                    "--store", "store", "\(Self.scripts)/paper.lua", "--steps", "12", "--seeds",
                    "1",
                    "--figures", "matched,proximity", "--out", "report.md",
                ], in: scratch.path)
            #expect(outcome.code == 0, "\(outcome.errors)")
            return try String(contentsOfFile: scratch.path + "/report.md", encoding: .utf8)
        }
        let first = try report()
        #expect(try report() == first)
        for part in [
            "Claims", "Data", "Learning rate of finetuning", "Limits",
            "Matched and mismatched midtraining",
            "Proximity and gain", "How to reproduce",
        ] {
            #expect(first.contains("\n## \(part)\n"), "\(part)")
        }
        #expect(first.contains("| D1 |") && first.contains("| 1 seed |"))
        #expect(!first.contains("nan"))
    }

    @Test(
        "what a figure lacks is known before anything trains: it is left out with a note, or an error names the option"
    )
    func lacking() throws {
        let scratch = try Scratch()
        func paper(_ options: [String]) throws -> Program.Outcome {
            try Program.run(
                ["--store", "store", "\(Self.scripts)/paper.lua", "--steps", "12"] + options,
                in: scratch.path)
        }
        let target =
            "{ 'code-tasks', embedded = 'code-tasks', bytes = 8000, valid_fraction = 0.25, test_fraction = 0.25 }"
        let data = """
            return function()
              return { general = { 'prose', embedded = 'prose', bytes = 300000 }, targets = { \(target) },
                mixes = { { 'code', embedded = 'code', bytes = 200000 }, { 'sums', embedded = 'arithmetic', bytes = 200000 } } }
            end
            """
        try data.write(toFile: scratch.path + "/data.lua", atomically: true, encoding: .utf8)
        try data.replacing("bytes = 8000", with: "match = 'cod'").write(
            toFile: scratch.path + "/wrong.lua", atomically: true, encoding: .utf8)
        for (options, message) in [
            (["--figures", "matched,nothing"], "--figures: matched, continued"),
            (["--size", "hour"], "--data and --folder"),
            (["--out", "/proc/out"], "--out /proc/out"),
            (
                ["--data", "wrong.lua"],
                "wrong.lua: targets[1].match: one of the mixes expected (code, sums)"
            ),
        ] {
            let outcome = try paper(options)
            #expect(outcome.code != 0 && outcome.errors.contains(message), "\(outcome.errors)")
            #expect(!FileManager.default.fileExists(atPath: scratch.path + "/store/checkpoints"))
        }
        let outcome = try paper([
            "--data", "data.lua", "--seeds", "1", "--figures",
            "matched,continued,similarity,proximity",
            "--out", "out.md",
        ])
        #expect(outcome.code == 0, "\(outcome.errors)")
        let report = try String(contentsOfFile: scratch.path + "/out.md", encoding: .utf8)
        #expect(report.contains("Left out: no target has a match"))
        #expect(report.contains("data.lua has 2 mixes and 1 targets"))
        let plan = try paper(["--data", "data.lua", "--seeds", "2", "--plan"])
        #expect(plan.code == 0 && plan.output.contains("All together, what studies share once"))
        #expect(
            plan.output.contains("start=7 weight=0.6 seed=2") && !plan.output.contains("seed=3"))
    }

    @Test("continued pretraining reads exactly what the midtrained arm reads")
    func continued() throws {
        let rows = try rows(
            "midtraining_vs_continued", ["--weights", "0.3", "--starts", "5", "--seeds", "1"])
        let special = rows.filter { $0["arm"] != "control" }.compactMap { $0["tokens_special"] }
        #expect(special.count == 2 && Set(special).count == 1, "\(special)")
    }
}
