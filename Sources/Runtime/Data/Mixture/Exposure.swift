/// How much has been seen of each source.
public struct Exposure: Codable, Hashable, Sendable {
    /// One source.
    public struct Entry: Codable, Hashable, Sendable {
        /// Windows seen.
        public var samples: Int
        /// Targets trained on.
        public var tokens: Int
        /// Passes over the source.
        public var epochs: Double
        /// How many tokens' worth of the loss it had; `nil` when that is its tokens.
        public var lossTokens: Double?

        /// Its part of the loss, in tokens.
        public var counted: Double { lossTokens ?? Double(tokens) }
    }

    /// By source name.
    public private(set) var entries: [String: Entry] = [:]

    /// Nothing seen yet.
    public init() {}

    /// The entry of a source; zeros if it was not seen.
    public subscript(name: String) -> Entry {
        entries[name] ?? Entry(samples: 0, tokens: 0, epochs: 0)
    }

    /// Tokens of all sources.
    public var tokens: Int { entries.values.reduce(0) { $0 + $1.tokens } }

    /// Counts samples of a source.
    ///
    /// - Parameter lossTokens: How many tokens' worth of the loss it had, where that is not the number of its tokens.
    public mutating func add(_ source: Source, samples: Int, lossTokens: Double? = nil) {
        guard samples > 0 else { return }
        var entry = self[source.name]
        if let lossTokens { entry.lossTokens = entry.counted + lossTokens }
        entry.samples += samples
        entry.tokens += samples * source.context
        entry.epochs = Double(entry.samples) / Double(source.windows)
        entries[source.name] = entry
    }

    /// Adds what another phase has seen.
    public mutating func add(_ other: Exposure) {
        for (name, entry) in other.entries {
            let mine = self[name]
            let isWeighted = mine.lossTokens != nil || entry.lossTokens != nil
            entries[name] = Entry(
                samples: mine.samples + entry.samples, tokens: mine.tokens + entry.tokens,
                epochs: mine.epochs + entry.epochs,
                lossTokens: isWeighted ? mine.counted + entry.counted : nil)
        }
    }
}

/// Exposure phase by phase.
public struct ExposureLedger: Codable, Hashable, Sendable {
    /// One phase.
    public struct Phase: Codable, Hashable, Sendable {
        /// The phase's name.
        public let name: String
        /// What it showed.
        public let exposure: Exposure
    }

    /// The phases, in order.
    public private(set) var phases: [Phase] = []

    /// An empty ledger.
    public init() {}

    /// Closes a phase with what it showed.
    public mutating func append(_ name: String, _ exposure: Exposure) {
        phases.append(Phase(name: name, exposure: exposure))
    }

    /// All phases together.
    public var total: Exposure {
        var total = Exposure()
        for phase in phases { total.add(phase.exposure) }
        return total
    }
}
