/// Least squares for a few columns, some of which may follow from others.
struct LeastSquares: Sendable {
    /// How many columns are independent of those before them.
    let rank: Int
    /// One for each column; 0 for those that follow from others.
    let coefficients: [Double]
    /// What is left of y.
    let residuals: [Double]
    /// How much every point pulls its own prediction, from 0 to 1.
    let leverages: [Double]

    /// The independent columns and their coordinates in the orthogonal basis.
    private let basis: [(column: Int, coordinates: [Double])]

    /// How much the points would pull the prediction of one more row: its variance over that of the residuals.
    func leverage(of row: [Double]) -> Double {
        var heights: [Double] = []
        for (place, item) in basis.enumerated() {
            var value = row[item.column]
            for earlier in 0..<place {
                value -= heights[earlier] * item.coordinates[basis[earlier].column]
            }
            heights.append(value / item.coordinates[item.column])
        }
        return heights.reduce(0) { $0 + $1 * $1 }
    }

    /// The sum of squared residuals.
    var sum: Double { residuals.reduce(0) { $0 + $1 * $1 } }

    /// The root mean square of the errors when every point is predicted from the others; `nil` when one of them is all
    /// that some column rests on.
    var leaveOneOut: Double? {
        guard leverages.allSatisfy({ $0 < 1 - 1e-9 }), !residuals.isEmpty else { return nil }
        let squares = zip(residuals, leverages).reduce(0) { sum, point in
            let error = point.0 / (1 - point.1)
            return sum + error * error
        }
        return (squares / Double(residuals.count)).squareRoot()
    }

    /// Fits `y` by orthogonalising the columns, twice each, so that rounding leaves nothing of the earlier ones.
    init(_ columns: [[Double]], _ y: [Double]) {
        var basis: [(column: Int, vector: [Double], coordinates: [Double], height: Double)] = []
        var rest = y
        var leverages = [Double](repeating: 0, count: y.count)
        for (index, column) in columns.enumerated() {
            var vector = column
            var coordinates = [Double](repeating: 0, count: columns.count)
            for _ in 0..<2 {
                for earlier in basis {
                    let part = Self.dot(earlier.vector, vector)
                    coordinates[earlier.column] += part
                    for place in vector.indices { vector[place] -= part * earlier.vector[place] }
                }
            }
            let length = Self.dot(vector, vector).squareRoot()
            guard length > 1e-9 * Self.dot(column, column).squareRoot() else { continue }
            for place in vector.indices { vector[place] /= length }
            coordinates[index] = length
            let height = Self.dot(vector, rest)
            for place in rest.indices {
                rest[place] -= height * vector[place]
                leverages[place] += vector[place] * vector[place]
            }
            basis.append((index, vector, coordinates, height))
        }
        var solution = [Double](repeating: 0, count: columns.count)
        for (place, item) in basis.enumerated().reversed() {
            var value = item.height
            for later in basis[(place + 1)...] {
                value -= later.coordinates[item.column] * solution[later.column]
            }
            solution[item.column] = value / item.coordinates[item.column]
        }
        rank = basis.count
        self.basis = basis.map { ($0.column, $0.coordinates) }
        coefficients = solution
        residuals = rest
        self.leverages = leverages
    }

    private static func dot(_ a: [Double], _ b: [Double]) -> Double {
        zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
    }
}
