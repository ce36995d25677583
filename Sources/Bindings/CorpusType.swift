import Runtime

/// `mt.corpus` and what a corpus can do.
enum CorpusType {
    static func register(in library: inout Library, _ session: Session) throws {
        try library.add(type(session))
        try library.add(corpus(session))
    }

    private static func corpus(_ session: Session) -> Function {
        Function(
            "corpus",
            "Opens named documents from files or an embedded generator, divided into train, valid and test by the content of each document.",
            [
                .options([
                    .string("name", "What mixtures and tables call it.").item,
                    .paths("files", "Paths, globs or folders of .txt and .jsonl files, also .gz and .zst.").optional,
                    .choice("embedded", EmbeddedCorpus.names, "A generator in place of files.").optional,
                    .integer("bytes", "Size of generated text.", in: 1...).optional,
                    .integer("generator_seed", "Seed of generated text.", in: 0...).or(1),
                    .paths("valid", "Files of the valid split; by default it is carved from `files`.").optional,
                    .paths("test", "Files of the test split; by default it is carved from `files`.").optional,
                    .string("text", "Template of the text of a .jsonl record, such as \"{title}\\n{body}\".").optional,
                    .string("prompt", "Template of the part that finetuning does not count, with `response`.").optional,
                    .string("response", "Template of the part that finetuning counts.").optional,
                    .number("valid_fraction", "Part of the documents in valid.", .fraction).or(0.02),
                    .number("test_fraction", "Part of the documents in test.", .fraction).or(0.02),
                    .integer("split_seed", "Seed of the division.", in: 0...).or(1),
                    .choice("on_error", ["error", "skip"], "What a bad line does; skipped lines are counted.").or("error"),
                    .boolean("allow_overlap", "Whether valid and test files may hold documents of train.").or(false),
                ])
            ],
            returns: "corpus",
            example: "local code = mt.corpus { \"code\", embedded = \"code\", bytes = 100000 }\nprint(code)"
        ) { call in
            let options = try call.options()
            let corpus = try Corpus(specification(options))
            session.add(corpus)
            call.returns(corpus)
        }
    }

    private static func specification(_ options: Options) throws -> CorpusSpecification {
        var result = CorpusSpecification(name: try options.string("name"), files: [])
        result.files = try options.strings(ifPresent: "files") ?? []
        result.validFiles = try options.strings(ifPresent: "valid") ?? []
        result.testFiles = try options.strings(ifPresent: "test") ?? []
        result.embedded = try options.string(ifPresent: "embedded")
        result.bytes = try options.integer(ifPresent: "bytes")
        result.embeddedSeed = UInt64(try options.integer("generator_seed"))
        result.validFraction = try options.number("valid_fraction")
        result.testFraction = try options.number("test_fraction")
        result.splitSeed = UInt64(try options.integer("split_seed"))
        result.badLines = try options.string("on_error") == "skip" ? .skip : .error
        result.allowsOverlap = try options.boolean("allow_overlap")
        result.fields = try Fields_(options)
        return result
    }

    private static func Fields_(_ options: Options) throws -> Runtime.Fields {
        let text = try options.string(ifPresent: "text")
        let prompt = try options.string(ifPresent: "prompt")
        let response = try options.string(ifPresent: "response")
        switch (text, prompt, response) {
        case (let text?, nil, nil): return .text(try Template(text))
        case (nil, let prompt?, let response?):
            return .promptAndResponse(prompt: try Template(prompt), response: try Template(response))
        case (nil, nil, nil): return .standard
        default:
            throw InvalidValue(
                "text, prompt, response", expected: "`text` alone, or `prompt` and `response` together",
                found: "another combination")
        }
    }
}
