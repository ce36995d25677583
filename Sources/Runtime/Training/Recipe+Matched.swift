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
        corpora more: [String: Corpus], replacing: Bool = false
    ) throws -> Recipe {
        func fail(_ reason: String) -> RecipeError { RecipeError("tokens_of", reason) }
        // Checks `from` as well.
        var result = try switching(
            from: from, mixture: mixture, name: name, length: nil, corpora: more,
            replacing: replacing)
        guard let index = mixture.parts.firstIndex(where: { $0.name == source }) else {
            let names = mixture.parts.map(\.name)
            throw fail(
                "the mixture does not read \"\(source)\"; expected one of "
                    + names.joined(separator: ", ") + NearestName.hint(source, among: names))
        }
        let samples = try wholeSamples(tokens, of: source)
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
                    + "\(from) and the last step \(steps), which hold \(read(whole) * model.context); "
                    + "start earlier, raise the weight or ask for fewer")
        }
        guard let returning = phases.last(where: { $0.start <= from }) else { return result }
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
            result.phases.append(
                Phase(
                    name: name, start: from + whole,
                    mixture: try Mixture([(name: source, weight: share)] + shared)))
        }
        if end < steps {
            result.phases.append(
                Phase(name: returning.name, start: end, mixture: returning.mixture))
        }
        result.promise = (source, samples)
        try result.validate()
        return result
    }

    private func wholeSamples(_ tokens: Int, of source: String) throws -> Int {
        let (samples, odd) = tokens.quotientAndRemainder(dividingBy: model.context)
        guard samples >= 1, odd == 0 else {
            let near = Int.saturatingProduct(max(1, samples), model.context)
            throw RecipeError(
                "tokens_of",
                "\(tokens) tokens of \"\(source)\" are not whole sequences of \(model.context); expected "
                    + "\(near) or \(Int.saturatingSum(near, model.context))")
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
            let context = recipe.model.context
            throw RecipeError(
                "tokens_of",
                "the recipe promises \(promise.samples * context) tokens of \"\(promise.source)\" but reads "
                    + "\(found * context); change batch, steps and model before midtrain()")
        }
    }
}
