import RuntimeData
import RuntimeModel
import RuntimeSupport

/// What a model makes of some documents: the mean hidden state of every document at every layer.
struct LayerStates {
    /// By layer (the embedding, each block, the final norm): documents × width, row by row.
    let layers: [[Double]]
    /// How many documents.
    let documents: Int

    /// Reads documents one by one, each from its beginning, after an end-of-text token that does not count.
    ///
    /// - Parameter tokens: Tokens of a document at most; the context if that is less.
    /// - Throws: errors of the model; `Interrupted`.
    init(
        _ model: any LanguageModel, _ tokenizer: Tokenizer, _ texts: [[UInt8]], tokens: Int,
        stop: ShouldStop
    ) throws {
        let width = model.configuration.width
        let most = max(1, min(tokens, model.configuration.context - 1))
        var layers = [[Double]](repeating: [], count: model.configuration.layers + 2)
        var count = 0
        for text in texts {
            if stop() { throw Interrupted("interrupted while reading hidden states") }
            let ids = tokenizer.encode(text).prefix(most)
            guard !ids.isEmpty else { continue }
            let states = try model.hiddenStates([tokenizer.endOfText] + ids, rows: 1)
            for (layer, state) in states.enumerated() {
                var mean = [Double](repeating: 0, count: width)
                let values = try state.values()
                for row in 1...ids.count {
                    for column in 0..<width { mean[column] += Double(values[row * width + column]) }
                }
                layers[layer] += mean.map { $0 / Double(ids.count) }
            }
            count += 1
        }
        self.layers = layers
        documents = count
    }
}
