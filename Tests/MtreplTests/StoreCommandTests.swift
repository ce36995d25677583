import Foundation
import TestSupport
import Testing

@Suite("mtrepl store", .serialized) struct StoreCommandTests {
    private static let script = """
        local run = base:open { name = "trunk" }
        run:train { to = 12, keep = { 6 } }
        print(("%.17g"):format(run:evaluate(prose, { limit = 3 }).loss), run.key)
        """

    private static let branch = """
        local run = base:midtrain { from = 6, mixture = { code = 1 } }:open { name = "branch" }
        run:train()
        print(("%.17g"):format(run:evaluate(code, { limit = 3 }).loss), run.key)
        """

    /// A store with a trunk, and the output that asking again must give.
    private static func laboratory() throws -> (
        scratch: Scratch, store: String, arguments: [String], output: String
    ) {
        let scratch = try Scratch()
        let script = try scratch.write("run.lua", StudyScript.prelude + "\n" + script)
        let store = scratch.path + "/store"
        let arguments = ["--threads", "1", "--store", store, script]
        let outcome = try Program.run(arguments)
        #expect(outcome.code == 0, "\(outcome.errors)")
        return (scratch, store, arguments, outcome.output)
    }

    private static func journals(_ store: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: store + "/journals").sorted()
            .filter { $0.hasSuffix(".journal") }.map { "\(store)/journals/\($0)" }
    }

    private static func flip(_ path: String, _ place: Int) throws {
        var data = try Data(contentsOf: URL(fileURLWithPath: path))
        data[place % data.count] ^= 4
        try data.write(to: URL(fileURLWithPath: path))
    }

    @Test("check names what is damaged, repair makes room for it, and the numbers are the same")
    func check() throws {
        let (scratch, store, arguments, output) = try Self.laboratory()
        let whole = try Program.run(["store", "check", "--store", store])
        #expect(whole.code == 0, "\(whole.errors)")
        #expect(whole.output.hasSuffix("nothing is damaged\n"), "\(whole.output)")
        #expect(whole.output.contains("with 12 records of steps"), "\(whole.output)")
        let files = try FileManager.default.subpathsOfDirectory(atPath: store).sorted()
        let kinds = [".journal", "model.safetensors", "manifest.json", ".tokens"]
        let doomed = try kinds.map { kind in try #require(files.last { $0.hasSuffix(kind) }) }
        for file in doomed { try Self.flip("\(store)/\(file)", 700) }
        let damaged = try Program.run(["store", "check", "--store", store])
        #expect(damaged.code == 1)
        for file in doomed {
            let folder =
                file.hasSuffix(".journal") || file.hasSuffix(".tokens")
                ? file : (file as NSString).deletingLastPathComponent
            #expect(damaged.output.contains("\(folder) is damaged"), "\(file): \(damaged.output)")
        }
        let repaired = try Program.run(["store", "check", "--repair", "--store", store])
        #expect(repaired.code == 0 && repaired.output.contains("set aside"), "\(repaired.output)")
        let again = try Program.run(["store", "check", "--store", store])
        #expect(again.code == 0, "\(again.output)")
        #expect(try Program.run(arguments).output == output)
        withExtendedLifetime(scratch) {}
    }

    @Test("two stores merge; an archive brings runs into another store, which need not train them")
    func merging() throws {
        let (scratch, store, arguments, output) = try Self.laboratory()
        let script = try scratch.write("branch.lua", StudyScript.prelude + "\n" + Self.branch)
        let other = scratch.path + "/other"
        let branch = try Program.run(["--threads", "1", "--store", other, script])
        #expect(branch.code == 0, "\(branch.errors)")
        let merge = try Program.run(["store", "merge", other, "--store", store])
        #expect(
            merge.code == 0 && merge.output.hasPrefix("copied "), "\(merge.errors)\(merge.output)")
        let list = try Program.run(["runs", "--store", store]).output
        #expect(list.contains("trunk") && list.contains("branch"), "\(list)")
        let known = try Program.run(["store", "merge", other, "--store", store])
        #expect(known.output.hasPrefix("copied 0 "), "\(known.output)")
        // The states of both are there: nothing is trained, and the answers are those of each.
        #expect(
            try Program.run(["--threads", "1", "--store", store, script]).output == branch.output)

        let archive = scratch.path + "/paper.tar"
        let export = try Program.run([
            "store", "export", "--to", archive, "trunk", "branch", "--store", store,
        ])
        #expect(
            export.code == 0 && export.output.contains("2 runs"), "\(export.errors)\(export.output)"
        )
        let imported = scratch.path + "/imported"
        let into = try Program.run(["store", "import", archive, "--store", imported])
        #expect(into.code == 0, "\(into.errors)")
        let asked = try Program.run(["runs", "show", "trunk", "--steps", "--store", imported])
        #expect(
            asked.output
                == (try Program.run(["runs", "show", "trunk", "--steps", "--store", store]).output))
        #expect(try Program.run(["store", "check", "--store", imported]).code == 0)
        var fresh = arguments
        fresh[3] = imported
        #expect(try Program.run(fresh).output == output)
        // An archive that is no archive, or damaged, is an error with its name.
        try Self.flip(archive, 40_000)
        for path in [archive, script] {
            let failed = try Program.run([
                "store", "import", path, "--store", scratch.path + "/third",
            ])
            #expect(
                failed.code == 1 && failed.errors.contains(path == script ? path : "damaged"),
                "\(failed.errors)")
        }
        let names = try Program.run(["store", "merge", scratch.path, "--store", store])
        #expect(
            names.code == 1 && names.errors.contains("there is no store here"), "\(names.errors)")
    }

    @Test("gc makes one journal of those of dead processes, and --index may lie elsewhere")
    func compaction() throws {
        let (scratch, store, arguments, output) = try Self.laboratory()
        #expect(try Self.journals(store).count == 1)
        let index = scratch.path + "/elsewhere/index.sqlite"
        let script = try scratch.write("branch.lua", StudyScript.prelude + "\n" + Self.branch)
        let branch = ["--threads", "1", "--index", index, "--store", store, script]
        let first = try Program.run(branch)
        #expect(first.code == 0, "\(first.errors)")
        #expect(FileManager.default.fileExists(atPath: index))
        #expect(try Self.journals(store).count == 2)
        let before = try Program.run(["runs", "show", "branch", "--steps", "--store", store]).output
        let gc = try Program.run(["runs", "gc", "--store", store])
        #expect(
            gc.code == 0 && gc.output.contains("removed 2 journals, now in one"), "\(gc.output)")
        #expect(try Self.journals(store).count == 1)
        #expect(
            try Program.run(["runs", "show", "branch", "--steps", "--store", store]).output
                == before)
        #expect(try Program.run(branch).output == first.output)
        #expect(try Program.run(arguments).output == output)
    }

    @Test("thirty lines of Python read a journal")
    func python() throws {
        let python = try #require(Python.path ?? ["/usr/bin/python3"].first)
        let (scratch, store, _, _) = try Self.laboratory()
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent()
            .deletingLastPathComponent().path
        let reader = Process()
        reader.executableURL = URL(fileURLWithPath: python)
        reader.arguments = [root + "/scripts/journal.py"] + (try Self.journals(store))
        let pipe = Pipe()
        reader.standardOutput = pipe
        try reader.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        reader.waitUntilExit()
        #expect(reader.terminationStatus == 0)
        struct Line: Decodable {
            let kind: String
            let step: Int?
            let loss: Double?
        }
        let lines = try text.split(separator: "\n").map {
            try JSONDecoder().decode(Line.self, from: Data($0.utf8))
        }
        let shown = try Program.run(["runs", "show", "trunk", "--steps", "--store", store]).output
        let losses = shown.split(separator: "\n").dropFirst().map { $0.split(separator: ",")[1] }
        let read = lines.filter { $0.kind == "steps" }
        #expect(read.compactMap(\.step) == Array(1...12))
        #expect(read.compactMap(\.loss) == losses.compactMap { Double($0) })
        for kind in ["journal", "engine", "run", "progress", "evaluation"] {
            #expect(lines.contains { $0.kind == kind }, "\(kind)")
        }
        let code = try String(contentsOfFile: root + "/scripts/journal.py", encoding: .utf8)
        #expect(code.split(separator: "\n").count <= 32)
        withExtendedLifetime(scratch) {}
    }

    @Test("an exported model says where it comes from")
    func lineage() throws {
        let (scratch, store, _, output) = try Self.laboratory()
        let folder = scratch.path + "/model"
        let export = try Program.run(["export", "trunk@6", folder, "--store", store])
        #expect(export.code == 0, "\(export.errors)")
        #expect(try Program.run(["export", "trunk@12", folder, "--store", store]).code == 0)
        let page = try String(contentsOfFile: folder + "/README.md", encoding: .utf8)
        let key = try #require(output.split(whereSeparator: \.isWhitespace).last)
        _ = key
        for text in [
            "# trunk", "The state after 12 of 24 steps", "| computed by |", "OpenBLAS",
            "| prose | `",
            "## Exposure", "## Losses", "\"learning_rate\": {", "numerics version",
        ] { #expect(page.contains(text), "\(text): \(page)") }
        // A page of somebody's own is not replaced.
        let own = scratch.path + "/own"
        try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
        try "mine".write(toFile: own + "/README.md", atomically: true, encoding: .utf8)
        let refused = try Program.run(["export", "trunk", own, "--store", store])
        #expect(refused.code == 1 && refused.errors.contains("README.md"), "\(refused.errors)")
    }
}
