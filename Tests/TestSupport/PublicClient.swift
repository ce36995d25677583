import Runtime

/// A client of Runtime that sees its public interface only, as another package would: this module does not import it for
/// tests.
public enum PublicClient {
    /// Trains a small recipe with a change of mixture in a store, in two parts, and measures it; returns steps and the loss.
    public static func train(in folder: String) throws -> (steps: Int, loss: Double) {
        let store = try Store(folder)
        let corpora = try ["prose", "code"].map { name in
            var specification = CorpusSpecification(name: name, embedded: name)
            specification.bytes = 60_000
            specification.validFraction = 0.1
            return try Corpus(specification)
        }
        let tokenizer = try store.tokenizer(
            trainedOn: corpora, vocabulary: 300, maximumBytes: nil)
        let model = NeoXConfiguration(vocabulary: 300, context: 32, layers: 1, width: 16, heads: 2)
        let schedule = LearningRateSettings(
            kind: .cosine, peak: 3e-3, minimum: 3e-5, warmup: 0.1, decay: 0.1)
        let recipe = try Recipe(
            model: model, tokenizer: tokenizer, corpora: ["prose": corpora[0], "code": corpora[1]],
            mixture: Mixture(only: "prose"), steps: 6, batch: 2, accumulate: 1, seed: 1,
            precision: .float32, optimizer: AdamW(), learningRate: schedule, mayRepeat: []
        ).switching(
            from: 3, mixture: Mixture([("prose", 0.5), ("code", 0.5)]), name: "midtrain",
            length: nil, corpora: [:])
        let run = Run(try Trajectory(recipe, store: store), store: store, name: "client")
        try run.train(to: 2)
        try run.train()
        let set = EvaluationSet(corpora[1], .valid, limit: 2)
        return (run.step, try run.evaluate(set).loss)
    }
}
