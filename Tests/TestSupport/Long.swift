import Foundation

/// Whether tests run in their longer form: `scripts/test --long`.
public enum Long {
    /// Whether `MTREPL_LONG` is set to anything but nothing or 0.
    public static let isOn: Bool = {
        let value = ProcessInfo.processInfo.environment["MTREPL_LONG"] ?? ""
        return !["", "0"].contains(value)
    }()

    /// One of two sizes of a test: seeds, rounds, seconds.
    public static func pick<Size>(_ short: Size, long: Size) -> Size { isOn ? long : short }
}
