import Foundation
import TestSupport
import Testing

@Suite("Damage", .serialized) struct DamageTests {
    private func run(_ script: StudyScript, _ store: String) throws -> Program.Outcome {
        try Program.run(script.arguments(store, csv: "again"))
    }

    private func files(_ store: String, _ folder: String, _ name: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: "\(store)/\(folder)")
            .filter { $0.hasSuffix(name) }.sorted().map { "\(store)/\(folder)/\($0)" }
    }

    private func change(_ path: String, _ body: (inout Data) -> Void) throws {
        var data = try Data(contentsOf: URL(fileURLWithPath: path))
        body(&data)
        try data.write(to: URL(fileURLWithPath: path))
    }

    /// A run of 24 steps that keeps 6 and 12, and prints every loss and the key.
    static let script = """
        local run = base:open { name = "one" }
        run:train { keep = { 6, 12 } }
        for _, record in ipairs(run:records()) do print(("%.17g"):format(record.loss)) end
        print(run.key, ("%.17g"):format(run:evaluate(prose, { limit = 4 }).loss))
        """

    @Test("damaged checkpoints are set aside with a warning, and the numbers are the same")
    func checkpoints() throws {
        let scratch = try Scratch()
        let script = try scratch.write("run.lua", StudyScript.prelude + "\n" + Self.script)
        let store = scratch.path + "/store"
        let arguments = ["--threads", "1", "--store", store, script]
        let whole = try Program.run(arguments)
        #expect(whole.code == 0, "\(whole.errors)")
        let damages: [(String, (inout Data) -> Void)] = [
            ("model.safetensors", { $0.removeLast($0.count / 2) }),
            ("optimizer.safetensors", { $0[$0.count / 2] ^= 4 }),
            ("manifest.json", { $0.removeLast(10) }), ("model.safetensors", { $0[3] ^= 0x80 }),
            ("manifest.json", { $0 = Data() }),
        ]
        for (name, damage) in damages {
            for path in try files(store, "checkpoints", name) { try change(path, damage) }
            let again = try Program.run(arguments)
            #expect(again.code == 0, "\(again.errors)")
            #expect(again.output == whole.output, "\(name)")
            #expect(again.errors.contains("is damaged"), "\(name): \(again.errors)")
            #expect(again.errors.contains("moved to \(store)/damaged"), "\(again.errors)")
        }
        let listed = try Program.run(["runs", "gc", "--damaged", "--dry-run", "--store", store])
        #expect(listed.output.contains("damaged checkpoints"), "\(listed.output)")
        #expect(try Program.run(["runs", "gc", "--damaged", "--store", store]).code == 0)
        #expect(try files(store, "damaged", "").isEmpty)
        #expect(try Program.run(arguments).output == whole.output)
    }

    @Test("a state whose checkpoint is damaged is not taken for another one")
    func lost() throws {
        let scratch = try Scratch()
        let store = scratch.path + "/store"
        let train = try scratch.write(
            "train.lua", StudyScript.prelude + "\nbase:open():train { keep = { 6 } }")
        #expect(try Program.run(["--store", store, train]).code == 0)
        let before = try scratch.write(
            "loss.lua",
            StudyScript.prelude + """

                local run = base:open()
                local ok, message = pcall(run.generate, run, { "the", tokens = 2 })
                print(ok, ok or message)
                if not ok then print("at", run.step) run:train() end
                print(("%.17g"):format(run:evaluate(prose, { limit = 3 }).loss))
                """)
        let last = try files(store, "checkpoints", "manifest.json").first {
            try String(contentsOfFile: $0, encoding: .utf8).contains("\"step\":24")
        }
        let folder = (try #require(last) as NSString).deletingLastPathComponent
        try change(folder + "/model.safetensors") { $0[5000] ^= 1 }
        let broken = try Program.run(["--store", store, before])
        #expect(broken.code == 0, "\(broken.errors)")
        #expect(broken.output.contains("state after step 24 is lost"), "\(broken.output)")
        #expect(broken.output.contains("at\t6\n"), "\(broken.output)")
        let whole = try Program.run(["--store", store, before])
        #expect(whole.output.hasPrefix("true\t"), "\(whole.output)")
        #expect(
            whole.output.split(separator: "\n").last == broken.output.split(separator: "\n").last)
    }

    @Test("a damaged token store is built again, and the numbers are the same")
    func tokens() throws {
        let study = try StudyScript()
        let expected = try study.expected()
        let store = study.store("whole")
        for path in try files(store, "tokens", ".tokens") {
            try change(path) { $0.removeLast($0.count / 3) }
        }
        try forget(store)
        let outcome = try run(study, store)
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(study.csv("again") == expected)
    }

    @Test("a damaged index is made again; without journals everything is measured again")
    func index() throws {
        let study = try StudyScript()
        let expected = try study.expected()
        let store = study.store("whole")
        for damage in [{ $0.removeLast($0.count / 2) }, { $0[0..<64] = Data(count: 64) }]
            as [(inout Data) -> Void]
        {
            try change(store + "/index.sqlite", damage)
            let outcome = try run(study, store)
            #expect(outcome.code == 0, "\(outcome.errors)")
            #expect(
                outcome.output.hasPrefix("0\t") || outcome.output.contains("\t0"),
                "\(outcome.output)")
            #expect(study.csv("again") == expected)
        }
        try forget(store)
        let outcome = try run(study, store)
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(study.csv("again") == expected)
    }

    /// Removes what was recorded, so that everything is measured again.
    private func forget(_ store: String) throws {
        try FileManager.default.removeItem(atPath: store + "/journals")
        for end in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: store + "/index.sqlite" + end)
        }
    }

    @Test("a damaged summary or footer, and two that changed places, are noticed by name")
    func sealed() throws {
        let study = try StudyScript()
        let expected = try study.expected()
        let store = study.store("whole")
        let summaries = try files(store, "corpora", ".json")
        let tokens = try files(store, "tokens", ".tokens")
        try #require(summaries.count == 3 && tokens.count > 3)
        let damages: [() throws -> [String]] = [
            {
                for path in summaries {
                    try change(path) {
                        let text = String(decoding: $0, as: UTF8.self)
                        $0 = Data(
                            text.replacing("\"promptBytes\":", with: "\"promptBytes\":5").utf8)
                    }
                }
                return summaries
            },
            {
                let place = summaries[0] + "~"
                try FileManager.default.moveItem(atPath: summaries[0], toPath: place)
                try FileManager.default.moveItem(atPath: summaries[1], toPath: summaries[0])
                try FileManager.default.moveItem(atPath: place, toPath: summaries[1])
                return Array(summaries[..<2])
            },
            {
                // The bytes of text and the id that ends documents, in the last 256 bytes.
                try change(tokens[0]) { $0[$0.count - 256 + 33] ^= 1 }
                try change(tokens[1]) { $0[$0.count - 256 + 53] ^= 1 }
                return Array(tokens[..<2])
            },
        ]
        for damage in damages {
            let named = try damage()
            try forget(store)
            let outcome = try run(study, store)
            #expect(outcome.code == 0, "\(outcome.errors)")
            #expect(study.csv("again") == expected)
            for path in named {
                #expect(outcome.errors.contains("warning: \(path)"), "\(outcome.errors)")
            }
        }
    }

    @Test(
        "a study on files that changed behind their dates fails, and the next one reads them again")
    func changed() throws {
        let scratch = try Scratch()
        func write(_ word: String) throws {
            let lines = (0..<200).map { "{\"text\": \"\(word) number \($0 % 10)\($0)\"}\n" }
            // In place, and with the time it had.
            let path = scratch.path + "/a.jsonl"
            if !FileManager.default.fileExists(atPath: path) {
                try scratch.write("a.jsonl", "")
            }
            let file = try #require(FileHandle(forWritingAtPath: path))
            try file.write(contentsOf: Data(lines.joined().utf8))
            try file.close()
            var times = [timespec(tv_sec: 1_700_000_000, tv_nsec: 0)]
            times.append(times[0])
            #expect(utimensat(AT_FDCWD, path, times, 0) == 0)
        }
        let script = try scratch.write(
            "study.lua",
            """
            local corpus = mt.corpus { "a", files = "\(scratch.path)/a.jsonl", valid_fraction = 0.2, test_fraction = 0.2 }
            local tokens = mt.tokenizer { train_on = { corpus }, vocabulary = 270 }
            local result = mt.study {
              arms = mt.grid { seed = { 1 } },
              recipe = function(arm)
                return mt.recipe { model = mt.neox("micro-0.1m", { tokenizer = tokens, context = 16 }),
                  steps = 2, batch = 2, seed = arm.seed, mixture = { a = 1 } }
              end,
              evaluate = { corpus }, limit = 2,
            }:run()
            print(result.trained_steps)
            """)
        let store = scratch.path + "/store"
        try write("some")
        #expect(try Program.run(["--store", store, script]).output == "2\n")
        try write("word")
        try FileManager.default.removeItem(atPath: store + "/tokens")
        let failed = try Program.run(["--store", store, script])
        #expect(failed.code == 1)
        #expect(
            failed.errors.contains("a: its files changed while they were tokenized; run again"),
            "\(failed.errors)")
        let again = try Program.run(["--store", store, script])
        #expect(again.code == 0 && again.output == "2\n", "\(again.errors)")
    }
}
