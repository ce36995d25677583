import Foundation
import Runtime

extension DocumentScores: LuaObject {}

extension Library {
    package static var scores: Library { Library(types: [scoresType]) }

    static var score: Method<Corpus> {
        Method(
            "score",
            "The loss of every document under a network, each read on its own from its beginning: to filter by, or to see which texts a model knows. Of prompt and response only the response counts.",
            [
                .options([
                    .object("network", "network", "Such as `run:model()`.").item,
                    .strings("split", "Which splits; default: all.").optional,
                    .integer(
                        "tokens", "Tokens of a document that are read at most; default: all.",
                        .tokens.positive
                    ).optional,
                ])
            ],
            returns: "scores",
            example: """
                local prose = mt.corpus { "prose", embedded = "prose", bytes = 20000 }
                local tokens = mt.tokenizer { train_on = prose, vocabulary = 300 }
                local network = mt.neox("micro-0.1m", { tokenizer = tokens, context = 32 }):initialise()
                local scores = prose:score { network }
                local limit = scores:quantile(0.5)
                local best = prose:filter(function(document)
                  return scores[document.index].loss <= limit
                end, { name = "best" })
                print(scores[1].loss, scores[1].tokens, #best, #prose)
                """
        ) { corpus, call in
            let options = try call.options()
            let session = call.interpreter.session
            let network: Network = try options.object("network")
            let splits = try (options.strings(ifPresent: "split") ?? Split.allCases.map(\.rawValue))
                .map(split)
            guard !splits.isEmpty else {
                throw Mistake("split: at least one split expected, got an empty list")
            }
            let scores = try session.working {
                // Errors of the corpus are found before anything is computed.
                _ = try corpus.summary(
                    cache: try session.store().folder, progress: session.progress.work,
                    stop: session.stop)
                return try DocumentScores(
                    corpus, splits: Set(splits), network.model, network.tokenizer,
                    most: try options.integer(ifPresent: "tokens"),
                    progress: session.progress.work, stop: session.stop)
            }
            try call.returns(scores)
        }
    }

    /// A split by its name, in a list of them.
    static func split(_ name: String) throws -> Split {
        guard let split = Split(rawValue: name) else {
            throw Mistake(
                "split: \"train\", \"valid\" or \"test\" expected, got \"\(name)\""
                    + NearestName.hint(name, among: Split.allCases.map(\.rawValue)))
        }
        return split
    }

    private static func record(_ score: Evaluation) -> Record {
        Record([
            ("loss", score.loss), ("tokens", score.tokens), ("bytes", score.bytes),
            // Only an end-of-text may count.
            ("bits_per_byte", score.bytes > 0 ? score.bitsPerByte : nil),
        ])
    }

    private static func summary(_ scores: DocumentScores) -> String {
        let scored = scores.scores.count { $0 != nil }
        guard let middle = scores.quantile(0.5) else {
            return "scores of \(scores.corpus): none of \(scores.scores.count) documents"
        }
        func text(_ value: Double?) -> String { String(format: "%.4f", value ?? .nan) }
        return
            "scores of \(scores.corpus): \(scored) of \(scores.scores.count) documents, nats a token: least \(text(scores.quantile(0))), "
            + "median \(text(middle)), greatest \(text(scores.quantile(1))), all together \(text(scores.whole.loss))"
    }

    private static var scoresType: ObjectType {
        ObjectType(
            "scores", DocumentScores.self,
            "The loss of the documents of a corpus under a network. `scores[i]` is of the document `corpus[i]`: a table with loss (nats a token), tokens (that counted), bytes and bits_per_byte; nil where nothing was scored.",
            describe: summary,
            fields: [
                Field("loss", "number", "Of all scored documents together, in nats a token.") {
                    $0.whole.loss
                }
            ],
            methods: [
                Method(
                    "quantile",
                    "The loss below which a share of the scored documents lies, in nats a token.",
                    [.number("share", "From 0, the least, to 1, the greatest.", .fraction)],
                    returns: "number",
                    example: """
                        local prose = mt.corpus { "prose", embedded = "prose", bytes = 10000 }
                        local tokens = mt.tokenizer { train_on = prose, vocabulary = 300 }
                        local network = mt.neox("micro-0.1m", { tokenizer = tokens, context = 32 }):initialise()
                        print(prose:score({ network }):quantile(0.9))
                        """
                ) { scores, call in
                    guard let value = scores.quantile(try call.number("share")) else {
                        throw Mistake("no document of \(scores.corpus) was scored")
                    }
                    try call.returns(value)
                },
                Method(
                    "csv", "Writes the scores as CSV, a row for each scored document. \(formulas)",
                    [.path("path", "Where to."), .options([rawOption]).optional],
                    example: """
                        local prose = mt.corpus { "prose", embedded = "prose", bytes = 10000 }
                        local tokens = mt.tokenizer { train_on = prose, vocabulary = 300 }
                        local network = mt.neox("micro-0.1m", { tokenizer = tokens, context = 32 }):initialise()
                        prose:score({ network }):csv "scores.csv"
                        """
                ) { scores, call in
                    var table = TextTable(["index", "loss", "tokens", "bytes"])
                    for (index, score) in scores.scores.enumerated() {
                        guard let score else { continue }
                        table.append([
                            "\(index + 1)", "\(score.loss)", "\(score.tokens)", "\(score.bytes)",
                        ])
                    }
                    try AtomicFile.write(
                        try call.string("path"),
                        text: table.csv(raw: try call.options().boolean("raw")))
                },
            ],
            length: { $0.scores.count },
            index: { scores, key, call in
                guard let index = key.integerValue else {
                    throw Mistake("index of scores: integer expected, got \(key.summary)")
                }
                let place = index < 0 ? scores.scores.count + index : index - 1
                guard scores.scores.indices.contains(place), let score = scores.scores[place] else {
                    return try call.returns(Value.null)
                }
                try call.returns(record(score))
            })
    }
}
