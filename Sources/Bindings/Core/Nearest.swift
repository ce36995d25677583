/// Finding the name that was probably meant.
enum Nearest {
    /// The longest name that is compared with others, in bytes: comparing takes memory and time as the product of the lengths.
    static let longest = 100

    /// `; did you mean 'steps'?`, or the list of names when none is near.
    static func hint(_ name: String, among names: [String]) -> String {
        let others = name.utf8.count > longest ? [] : names.filter { $0.utf8.count <= longest }
        let near = others.map { (distance(name, $0), $0) }.min { $0.0 < $1.0 }
        if let near, isNear(name, near.1, near.0) {
            return "; did you mean '\(near.1)'?"
        }
        guard !names.isEmpty else { return "" }
        return names.count <= 16 ? "; known: \(names.joined(separator: ", "))" : ""
    }

    /// Whether so many edits are a slip rather than another name: none in a single letter, one in a short name.
    private static func isNear(_ name: String, _ other: String, _ edits: Int) -> Bool {
        let length = min(name.count, other.count)
        if length <= 3 {
            return edits == 0
                || edits == 1 && length > 1
                    && name.lowercased().first == other.lowercased().first
        }
        return edits <= (length <= 5 ? 1 : length <= 8 ? 2 : 3)
    }

    /// Edits (insert, delete, replace, swap neighbours) that turn one name into the other.
    static func distance(_ a: String, _ b: String) -> Int {
        let a = Array(a.lowercased().utf8)
        let b = Array(b.lowercased().utf8)
        var rows = [Array(0...b.count)]
        for i in 0..<a.count {
            var row = [i + 1]
            for j in 0..<b.count {
                var best = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
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
