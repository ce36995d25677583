import RuntimeSupport

// What a decoder's training costs.
extension DecoderShape {
    /// Numbers that the forward pass keeps for the backward pass.
    ///
    /// Kept in a block, for each token: the inputs of its parts and their norms; queries, keys and values, copied for each
    /// head, and what is attended with its normalisers; the feed-forward part before and after its function; where queries
    /// and keys are normed or parts are normed after, what these norms read.
    func keptNumbers(tokens: Int) -> Int {
        let norms = normPlace == .both ? 4 : 2
        var block = Int.saturatingProduct(2 + norms, width)
        block = Int.saturatingSum(
            block, Int.saturatingProduct(4, heads, size), heads,
            Int.saturatingProduct(isGated ? 3 : 2, feedForward), 2 * norms)
        if queryKeyNorm != nil {
            block = Int.saturatingSum(
                block, Int.saturatingProduct(Int.saturatingSum(heads, 2 * groups), size),
                Int.saturatingSum(heads, groups))
        }
        return Int.saturatingProduct(
            tokens,
            Int.saturatingSum(
                Int.saturatingProduct(layers, block), Int.saturatingProduct(3, width), 2))
    }

    /// Gradients of the stream and of the attention's or the feed-forward's inside.
    func passingNumbers(tokens: Int) -> Int {
        let attention = Int.saturatingProduct(
            Int.saturatingSum(Int.saturatingProduct(5, heads), 2 * groups), size)
        let inside = max(Int.saturatingProduct(isGated ? 3 : 2, feedForward), attention)
        return Int.saturatingProduct(
            tokens, Int.saturatingSum(Int.saturatingProduct(3, width), inside))
    }

    /// Products of matrices, two operations each, and attention to the positions that are seen.
    func operationsPerToken(columns: Int) -> Double {
        let inside = Double(heads) * Double(size)
        let attention = Double(width) * (2 * inside + 2 * Double(groups) * Double(size))
        let feeding = Double(isGated ? 3 : 2) * Double(width) * Double(feedForward)
        let matrices = Double(layers) * (attention + feeding) + Double(vocabulary) * Double(width)
        let seen = (0..<layers).reduce(0.0) { $0 + positionsSeen($1, columns: columns) }
        return 2 * (matrices + 2 * seen * inside)
    }

    /// How many positions a token sees in a layer, on average.
    private func positionsSeen(_ layer: Int, columns: Int) -> Double {
        let all = Double(columns)
        guard let window, isWindowed(layer), window < columns else { return (all + 1) / 2 }
        let seen = Double(window)
        return (seen * (seen + 1) / 2 + (all - seen) * seen) / all
    }
}
