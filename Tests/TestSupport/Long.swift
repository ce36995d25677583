import Foundation

/// Whether tests run in their longer form: `scripts/test --long`.
public enum Long {
    /// Whether `MTREPL_LONG` is set to anything but nothing or 0.
    public static let isOn: Bool = {
        let value = ProcessInfo.processInfo.environment["MTREPL_LONG"] ?? ""
        return !["", "0"].contains(value)
    }()

    /// What part of the longer form runs: `MTREPL_LONG=0.1` for a tenth.
    public static let part: Double = {
        let value = ProcessInfo.processInfo.environment["MTREPL_LONG"].flatMap { Double($0) } ?? 1
        return value > 0 && value < 1 ? value : 1
    }()

    /// How many of something a test does, which in the longer form may be a part of all.
    public static func count(_ short: Int, long: Int) -> Int {
        isOn ? Int((Double(long) * part).rounded(.up)) : short
    }

    /// One of two sizes of a test: seeds, rounds, seconds.
    public static func pick<Size>(_ short: Size, long: Size) -> Size { isOn ? long : short }
}
