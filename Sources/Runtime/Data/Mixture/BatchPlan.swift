import RuntimeSupport

/// Where each source stands, as the position of its next sample.
///
/// A source not named stands at 0.
public struct SourceCursors: Codable, Hashable, Sendable {
    /// Positions by source name.
    public private(set) var positions: [String: Int]

    /// Every source at its beginning.
    public init() { positions = [:] }

    /// The position of a source's next sample.
    public subscript(name: String) -> Int { positions[name] ?? 0 }

    /// Sends a source back to its beginning, as it is another one from now on.
    package mutating func restart(_ name: String) { positions[name] = nil }

    /// Moves a source forward.
    public mutating func advance(_ name: String, by samples: Int) {
        guard samples > 0 else { return }
        positions[name, default: 0] += samples
    }
}

/// The batches of one phase: which sample of which source is in each row of each step.
///
/// A pure function of the mixture, the sources, the batch size and where the sources stood when the phase began, so
/// any step can be asked for first. Every source goes on from where earlier phases left it.
public struct BatchPlan: Sendable {
    /// One row of a batch.
    public struct Row: Hashable, Sendable {
        /// The index in `sources`.
        public let source: Int
        /// The position in that source's order.
        public let position: Int
    }

    /// The sources of the mixture, in its order.
    public let sources: [Source]
    /// The mixture; of a ramp, its mean.
    public let mixture: Mixture
    /// Rows of a batch.
    public let batch: Int
    /// Steps of the phase.
    public let steps: Int
    /// Where the sources stand when it begins.
    public let start: SourceCursors
    private let order: Order
    private let emphasis: LossEmphasis?

    private enum Order: Sendable {
        case constant(MixtureSequence)
        case ramp(RampOrder)
    }

    /// Plans a phase.
    ///
    /// - Parameters:
    ///   - ramp: Weights that change over the phase, whose mean the mixture is.
    ///   - loss: The share of the loss that sources have, by name, where it is not their share of the samples.
    ///   - sources: At least those of the mixture, with one context.
    ///   - repeating: Names of sources that may be read more than once through; `nil` allows it for all.
    /// - Throws: `InvalidValue` for a batch below 1 or negative steps; `MixtureError` for an unknown source, contexts
    ///   that differ, or a source that would repeat: its tokens, the tokens needed, and what to change.
    public init(
        mixture: Mixture, ramp: MixtureRamp? = nil, loss: [String: Double] = [:],
        sources: [Source], batch: Int, steps: Int, start: SourceCursors,
        repeating: Set<String>? = []
    ) throws {
        guard batch >= 1, batch <= 1 << 24 else {
            throw InvalidValue("batch", expected: "a positive integer", found: batch)
        }
        guard steps >= 0, steps <= 1 << 36 else {
            throw InvalidValue("steps", expected: "0 or more", found: steps)
        }
        try mixture.check(against: sources.map(\.name))
        let names = ramp?.parts.map(\.name) ?? mixture.parts.map(\.name)
        let used = try names.map { name in
            let named = sources.filter { $0.name == name }
            guard named.count == 1, let source = named.first else {
                throw MixtureError("mixture", "\(named.count) sources are called \"\(name)\"")
            }
            return source
        }
        if let odd = used.first(where: { $0.context != used[0].context }) {
            throw MixtureError(
                "source \"\(odd.name)\"",
                "its context is \(odd.context); expected \(used[0].context), that of "
                    + "\"\(used[0].name)\"")
        }
        self.sources = used
        self.mixture = mixture
        self.batch = batch
        self.steps = steps
        self.start = start
        if let ramp {
            order = .ramp(try RampOrder(ramp, batch: batch, steps: steps))
        } else {
            order = .constant(try MixtureSequence(mixture, samples: batch * steps))
        }
        emphasis = try loss.isEmpty ? nil : LossEmphasis(loss, of: names)
        if let repeating { try checkRepeats(repeating) }
    }

    private func checkRepeats(_ repeating: Set<String>) throws {
        for (source, count) in zip(sources, counts(steps)) where !repeating.contains(source.name) {
            let needed = start[source.name] + count
            guard needed > source.unread else { continue }
            let before = start[source.name] * source.context
            let earlier = before > 0 ? " (\(before) of them in earlier phases)" : ""
            throw MixtureError(
                "source \"\(source.name)\"",
                "it holds \(source.unread * source.context) tokens (\(source.unread) windows of "
                    + "\(source.context)), but \(needed * source.context) are needed\(earlier), so it would repeat; "
                    + "add text, lower its weight \(mixture.weight(source.name)), take fewer steps "
                    + "or a smaller batch, or allow it to repeat")
        }
    }

