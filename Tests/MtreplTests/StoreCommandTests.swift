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

        let compare = try scratch.write(
            "explain.lua",
            """
            local d = mt.explain("trunk", "branch", { store = "\(other)" })
            print(d.last_shared, d.first_other_number, #d.fields > 0)
            print(d)
            print(pcall(mt.explain, "trunk", "branch", { store = "\(scratch.path)/none" }))
            """)
        let explained = try Program.run(["--store", store, compare])
        #expect(
            explained.output.hasPrefix("6\tnil\ttrue\n"), "\(explained.output)\(explained.errors)")
        #expect(explained.output.contains("the states up to 6 are the same"), "\(explained.output)")
        #expect(explained.output.contains("there is no store here"), "\(explained.output)")

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

    @Test("an index replaces nothing but an index of the same store")
    func places() throws {
        let (scratch, store, _, _) = try Self.laboratory()
        let own = try scratch.write(
            "mine.lua", "print(1)\n" + String(repeating: "-- mine\n", count: 99))
        let text = try String(contentsOfFile: own, encoding: .utf8)
        let refused = try Program.run(["runs", "--store", store, "--index", own])
        #expect(
            refused.code == 1 && refused.errors.contains("\(own): it is not one that mtrepl made"),
            "\(refused.errors)")
        #expect(try String(contentsOfFile: own, encoding: .utf8) == text)
        #expect(try Program.run(["runs", "--store", store, "--index", ""]).code == 1)
        let index = scratch.path + "/index"
        #expect(try Program.run(["runs", "--store", store, "--index", index]).code == 0)
        let second = scratch.path + "/second"
        try FileManager.default.copyItem(atPath: store, toPath: second)
        let other = try Program.run(["runs", "--store", second, "--index", index])
        #expect(
            other.code == 1 && other.errors.contains("it is that of the store"), "\(other.errors)")
        // A store that was moved takes its index along.
        try FileManager.default.removeItem(atPath: store)
        let moved = try Program.run(["runs", "--store", second, "--index", index])
        #expect(moved.code == 0 && moved.output.contains("trunk"), "\(moved.errors)")
    }

    @Test("what stands in the place of a journal or a folder has a name")
    func inTheWay() throws {
        let (scratch, store, arguments, output) = try Self.laboratory()
        let journal = try #require(try Self.journals(store).first)
        let copy = scratch.path + "/copy.journal"
        try FileManager.default.moveItem(atPath: journal, toPath: copy)
        try FileManager.default.createDirectory(
            atPath: journal, withIntermediateDirectories: false)
        let check = try Program.run(["store", "check", "--store", store])
        #expect(
            check.code == 1 && check.output.contains("\(journal) is damaged"), "\(check.output)")
        #expect(check.output.contains("it is not a regular file"), "\(check.output)")
        #expect(try Program.run(["store", "check", "--repair", "--store", store]).code == 0)
        #expect(try Program.run(["store", "check", "--store", store]).code == 0)
        try FileManager.default.moveItem(atPath: copy, toPath: journal)
        #expect(try Program.run(arguments).output == output)
        for name in ["checkpoints", "journals"] {
            let place = "\(store)/\(name)"
            try FileManager.default.moveItem(atPath: place, toPath: place + "~")
            try "".write(toFile: place, atomically: false, encoding: .utf8)
            let failed = try Program.run(["store", "check", "--store", store])
            #expect(
                failed.code == 1 && failed.errors.contains("\(place): it is not a folder"),
                "\(failed.errors)")
            try FileManager.default.removeItem(atPath: place)
            try FileManager.default.moveItem(atPath: place + "~", toPath: place)
        }
    }

    @Test("a store that cannot be written is read, checked, exported and merged from")
    func readOnly() throws {
        let (scratch, store, _, _) = try Self.laboratory()
        func run(_ arguments: [String]) throws -> Program.Outcome {
            try Program.run(
                other: "/usr/bin/unshare",
                [
                    "--mount", "/bin/sh", "-c",
                    "mount --bind \(store) \(store) && mount -o remount,ro,bind \(store) || exit 99; exec \"$0\" \"$@\"",
                    Program.path,
                ] + arguments)
        }
        let list = try run(["runs", "--store", store])
        guard list.code != 99, !list.errors.contains("unshare") else {
            print("NOT CHECKED: a store that cannot be written, as nothing can be mounted here")
            return
        }
        #expect(list.code == 0 && list.output.contains("trunk"), "\(list.errors)")
        #expect(try run(["store", "check", "--store", store]).code == 0)
        let archive = scratch.path + "/a.tar"
        let export = try run(["store", "export", "--to", archive, "trunk", "--store", store])
        #expect(export.code == 0, "\(export.errors)")
        let other = scratch.path + "/other"
        #expect(try Program.run(["store", "import", archive, "--store", other]).code == 0)
        let third = scratch.path + "/third"
        try FileManager.default.createDirectory(
            atPath: third + "/journals", withIntermediateDirectories: true)
        let merge = try run(["store", "merge", store, "--store", third])
        #expect(merge.code == 0, "\(merge.errors)")
        #expect(try Program.run(["runs", "--store", third]).output.contains("trunk"))
        let gc = try run(["runs", "gc", "--store", store])
        #expect(gc.code == 1 && gc.errors.contains(store), "\(gc.errors)")
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
