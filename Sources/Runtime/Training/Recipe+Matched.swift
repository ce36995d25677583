extension Recipe {
    /// The same recipe with another mixture from step `from` on, for as long as it takes to read exactly `samples`
    /// samples of one of its sources; then the mixture before returns.
    ///
    /// Arms made like this have seen the same of the source whatever their start and weight. Whole steps of the mixture
    /// come first; if they do not come out even, one step of both mixtures together gives the rest.
    ///
    /// - Throws: `RecipeError` naming the field when the mixture before reads the source too, or the samples do not fit
    ///   before the last step; otherwise as `switching(from:mixture:name:length:corpora:)`.
    public func switching(
        from: Int, mixture: Mixture, name: String, reading source: String, samples: Int,
        corpora more: [String: Corpus]
    ) throws -> Recipe {
        func fail(_ reason: String) -> RecipeError { RecipeError("tokens_of", reason) }
        let tokens = model.context
        guard mixture.weight(source) > 0 else {
            throw fail(
                "the mixture does not read \"\(source)\"; it reads "
                    + mixture.parts.map(\.name).joined(separator: ", "))
        }
        guard samples >= 1 else {
            throw fail("expected at least one sequence of \(tokens) tokens, got \(samples)")
        }
        // Checks `from` as well.
        var result = try switching(
            from: from, mixture: mixture, name: name, length: nil, corpora: more)
        guard from == 0 || phases.allSatisfy({ $0.start > from || $0.mixture.weight(source) == 0 })
        else {
            throw fail(
                "a phase before step \(from) reads \"\(source)\" already, so that its total would be more "
                    + "than \(samples * tokens) tokens")
        }
        let sequence = try MixtureSequence(mixture, samples: batch * (steps - from))
        guard let index = mixture.parts.firstIndex(where: { $0.name == source }) else {
            throw fail("the mixture does not read \"\(source)\"")
        }
        func read(_ count: Int) -> Int { sequence.counts(batch * count)[index] }
        var (whole, tooLong) = (0, steps - from + 1)
        while tooLong - whole > 1 {
            let middle = (whole + tooLong) / 2
            if read(middle) <= samples { whole = middle } else { tooLong = middle }
        }
        let rest = samples - read(whole)
        let end = from + whole + (rest > 0 ? 1 : 0)
        guard end <= steps else {
            throw fail(
                "\(samples * tokens) tokens of \"\(source)\" at weight \(mixture.weight(source)) do not fit "
                    + "between step \(from) and the last step \(steps), which hold \(read(whole) * tokens); "
                    + "start earlier, raise the weight or ask for fewer")
        }
        let before = phases.last { $0.start <= from }?.mixture
        guard let before, from > 0 || before.weight(source) == 0 || end == steps else {
            throw fail(
                "the mixture that returns at step \(end) reads \"\(source)\" too, so that its total would be "
                    + "more than \(samples * tokens) tokens")
        }
        if whole == 0 { result.phases.removeLast() }
        if rest > 0 {
            let share = Double(rest) / Double(batch)
            let others = before.parts.map { ($0.name, (1 - share) * before.weight($0.name)) }
            result.phases.append(
                Phase(
                    name: name, start: from + whole,
                    mixture: try Mixture(
                        [(name: source, weight: share)]
                            + others.map { (name: $0.0, weight: $0.1) })))
        }
        if end < steps {
            let name = phases.last { $0.start <= from }?.name ?? "pretrain"
            result.phases.append(Phase(name: name, start: end, mixture: before))
        }
        result.promise = (source, samples)
        try result.validate()
        return result
    }
}

extension Trajectory {
    /// Checks that the recipe reads as much of a source as it promised.
    ///
    /// - Throws: `RecipeError`, for instance after the batch was changed.
    func checkPromise() throws {
        guard let promise = recipe.promise else { return }
        let found = exposure(at: recipe.steps).total[promise.source].samples
        guard found == promise.samples else {
            let context = recipe.model.context
            throw RecipeError(
                "tokens_of",
                "the recipe promises \(promise.samples * context) tokens of \"\(promise.source)\" but reads "
                    + "\(found * context); change batch, steps and model before midtrain()")
        }
    }
}
