import Foundation
import TestSupport
import Testing

@Suite("mtrepl runs", .serialized) struct RunsCommandTests {
    private static let script = """
        local run = base:open { name = "control" }
        run:train { to = 12, keep = { 6 } }
        run:fork { mixture = { prose = 0.5, code = 0.5 }, run_name = "branch" }:train()
        run:resume()
        """

    private static func laboratory() throws -> (scratch: Scratch, store: String) {
        let scratch = try Scratch()
        let script = try scratch.write("run.lua", StudyScript.prelude + "\n" + script)
        let store = scratch.path + "/store"
        let outcome = try Program.run(["--threads", "1", "--store", store, script])
        #expect(outcome.code == 0, "\(outcome.errors)")
        return (scratch, store)
    }

    private struct Item: Decodable {
        let key, name, status: String
        let step, steps, bytes: Int
    }

    @Test("list, show and --steps tell what the store holds")
    func show() throws {
        let (scratch, store) = try Self.laboratory()
        let list = try Program.run(["runs", "--store", store])
        #expect(list.code == 0)
        for word in [
            "control", "branch", "finished", "24/24", "key", "disk", "2 runs; 4 checkpoints",
        ] {
            #expect(list.output.contains(word), "\(list.output)")
        }
        let json = try Program.run(["runs", "list", "--json", "--store", store])
        let items = try JSONDecoder().decode([Item].self, from: Data(json.output.utf8))
        #expect(items.map(\.name).sorted() == ["branch", "control"])
        #expect(items.allSatisfy { $0.step == 24 && $0.status == "finished" && $0.bytes > 0 })
        let branch = try #require(items.first { $0.name == "branch" })
        for name in ["branch", String(branch.key.prefix(10)), branch.key] {
            let shown = try Program.run(["runs", "show", name, "--store", store])
            #expect(shown.code == 0, "\(shown.errors)")
            for word in [
                "pretrain 0 ..< 12: prose 1", "midtrain 12 ..< 24: code 0.5, prose 0.5", "finished",
                "Exposure", "code", "Last of 24 recorded steps", "Checkpoints", branch.key,
            ] { #expect(shown.output.contains(word), "\(word): \(shown.output)") }
        }
        let steps = try Program.run(["runs", "show", "branch", "--steps", "--store", store])
        let lines = steps.output.split(separator: "\n")
        #expect(lines.count == 25)
        #expect(lines.first == "step,loss,learning_rate,gradient_norm,tokens,seconds")
        #expect(lines.last?.hasPrefix("24,") == true)
        let lua = try Program.run([
            "--store", store, "-e",
            "local r = mt.runs() print(#r, r[1].name, r[2].name, #mt.records('branch'), mt.records('control')[24].step)",
        ])
        #expect(lua.output == "2\tbranch\tcontrol\t24\t24\n", "\(lua.errors)")
        withExtendedLifetime(scratch) {}
    }

    @Test("unknown and ambiguous names, and a store that is not there, are errors with exit code 1")
    func errors() throws {
        let (scratch, store) = try Self.laboratory()
        let unknown = try Program.run(["runs", "show", "contrl", "--store", store])
        #expect(unknown.code == 1)
        #expect(unknown.errors.contains("no run is called 'contrl'"), "\(unknown.errors)")
        #expect(unknown.errors.contains("control"), "\(unknown.errors)")
        let again = try Program.run([
            "--threads", "1", "--store", store, "-e",
            StudyScript.prelude + "\nbase:with({ seed = 2 }):run { name = 'control', to = 2 }",
        ])
        #expect(again.code == 0, "\(again.errors)")
        let ambiguous = try Program.run(["runs", "show", "control", "--store", store])
        #expect(ambiguous.code == 1)
        #expect(ambiguous.errors.contains("means 2 runs"), "\(ambiguous.errors)")
        let state = try Program.run([
            "runs", "export", "branch@10", scratch.path + "/metrics", "--store", store,
        ])
        #expect(state.code == 1)
        #expect(
            state.errors.contains("expected a run without a step, such as 'branch'"),
            "\(state.errors)")
        let missing = try Program.run(["runs", "--store", scratch.path + "/nothing"])
        #expect(missing.code == 1)
        #expect(missing.errors.contains("there is no store"), "\(missing.errors)")
        #expect(!FileManager.default.fileExists(atPath: scratch.path + "/nothing"))
        #expect(try Program.run(["runs", "list", "--bogus", "--store", store]).code == 2)
        #expect(try Program.run(["runs", "remove", "branch", "--store", store]).code == 2)
        #expect(try Program.run(["runs", "show", "branch", "--store", store]).code == 0)
    }

    private struct Shown: Decodable {
        struct Loss: Decodable { let corpus, split: String }
        struct Held: Decodable { let step: Int }
        let name, status: String
        let checkpoints: [Held]
        let evaluations: [Loss]
    }

    private struct Removed: Decodable { let runs: [String] }

