import Foundation
import RuntimeSupport

/// Counts of byte n-grams of some documents, from which models of bytes are made.
///
/// A key holds up to seven bytes and their number, so that n-grams are told apart exactly.
package struct ByteCounts: Sendable {
    /// Bytes counted.
    package private(set) var bytes = 0
    private var keys: [UInt64]
    private var counts: [UInt32]
    private var used = 0

    /// Counts every n-gram of up to `order` bytes, and every context followed by anything.
    package init(_ documents: [[UInt8]], order: Int) {
        keys = Array(repeating: 0, count: 1 << 12)
        counts = Array(repeating: 0, count: 1 << 12)
        for text in documents {
            bytes += text.count
            for end in text.indices {
                for length in 0..<min(order, end + 1) {
                    let context = Self.key(text, end - length, length)
                    add(context | Self.context)
                    add(Self.extended(context, text[end]))
                }
            }
        }
    }

    /// Marks the key of a context, whatever follows it.
    package static let context: UInt64 = 1 << 63

    /// The key of `length` bytes from `start` on.
    @inline(__always)
    package static func key(_ text: [UInt8], _ start: Int, _ length: Int) -> UInt64 {
        var key = UInt64(length + 1) << 56
        for offset in 0..<length { key |= UInt64(text[start + offset]) << UInt64(8 * offset) }
        return key
    }

    /// The key of a context with one more byte after it.
    @inline(__always)
    static func extended(_ context: UInt64, _ byte: UInt8) -> UInt64 {
        let length = (context >> 56) - 1
        return context &+ (1 << 56) | UInt64(byte) << (8 * length)
    }

    /// How often a key was counted.
    @inline(__always)
    package func count(_ key: UInt64) -> Double {
        var index = Int(truncatingIfNeeded: RandomStream.mix(key)) & (keys.count - 1)
        while keys[index] != 0 {
            if keys[index] == key { return Double(counts[index]) }
            index = (index + 1) & (keys.count - 1)
        }
        return 0
    }

    private mutating func add(_ key: UInt64) {
        var index = Int(truncatingIfNeeded: RandomStream.mix(key)) & (keys.count - 1)
        while keys[index] != 0 {
            if keys[index] == key {
                counts[index] += 1
                return
            }
            index = (index + 1) & (keys.count - 1)
        }
        keys[index] = key
        counts[index] = 1
        used += 1
        if used * 2 > keys.count { grow() }
    }

    private mutating func grow() {
        let old = (keys, counts)
        keys = Array(repeating: 0, count: old.0.count * 2)
        counts = Array(repeating: 0, count: old.0.count * 2)
        for (key, count) in zip(old.0, old.1) where key != 0 {
            var index = Int(truncatingIfNeeded: RandomStream.mix(key)) & (keys.count - 1)
            while keys[index] != 0 { index = (index + 1) & (keys.count - 1) }
            keys[index] = key
            counts[index] = count
        }
    }
}

/// A model of the next byte from the bytes before it, of corpora mixed by exact weighting of their counts.
///
/// P(b | h) = (c(h b) + α P(b | h′)) / (c(h) + α), where h′ is h without its first byte and P of no context is 1/256.
///
/// - Source: MacKay and Peto (1995), A hierarchical Dirichlet language model.
package struct NgramModel {
    /// The longest n-gram, in bytes.
    package static let longest = 6
    /// α: how many counts a context needs to weigh as much as the shorter one.
    static let smoothing = 4.0

    private let parts: [(scale: Double, counts: ByteCounts)]
    private let order: Int

    /// Mixes counts: each corpus' counts are brought to one size, the weighted mean of all sizes, and to its weight.
    package init(_ parts: [(weight: Double, counts: ByteCounts)], order: Int) {
        let bytes = parts.reduce(0) { $0 + $1.weight * Double($1.counts.bytes) }
        self.parts = parts.map { ($0.weight * bytes / Double(max(1, $0.counts.bytes)), $0.counts) }
        self.order = order
    }

    /// The bits that a text takes.
    package func bits(_ text: [UInt8]) -> Double {
        var bits = 0.0
        for end in text.indices {
            var probability = 1.0 / 256
            for length in 0..<min(order, end + 1) {
                let context = ByteCounts.key(text, end - length, length)
                let total = count(context | ByteCounts.context)
                // A context that was never seen says nothing, and neither do longer ones.
                guard total > 0 else { break }
                let next = count(ByteCounts.extended(context, text[end]))
                probability = (next + Self.smoothing * probability) / (total + Self.smoothing)
            }
            bits -= log2(probability)
        }
        return bits
    }

    @inline(__always)
    private func count(_ key: UInt64) -> Double {
        var sum = 0.0
        for part in parts { sum += part.scale * part.counts.count(key) }
        return sum
    }
}
