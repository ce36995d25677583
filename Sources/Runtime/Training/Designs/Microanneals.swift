import RuntimeData
import RuntimeSupport

/// Short decays from one trunk on a share of each of several candidate corpora, with the decay on the trunk's own mixture
/// as their control.
public struct Microanneals {
    /// The recipe that decays leave.
    public var trunk: Recipe
    /// The step they leave it at.
    public var from: Int
    /// Their steps; `nil` to the trunk's last.
    public var steps: Int?
    /// The course of the learning rate over them.
    public var rates: RateChange
    /// The corpora to try.
    public var candidates: [Corpus]
    /// Their shares of the mixture.
    public var shares: [Double]
    /// Seeds of the trunk; none for its own.
    public var seeds: [Int]

    /// Creates the design; see the properties.
    public init(
        trunk: Recipe, from: Int, steps: Int?, rates: RateChange, candidates: [Corpus],
        shares: [Double], seeds: [Int]
    ) {
        (self.trunk, self.from, self.steps, self.rates) = (trunk, from, steps, rates)
        (self.candidates, self.shares, self.seeds) = (candidates, shares, seeds)
    }

    /// The arms: the control `base`, then a decay for each candidate, share and seed, called `candidate`.
    ///
    /// - Throws: `RecipeError` when the trunk has no mixture at `from` or one that changes, or candidates share a name;
    ///   as `Recipe.switching`.
    public func arms(finetuning: [FinetuningGrid] = []) throws -> [Arm] {
        guard let phase = trunk.phases.last(where: { $0.start <= from }), phase.ramp == nil else {
            throw RecipeError(
                "from", "a step with a mixture that does not change expected, got \(from)")
        }
        let names = candidates.map(\.name)
        guard !names.isEmpty, Set(names).count == names.count else {
            throw RecipeError(
                "candidates",
                "corpora with names of their own expected, got \(names.joined(separator: ", "))")
        }
        var arms: [Arm] = []
        for seed in seeds.isEmpty ? [nil] : seeds.map(Optional.some) {
            for candidate in candidates {
                for share in shares {
                    var parameters: [(name: String, value: ArmValue)] = [
                        ("candidate", .text(candidate.name)), ("share", .number(share)),
                    ]
                    if let seed { parameters.append(("seed", .integer(seed))) }
                    arms.append(
                        Arm(
                            name: "candidate", parameters: parameters,
                            recipe: try decay(
                                seed, candidate, try mixture(phase.mixture, candidate.name, share)),
                            finetuning: []))
                }
            }
        }
        let control = Control("base") { seed, _ in
            var number: Int?
            if case .integer(let value)? = seed { number = value }
            return try decay(number, nil, phase.mixture)
        }
        return try Control.arms(arms, controls: [control], finetuning: finetuning)
    }

    private func mixture(_ base: Mixture, _ name: String, _ share: Double) throws -> Mixture {
        var weights = Dictionary(
            uniqueKeysWithValues: base.parts.map { ($0.name, (1 - share) * base.weight($0.name)) })
        weights[name, default: 0] += share
        return try Mixture(weights.map { (name: $0.key, weight: $0.value) })
    }

    private func decay(_ seed: Int?, _ candidate: Corpus?, _ mixture: Mixture) throws -> Recipe {
        var recipe = trunk
        if let seed { recipe.seed = UInt64(seed) }
        var change = PhaseChange()
        change.rates = rates
        let end = steps.map { from + $0 } ?? recipe.steps
        let branch = try recipe.switching(
            from: from, mixture: mixture, name: "anneal", length: steps,
            corpora: candidate.map { [$0.name: $0] } ?? [:], change: change)
        return end < recipe.steps ? try branch.ending(at: end) : branch
    }
}
