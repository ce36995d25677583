import RuntimeSupport

/// How much the tokens of each source count in the loss, apart from how often they are read.
///
/// A source with a share of the loss `l` and a share of the samples `s` has the weight `l / s`; the sources that are not
/// named divide what is left of the loss in proportion to their samples. The step's loss is the weighted mean, so that its
/// scale does not depend on what the batch happens to hold.
package struct LossEmphasis: Sendable {
    /// The share of each source of the mixture; `nil` for those that divide the rest.
    private let shares: [Double?]

    /// Takes shares of the loss by name.
    ///
    /// - Throws: `MixtureError` naming the source that is unknown or whose share is not in 0 ... 1, or the sum.
    package init(_ loss: [String: Double], of names: [String]) throws {
        for (name, share) in loss.sorted(by: { $0.key < $1.key }) {
            guard names.contains(name) else {
                throw MixtureError("mixture", "the loss of \"\(name)\": there is no such source")
            }
            guard share >= 0, share <= 1 else {
                throw MixtureError(
                    "mixture", "the loss of \"\(name)\": expected 0 ... 1, got \(share)")
            }
        }
        let sum = loss.values.sorted().reduce(0, +)
        let isComplete = loss.count == names.count
        guard sum <= 1 + 1e-6, !isComplete || sum >= 1 - 1e-6 else {
            throw MixtureError(
                "mixture",
                "the shares of the loss must sum to \(isComplete ? "1" : "at most 1"), got \(sum)")
        }
        guard isComplete || sum < 1 - 1e-9 else {
            let others = names.filter { loss[$0] == nil }
            throw MixtureError(
                "mixture",
                "the shares of the loss leave nothing for \(others.joined(separator: ", ")); expected a sum below 1, got \(sum)"
            )
        }
        shares = names.map { loss[$0] }
    }

    /// The weights of tokens of sources that have these shares of the samples; 0 for a source that has none.
    func weights(shares samples: [Double]) -> [Double] {
        let named = shares.reduce(0) { $0 + ($1 ?? 0) }
        let others = zip(shares, samples).reduce(0) { $0 + ($1.0 == nil ? $1.1 : 0) }
        return zip(shares, samples).map { share, sample in
            guard let share else { return others > 0 ? max(0, 1 - named) / others : 0 }
            return sample > 0 ? share / sample : 0
        }
    }
}
