import Runtime

extension Corpus: LuaObject {}

extension Library {
    package static var corpora: Library { Library(functions: [corpus], types: [corpusType]) }

    private static var corpus: Function {
        Function(
            "corpus",
            "Opens named documents from files or an embedded generator, divided into train, valid and test by the content of each document. Mixtures refer to it by its name.",
            [
                .options([
                    .string("name", "What mixtures and tables call it.").item,
                    .paths(
                        "files",
                        "Paths, globs (** for folders at any depth) or folders of .txt, .jsonl or .ndjson, .json (an array), .csv and .tsv files, also .gz and .zst, and .bin files of tokens. A folder gives its .txt, .jsonl, .csv and .tsv files, those behind links too."
                    ).optional,
                    .choice("embedded", EmbeddedCorpus.names, "A generator in place of files.")
                        .optional,
                    .integer("bytes", "Size of generated text.", .bytes.positive).optional,
                    .integer("generator_seed", "Seed of generated text.", .seed).or(1),
                    .paths(
                        "valid", "Files of the valid split; by default it is carved from `files`."
                    ).optional,
                    .paths("test", "Files of the test split; by default it is carved from `files`.")
                        .optional,
                    .string(
                        "text",
                        "Template of the text of a record, such as \"{title}\\n{body}\"; {meta.title} is a field of an object, {answers[1]} an element of a list, {paragraphs[]} all of them. Default: {text}."
                    ).optional,
                    .string(
                        "prompt",
                        "Template of the part that finetuning does not count, with `response`."
                    ).optional,
                    .string("response", "Template of the part that finetuning counts.").optional,
                    .string(
                        "chat",
                        "The field of a record that lists the turns of a conversation, such as \"messages\": tables with role and content (or from and value), or strings of user and assistant in turn."
                    ).optional,
                    .table(
                        "turns",
                        "How a turn is written, by role, with `chat`. Default: system \"{content}\\n\", user \"User: {content}\\n\", assistant \"Assistant: {content}\\n\"."
                    ).optional,
                    .strings(
                        "loss_on",
                        "The roles whose content finetuning counts, with what follows it in the turn. Default: assistant."
                    ).optional,
                    .boolean(
                        "parse_special",
                        "Whether special tokens of the tokenizer that are written out in `text`, `prompt`, `response` or `turns` become their ids; otherwise they are plain text, with a warning. What a record holds is always plain text."
                    ).or(false),
                    .choice(
                        "tool_calls", ChatOptions.ToolCalls.allCases.map(\.rawValue),
                        "What tool_calls of a turn become, with `chat`: an error, or their JSON behind the content."
                    ).or("error"),
                    .choice(
                        "order", ChatOptions.Order.allCases.map(\.rawValue),
                        "any: turns in every order; checked: system first, then user, and neither user nor assistant twice in a row, with `chat`."
                    ).or("any"),
                    .choice(
                        "missing", ["error", "empty"],
                        "What a field of a JSON record that is null or missing is: an error, or no text. In a chat such a turn does not count."
                    ).or("error"),
                    .boolean(
                        "quotes",
                        "Whether quotes surround the values of .csv and .tsv files (true) or are text (false). Default: they surround them; in .tsv a quoted value with a tab or a line break is then an error."
                    ).optional,
                    .object(
                        "tokenizer", "tokenizer",
                        "What the ids of .bin files stand for: ids alone (nanoGPT), llm.c's with their header, or Megatron's with an .idx file beside."
                    ).optional,
                    .integer(
                        "token_bits",
                        "Bits of an id in .bin files without a header: 16 or 32. Default: 16, unless the ids look like 32 bits, which is an error.",
                        .count, in: 16...32
                    ).optional,
                    .number("valid_fraction", "Part of the documents in valid.", .fraction).or(
                        0.02),
                    .number("test_fraction", "Part of the documents in test.", .fraction).or(0.02),
                    .integer("split_seed", "Seed of the division.", .seed).or(1),
                    .choice(
                        "on_error", ["error", "skip"],
                        "What a bad line does; skipped lines are counted."
                    ).or("error"),
                    .boolean(
                        "allow_overlap", "Whether valid and test files may hold documents of train."
                    ).or(false),
                ])
            ],
            returns: "corpus",
            example:
                "local code = mt.corpus { \"code\", embedded = \"code\", bytes = 100000 }\nprint(code)"
        ) { call in
            let options = try call.options()
            let corpus = try Corpus(
                specification(options),
                tokens: try options.object(ifPresent: "tokenizer", as: Tokenizer.self))
            call.interpreter.session.add(corpus)
            try call.returns(corpus)
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
        result.fields = try fields(options)
        if try options.boolean("parse_special") { result.parsesSpecial = true }
        result.quotes = options.has("quotes") ? try options.boolean("quotes") : nil
        result.tokenBits = try options.integer(ifPresent: "token_bits")
        // What is the default stays out, so that it does not matter to what was kept.
        if try options.string("missing") == "empty" { result.allowsMissing = true }
        var chat = ChatOptions()
        chat.toolCalls = .init(rawValue: try options.string("tool_calls")) ?? .error
        chat.order = .init(rawValue: try options.string("order")) ?? .any
        if case .chat = result.fields {
            result.chat = chat
        } else if chat != ChatOptions() {
            throw Mistake("tool_calls, order: expected together with `chat`")
        }
        return result
    }

    private static func fields(_ options: Options) throws -> Runtime.Fields {
        let text = try options.string(ifPresent: "text")
        let prompt = try options.string(ifPresent: "prompt")
        let response = try options.string(ifPresent: "response")
        if let field = try options.string(ifPresent: "chat") {
            guard text == nil, prompt == nil, response == nil else {
                throw Mistake("chat: expected without text, prompt and response")
            }
            return .chat(try chat(field, options))
        }
        for name in ["turns", "loss_on"] where options.has(name) {
            throw Mistake("\(name): expected together with `chat`")
        }
        switch (text, prompt, response) {
        case (let text?, nil, nil): return .text(try Template(text))
        case (nil, let prompt?, let response?):
            return .prompted(prompt: try Template(prompt), response: try Template(response))
        case (nil, nil, nil): return .standard
        default:
            throw Mistake(
                "text, prompt, response: give `text` alone, or `prompt` and `response` together")
        }
    }

    private static func chat(_ field: String, _ options: Options) throws -> Chat {
        var turns = Chat.standardTurns
        if let table = try options.table(ifPresent: "turns") {
            turns = [:]
            guard table.items.isEmpty else {
                throw Mistake("turns: roles expected as keys, got the key 1")
            }
            for field in table.fields {
                guard let template = field.value.stringValue else {
                    throw Mistake(
                        "turns.\(field.key): string expected, got \(field.value.summary)")
                }
                turns[field.key] = template
            }
        }
        return try Chat(
            field: field, turns: turns,
            counted: try options.strings(ifPresent: "loss_on") ?? ["assistant"])
    }

    /// Where the text is from, in a few words.
    private static func origin(_ specification: CorpusSpecification) -> String {
        guard let generator = specification.embedded else {
            return specification.files.joined(separator: " ")
        }
        return "embedded \(generator)"
            + (specification.bytes.map { ", \(Amount.bytes($0))" } ?? "")
    }

    private static func card(_ specification: CorpusSpecification) -> Card {
        var rows: [(String, String?)] = []
        if let generator = specification.embedded {
            rows.append(("embedded", generator))
            rows.append(("size", specification.bytes.map { Amount.bytes($0) }))
        } else {
            rows.append(("files", specification.files.joined(separator: " ")))
        }
        let (valid, test) = (specification.validFraction, specification.testFraction)
        rows.append(("splits", "\(valid) of the documents in valid, \(test) in test"))
        rows.append(("more", "summary() counts documents and bytes, documents() shows some"))
        return Card("corpus \(specification.name)", rows)
    }

    private static var corpusType: ObjectType {
        ObjectType(
            "corpus", Corpus.self, "Named documents, divided into train, valid and test.",
            describe: { "corpus \($0.name): \(origin($0.specification))" },
            show: { corpus, display in card(corpus.specification).output(display) },
            fields: [Field("name", "string", "What mixtures and tables call it.") { $0.name }],
            methods: [
                Method(
                    "summary",
                    "Reads the corpus once (the result is kept in the store) and counts what it holds.",
                    returns:
                        "table with train, valid and test, each with documents and bytes, and skipped_lines",
                    example:
                        "print(mt.corpus({ \"prose\", embedded = \"prose\", bytes = 50000 }):summary().train.documents)"
                ) { corpus, call in
                    let session = call.interpreter.session
                    let summary = try session.working {
                        try corpus.summary(
                            cache: try session.store().folder, progress: session.progress.work,
                            stop: session.stop)
                    }
                    var fields: [(String, (any LuaConvertible)?)] = Split.allCases.map { split in
                        let part = summary[split]
                        return (
                            split.rawValue,
                            Record([
                                ("documents", part.documents), ("bytes", part.textBytes),
                                ("prompt_bytes", part.promptBytes), ("digest", part.digest.hex),
                            ])
                        )
                    }
                    fields.append(("skipped_lines", summary.skippedLines))
                    fields.append(("first_skipped", summary.firstSkipped))
                    try call.returns(Record(fields))
                },
                Method(
                    "documents", "The first documents of a split, to look at.",
                    [
                        .integer("count", "How many at most.", .count, in: 1...100_000).or(3),
                        .choice("split", Split.allCases.map(\.rawValue), "Which part.").or("train"),
                    ],
                    returns: "list of strings"
                ) { corpus, call in
                    let count = try call.integer("count")
                    let split = Split(rawValue: try call.string("split")) ?? .train
                    try call.returns(
                        try corpus.firstDocuments(split, count, stop: call.interpreter.session.stop)
                            .map(Bytes.init))
                },
                Method(
                    "write_tokens",
                    "Writes a split as a file of tokens for other programs; every document ends with end-of-text.",
                    [
                        .options([
                            .path("path", "Where to; ends in .bin.").item,
                            .object("tokenizer", "tokenizer", "What makes the tokens."),
                            .choice("split", Split.allCases.map(\.rawValue), "Which part.").or(
                                "train"),
                            .choice(
                                "format", TokenStore.FileFormat.allCases.map(\.rawValue),
                                "nanogpt: 16-bit ids; megatron: an .idx file beside."
                            ).or("nanogpt"),
                        ])
                    ],
                    returns: "integer: tokens written"
                ) { corpus, call in
                    let session = call.interpreter.session
                    let options = try call.options()
                    let split = Split(rawValue: try options.string("split")) ?? .train
                    let format =
                        TokenStore.FileFormat(rawValue: try options.string("format")) ?? .nanogpt
                    let tokens = try session.working {
                        let tokens = try session.store().data.tokens(
                            corpus, split, try options.object("tokenizer"),
                            progress: session.progress.work, stop: session.stop)
                        try tokens.write(
                            try options.string("path"), format: format, stop: session.stop)
                        return tokens
                    }
                    try call.returns(tokens.count)
                },
            ])
    }
}
