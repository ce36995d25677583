import Foundation

/// Counter-based random numbers: value `i` of a stream is a pure function of (seed, stream, i).
///
/// Built on the SplitMix64 finaliser, applied twice with the key in between. The stream name keeps independent uses
/// (initial weights, source order, sampling) apart whatever else draws.
public struct RandomStream: Sendable {
    private let key: UInt64

    /// The stream called `name` under `seed`.
    public init(seed: UInt64, _ name: String) {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        key = Self.mix(Self.mix(seed &+ 0x9e37_79b9_7f4a_7c15) ^ hash)
    }

    package static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// 64 random bits.
    public func bits(_ index: UInt64) -> UInt64 {
        Self.mix(Self.mix(index &* 0x9e37_79b9_7f4a_7c15 &+ key) ^ key)
    }

    /// A number in `0 ..< 1` with 53 random bits.
    public func uniform(_ index: UInt64) -> Double { Double(bits(index) >> 11) * 0x1p-53 }

    /// A standard normal number (Box–Muller on values `2 index` and `2 index + 1`).
    public func normal(_ index: UInt64) -> Double {
        let u = 1 - uniform(2 &* index)
        let v = uniform(2 &* index &+ 1)
        return (-2 * log(u)).squareRoot() * cos(2 * .pi * v)
    }

    /// An integer in `0 ..< bound`, without modulo bias beyond 2⁻⁶⁴ · bound.
    public func integer(_ index: UInt64, below bound: Int) -> Int {
        Int(bits(index).multipliedFullWidth(by: UInt64(bound)).high)
    }
}

/// A permutation of `0 ..< count` computed point by point in constant memory.
///
/// Four Feistel rounds on the smallest even number of bits that covers `count`, walking cycles until the value is in range.
public struct SeededPermutation: Sendable {
    /// How many values are permuted.
    public let count: Int
    private let half: UInt64
    private let keys: [UInt64]

    /// The permutation number `round` (an epoch, say) of the stream `name` under `seed`.
    public init(count: Int, seed: UInt64, _ name: String, round: Int) {
        self.count = count
        let bits = max(2, 64 - max(0, count - 1).leadingZeroBitCount)
        half = UInt64((bits + 1) / 2)
        let stream = RandomStream(seed: seed, name)
        keys = (0..<4).map { stream.bits(UInt64(round) &* 4 &+ $0) }
    }

    /// Where `index` goes; `index` must be in `0 ..< count`.
    public subscript(_ index: Int) -> Int {
        let mask = (UInt64(1) << half) - 1
        var value = UInt64(index)
        repeat {
            var left = value >> half
            var right = value & mask
            for key in keys {
                (left, right) = (right, left ^ (RandomStream.mix(right &+ key) & mask))
            }
            value = left << half | right
        } while value >= UInt64(count)
        return Int(value)
    }
}
