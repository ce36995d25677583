import RuntimeData
import RuntimeSupport
import RuntimeTraining

/// Whether arms gain more on a target the closer their mixture brings them to it.
public struct ProximityGain: Sendable {
    /// One mixture and one target.
    public struct Point: Sendable {
        /// The arm without its seeds.
        public let arm: String
        /// What was mixed in.
        public let mixture: Mixture
        /// The target's name.
        public let target: String
        /// similarity(mix, target) − similarity(general, target).
        public let advantage: Interval
        /// What the arm's loss lies below the reference's, mean over seeds with Student's interval.
        public let gain: Interval
        /// Repetitions of the gain.
        public let seeds: Int
        /// The part of training that is left when the mixture begins.
        public let rest: Double

        /// A point.
        public init(
            arm: String, mixture: Mixture, target: String, advantage: Interval, gain: Interval,
            seeds: Int, rest: Double = 1
        ) {
            (self.arm, self.mixture, self.target) = (arm, mixture, target)
            (self.advantage, self.gain, self.seeds) = (advantage, gain, seeds)
            self.rest = rest
        }
    }

    /// What is left when one target is taken out.
    public struct LeftOut: Sendable {
        /// The target taken out.
        public let target: String
        /// The correlation of the others; `nil` when they are fewer than three or all alike.
        public let correlation: Correlation?
        /// Root mean square error of predicting the target's gains from the line of the others.
        public let error: Double?
        /// The same from the mean of the others.
        public let errorOfMean: Double?
    }

    /// The points.
    public let points: [Point]
    /// Pearson, Spearman and the line of all points, with intervals that take them for independent.
    public let correlation: Correlation
    /// Pearson's r with the interval of 2000 resamples of the points.
    public let pearson: Interval
    /// Spearman's rho with the interval of the same resamples.
    public let spearman: Interval
    /// Pearson's r with the interval of 2000 resamples of whole targets; no limits for fewer than three targets.
    public let byTarget: Interval
    /// p of r ≥ the measured one when the advantages of every target are given to its arms in any order, so that only what
    /// happens within targets counts; by 9999 random orders.
    public let withinTargetP: Double
    /// Without each target in turn; empty for one target.
    public let leftOut: [LeftOut]
    /// gain ~ advantage with an intercept for each target; `nil` when the points cannot tell.
    public let mixed: MixedModel?
    /// Whether gains are parts of the reference's loss; nats a token otherwise.
    public let isRelative: Bool

    /// Analyses points.
    ///
    /// - Throws: `InvalidValue` for fewer than three points, or when advantages or gains are all equal.
    public init(_ points: [Point], isRelative: Bool, seed: UInt64 = 1) throws {
        let x = points.map(\.advantage.value)
        let y = points.map(\.gain.value)
        let correlation = try Correlation(x, y)
        var targets: [String] = []
        for point in points where !targets.contains(point.target) { targets.append(point.target) }
        func statistics(_ indices: [Int]) -> (Double, Double)? {
            guard let found = try? Correlation(indices.map { x[$0] }, indices.map { y[$0] }) else {
                return nil
            }
            return (found.pearson.value, found.spearman.value)
        }
        let stream = RandomStream(seed: seed, "bootstrap points")
        let drawn = (0..<2000).compactMap { replicate in
            statistics(Bootstrap.draw(points.count, replicate: replicate, stream: stream))
        }
        pearson = Bootstrap.percentile(correlation.pearson.value, drawn.map(\.0))
        spearman = Bootstrap.percentile(correlation.spearman.value, drawn.map(\.1))
        let members = targets.map { target in points.indices.filter { points[$0].target == target }
        }
        let blocks = RandomStream(seed: seed, "bootstrap targets")
        let whole =
            targets.count < 3
            ? []
            : (0..<2000).compactMap { replicate in
                statistics(
                    Bootstrap.draw(targets.count, replicate: replicate, stream: blocks).flatMap {
                        members[$0]
                    })?.0
            }
        byTarget = Bootstrap.percentile(correlation.pearson.value, whole)
        withinTargetP = Self.permutation(x, y, members, seed: seed)
        leftOut =
            targets.count < 2
            ? []
            : zip(targets, members).map { target, out in
                let others = points.indices.filter { points[$0].target != target }
                let found = try? Correlation(others.map { x[$0] }, others.map { y[$0] })
                func error(_ predicted: (Int) -> Double) -> Double {
                    let squares = out.map { (y[$0] - predicted($0)) * (y[$0] - predicted($0)) }
                    return Samples.mean(squares).squareRoot()
                }
                let mean = Samples.mean(others.map { y[$0] })
                return LeftOut(
                    target: target, correlation: found,
                    error: found.map { line in
                        error { line.fit.intercept + line.fit.slope.value * x[$0] }
                    }, errorOfMean: others.isEmpty ? nil : error { _ in mean })
            }
        mixed = try? MixedModel(
            y, [y.map { _ in 1 }, x], groups: points.map(\.target))
        self.points = points
        self.correlation = correlation
        self.isRelative = isRelative
    }

