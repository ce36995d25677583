import Foundation
import RuntimeNumerics
import RuntimeTraining

extension Profile {
    /// What kernels did, for people: a line a kernel and shape, the longest first, and what lies between
    /// them.
    ///
    /// - Parameters:
    ///   - lines: from `measure`.
    ///   - seconds: wall-clock time of all that was measured.
    ///   - steps: calls and milliseconds are given for one of so many equal parts.
    public static func text(_ lines: [Line], seconds: Double, steps: Int = 1) -> String {
        var table = TextTable(["kernel", "shape", "calls", "ms", "share", "GF/s", "GB/s"])
        func row(
            _ name: String, _ shape: String, _ calls: String, _ part: Double, _ rates: [String]
        ) {
            table.append(
                [
                    name, shape, calls, decimals(1000 * part / Double(steps), 2),
                    decimals(100 * part / seconds, 1) + "%",
                ] + rates)
        }
        for line in lines {
            let speed = line.operations > 0 ? decimals(line.operations / line.seconds / 1e9, 0) : ""
            row(
                line.kernel, line.shape, "\(line.calls / steps)", line.seconds,
                [speed, decimals(line.bytes / line.seconds / 1e9, 1)])
        }
        row(
            "between kernels", "", "", max(0, seconds - lines.reduce(0) { $0 + $1.seconds }),
            ["", ""])
        return table.text()
    }

    package static func decimals(_ value: Double, _ count: Int) -> String {
        String(format: "%.\(count)f", value)
    }
}

extension Calibration.Breakdown {
    /// The breakdown for people, and the whole against the machine's ceiling.
    public func text() -> String {
        let perStep = seconds / Double(steps)
        let rate = operations / perStep
        return [
            Profile.text(kernels, seconds: seconds, steps: steps), "",
            "\(Profile.decimals(1000 * perStep, 1)) ms a step, "
                + "\(Profile.decimals(Double(tokens) / perStep, 0)) tokens/s; "
                + "\(Profile.decimals(rate / 1e9, 0)) of \(Profile.decimals(ceiling / 1e9, 0)) GF/s "
                + "(\(Profile.decimals(100 * rate / ceiling, 0))% of a large product)",
        ].joined(separator: "\n")
    }
}
