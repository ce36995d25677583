import RuntimeSupport

/// A token store cut into windows, in a seeded order.
///
/// Window `i` of the store holds tokens `i * context ... (i + 1) * context`: the last is a target only. The sample at
/// position `p` is window `permutation(epoch)[p % windows]` with `epoch = p / windows`: a pure function of the store's
/// content, the seed and `p`. Tokens after the last whole window are not used.
///
/// A source that goes on from another begins with what that one left unread of its epoch.
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
    /// What an earlier source left of its epoch, which comes first.
    private let rest: UnreadWindows?
    /// Epochs that earlier sources began.
    private let epochsBefore: Int

    /// Cuts `store` into windows.
    ///
    /// - Throws: `InvalidValue` for a context below 1; `MixtureError` if the store is shorter than one window.
    public convenience init(store: TokenStore, name: String, context: Int, seed: UInt64) throws {
        var builder = DigestBuilder("source 1")
        builder.add(store.digest)
        builder.add(context)
        builder.add(seed)
        try self.init(
            store, name: name, context: context, seed: seed, rest: nil, epochsBefore: 0,
            digest: builder.finish())
    }

    /// Goes on where another source is at `position`, with windows of another length or in another order: first what it
    /// left unread of its epoch, then whole epochs.
    ///
    /// - Throws: as the other initialiser.
    public convenience init(
        continuing other: Source, at position: Int, context: Int, seed: UInt64
    ) throws {
        guard position > 0 || other.rest != nil else {
            try self.init(
                store: other.store, name: other.name, context: context, seed: seed)
            return
        }
        var builder = DigestBuilder("source that goes on")
        builder.add(other.digest)
        builder.add(position)
        builder.add(context)
        builder.add(seed)
        let (stretches, epochs) = other.unread(after: position)
        try self.init(
            other.store, name: other.name, context: context, seed: seed,
            rest: UnreadWindows(stretches, context: max(1, context)), epochsBefore: epochs,
            digest: builder.finish())
    }

    private init(
        _ store: TokenStore, name: String, context: Int, seed: UInt64, rest: UnreadWindows?,
        epochsBefore: Int, digest: Digest
    ) throws {
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
        self.rest = rest
        self.epochsBefore = epochsBefore
        self.digest = digest
    }

    /// Tokens of one epoch.
    public var tokens: Int { windows * context }

    /// Samples before any token is read for a second time.
    public var unread: Int { rest?.count ?? windows }

    /// Which of the windows of its epoch is at `position`.
    private func window(_ position: Int) -> (index: Int, isRest: Bool) {
        if let rest, position < rest.count {
            return (order(of: rest.count, round: epochsBefore)[position], true)
        }
        let (epoch, index) = (position - (rest?.count ?? 0)).quotientAndRemainder(
            dividingBy: windows)
        let before = epochsBefore + (rest == nil ? 0 : 1)
        return (order(of: windows, round: before + epoch)[index], false)
    }

    private func order(of count: Int, round: Int) -> SeededPermutation {
        // The store's digest keeps two sources of one length and seed in different orders.
        SeededPermutation(
            count: count, seed: seed, "source order \(store.digest.hex)", round: round)
    }

    /// The inputs of the sample at `position`, 0 or more, as pieces of the store; what follows each is its target.
    public func pieces(_ position: Int) -> [Range<Int>] {
        let (index, isRest) = window(position)
        if isRest, let rest { return rest.pieces(index) }
        return [index * context..<(index + 1) * context]
    }

    /// The stretches that nobody has read in the epoch that `position` lies in, in order, and the epochs before it.
    private func unread(after position: Int) -> (stretches: [Range<Int>], epochs: Int) {
        let restCount = rest?.count ?? 0
        var left: [Range<Int>] = []
        let epochs: Int
        if position < restCount {
            for place in position..<restCount { left += pieces(place) }
            epochs = epochsBefore
        } else {
            let (epoch, index) = (position - restCount).quotientAndRemainder(dividingBy: windows)
            epochs = epochsBefore + (rest == nil ? 0 : 1) + epoch
            if index == 0 {
                left = [0..<store.count - 1]
            } else {
                for place in position..<position + windows - index { left += pieces(place) }
                // What no window of this length holds has not been read either.
                if tokens < store.count - 1 { left.append(tokens..<store.count - 1) }
            }
        }
        left.sort { $0.lowerBound < $1.lowerBound }
        var merged: [Range<Int>] = []
        for piece in left {
            if let last = merged.last, last.upperBound == piece.lowerBound {
                merged[merged.count - 1] = last.lowerBound..<piece.upperBound
            } else {
                merged.append(piece)
            }
        }
        return (merged, epochs)
    }

    /// Writes the inputs of the sample at `position`, 0 or more, and the target of each, `context` of both.
    ///
    /// - Throws: `FileError` when the tokens cannot be read.
    public func sample(
        _ position: Int, inputs: UnsafeMutablePointer<Int32>,
        targets: UnsafeMutablePointer<Int32>
    ) throws {
        var place = 0
        for piece in pieces(position) {
            try store.copy(piece, into: inputs + place)
            try store.copy(piece.lowerBound + 1..<piece.upperBound + 1, into: targets + place)
            place += piece.count
        }
    }
}