    /// Inputs of one row.
    public var context: Int { sources[0].context }

    /// The rows of step `step` in `0 ..< steps`.
    public func rows(_ step: Int) -> [Row] {
        precondition(step >= 0 && step < steps, "step out of range")
        var counts = counts(step)
        let chosen: [Int] =
            switch order {
            case .constant(let sequence):
                (step * batch..<(step + 1) * batch).map { sequence.source($0) }
            case .ramp(let order): order.sources(step)
            }
        return chosen.map { source in
            defer { counts[source] += 1 }
            return Row(source: source, position: start[sources[source].name] + counts[source])
        }
    }

    /// How many samples each source gives in the first `count` steps.
    private func counts(_ count: Int) -> [Int] {
        switch order {
        case .constant(let sequence): sequence.counts(count * batch)
        case .ramp(let order): order.counts(count)
        }
    }

    /// How much a token of each source counts in the loss of step `step`, relative to the others; `nil` where all count
    /// the same.
    public func lossWeights(_ step: Int) -> [Double]? {
        emphasis.map { emphasis in
            emphasis.weights(
                shares: sources.indices.map { source in
                    switch order {
                    case .constant: mixture.weight(sources[source].name)
                    case .ramp(let order): order.share(source, step)
                    }
                })
        }
    }

    /// The tokens of step `step` in `0 ..< steps`: rows of `context` columns, every target counted, all in one batch; or
    /// one batch for each source where their losses count differently.
    ///
    /// - Throws: `FileError` when the tokens cannot be read.
    public func tokens(_ step: Int) throws -> [TokenBatch] {
        let rows = rows(step)
        guard let weights = lossWeights(step) else { return [try tokens(of: rows, weight: 1)] }
        guard rows.contains(where: { weights[$0.source] > 0 }) else {
            throw MixtureError(
                "mixture",
                "step \(step) of the phase reads only sources whose share of the loss is 0; take a larger batch"
            )
        }
        return try sources.indices.compactMap { source in
            let own = rows.filter { $0.source == source }
            return own.isEmpty ? nil : try tokens(of: own, weight: weights[source])
        }
    }

    private func tokens(of rows: [Row], weight: Double) throws -> TokenBatch {
        var result = TokenBatch(rows: rows.count, columns: context, filler: 0)
        result.weight = weight
        try result.inputs.withUnsafeMutableBufferPointer { inputs in
            try result.targets.withUnsafeMutableBufferPointer { targets in
                guard let inputs = inputs.baseAddress, let targets = targets.baseAddress else {
                    return
                }
                for (index, row) in rows.enumerated() {
                    try sources[row.source].sample(
                        row.position, inputs: inputs + index * context,
                        targets: targets + index * context)
                }
            }
        }
        return result
    }

    /// Where the sources stand after the first `count` steps, `0 ... steps`.
    public func cursors(after count: Int) -> SourceCursors {
        var cursors = start
        for (source, samples) in zip(sources, counts(count)) {
            cursors.advance(source.name, by: samples)
        }
        return cursors
    }

    /// What the first `count` steps show of each source.
    public func exposure(after count: Int) -> Exposure {
        var exposure = Exposure()
        var counted = [Double?](repeating: nil, count: sources.count)
        if emphasis != nil { counted = lossTokens(count) }
        for (index, samples) in counts(count).enumerated() {
            exposure.add(sources[index], samples: samples, lossTokens: counted[index])
        }
        return exposure
    }

    /// How many tokens' worth of the loss each source has in the first `count` steps.
    private func lossTokens(_ count: Int) -> [Double] {
        var result = [Double](repeating: 0, count: sources.count)
        for step in 0..<count {
            guard let weights = lossWeights(step) else { continue }
            let (before, after) = (counts(step), counts(step + 1))
            let parts = sources.indices.map { Double(after[$0] - before[$0]) * weights[$0] }
            let sum = parts.reduce(0, +)
            for (source, part) in parts.enumerated() {
                result[source] += part / sum * Double(batch * context)
            }
        }
        return result
    }
}
