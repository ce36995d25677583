import Runtime

extension Overlap: LuaObject {}

extension Library {
    package static var overlaps: Library {
        Library(functions: [overlap], types: [overlapType])
    }

    private static var overlap: Function {
        Function(
            "overlap",
            "What held-out documents have in common with documents that are trained on: the same text, near-duplicates, runs of words. It reads the train split of the ones and the valid and test splits of the others, and keeps the result in the store. Candidates for near-duplicates come from MinHash and are verified; memory follows the held-out documents alone.",
            [
                .options([
                    .objects(
                        "train", "corpus", "What is trained on: mixed in, or finetuned on."),
                    .objects("test", "corpus", "What is tested on."),
                    .integer(
                        "n",
                        "Words of a run that two documents may not share by chance. Words are runs of letters and digits, the case of A–Z aside.",
                        .count, in: 1...1000
                    ).or(13),
                    .number(
                        "near",
                        "From which Jaccard similarity, above 0, of their runs of `shingle` words two documents are near-duplicates.",
                        .fraction
                    ).or(0.8),
                    .integer("shingle", "Words of those runs.", .count, in: 1...1000).or(5),
                    .strings(
                        "split",
                        "Which splits of `test` are held out; \"train\" compares what two corpora train on, and a corpus with itself its documents with each other."
                    ).optional,
                    .integer("examples", "Examples of each kind for a pair.", .count, in: 0...1000)
                        .or(3),
                    .integer("seed", "Seed of the hashes that find candidates.", .seed).or(1),
                ])
            ],
            returns: "overlap",
            example: """
                local web = mt.corpus { "web", embedded = "prose", bytes = 60000 }
                local tasks = mt.corpus { "tasks", embedded = "code-tasks", bytes = 20000, test_fraction = 0.2 }
                local found = mt.overlap { train = { web, tasks }, test = tasks }
                print(found)
                print(found.pairs[2].exact, found.pairs[2].near, found.pairs[2].documents)
                """
        ) { call in
            let options = try call.options()
            let session = call.interpreter.session
            var settings = Overlap.Settings()
            settings.words = try options.integer("n")
            settings.near = try options.number("near")
            settings.shingle = try options.integer("shingle")
            settings.examples = try options.integer("examples")
            settings.seed = UInt64(try options.integer("seed"))
            if let names = try options.strings(ifPresent: "split") {
                let splits = try names.map(split)
                settings.splits = Split.allCases.filter(splits.contains)
            }
            let found = try session.working {
                try Overlap(
                    train: try options.objects("train"), test: try options.objects("test"),
                    settings, cache: try session.store().folder, progress: session.progress.work,
                    stop: session.stop)
            }
            try call.returns(found)
        }
    }

    private static func place(_ place: Overlap.Example.Place) -> Record {
        Record([
            ("corpus", place.corpus), ("index", place.index), ("location", place.location),
            ("text", place.text),
        ])
    }

    private static var overlapType: ObjectType {
        ObjectType(
            "overlap", Overlap.self, "What held-out documents have in common with trained ones.",
            describe: { $0.text() },
            fields: [
                Field(
                    "pairs", "list of tables",
                    "Every trained corpus with every tested one: train, test, documents (held out), exact (the same text), near (further ones that are nearly the same), overlapping (with a run of n words in common, the former among them), short (with fewer words) and share (of their different runs, those that were found)."
                ) { overlap in
                    Record(
                        [],
                        items: overlap.pairs.map { pair in
                            Record([
                                ("train", pair.train), ("test", pair.test),
                                ("documents", pair.documents), ("exact", pair.exact),
                                ("near", pair.near), ("overlapping", pair.overlapping),
                                ("short", pair.short), ("share", pair.share),
                            ])
                        })
                },
                Field(
                    "examples", "list of tables",
                    "The worst of each kind for a pair: kind (exact, near or words), similarity (of words: the share of the runs), and train and test, each with corpus, index, location and the beginning of its text."
                ) { overlap in
                    Record(
                        [],
                        items: overlap.examples.map { example in
                            Record([
                                ("kind", example.kind.rawValue),
                                ("similarity", example.similarity),
                                ("train", place(example.train)), ("test", place(example.test)),
                            ])
                        })
                },
            ],
            methods: [
                Method(
                    "csv", "Writes the pairs as CSV. \(formulas)",
                    [.path("path", "Where to."), .options([rawOption]).optional],
                    example: """
                        local code = mt.corpus { "code", embedded = "code", bytes = 20000, test_fraction = 0.2 }
                        mt.overlap({ train = code, test = code }):csv "overlap.csv"
                        """
                ) { overlap, call in
                    try AtomicFile.write(
                        try call.string("path"),
                        text: overlap.csv(raw: try call.options().boolean("raw")))
                }
            ])
    }
}
