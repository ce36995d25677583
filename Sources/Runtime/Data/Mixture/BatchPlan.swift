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
    /// The mixture.
    public let mixture: Mixture
    /// Rows of a batch.
    public let batch: Int
    /// Steps of the phase.
    public let steps: Int
    /// Where the sources stand when it begins.
    public let start: SourceCursors
    private let sequence: MixtureSequence

    /// Plans a phase.
    ///
    /// - Parameters:
    ///   - sources: At least those of the mixture, with one context.
    ///   - repeating: Names of sources that may be read more than once through; `nil` allows it for all.
    /// - Throws: `InvalidValue` for a batch below 1 or negative steps; `MixtureError` for an unknown source, contexts
    ///   that differ, or a source that would repeat: its tokens, the tokens needed, and what to change.
    public init(
        mixture: Mixture, sources: [Source], batch: Int, steps: Int, start: SourceCursors,
        repeating: Set<String>? = []
    ) throws {
        guard batch >= 1, batch <= 1 << 24 else {
            throw InvalidValue("batch", expected: "a positive integer", found: batch)
        }
        guard steps >= 0, steps <= 1 << 36 else {
            throw InvalidValue("steps", expected: "0 or more", found: steps)
        }
        try mixture.check(against: sources.map(\.name))
        let used = try mixture.parts.map { part in
            let named = sources.filter { $0.name == part.name }
            guard named.count == 1, let source = named.first else {
                throw MixtureError("mixture", "\(named.count) sources are called \"\(part.name)\"")
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
        sequence = try MixtureSequence(mixture, samples: batch * steps)
        if let repeating { try checkRepeats(repeating) }
    }

    private func checkRepeats(_ repeating: Set<String>) throws {
        let counts = sequence.counts(batch * steps)
        for (source, count) in zip(sources, counts) where !repeating.contains(source.name) {
            let needed = start[source.name] + count
            guard needed > source.windows else { continue }
            let before = start[source.name] * source.context
            let earlier = before > 0 ? " (\(before) of them in earlier phases)" : ""
            throw MixtureError(
                "source \"\(source.name)\"",
                "it holds \(source.tokens) tokens (\(source.windows) windows of \(source.context)), "
                    + "but \(needed * source.context) are needed\(earlier), so it would repeat; "
                    + "add text, lower its weight \(mixture.weight(source.name)), take fewer steps "
                    + "or a smaller batch, or allow it to repeat")
        }
    }

    /// Inputs of one row.
    public var context: Int { sources[0].context }

    /// The rows of step `step` in `0 ..< steps`.
    public func rows(_ step: Int) -> [Row] {
        precondition(step >= 0 && step < steps, "step out of range")
        var counts = sequence.counts(step * batch)
        return (step * batch..<(step + 1) * batch).map { sample in
            let source = sequence.source(sample)
            defer { counts[source] += 1 }
            return Row(source: source, position: start[sources[source].name] + counts[source])
        }
    }

    /// The tokens of step `step` in `0 ..< steps`: `batch` rows of `context` columns, every target counted.
    ///
    /// - Throws: `FileError` when the tokens cannot be read.
    public func tokens(_ step: Int) throws -> TokenBatch {
        var result = TokenBatch(rows: batch, columns: context, filler: 0)
        var window = [Int32](repeating: 0, count: context + 1)
        for (index, row) in rows(step).enumerated() {
            try window.withUnsafeMutableBufferPointer { buffer in
                if let base = buffer.baseAddress {
                    try sources[row.source].window(row.position, into: base)
                }
            }
            result.inputs.replaceSubrange(
                index * context..<(index + 1) * context, with: window[..<context])
            result.targets.replaceSubrange(
                index * context..<(index + 1) * context, with: window[1...])
        }
        return result
    }

    /// Where the sources stand after the first `count` steps, `0 ... steps`.
    public func cursors(after count: Int) -> SourceCursors {
        var cursors = start
        for (source, samples) in zip(sources, sequence.counts(count * batch)) {
            cursors.advance(source.name, by: samples)
        }
        return cursors
    }

    /// What the first `count` steps show of each source.
    public func exposure(after count: Int) -> Exposure {
        var exposure = Exposure()
        for (source, samples) in zip(sources, sequence.counts(count * batch)) {
            exposure.add(source, samples: samples)
        }
        return exposure
    }
}
