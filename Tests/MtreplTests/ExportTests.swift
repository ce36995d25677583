import Foundation
import TestSupport
import Testing

@Suite("mtrepl export", .serialized) struct ExportTests {
    @Test(
        "a state of a run becomes a folder; a state without checkpoint is an error with exit code 1"
    )
    func export() throws {
        let scratch = try Scratch()
        let store = scratch.path + "/store"
        let script = try scratch.write(
            "run.lua", StudyScript.prelude + "\nbase:run { name = 'trunk', keep = { 6 } }")
        let trained = try Program.run(["--threads", "1", "--store", store, script])
        #expect(trained.code == 0, "\(trained.errors)")
        let folder = scratch.path + "/model"
        let last = try Program.run(["export", "trunk", folder, "--store", store])
        #expect(last.output == "\(folder): run trunk after 24 of 24 steps, float32\n")
        let first = try Program.run([
            "export", "trunk@6", folder, "--store", store, "--storage", "bfloat16",
        ])
        #expect(first.output == "\(folder): run trunk after 6 of 24 steps, bfloat16\n")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        #expect(
            files == [
                "README.md", "config.json", "generation_config.json", "model.safetensors",
                "tokenizer.json", "tokenizer_config.json",
            ])
        let missing = try Program.run(["export", "trunk@7", folder, "--store", store])
        #expect(missing.code == 1)
        #expect(
            missing.errors
                == "mtrepl: run trunk has no checkpoint of state 7; it has those of 6, 24\n")
        let storage = try Program.run([
            "export", "trunk", folder, "--store", store, "--storage", "float8",
        ])
        #expect(storage.code == 2, "\(storage.errors)")
        let size = try Program.run([
            "export", "trunk", folder, "--store", store, "--max-shard-size", "5",
        ])
        #expect(size.code == 2 && size.errors.contains("--max-shard-size"), "\(size.errors)")
        let shards = try Program.run([
            "export", "trunk", folder, "--store", store, "--max-shard-size", "200KB", "--storage",
            "float16",
        ])
        #expect(shards.code == 0, "\(shards.errors)")
        let parts = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        #expect(parts.contains("model.safetensors.index.json"), "\(parts)")
        #expect(!parts.contains("model.safetensors"), "\(parts)")
        let lua = try Program.run([
            "--store", store, "-e", "print(mt.pretrained('\(folder)').parameters > 100000)",
        ])
        #expect(lua.output == "true\n", "\(lua.errors)")
    }

    @Test(
        "transformers, tokenizers, tensorboard and pyarrow agree with us",
        .enabled(if: Python.path != nil, "it needs the Python packages of scripts/venv"))
    func interop() throws {
        try compare(
            "interop.py",
            [
                "models", "export", "tokenizers", "metrics", "data", "losses", "--made-up", "2000",
            ])
    }

    @Test(
        "transformers agrees with every family of decoders, in both directions",
        .enabled(if: Python.path != nil, "it needs the Python packages of scripts/venv"))
    func families() throws { try compare("families.py", []) }

    /// Runs a script that compares with Python packages; its exit code says whether all agreed.
    private func compare(_ name: String, _ arguments: [String]) throws {
        let python = try #require(Python.path)
        let scratch = try Scratch()
        let log = scratch.path + "/log"
        try "".write(toFile: log, atomically: false, encoding: .utf8)
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("scripts/\(name)").path
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = [script] + arguments + ["--program", Program.path]
        process.standardOutput = FileHandle(forWritingAtPath: log)
        process.standardError = FileHandle(forWritingAtPath: log)
        try process.run()
        process.waitUntilExit()
        let text = try String(contentsOfFile: log, encoding: .utf8)
        for line in text.split(separator: "\n") where line.contains("max diff") { print(line) }
        #expect(process.terminationStatus == 0, "\(text)")
    }
}
