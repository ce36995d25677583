import RuntimeStore
import RuntimeSupport

extension StoreCheck {
    /// What was read, and what is wrong.
    public func text(repaired: Bool) -> String {
        var lines = [
            "read \(files) files, \(Amount.bytes(bytes)), with \(steps) records of steps"
        ]
        if indexWasWrong {
            lines.append("the index was not what the journals say; it was made again")
        }
        for path in unchecked {
            lines.append("\(path): an earlier version recorded this without checksums")
        }
        for damage in damages {
            lines.append("\(damage.path) is damaged: \(damage.reason); \(damage.remedy)")
        }
        for difference in differences {
            lines.append(
                "state \(difference.state.short) has \(difference.versions.count) versions; the first is used:"
            )
            for (version, engine, loss) in difference.versions {
                lines.append(
                    "  \(version.hex.prefix(12)): \(engine)"
                        + (loss.map { "; loss of the last step \($0)" } ?? ""))
            }
        }
        lines.append(
            damages.isEmpty
                ? "nothing is damaged"
                : "\(damages.count) damaged" + (repaired ? ", set aside" : ""))
        return lines.joined(separator: "\n")
    }
}
