import Foundation

extension Calibration.Breakdown {
    /// The breakdown for people: a line a kernel and shape, what lies between kernels, and the whole
    /// against the machine's ceiling.
    public func text() -> String {
        var table = TextTable(["kernel", "shape", "calls", "ms", "share", "GF/s", "GB/s"])
        func ms(_ seconds: Double) -> String { Self.decimals(1000 * seconds / Double(steps), 2) }
        func share(_ part: Double) -> String { Self.decimals(100 * part / seconds, 1) + "%" }
        for line in kernels {
            table.append([
                line.kernel, line.shape, "\(line.calls / steps)", ms(line.seconds),
                share(line.seconds),
                line.operations > 0 ? Self.decimals(line.operations / line.seconds / 1e9, 0) : "",
                Self.decimals(line.bytes / line.seconds / 1e9, 1),
            ])
        }
        let between = max(0, seconds - kernels.reduce(0) { $0 + $1.seconds })
        table.append(["between kernels", "", "", ms(between), share(between), "", ""])
        let perStep = seconds / Double(steps)
        let rate = operations / perStep
        return [
            table.text(), "",
            "\(Self.decimals(1000 * perStep, 1)) ms a step, "
                + "\(Self.decimals(Double(tokens) / perStep, 0)) tokens/s; "
                + "\(Self.decimals(rate / 1e9, 0)) of \(Self.decimals(ceiling / 1e9, 0)) GF/s "
                + "(\(Self.decimals(100 * rate / ceiling, 0))% of a large product)",
        ].joined(separator: "\n")
    }

    private static func decimals(_ value: Double, _ count: Int) -> String {
        String(format: "%.\(count)f", value)
    }
}
