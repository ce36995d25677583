import Foundation
import RuntimeNumerics
import RuntimeSupport

/// How the next token is drawn.
public struct Sampling: Codable, Hashable, Sendable {
    /// Divides the logits; 0 always takes the most likely token.
    public var temperature: Double = 1
    /// Draw among the k most likely tokens; 0 for no limit.
    public var topK: Int = 0
    /// Draw among the most likely tokens that together reach this probability; 1 for no limit.
    ///
    /// Nucleus sampling of Holtzman et al. 2019, arXiv 1904.09751.
    public var topP: Double = 1
    /// Position i of the text draws number i of this seed's stream.
    public var seed: UInt64 = 0

    /// Creates sampling options.
    public init(temperature: Double = 1, topK: Int = 0, topP: Double = 1, seed: UInt64 = 0) {
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.seed = seed
    }

    /// Checks every field.
    ///
    /// - Throws: `InvalidValue` naming the field.
    public func validate() throws {
        guard temperature >= 0, temperature.isFinite else {
            throw InvalidValue(
                "temperature", expected: "0 or a positive number", found: temperature)
        }
        guard topK >= 0 else { throw InvalidValue("top_k", expected: "0 or more", found: topK) }
        guard topP > 0, topP <= 1 else {
            throw InvalidValue("top_p", expected: "a number above 0, at most 1", found: topP)
        }
    }

    /// Draws a token for `position` from logits; equal logits are ordered by id.
    package func draw(_ logits: [Float], position: Int) throws -> Int32 {
        guard logits.allSatisfy(\.isFinite) else {
            throw InvalidValue(
                "logits", expected: "finite numbers to sample from", found: "NaN or infinity")
        }
        guard
            let best = logits.indices.max(by: {
                logits[$0] < logits[$1] || (logits[$0] == logits[$1] && $0 > $1)
            })
        else { return 0 }
        guard temperature > 0 else { return Int32(best) }
        let weights = logits.map { exp((Double($0) - Double(logits[best])) / temperature) }
        let order = likeliest(weights)
        let total = topK > 0 ? order.reduce(0) { $0 + weights[$1] } : weights.reduce(0, +)
        var kept = 0
        var mass = 0.0
        while kept < order.count && (kept == 0 || topP == 1 || mass < topP * total) {
            mass += weights[order[kept]]
            kept += 1
        }
        var rest = RandomStream(seed: seed, "sampling").uniform(UInt64(position)) * mass
        for index in order[..<kept] {
            rest -= weights[index]
            if rest < 0 { return Int32(index) }
        }
        return Int32(order[kept - 1])
    }

    /// The tokens to draw among: by falling weight where `topK` or `topP` cuts, else by id.
    ///
    /// Sorting a large vocabulary costs more than a small model's forward pass, so only tokens of
    /// some weight are sorted if they are sure to hold all that is kept.
    private func likeliest(_ weights: [Double]) -> [Int] {
        guard topK > 0 || topP < 1 else { return Array(weights.indices) }
        var order = weights.indices.filter { weights[$0] > 1e-6 }
        let enough =
            topK > 0
            ? order.count >= topK
            : order.reduce(0) { $0 + weights[$1] } >= topP * weights.reduce(0, +)
        if !enough { order = Array(weights.indices) }
        order.sort { weights[$0] > weights[$1] || (weights[$0] == weights[$1] && $0 < $1) }
        if topK > 0 { order.removeLast(max(0, order.count - topK)) }
        return order
    }
}

extension LanguageModel {
    /// Continues a text token by token.
    ///
    /// Keys and values of earlier positions are kept; once the text fills the context, they are
    /// computed again from its second half, so that generation can go on.
    ///
    /// - Parameters:
    ///   - prompt: at least one token; if it is longer than the context, its end is used.
    ///   - count: the most tokens to add.
    ///   - endOfText: a token after which to stop; it is part of the result.
    ///   - vocabulary: how many ids there are to draw from, the other rows being padding; `nil` for all.
    ///   - stop: polled at every token; `true` throws `Interrupted`.
    ///   - each: sees every token as it comes.
    /// - Returns: the new tokens.
    /// - Throws: `InvalidValue` for tokens or options that are not valid; `OutOfMemory`.
    public func generate(
        prompt: [Int32], count: Int, sampling: Sampling = Sampling(), endOfText: Int32? = nil,
        vocabulary: Int? = nil, stop: ShouldStop = { false },
        each: (Int32) throws -> Void = { _ in }
    ) throws -> [Int32] {
        try sampling.validate()
        guard count >= 0 else { throw InvalidValue("count", expected: "0 or more", found: count) }
        guard !prompt.isEmpty else {
            throw InvalidValue("prompt", expected: "at least one token", found: "none")
        }
        let context = configuration.context
        var window = Array(prompt.suffix(context))
        try checkTokens(window, rows: 1)
        var result: [Int32] = []
        let session = try generation()
        var logits: [Float] = []
        while result.count < count {
            if stop() { throw Interrupted("interrupted after \(result.count) generated tokens") }
            if session.filled + window.count > context {
                let text = prompt + result
                window = Array(text.suffix(max(1, context / 2)))
                session.clear()
            }
            logits = try session.advance(window)
            if let vocabulary { logits.removeLast(max(0, logits.count - vocabulary)) }
            let token = try sampling.draw(logits, position: prompt.count + result.count)
            result.append(token)
            window = [token]
            try each(token)
            if token == endOfText { break }
        }
        return result
    }
}
