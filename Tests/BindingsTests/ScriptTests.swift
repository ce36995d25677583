import Foundation
import TestSupport
import Testing

/// Scripts in `Scripts/*.lua`, each with its output in a `.txt` beside it.
@Suite("Scripts") struct ScriptTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Scripts").path

    static let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
        .filter { $0.hasSuffix(".lua") }.sorted()

    @Test("a script prints what is written beside it", arguments: names)
    func golden(name: String) throws {
        let outcome = try Program.run([name], in: Self.folder)
        let expected = try String(
            contentsOfFile: "\(Self.folder)/\(name.dropLast(4)).txt", encoding: .utf8)
        #expect(outcome.output == expected, "\(outcome.errors)")
        #expect(outcome.code == 0)
    }
}
