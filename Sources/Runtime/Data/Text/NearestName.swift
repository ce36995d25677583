/// Finds the name that was probably meant.
package enum NearestName {
    /// The longest name that is compared with others, in bytes: comparing takes memory and time as the product of the lengths.
    private static let longest = 400

    /// `; did you mean "NAME"?` for the closest of `names`, or nothing if none is close.
    package static func hint(_ name: String, _ names: [String]) -> String {
        guard name.utf8.count <= longest else { return "" }
        let distances = names.filter { $0.utf8.count <= longest }.map {
            ($0, distance(Array(name.lowercased()), Array($0.lowercased())))
        }
        guard let best = distances.min(by: { $0.1 < $1.1 }), best.1 <= max(2, name.count / 3) else {
            return ""
        }
        return "; did you mean \"\(best.0)\"?"
    }

    /// Insertions, deletions, replacements and swaps of neighbours that turn one into the other.
    private static func distance(_ a: [Character], _ b: [Character]) -> Int {
        var rows = [Array(0...b.count)]
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                let replace = rows[i][j] + (a[i] == b[j] ? 0 : 1)
                var best = min(replace, rows[i][j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    best = min(best, rows[i - 1][j - 1] + 1)
                }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }
}
