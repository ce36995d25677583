import Foundation
import TestSupport
import Testing

@Suite("Comparison with the tokenizers library", .serialized) struct TokenizerComparisonTests {
    @Test(
        "normal forms, ends of words and random tokenizers give the same ids, also saved and loaded there",
        .enabled(if: Python.path != nil, "it needs the Python packages of scripts/venv"),
        arguments: ["forms", "classes", "random"])
    func compare(_ part: String) throws {
        try run(
            "tokenizer_fuzz.py", part,
            Long.pick(["--rounds", "150"], long: ["--rounds", "5000", "--every"]))
    }

    @Test(
        "published families, random pre-tokenizers and classes of characters give the same ids",
        .enabled(if: Python.path != nil, "it needs the Python packages of scripts/venv"),
        arguments: ["families", "patterns", "expressions"])
    func families(_ part: String) throws {
        try run(
            "tokenizer_families.py", part,
            Long.pick(["--rounds", "150"], long: ["--rounds", "5000", "--every"]))
    }

    private func run(_ name: String, _ part: String, _ options: [String]) throws {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("scripts/\(name)").path
        let outcome = try Program.run(
            other: try #require(Python.path),
            [script, part, "--program", Program.path] + options)
        #expect(outcome.code == 0, "\(outcome.output)\(outcome.errors)")
    }
}
