import Foundation
import RuntimeData
import RuntimeSupport

extension Overlap {
    private var table: TextTable {
        var table = TextTable([
            "train", "test", "documents", "exact", "near", "overlapping", "too short", "share",
        ])
        for pair in pairs {
            table.append([
                pair.train, pair.test, "\(pair.documents)", "\(pair.exact)", "\(pair.near)",
                "\(pair.overlapping)", "\(pair.short)", String(format: "%.4f", pair.share),
            ])
        }
        return table
    }

    private var title: String {
        "documents of \(settings.splits.map(\.rawValue).joined(separator: " and ")) that are like documents of train: "
            + "exact, near (Jaccard similarity of \(settings.near) and more), overlapping (a run of \(settings.words) words)"
    }

    /// The counts of all pairs, then the worst examples of each.
    public func text() -> String {
        var lines = [title, table.text()]
        for example in examples {
            let kind =
                switch example.kind {
                case .exact: "exact"
                case .near: String(format: "near, similarity %.3f", example.similarity)
                case .words:
                    String(
                        format: "overlapping, %.0f%% of its runs of %d words",
                        100 * example.similarity, settings.words)
                }
            func line(_ role: String, _ place: Example.Place) -> String {
                "  \(role) \(place.corpus)[\(place.index)]: \(String(place.text.prefix(100)).singleLine)"
            }
            lines += ["", kind, line("test ", example.test), line("train", example.train)]
        }
        return lines.joined(separator: "\n")
    }

    /// The counts of all pairs as CSV.
    ///
    /// - Parameter raw: As for `TextTable.csv`.
    public func csv(raw: Bool = false) -> String { table.csv(raw: raw) }
}
