extension StudyResult {
    /// The learning rates that every finetuned arm was tried at, in their order.
    public var commonRates: [Double] {
        let lists = rows.filter { !$0.candidates.isEmpty }.map { row in
            row.candidates.map(\.settings.learningRate.peak)
        }
        guard let first = lists.first else { return [] }
        return first.filter { rate in lists.allSatisfy { $0.contains(rate) } }
    }

    /// The same result with one learning rate of finetuning for all arms, in place of one chosen for each.
    ///
    /// - Parameter rate: By default the one of the lowest loss on valid, the mean over all arms.
    /// - Throws: `RecipeError` when nothing was finetuned, or not every arm at this rate.
    public func with(rate: Double?) throws -> StudyResult {
        if let column = added.min() {
            throw RecipeError(
                "rate",
                "the column \(column) was added for the rates chosen so far; choose the rate first")
        }
        let known = commonRates
        let finetuned = rows.filter { !$0.candidates.isEmpty }
        func candidate(_ row: Row, _ rate: Double) -> Int? {
            row.candidates.firstIndex { $0.settings.learningRate.peak == rate }
        }
        func loss(_ rate: Double) -> Double {
            finetuned.reduce(0) { sum, row in
                sum + (candidate(row, rate).map { row.candidates[$0].validLoss } ?? .infinity)
            }
        }
        guard let best = rate ?? known.min(by: { loss($0) < loss($1) }) else {
            throw RecipeError(
                "rate", "no learning rate of finetuning was tried on every arm; nothing to choose")
        }
        guard known.contains(best) else {
            throw RecipeError(
                "rate",
                "no finetuning of every arm at \(best); known: \(known.map { "\($0)" }.joined(separator: ", "))"
            )
        }
        var result = self
        for index in rows.indices { result.rows[index].choice = candidate(rows[index], best) }
        return result
    }
}
