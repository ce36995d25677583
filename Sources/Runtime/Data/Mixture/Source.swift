import RuntimeSupport

/// A token store cut into windows, in a seeded order.
///
/// Window `i` of the store holds tokens `i * context ... (i + 1) * context`: the last is a target only. The sample at
/// position `p` is window `permutation(epoch)[p % windows]` with `epoch = p / windows`: a pure function of the store's
/// content, the seed and `p`. Tokens after the last whole window are not used.
public final class Source: Sendable {
    /// The name in mixtures and tables.
    public let name: String
    /// The tokens.
    public let store: TokenStore
    /// Inputs of one sample.
    public let context: Int
    /// The seed of the order.
    public let seed: UInt64
    /// Samples of one epoch.
    public let windows: Int
    /// Of the tokens, the context and the seed, not of the name: equal digests give equal samples at every position.
    public let digest: Digest

    /// Cuts `store` into windows.
    ///
    /// - Throws: `InvalidValue` for a context below 1; `MixtureError` if the store is shorter than one window.
    public init(store: TokenStore, name: String, context: Int, seed: UInt64) throws {
        guard context >= 1 else {
            throw InvalidValue("context", expected: "a positive integer", found: context)
        }
        windows = (store.count - 1) / context
        guard windows >= 1 else {
            throw MixtureError(
                "source \"\(name)\"",
                "it has \(store.count) tokens; expected at least \(context + 1) for one window of "
                    + "\(context); add text or shorten the context")
        }
        self.store = store
        self.name = name
        self.context = context
        self.seed = seed
        var builder = DigestBuilder("source 1")
        builder.add(store.digest)
        builder.add(context)
        builder.add(seed)
        digest = builder.finish()
    }

    /// Tokens of one epoch.
    public var tokens: Int { windows * context }

    /// Which window of the store is at `position`, 0 or more.
    public func windowIndex(_ position: Int) -> Int {
        let (epoch, index) = position.quotientAndRemainder(dividingBy: windows)
        // The store's digest keeps two sources of one length and seed in different orders.
        let order = SeededPermutation(
            count: windows, seed: seed, "source order \(store.digest.hex)", round: epoch)
        return order[index]
    }

    /// Writes the `context + 1` tokens of the sample at `position`, 0 or more.
    ///
    /// - Throws: `FileError` when the tokens cannot be read.
    public func window(_ position: Int, into output: UnsafeMutablePointer<Int32>) throws {
        let start = windowIndex(position) * context
        try store.copy(start..<start + context + 1, into: output)
    }
}
