import Foundation
import Runtime

/// Values of `scripts/science_reference.py`, computed by NumPy, SciPy and statsmodels.
struct ScienceGolden: Decodable {
    struct Paired: Decodable {
        var differences: [Double]
        var sign, permutation: Double
    }
    struct Holm: Decodable { var values, corrected: [Double] }
    struct Correlated: Decodable {
        var x, y, pearson, spearman, slope: [Double]
        var pearson_p, spearman_p, intercept, residual: Double
        var leave_one_out, leave_one_out_mean: Double
    }
    struct Parts: Decodable { var cosine, jaccard, divergence: Double }
    struct Compared: Decodable { var plain, mixed: Parts }

    var paired: [Paired]
    var holm: Holm
    var correlations: [Correlated]
    var ids: [[[UInt64]]]
    var texts: [[String]]
    var weight: Double
    var tokens: Compared
    var characters, words: [String: Compared]

    static func load() throws -> ScienceGolden {
        let path = ReferenceCase.folder.appendingPathComponent("science.json")
        return try JSONDecoder().decode(ScienceGolden.self, from: Data(contentsOf: path))
    }
}

/// Whether two numbers agree to a relative 1e-9.
func agrees(_ a: Double?, _ b: Double?) -> Bool {
    guard let a, let b else { return a == nil && b == nil }
    return abs(a - b) <= 1e-9 * max(1e-3, abs(a), abs(b))
}

func agree(_ interval: Interval, _ golden: [Double]) -> Bool {
    agrees(interval.value, golden[0]) && agrees(interval.low, golden[1])
        && agrees(interval.high, golden[2])
}
