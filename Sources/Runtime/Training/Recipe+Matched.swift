import RuntimeData
import RuntimeSupport

extension Recipe {
    /// The same recipe with another mixture from step `from` on, for as long as it takes to read exactly `tokens` tokens
    /// of one of its sources; then the mixture before returns.
    ///
    /// Arms made like this have seen the same of the source whatever their start and weight. Whole steps of the mixture
    /// come first; if they do not come out even, one step of both mixtures together gives the rest.
    ///
    /// - Throws: `RecipeError` naming the field when the tokens are not whole sequences, do not fit before the last step,
    ///   or another phase reads the source too; otherwise as `switching(from:mixture:name:length:corpora:)`.
    public func switching(
        from: Int, mixture: Mixture, name: String, reading source: String, tokens: Int,
        corpora more: [String: Corpus], replacing: Bool = false,
        change: PhaseChange = PhaseChange()
    ) throws -> Recipe {
        func fail(_ reason: String) -> RecipeError { RecipeError("tokens_of", reason) }
        // Checks `from` as well.
        var result = try switching(
            from: from, mixture: mixture, name: name, length: nil, corpora: more,
            replacing: replacing, change: change)
        guard change.ramp == nil else {
            throw fail("the weights change over the phase; give `length` in place of it")
        }
        guard let phase = result.phases.last else { return result }
        let batch = phase.settings.batch ?? batch
        let context = phase.settings.context ?? model.context
        guard let index = mixture.parts.firstIndex(where: { $0.name == source }) else {
            let names = mixture.parts.map(\.name)
            throw fail(
                "the mixture does not read \"\(source)\"; expected one of "
                    + names.joined(separator: ", ") + NearestName.hint(source, among: names))
        }
        let samples = try wholeSamples(tokens, of: source, context)
        let sequence = try MixtureSequence(mixture, samples: batch * (steps - from))
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
                "\(tokens) tokens of \"\(source)\" at weight \(mixture.weight(source)) do not fit between step "
                    + "\(from) and the last step \(steps), which hold \(read(whole) * context); "
                    + "start earlier, raise the weight or ask for fewer")
        }
        guard var returning = phases.last(where: { $0.start <= from }) else { return result }
        guard returning.ramp == nil || (end == steps && rest == 0) else {
            throw fail("the mixture before is a ramp, which cannot return after it")
        }
        var others = phases.filter { $0.start < from }
        if end < steps || rest > 0 { others.append(returning) }
        if let other = others.first(where: { $0.mixture.weight(source) > 0 }) {
            throw fail(
                "the phase \(other.name) reads \"\(source)\" too (weight \(other.mixture.weight(source))), so that "
                    + "its total would be more than \(tokens) tokens")
        }
        if whole == 0 { result.phases.removeLast() }
        if rest > 0 {
            let share = Double(rest) / Double(batch)
            let shared = returning.mixture.parts.map { part in
                (name: part.name, weight: (1 - share) * returning.mixture.weight(part.name))
            }
            var last = phase
            last.start = from + whole
            last.mixture = try Mixture([(name: source, weight: share)] + shared)
            last.resetsOptimizer = whole == 0 && phase.resetsOptimizer
            result.phases.append(last)
        }
        if end < steps {
            returning.start = end
            returning.startFraction = nil
            returning.resetsOptimizer = false
            result.phases.append(returning)
        }
        for place in result.phases.indices
        where result.phases[place].start >= from
            && result.phases[place].settings.rates?.start == from && change.rates != nil
        {
            result.phases[place].settings.rates?.steps = end - from
        }
        result.promise = (source, samples)
        try result.validate()
        return result
    }

    private func wholeSamples(_ tokens: Int, of source: String, _ context: Int) throws -> Int {
        let (samples, odd) = tokens.quotientAndRemainder(dividingBy: context)
        guard samples >= 1, odd == 0 else {
            let near = Int.saturatingProduct(max(1, samples), context)
            throw RecipeError(
                "tokens_of",
                "\(tokens) tokens of \"\(source)\" are not whole sequences of \(context); expected "
                    + "\(near) or \(Int.saturatingSum(near, context))")
        }
        return samples
    }
}

extension Trajectory {
    /// Checks that the recipe reads as much of a source as it promised.
    ///
    /// - Throws: `RecipeError`, for instance after the batch was changed.
    func checkPromise() throws {
        guard let promise = recipe.promise else { return }
        let found = exposure(at: recipe.end).total[promise.source].samples
        guard found == promise.samples else {
            let context =
                sources.last { $0.name == promise.source }?.context ?? recipe.model.context
            throw RecipeError(
                "tokens_of",
                "the recipe promises \(promise.samples * context) tokens of \"\(promise.source)\" but reads "
                    + "\(found * context); change batch, steps and model before midtrain()")
        }
    }
}
