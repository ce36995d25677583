/// Finds the name that was probably meant.
package enum NearestName {
    /// The longest name that is compared with others, in bytes: comparing takes memory and time as the product of the lengths.
    package static let longest = 100

    /// `; did you mean 'steps'?`; without a near name, `; known: …` if there are few and `listing` asks for it, or nothing.
    package static func hint(_ name: String, among names: [String], listing: Bool = false) -> String
    {
        if let near = closest(name, among: names) { return "; did you mean '\(near)'?" }
        guard listing, !names.isEmpty, names.count <= 16 else { return "" }
        return "; known: \(names.joined(separator: ", "))"
    }

    /// The nearest of `names`, if it differs by no more than a slip.
    private static func closest(_ name: String, among names: [String]) -> String? {
        guard name.utf8.count <= longest else { return nil }
        let near = names.filter { $0.utf8.count <= longest }.map { (distance(name, $0), $0) }
            .min { $0.0 < $1.0 }
        guard let near, isNear(name, near.1, near.0) else { return nil }
        return near.1
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
    private static func distance(_ a: String, _ b: String) -> Int {
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
