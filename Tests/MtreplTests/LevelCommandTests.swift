import Foundation
import Runtime
import TestSupport
import Testing

/// `MTREPL_KERNELS`, and what keys and records say of it.
@Suite("Levels of kernels by the environment") struct LevelCommandTests {
    /// A run of three steps: the key of its last state, then the bits of its losses.
    static func train(_ level: String, _ precision: String, threads: Int, store: String) throws
        -> (key: String, losses: String)
    {
        let code =
            StudyScript.prelude + """

                local run = base:with { steps = 3, precision = "\(precision)" }:open { name = "\(level)" }
                run:train()
                print(run.key)
                for _, step in ipairs(mt.records(run.key)) do print(("%a %a"):format(step.loss, step.gradient_norm)) end
                """
        let outcome = try Program.start(
            ["--threads", "\(threads)", "--store", store, "-e", code],
            shell: "export MTREPL_KERNELS=\(level)"
        ).wait()
        #expect(outcome.code == 0, "\(level): \(outcome.errors)")
        let lines = outcome.output.split(separator: "\n", maxSplits: 1).map(String.init)
        return (try #require(lines.first), try #require(lines.last))
    }

    struct Listed: Decodable {
        let key: String
        let processor: String
    }

    @Test(
        "give equal keys, the same bits on any number of threads, and a run says its own; a store that has a state answers on any",
        arguments: ["float32", "bfloat16"])
    func keys(precision: String) throws {
        let scratch = try Scratch()
        var seen: [(level: String, key: String, losses: String)] = []
        for level in Numerics.levels {
            let store = "\(scratch.path)/\(level)"
            let (key, losses) = try Self.train(level, precision, threads: 1, store: store)
            let alone = try Self.train(level, precision, threads: 3, store: "\(store)-3")
            #expect(key == alone.key && losses == alone.losses, "\(level) on other threads")
            let listed = try Program.run(["runs", "--json", "--store", store])
            let runs = try JSONDecoder().decode([Listed].self, from: Data(listed.output.utf8))
            let run = try #require(runs.first { $0.key == key })
            #expect(run.processor.hasPrefix("\(level), oneDNN "), "\(run.processor)")
            let shown = try Program.run(["runs", "show", key, "--store", store])
            #expect(shown.output.contains("\nkernels      \(run.processor)\n"), "\(shown.output)")
            for other in seen {
                let pair = [other.level, level]
                let same = precision == "float32" && pair == ["avx512", "avx512-bf16"]
                #expect(other.key == key, "keys of \(pair)")
                #expect((other.losses == losses) == same, "losses of \(pair)")
                let again = try Self.train(
                    level, precision, threads: 1, store: "\(scratch.path)/\(other.level)")
                #expect(again.losses == other.losses, "\(level) in the store of \(other.level)")
            }
            seen.append((level, key, losses))
        }
    }

    @Test("a level that the processor does not have is an error with those that it has")
    func refused() throws {
        for wrong in ["avx3", "AVX2", "portable "] {
            for arguments in [["-e", "print(mt.ones { 2 })"], ["--version"], ["runs"]] {
                let outcome = try Program.start(
                    arguments, shell: "export MTREPL_KERNELS='\(wrong)'"
                ).wait()
                #expect(outcome.code == 1 && outcome.output.isEmpty, "\(arguments): \(outcome)")
                let expected =
                    "mtrepl: MTREPL_KERNELS: expected a level of kernels that this processor has "
                    + "(\(Numerics.levels.joined(separator: ", "))), got \(wrong)\n"
                #expect(outcome.errors == expected)
            }
        }
    }

    @Test("--version names the level in use and those of the processor")
    func version() throws {
        for level in Numerics.levels {
            let outcome = try Program.start(
                ["--version"], shell: "export MTREPL_KERNELS=\(level)"
            ).wait()
            #expect(outcome.output.contains("\nkernels \(level), oneDNN "), "\(outcome)")
            #expect(outcome.output.contains(Numerics.levels.joined(separator: ", ")))
        }
    }
}
