import Foundation
import RuntimeData
import RuntimeModel
import RuntimeSupport

/// The loss of each document of a corpus under a model, every document read on its own.
///
/// A document is read from its beginning, behind an end-of-text, as it is in training; one that is longer than the
/// context in windows that follow each other. Of a prompt and a response only the response counts, of a conversation
/// what finetuning counts; the end-of-text behind the document counts with it.
public struct DocumentScores: Sendable {
    /// The corpus's name.
    public let corpus: String
    /// By the number of the document, from 1 at index 0; `nil` for those that were not scored.
    public private(set) var scores: [Evaluation?] = []

    /// Texts are encoded together up to this size.
    private static let batchBytes = 1 << 20
    /// Tokens in one forward pass.
    private static let batchTokens = 4096

    /// A window of a document: its inputs and targets.
    private struct Window {
        let document: Int
        var inputs: [Int32]
        var targets: [Int32]
    }

    /// Scores the documents of some splits.
    ///
    /// - Parameter most: tokens of a document that are read at most; `nil` for all.
    /// - Throws: `InvalidValue` for a tokenizer of another size than the model's vocabulary; errors of reading and of the
    ///   model; `Interrupted`.
    public init(
        _ corpus: Corpus, splits: Set<Split> = Set(Split.allCases), _ model: any LanguageModel,
        _ tokenizer: Tokenizer, most: Int? = nil, progress: ProgressHandler? = nil,
        stop: ShouldStop = { false }
    ) throws {
        self.corpus = corpus.name
        let context = model.configuration.context
        let reader = try CorpusReader(corpus)
        // Ids that this tokenizer made stay as they are.
        let keepsIDs = corpus.tokens?.digest == tokenizer.digest
        var documents: [(number: Int, document: Document)] = []
        var bytes = 0
        var tokens = 0
        var isOver = false
        while !isOver {
            if let item = try reader.next(stop: stop) {
                scores.append(nil)
                guard splits.contains(item.split) else { continue }
                var document = item.document
                if !keepsIDs { document.ids = nil }
                documents.append((scores.count - 1, document))
                bytes += document.text.count
                guard bytes >= Self.batchBytes else { continue }
            } else {
                isOver = true
            }
            let windows = Self.windows(documents, tokenizer, context, most)
            for batch in Self.batches(windows) {
                if stop() { throw Interrupted("interrupted while scoring \(corpus.name)") }
                try score(batch, model, tokenizer)
                tokens += batch.reduce(0) { $0 + $1.inputs.count }
                progress?(
                    WorkProgress(
                        "scoring \(corpus.name)", done: tokens, total: nil, unit: "tokens"))
            }
            documents.removeAll(keepingCapacity: true)
            bytes = 0
        }
    }

    private static func windows(
        _ documents: [(number: Int, document: Document)], _ tokenizer: Tokenizer, _ context: Int,
        _ most: Int?
    ) -> [Window] {
        var texts: [[UInt8]] = []
        var continuing: [Bool] = []
        var templateText: [[Range<Int>]] = []
        var parts: [[Bool]] = []
        for (_, document) in documents {
            // Text without a prompt is one part that counts, as in pretraining.
            let own =
                document.promptBytes == 0 && document.turns.isEmpty
                ? [(bytes: 0..<document.text.count, counts: true)] : document.parts
            for (index, part) in own.enumerated() {
                texts.append(document.ids == nil ? Array(document.text[part.bytes]) : [])
                continuing.append(index > 0)
                templateText.append(
                    document.ids == nil ? document.templateText(within: part.bytes) : [])
            }
            parts.append(own.map(\.counts))
        }
        let encoded = tokenizer.encode(
            texts: texts, continuing: { continuing[$0] }, templateText: templateText)
        var windows: [Window] = []
        var next = 0
        for (item, counts) in zip(documents, parts) {
            var targets: [Int32] = []
            var counted: [Bool] = []
            for part in counts {
                let ids = item.document.ids ?? encoded[next]
                targets += ids
                counted += Array(repeating: part, count: ids.count)
                next += 1
            }
            targets.append(tokenizer.endOfText)
            counted.append(counts.last ?? true)
            if let most, targets.count > most {
                targets.removeLast(targets.count - most)
                counted.removeLast(counted.count - most)
            }
            let inputs = [tokenizer.endOfText] + targets.dropLast()
            for start in stride(from: 0, to: targets.count, by: context) {
                let range = start..<min(start + context, targets.count)
                let own = range.map { counted[$0] ? targets[$0] : -1 }
                // A window in which nothing counts would only be read for its cost.
                guard own.contains(where: { $0 >= 0 }) else { continue }
                windows.append(
                    Window(document: item.number, inputs: Array(inputs[range]), targets: own))
            }
        }
        return windows
    }

    /// Windows of like length together, the longest first.
    private static func batches(_ windows: [Window]) -> [[Window]] {
        let order = windows.indices.sorted {
            windows[$0].inputs.count != windows[$1].inputs.count
                ? windows[$0].inputs.count > windows[$1].inputs.count : $0 < $1
        }
        var batches: [[Window]] = []
        for index in order {
            let columns = batches.last?.first?.inputs.count ?? 0
            if let last = batches.indices.last, (batches[last].count + 1) * columns <= batchTokens {
                batches[last].append(windows[index])
            } else {
                batches.append([windows[index]])
            }
        }
        return batches
    }

    private mutating func score(
        _ windows: [Window], _ model: any LanguageModel, _ tokenizer: Tokenizer
    ) throws {
        let columns = windows.first?.inputs.count ?? 0
        var batch = TokenBatch(rows: windows.count, columns: columns, filler: tokenizer.endOfText)
        for (row, window) in windows.enumerated() {
            let start = row * columns
            batch.inputs.replaceSubrange(start..<start + window.inputs.count, with: window.inputs)
            batch.targets.replaceSubrange(
                start..<start + window.targets.count, with: window.targets)
        }
        for (window, loss) in zip(windows, try model.rowLosses(batch)) {
            var score = scores[window.document] ?? Evaluation(nats: 0, tokens: 0, bytes: 0)
            score.nats += loss.nats
            score.tokens += loss.count
            score.bytes += window.targets.reduce(0) { $0 + ($1 < 0 ? 0 : tokenizer.byteCount($1)) }
            scores[window.document] = score
        }
    }

    /// The loss, in nats a token, below which a share of the scored documents lies; interpolated between two.
    ///
    /// `nil` if no document was scored.
    public func quantile(_ share: Double) -> Double? {
        let losses = scores.compactMap { $0?.loss }.sorted()
        guard !losses.isEmpty else { return nil }
        let place = min(max(0, share), 1) * Double(losses.count - 1)
        let below = Int(place)
        let above = min(below + 1, losses.count - 1)
        return losses[below] + (losses[above] - losses[below]) * (place - Double(below))
    }

    /// All documents that were scored together.
    public var whole: Evaluation {
        scores.reduce(into: Evaluation(nats: 0, tokens: 0, bytes: 0)) { sum, score in
            guard let score else { return }
            sum.nats += score.nats
            sum.tokens += score.tokens
            sum.bytes += score.bytes
        }
    }
}
