import RuntimeSupport

/// Every combination of the values of some parameters.
public enum Grid {
    /// The combinations in order of the parameters' names, `seed` last; the last name varies fastest.
    ///
    /// - Parameter stop: Polled for every parameter and combination.
    /// - Throws: `InvalidValue` naming a parameter without values; `ResourceError` when memory cannot hold them; `Interrupted`.
    public static func combinations<Value>(
        _ parameters: [String: [Value]], stop: ShouldStop = { false }
    ) throws -> [[(name: String, value: Value)]] {
        if let empty = parameters.filter({ $0.value.isEmpty }).map(\.key).min() {
            throw InvalidValue(empty, expected: "at least one value", found: "an empty list")
        }
        let count = parameters.values.reduce(1) { Int.saturatingProduct($0, $1.count) }
        // A field's name, its value and its place, as whoever asked may keep them as well.
        let bytes = 64 + 256 * parameters.count
        try Memory.require(
            [("\(count) combinations", Int.saturatingProduct(count, bytes))], for: "grid")
        var found: [[(name: String, value: Value)]] = [[]]
        for (name, values) in parameters.sorted(by: {
            $0.key != "seed" && ($1.key == "seed" || $0.key < $1.key)
        }) {
            found = try found.flatMap { combination in
                if stop() { throw Interrupted("interrupted while the grid was made") }
                return values.map { combination + [(name, $0)] }
            }
        }
        return found
    }
}