    @Test("patterns name runs to remove, shown first; commands print JSON")
    func patterns() throws {
        let (scratch, store) = try Self.laboratory()
        func run(_ arguments: [String]) throws -> (code: Int32, output: String, errors: String) {
            let outcome = try Program.run(arguments + ["--store", store])
            return (outcome.code, outcome.output, outcome.errors)
        }
        let shown = try run(["runs", "show", "branch", "--json"])
        let branch = try JSONDecoder().decode(Shown.self, from: Data(shown.output.utf8))
        #expect(
            branch.name == "branch" && branch.status == "finished"
                && branch.checkpoints.last?.step == 24)
        #expect(try run(["runs", "show", "branch", "--json", "--steps"]).code == 2)
        let asked = try run(["runs", "remove", "b*h"])
        #expect(
            asked.code == 2 && asked.output.contains("branch") && !asked.output.contains("control"))
        #expect(asked.errors.contains("--yes is needed"), "\(asked.errors)")
        let none = try run(["runs", "remove", "ramp*", "--yes"])
        #expect(
            none.code == 1 && none.errors.contains("no run's name matches 'ramp*'"),
            "\(none.errors)")
        let checked = try run(["store", "check", "--json"])
        let check =
            try JSONSerialization.jsonObject(with: Data(checked.output.utf8)) as? [String: Any]
        #expect(checked.code == 0 && (check?["damages"] as? [Any])?.isEmpty == true)
        let garbage = try run(["runs", "gc", "--dry-run", "--json"])
        #expect(try JSONSerialization.jsonObject(with: Data(garbage.output.utf8)) is [String: Any])
        let files = try run(["runs", "export", "branch", scratch.path + "/metrics", "--json"])
        #expect(
            try (JSONSerialization.jsonObject(with: Data(files.output.utf8)) as? [String])?.count
                == 2)
        let removed = try run(["runs", "remove", "[bc]*", "branch", "--yes", "--json"])
        #expect(
            try JSONDecoder().decode(Removed.self, from: Data(removed.output.utf8)).runs.count == 2)
        #expect(try run(["runs"]).output.contains("no runs"))
        let reference = try Program.run(["doc", "--json"])
        let page =
            try JSONSerialization.jsonObject(with: Data(reference.output.utf8)) as? [String: Any]
        #expect((page?["functions"] as? [Any])?.count ?? 0 > 50)
    }

    @Test("remove deletes what no other run uses; gc what no run needs")
    func upkeep() throws {
        let (scratch, store) = try Self.laboratory()
        func checkpoints() throws -> Set<String> {
            Set(try FileManager.default.contentsOfDirectory(atPath: store + "/checkpoints"))
        }
        #expect(try checkpoints().count == 4)
        let nothing = try Program.run(["runs", "gc", "--store", store])
        #expect(!nothing.output.contains("checkpoints"), "\(nothing.output)")
        #expect(try checkpoints().count == 4)
        let removed = try Program.run(["runs", "remove", "branch", "--yes", "--store", store])
        #expect(removed.output.contains("removed 1 runs and 1 checkpoints"), "\(removed.output)")
        #expect(try checkpoints().count == 3)
        // A checkpoint that nothing leads to, and what a dead process left.
        let some = try #require(try checkpoints().first)
        let orphan = String(repeating: "ab", count: 32)
        let manager = FileManager.default
        let root = store + "/checkpoints/"
        // Earlier versions had no folders of versions.
        let version = try #require(try manager.contentsOfDirectory(atPath: root + some).first)
        try manager.copyItem(atPath: "\(root)\(some)/\(version)", toPath: root + orphan)
        let manifest = try String(contentsOfFile: root + orphan + "/manifest.json", encoding: .utf8)
            // As earlier versions wrote it, without a checksum.
            .replacing(/"sha256":"\w+","kind":"[\w ]+","name":"\w+",/, with: "")
            .replacing(some, with: orphan).replacing("\\\"seed\\\":1", with: "\\\"seed\\\":9")
        try manifest.write(
            toFile: root + orphan + "/manifest.json", atomically: true, encoding: .utf8)
        try manager.copyItem(atPath: root + some, toPath: root + some + ".4194305.77.tmp")
        let dry = try Program.run(["runs", "gc", "--dry-run", "--store", store])
        #expect(dry.output.contains("would remove 1 checkpoints"), "\(dry.output)")
        #expect(dry.output.contains("would remove 1 unfinished files"), "\(dry.output)")
        #expect(try checkpoints().count == 5)
        #expect(try Program.run(["runs", "gc", "--store", store]).code == 0)
        #expect(try checkpoints().count == 3)
        withExtendedLifetime(scratch) {}
    }

    @Test("a run that a process trains is shown as running; its checkpoints stay")
    func active() throws {
        let (scratch, store) = try Self.laboratory()
        let script = try scratch.write(
            "slow.lua",
            StudyScript.prelude + """

                base:with({ seed = 5 }):run { name = "slow", keep = { 4 }, on_step = function(s)
                  if s.step == 6 then print("waits") io.stdout:flush() while true do end end
                end }
                """)
        let program = try Program.start(["--threads", "1", "--store", store, script])
        #expect(program.waitUntil { program.output.contains("waits") })
        let text = try Program.run(["runs", "--store", store]).output
        #expect(text.contains("running") && text.contains("5 checkpoints"), "\(text)")
        let gc = try Program.run(["runs", "gc", "--store", store])
        #expect(gc.code == 0 && !gc.output.contains("checkpoints"), "\(gc.output)")
        let removed = try Program.run(["runs", "remove", "slow", "--yes", "--store", store])
        #expect(removed.code == 1)
        #expect(removed.errors.contains("being trained"), "\(removed.errors)")
        program.signal(SIGKILL)
        _ = try program.wait()
        let after = try Program.run(["runs", "--store", store]).output
        #expect(after.contains("killed"), "\(after)")
    }
}
