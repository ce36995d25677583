import Foundation

/// Random numbers of a test, the same in every run of the same seed (SplitMix64).
public struct Draws: RandomNumberGenerator {
    /// The seed, for the message of a failure.
    public let seed: UInt64
    private var state: UInt64

    /// Numbers of `MTREPL_SEED`, or else of a fixed seed.
    public init(seed: UInt64) {
        self.seed =
            ProcessInfo.processInfo.environment["MTREPL_SEED"].flatMap { UInt64($0) } ?? seed
        state = self.seed
    }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
