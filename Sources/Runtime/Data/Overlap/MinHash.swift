import Foundation
import RuntimeSupport

/// MinHash signatures (Broder 1997) in bands: documents that share a band are candidates for being alike.
///
/// Value k of a signature is the least of the k-th seeded hash over all shingles of a document; two documents agree in it
/// with the probability of their Jaccard similarity. With bands of r values, b of them, documents of similarity s share
/// a band with probability 1 − (1 − sʳ)ᵇ.
package struct MinHash: Sendable {
    /// Values in a signature.
    private static let values = 128
    /// The largest probability with which a pair at the threshold may be missed.
    package static let missed = 1e-6

    /// Values in a band.
    package let rows: Int
    /// Bands.
    package let bands: Int
    private let keys: [UInt64]

    /// Bands as wide as `missed` allows for a similarity of at least `threshold`, above 0.
    package init(threshold: Double, seed: UInt64) {
        let stream = RandomStream(seed: seed, "minhash")
        keys = (0..<Self.values).map { stream.bits(UInt64($0)) }
        let wide = (1...Self.values).last { rows in
            pow(1 - pow(threshold, Double(rows)), Double(Self.values / rows)) <= Self.missed
        }
        rows = wide ?? 1
        bands = Self.values / rows
    }

    /// The bands of a document with these shingles, each as one hash; none without shingles.
    package func bands(_ shingles: [UInt64]) -> [UInt64] {
        guard !shingles.isEmpty else { return [] }
        var least = [UInt64](repeating: .max, count: bands * rows)
        for shingle in shingles {
            for index in least.indices {
                let value = RandomStream.mix(shingle ^ keys[index])
                if value < least[index] { least[index] = value }
            }
        }
        return (0..<bands).map { band in
            var hash = UInt64(band)
            for value in least[band * rows..<(band + 1) * rows] {
                hash = RandomStream.mix(hash &* 0x9e37_79b9_7f4a_7c15 ^ value)
            }
            return hash
        }
    }
}
