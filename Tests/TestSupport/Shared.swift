import Foundation

/// Where the development corpora and tokenizers lie, beside the checkout; tests that need them skip loudly without.
public enum Shared {
    /// The folder `../shared`, or `nil` when it is absent.
    public static let folder: String? = {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let path = root.deletingLastPathComponent().appendingPathComponent("shared").path
        return FileManager.default.fileExists(atPath: path + "/corpora") ? path : nil
    }()
}
