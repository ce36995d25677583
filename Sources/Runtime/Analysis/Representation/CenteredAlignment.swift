import RuntimeData
import RuntimeModel
import RuntimeSupport

/// Linear centred kernel alignment: how alike two sets of representations of the same documents are, up to rotation and
/// scale; 1 for equal ones.
public struct CenteredAlignment: Sendable {
    /// The alignment with its interval over resampled documents.
    public let value: Interval
    /// The alignment from unbiased estimates, which does not rise by itself when documents are few; `nil` for fewer than
    /// four documents.
    public let unbiased: Double?
    /// How many documents.
    public let documents: Int

    /// Compares two sets, row by row one document each.
    ///
    /// - Parameters:
    ///   - first: documents × any width.
    ///   - second: as many documents × any width.
    /// - Throws: `InvalidValue` for fewer than three documents, or rows that do not fit; `Interrupted`.
    /// - Source: Kornblith et al. (2019), arXiv 1905.00414; the unbiased form of Song et al. (2012) as in Nguyen et al.
    ///   (2021), arXiv 2010.15327.
    public init(
        _ first: [Double], _ second: [Double], documents: Int, replicates: Int = 200,
        seed: UInt64 = 1, stop: ShouldStop = { false }
    ) throws {
        guard documents > 2 else {
            throw InvalidValue("documents", expected: "at least 3", found: documents)
        }
        guard first.count % documents == 0, second.count % documents == 0, !first.isEmpty,
            !second.isEmpty
        else {
            throw InvalidValue(
                "representations", expected: "\(documents) rows of equal width",
                found: "\(first.count) and \(second.count) numbers")
        }
        let a = try Self.gram(first, documents, stop)
        let b = try Self.gram(second, documents, stop)
        let ones = [Int32](repeating: 1, count: documents)
        let stream = RandomStream(seed: seed, "documents of a probe")
        let drawn = try Parallel.map(replicates) { replicate in
            if stop() { throw Interrupted("interrupted while resampling documents") }
            return Self.alignment(
                a, b,
                Bootstrap.multiplicities(documents, replicate: replicate, stream: stream))
        }
        value = Bootstrap.centred(Self.alignment(a, b, ones), drawn)
        unbiased = documents > 3 ? Self.unbiased(a, b, documents) : nil
        self.documents = documents
    }

    /// Products of all pairs of rows, the mean row taken out first.
    private static func gram(_ rows: [Double], _ count: Int, _ stop: ShouldStop) throws
        -> [Double]
    {
        let width = rows.count / count
        var mean = [Double](repeating: 0, count: width)
        for row in 0..<count {
            for column in 0..<width { mean[column] += rows[row * width + column] / Double(count) }
        }
        var centred = rows
        for row in 0..<count {
            for column in 0..<width { centred[row * width + column] -= mean[column] }
        }
        let lines = try Parallel.map(count) { [centred] i in
            if stop() { throw Interrupted("interrupted while comparing documents") }
            return (0..<count).map { j in
                var sum = 0.0
                for column in 0..<width {
                    sum += centred[i * width + column] * centred[j * width + column]
                }
                return sum
            }
        }
        return lines.flatMap { $0 }
    }

    /// Alignment of documents that count so many times each.
    private static func alignment(_ a: [Double], _ b: [Double], _ times: [Int32]) -> Double {
        let count = times.count
        let weights = times.map(Double.init)
        let total = weights.reduce(0, +)
        func means(_ matrix: [Double]) -> ([Double], Double) {
            let rows = (0..<count).map { i in
                (0..<count).reduce(0) { $0 + weights[$1] * matrix[i * count + $1] } / total
            }
            return (rows, (0..<count).reduce(0) { $0 + weights[$1] * rows[$1] } / total)
        }
        let (rowsA, meanA) = means(a)
        let (rowsB, meanB) = means(b)
        var (aa, bb, ab) = (0.0, 0.0, 0.0)
        for i in 0..<count where weights[i] > 0 {
            for j in 0..<count where weights[j] > 0 {
                let x = a[i * count + j] - rowsA[i] - rowsA[j] + meanA
                let y = b[i * count + j] - rowsB[i] - rowsB[j] + meanB
                let weight = weights[i] * weights[j]
                aa += weight * x * x
                bb += weight * y * y
                ab += weight * x * y
            }
        }
        return aa > 0 && bb > 0 ? ab / (aa * bb).squareRoot() : .nan
    }

    private static func unbiased(_ a: [Double], _ b: [Double], _ count: Int) -> Double? {
        func clean(_ matrix: [Double]) -> [Double] {
            var matrix = matrix
            for index in 0..<count { matrix[index * count + index] = 0 }
            return matrix
        }
        func sums(_ matrix: [Double]) -> [Double] {
            (0..<count).map { i in (0..<count).reduce(0) { $0 + matrix[i * count + $1] } }
        }
        let n = Double(count)
        func independence(_ k: [Double], _ l: [Double]) -> Double {
            let (rowsK, rowsL) = (sums(k), sums(l))
            let product = zip(k, l).reduce(0) { $0 + $1.0 * $1.1 }
            let whole = rowsK.reduce(0, +) * rowsL.reduce(0, +) / ((n - 1) * (n - 2))
            let crossed = 2 / (n - 2) * zip(rowsK, rowsL).reduce(0) { $0 + $1.0 * $1.1 }
            return (product + whole - crossed) / (n * (n - 3))
        }
        let (k, l) = (clean(a), clean(b))
        let (kk, ll) = (independence(k, k), independence(l, l))
        return kk > 0 && ll > 0 ? independence(k, l) / (kk * ll).squareRoot() : nil
    }
}

/// The alignment of two models, layer by layer.
public struct LayerAlignment: Sendable {
    /// `embedding`, `1` … (after each block), `final norm`.
    public let layers: [(name: String, alignment: CenteredAlignment)]
    /// The corpus that was read.
    public let corpus: String
    /// Documents that were read.
    public let documents: Int

    /// Reads the first documents of a split with both models.
    ///
    /// - Throws: `InvalidValue` for models of different depth or fewer than three documents; errors of reading;
    ///   `Interrupted`.
    public init(
        _ first: (model: any LanguageModel, tokenizer: Tokenizer),
        _ second: (model: any LanguageModel, tokenizer: Tokenizer),
        corpus: Corpus, split: Split, documents: Int, tokens: Int, replicates: Int = 200,
        seed: UInt64 = 1, stop: ShouldStop = { false }
    ) throws {
        let (depth, other) = (first.model.configuration.layers, second.model.configuration.layers)
        guard depth == other else {
            throw InvalidValue("layers", expected: "\(depth), as in the first model", found: other)
        }
        // Empty documents would be left out of one side only if tokenizers differed.
        let texts = try corpus.firstDocuments(split, documents, stop: stop).filter { !$0.isEmpty }
        let a = try LayerStates(
            first.model, first.tokenizer, texts, tokens: tokens, stop: stop)
        let b = try LayerStates(
            second.model, second.tokenizer, texts, tokens: tokens, stop: stop)
        layers = try a.layers.indices.map { layer in
            let name = layer == 0 ? "embedding" : layer > depth ? "final norm" : "\(layer)"
            if stop() { throw Interrupted("interrupted while comparing layers") }
            return (
                name,
                try CenteredAlignment(
                    a.layers[layer], b.layers[layer], documents: a.documents,
                    replicates: replicates, seed: seed, stop: stop)
            )
        }
        self.corpus = corpus.name
        self.documents = a.documents
    }
}
