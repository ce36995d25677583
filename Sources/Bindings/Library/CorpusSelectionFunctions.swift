import Runtime

extension Library {
    /// The documents of a corpus that a Lua function keeps.
    static func filtered(
        _ corpus: Corpus, name: String?, by keeps: Callback, _ call: Call
    ) throws -> Corpus {
        let session = call.interpreter.session
        return try session.working {
            try corpus.filtered(
                name: name, cache: try session.store().folder, progress: session.progress.work,
                stop: session.stop
            ) { document in
                switch try keeps.call(DocumentTable(document: document)).first {
                case nil, .null, .boolean(false): false
                default: true
                }
            }
        }
    }

    /// Makes a corpus known that was made of another one, and says so if it takes the name of that one.
    private static func returns(_ corpus: Corpus, of base: Corpus, isNamed: Bool, _ call: Call)
        throws
    {
        let session = call.interpreter.session
        session.add(corpus)
        if !isNamed {
            let summary = { (corpus: Corpus) throws in
                try corpus.summary(cache: try session.store().folder, stop: session.stop)[.train]
                    .documents
            }
            session.progress.work(
                WorkProgress(
                    notice:
                        "\(corpus.name): \(try summary(corpus)) of \(try summary(base)) documents of train are kept, "
                        + "and mixtures that name it read these from now on; `name` gives them a name of their own"
                ))
        }
        try call.returns(corpus)
    }

    static var filter: Method<Corpus> {
        Method(
            "filter",
            "The documents of all splits for which a function returns true, each in the split it has. The function is called once with every document, in order, with a table as `corpus[i]` gives; what it keeps decides the key, not how. For values of a field, `where` in `mt.corpus` is simpler.",
            [
                .function("keeps", "Called with a document; returns whether to keep it."),
                .options([
                    .string(
                        "name",
                        "What mixtures and tables call it. Default: the name of the corpus, whose place it takes in mixtures made later."
                    ).optional
                ]).optional,
            ],
            returns: "corpus",
            example: """
                local prose = mt.corpus { "prose", embedded = "prose", bytes = 60000 }
                local short = prose:filter(function(document) return #document.text < 600 end, { name = "short" })
                print(#short, #prose)
                """
        ) { corpus, call in
            let name = try call.options().string(ifPresent: "name")
            let made = try filtered(corpus, name: name, by: try call.function("keeps"), call)
            try returns(made, of: corpus, isNamed: name != nil, call)
        }
    }

    static var subset: Function {
        Function(
            "subset",
            "Whole documents of a corpus's train split, drawn at random, until there are enough; valid and test stay as they are. Every document of a smaller subset is in a larger one of the same seed, so that only the amount differs. It is used like any corpus, and keyed by its documents.",
            [
                .options([
                    .object("corpus", "corpus", "Where they are from.").item,
                    .integer(
                        "tokens",
                        "Tokens of train at least, ends of documents included, with `tokenizer`.",
                        .tokens.positive
                    ).optional,
                    .object("tokenizer", "tokenizer", "What counts the tokens.").optional,
                    .integer(
                        "documents", "Documents of train, in place of tokens.", .count.positive
                    )
                    .optional,
                    .number(
                        "fraction",
                        "Share of the documents of train, above 0 and at most 1, in place of tokens.",
                        .fraction
                    ).optional,
                    .integer("seed", "Seed of the draw.", .seed).or(1),
                    .string(
                        "name",
                        "What mixtures and tables call it. Default: the name of the corpus, whose place it takes in mixtures made later."
                    ).optional,
                ])
            ],
            returns: "corpus",
            example: """
                local code = mt.corpus { "code", embedded = "code", bytes = 100000 }
                local tokens = mt.tokenizer { train_on = code, vocabulary = 300 }
                local little = mt.subset { code, tokens = 5000, tokenizer = tokens, seed = 1, name = "little" }
                print(little:tokens(tokens).train, code:tokens(tokens).train)
                """
        ) { call in
            let options = try call.options()
            let session = call.interpreter.session
            let corpus: Corpus = try options.object("corpus")
            let name = try options.string(ifPresent: "name")
            if let name, name.isEmpty { throw Mistake("name: a name expected, got \"\"") }
            let size = try subsetSize(options)
            let made = try session.working {
                try session.store().data.subset(
                    of: corpus, size, seed: UInt64(try options.integer("seed")), name: name,
                    progress: session.progress.work, stop: session.stop)
            }
            try returns(made, of: corpus, isNamed: name != nil, call)
        }
    }

    private static func subsetSize(_ options: Options) throws -> SubsetSize {
        let tokens = try options.integer(ifPresent: "tokens")
        let documents = try options.integer(ifPresent: "documents")
        let fraction = try options.number(ifPresent: "fraction")
        let tokenizer = try options.object(ifPresent: "tokenizer", as: Tokenizer.self)
        switch (tokens, documents, fraction) {
        case (let tokens?, nil, nil):
            guard let tokenizer else {
                throw Mistake("tokenizer: expected with `tokens`, to count them")
            }
            return .tokens(tokens, tokenizer)
        case (nil, let documents?, nil): return .documents(documents)
        case (nil, nil, let fraction?):
            guard fraction > 0 else {
                throw Mistake("fraction: a share above 0 expected, got \(fraction)")
            }
            return .fraction(fraction)
        default: throw Mistake("tokens, documents, fraction: give one of the three")
        }
    }
}
