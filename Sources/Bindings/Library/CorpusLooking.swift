import Runtime

/// Looking at the documents of a corpus.
extension Library {
    /// What `#corpus` gives.
    static var corpusLength: Function {
        Function("__len", "") { call in
            let corpus = try call.open(1, Corpus.self, "corpus")
            try call.returns(try documentCount(corpus, call))
        }
    }

    /// What `corpus[index]` gives: a document, or nil beyond the last.
    static func document(_ corpus: Corpus, _ key: Value, _ call: Call) throws {
        guard let index = key.integerValue else {
            throw Mistake("index of a corpus: integer expected, got \(key.summary)")
        }
        let session = call.interpreter.session
        guard index != 0 else {
            throw Mistake(
                "index of a corpus: documents count from 1, or from -1 at the end, got 0")
        }
        let count = index < 0 ? try documentCount(corpus, call) : 0
        guard index > 0 || index >= -count else { return try call.returns(Value.null) }
        let found = try session.cursor(corpus).document(
            index > 0 ? index : count + index + 1, stop: session.stop)
        try call.returns(found.map(DocumentTable.init))
    }

    private static func documentCount(_ corpus: Corpus, _ call: Call) throws -> Int {
        let session = call.interpreter.session
        let summary = try session.working {
            try corpus.summary(
                cache: try session.store().folder, progress: session.progress.work,
                stop: session.stop)
        }
        return Split.allCases.reduce(0) { $0 + summary[$1].documents }
    }

    private static var splitOption: Parameter {
        .choice("split", Split.allCases.map(\.rawValue), "Which part.")
    }

    static var corpusLooking: [Method<Corpus>] { [documents, sample, tokenCounts, score] }

    private static var documents: Method<Corpus> {
        Method(
            "documents", "The texts of the first documents of a split, or of some drawn at random.",
            [
                .integer("count", "How many at most.", .count, in: 1...100_000).or(3),
                splitOption.or("train"),
                .options([
                    .integer("seed", "Draws them at random instead, with this seed.", .seed)
                        .optional
                ]).optional,
            ],
            returns: "list of strings"
        ) { corpus, call in
            let count = try call.integer("count")
            let split = Split(rawValue: try call.string("split")) ?? .train
            let session = call.interpreter.session
            guard let seed = try call.options().integer(ifPresent: "seed") else {
                return try call.returns(
                    try corpus.firstDocuments(split, count, stop: session.stop).map(Bytes.init))
            }
            try call.returns(
                try sample(corpus, count, split, seed, session).map { Bytes($0.document.text) })
        }
    }

    private static var sample: Method<Corpus> {
        Method(
            "sample",
            "Documents drawn at random without replacement, as tables; a smaller sample is the beginning of a larger one of the same seed.",
            [
                .integer("count", "How many at most.", .count, in: 1...100_000).or(3),
                .options([
                    .integer("seed", "Seed of the draw.", .seed).or(1),
                    .choice(
                        "split", Split.allCases.map(\.rawValue),
                        "Which part. Default: all documents."
                    ).optional,
                ]).optional,
            ],
            returns: "list of tables as `corpus[i]` gives: \(DocumentTable.returns)",
            example: """
                local code = mt.corpus { "code", embedded = "code", bytes = 60000 }
                for _, document in ipairs(code:sample(2, { seed = 7 })) do
                  print(document.index, document.split, document.text)
                end
                print(code[1].text, code[-1].location, #code)
                """
        ) { corpus, call in
            let options = try call.options()
            let split = try options.string(ifPresent: "split").flatMap(Split.init)
            try call.returns(
                try sample(
                    corpus, try call.integer("count"), split, try options.integer("seed"),
                    call.interpreter.session
                ).map(DocumentTable.init))
        }
    }

    private static func sample(
        _ corpus: Corpus, _ count: Int, _ split: Split?, _ seed: Int, _ session: Session
    ) throws -> [NumberedDocument] {
        try session.working {
            try corpus.sample(
                count, split, seed: UInt64(seed), cache: try session.store().folder,
                progress: session.progress.work, stop: session.stop)
        }
    }

    private static var tokenCounts: Method<Corpus> {
        Method(
            "tokens",
            "How many tokens each split has under a tokenizer, ends of documents included. It encodes the corpus on first use and keeps the result in the store, where training finds it.",
            [.object("tokenizer", "tokenizer", "What makes the tokens.")],
            returns: "table with train, valid and test: integers",
            example: """
                local code = mt.corpus { "code", embedded = "code", bytes = 60000 }
                local tokens = mt.tokenizer { train_on = code, vocabulary = 300 }
                print(code:tokens(tokens).train)
                """
        ) { corpus, call in
            let session = call.interpreter.session
            let counts = try session.working {
                try session.store().data.tokenCounts(
                    corpus, try call.object("tokenizer"), progress: session.progress.work,
                    stop: session.stop)
            }
            try call.returns(
                Record(Split.allCases.map { ($0.rawValue, counts[$0] ?? 0) }))
        }
    }
}
