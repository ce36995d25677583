import Foundation

/// A Python with the packages of `scripts/requirements.txt`, which tests compare with.
public enum Python {
    /// `MTREPL_PYTHON`, or the one that `scripts/venv` makes; `nil` if neither is there: such tests are skipped then.
    public static let path: String? = {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let own = root.appendingPathComponent(".build/venv/bin/python").path
        return [ProcessInfo.processInfo.environment["MTREPL_PYTHON"], own].compactMap { $0 }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }()
}
