import Foundation
import TestSupport
import Testing

/// What other packages see of this one.
@Suite("Package") struct PackageTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    @Test("no target has flags that keep other packages from depending on it by version")
    func flags() throws {
        let scratch = try Scratch()
        let dump = try Program.run(
            other: "/usr/bin/env",
            [
                "swift", "package", "--package-path", Self.root, "--scratch-path",
                scratch.path + "/build", "dump-package",
            ])
        #expect(dump.code == 0, "\(dump.errors)")
        let package = try #require(
            JSONSerialization.jsonObject(with: Data(dump.output.utf8)) as? [String: Any])
        let targets = try #require(package["targets"] as? [[String: Any]])
        #expect(targets.contains { $0["name"] as? String == "CKernels" })
        for target in targets {
            #expect(!"\(target["settings"] ?? "")".contains("unsafeFlags"), "\(target)")
        }
    }

    @Test("another package builds against Runtime by version", .enabled(if: Long.isOn))
    func client() throws {
        let outcome = try Program.run(other: Self.root + "/scripts/client", [])
        #expect(outcome.code == 0, "\(outcome.output)\(outcome.errors)")
        #expect(
            outcome.output.hasSuffix("Runtime by version: [6.0, 15.0]\n"), "\(outcome.output)")
    }
}