    /// Permuting within groups leaves means and spreads alone, so that r rises with the sum of products.
    private static func permutation(
        _ x: [Double], _ y: [Double], _ groups: [[Int]], seed: UInt64
    ) -> Double {
        let middle = Samples.mean(y)
        let centered = y.map { $0 - middle }
        func product(_ order: [Int]) -> Double {
            order.indices.reduce(0) { $0 + x[order[$1]] * centered[$1] }
        }
        let measured = product(Array(x.indices))
        // Orders that differ only in equal advantages must count as equal.
        let margin = 1e-12 * x.indices.reduce(0) { $0 + abs(x[$1] * centered[$1]) }
        let stream = RandomStream(seed: seed, "permute within targets")
        var (reached, counter) = (1, UInt64(0))
        var order = Array(x.indices)
        for _ in 0..<9999 {
            for group in groups where group.count > 1 {
                for last in stride(from: group.count - 1, to: 0, by: -1) {
                    let place = stream.integer(counter, below: last + 1)
                    counter += 1
                    order.swapAt(group[last], group[place])
                }
            }
            if product(order) >= measured - margin { reached += 1 }
        }
        return Double(reached) / 10000
    }
}

extension Recipe {
    /// The mixture that sets the recipe apart: of the phases after the first and unlike it, that of the most steps; the
    /// first phase's when there is none; `nil` without phases.
    public var characteristicMixture: Mixture? {
        guard let first = phases.first?.mixture else { return nil }
        var steps: [(mixture: Mixture, count: Int)] = []
        for (index, phase) in phases.enumerated() where phase.mixture != first {
            let length = max(0, end(ofPhase: index) - phase.start)
            if let place = steps.firstIndex(where: { $0.mixture == phase.mixture }) {
                steps[place].count += length
            } else {
                steps.append((phase.mixture, length))
            }
        }
        var best: (mixture: Mixture, count: Int) = (first, 0)
        for item in steps where item.count > best.count { best = item }
        return best.mixture
    }
}

extension StudyResult {
    /// The corpora that arms were finetuned on, in order of first appearance.
    public var targets: [String] {
        var names: [String] = []
        for name in rows.flatMap({ $0.arm.finetuning.map(\.corpus.name) })
        where !names.contains(name) {
            names.append(name)
        }
        return names
    }

    /// Proximity advantage and gain of every arm for some targets; arms without a mixture are left out.
    ///
    /// - Parameters:
    ///   - general: What mixtures are compared with; by default the reference's first mixture.
    ///   - relative: Whether gains are divided by the reference's loss.
    /// - Throws: `RecipeError` naming what does not exist; `MixtureError` for a corpus the similarity does not know.
    public func proximityPoints(
        _ similarity: Similarity, targets: [String], arms: [String]?, against reference: String,
        general: Mixture?, relative: Bool, stop: ShouldStop = { false }
    ) throws -> [ProximityGain.Point] {
        guard let base = rows.first(where: { $0.arm.name == reference })?.arm.recipe else {
            throw RecipeError("against", "no arm is called \(reference)")
        }
        guard let general = general ?? base.phases.first?.mixture else {
            throw RecipeError("general", "expected a mixture, as the arm \(reference) has none")
        }
        return try targets.flatMap { target -> [ProximityGain.Point] in
            let effects = try PairedEffects(
                self, names: arms, against: reference, value: measured(target))
            let groups = effects.groups.filter {
                !$0.units.isEmpty && $0.arm.recipe.characteristicMixture != nil
            }
            let mixtures = groups.compactMap(\.arm.recipe.characteristicMixture)
            let found = try similarity.proximity(
                of: mixtures, general: general, target: Mixture(only: target), stop: stop)
            return zip(groups, found).map { group, proximity in
                let gains = group.units.map { unit in
                    relative ? -unit.difference / unit.reference : -unit.difference
                }
                let estimate = Estimate(gains)
                let recipe = group.arm.recipe
                return ProximityGain.Point(
                    arm: group.label, mixture: proximity.mixture, target: target,
                    advantage: proximity.advantage, gain: Interval(estimate),
                    seeds: estimate.count,
                    rest: Double(recipe.end - recipe.branchingStep) / Double(recipe.end))
            }
        }
    }
}
