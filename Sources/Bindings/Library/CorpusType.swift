import Runtime

extension Corpus: LuaObject {}

extension Library {
    package static var corpora: Library {
        Library(functions: [corpus, subset], types: [corpusType])
    }

    private static var corpus: Function {
        Function(
            "corpus",
            "Opens named documents from files, an embedded generator or other corpora, divided into train, valid and test by the content of each document. Mixtures refer to it by its name.",
            [
                .options([
                    .string("name", "What mixtures and tables call it.").item,
                    .paths(
                        "files",
                        "Paths, globs (** for folders at any depth) or folders of .txt, .jsonl or .ndjson, .json (an array), .csv and .tsv files, also .gz and .zst, and .bin files of tokens. A folder gives its .txt, .jsonl, .csv and .tsv files, those behind links too."
                    ).optional,
                    .choice("embedded", EmbeddedCorpus.names, "A generator in place of files.")
                        .optional,
                    .objects(
                        "corpora", "corpus",
                        "Other corpora in place of files, one after another; each document stays in the split it has there."
                    ).optional,
                    .table(
                        "where",
                        "Reads only records whose fields have these values: { lang = \"python\" }, or one of several: { lang = { \"python\", \"lua\" } }; paths as in `text`, in brackets: [\"meta.lang\"]; of a list ([\"tags[]\"]) one element suffices."
                    ).optional,
                    .function(
                        "filter",
                        "Called with every document (a table as `corpus[i]` gives); only those for which it returns true are read. What it keeps decides the key, not how."
                    ).optional,
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
            var corpus = try opened(options)
            if let filter = try options.function(ifPresent: "filter") {
                corpus = try filtered(corpus, name: nil, by: filter, call)
            }
            call.interpreter.session.add(corpus)
            try call.returns(corpus)
        }
    }

    /// What may stand beside `corpora`, whose documents are read and divided as theirs.
    private static let besideCorpora: Set<String> = ["name", "corpora", "filter", "allow_overlap"]

    private static func opened(_ options: Options) throws -> Corpus {
        guard let corpora = try options.objects(ifPresent: "corpora", as: Corpus.self) else {
            return try Corpus(
                specification(options),
                tokens: try options.object(ifPresent: "tokenizer", as: Tokenizer.self))
        }
        if let name = options.given.subtracting(besideCorpora).min() {
            throw Mistake(
                "\(name): not expected with `corpora`, whose documents stay as they are")
        }
        return try Corpus(
            name: try options.string("name"), corpora: corpora,
            allowsOverlap: try options.boolean("allow_overlap"))
    }

    /// Values of fields, by the fields' paths.
    private static func condition(_ table: Table) throws -> RecordCondition {
        guard table.items.isEmpty, !table.fields.isEmpty else {
            throw Mistake("where: fields with their values expected, such as { lang = \"python\" }")
        }
        func value(_ value: Value, _ path: String) throws -> RecordCondition.Value {
            switch value {
            case .string(let text): return .text(text)
            case .boolean(let flag): return .boolean(flag)
            default:
                guard let number = value.numberValue, number.isFinite else {
                    throw Mistake(
                        "\(path): string, number, boolean or a list of these expected, got \(value.summary)"
                    )
                }
                return .number(number)
            }
        }
        var fields: [String: [RecordCondition.Value]] = [:]
        for (name, given) in table.fields {
            let path = "where.\(name)"
            guard case .table(let list) = given, list.fields.isEmpty else {
                fields[name] = [try value(given, path)]
                continue
            }
            fields[name] = try list.items.enumerated().map {
                try value($0.element, "\(path)[\($0.offset + 1)]")
            }
        }
        return RecordCondition(fields)
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
        result.condition = try options.table(ifPresent: "where").map(condition)
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
    private static func origin(_ corpus: Corpus) -> String {
        let specification = corpus.specification
        if let generator = specification.embedded {
            return "embedded \(generator)"
                + (specification.bytes.map { ", \(Amount.bytes($0))" } ?? "")
        }
        switch corpus.origin {
        case .files:
            return specification.files.joined(separator: " ")
                + (specification.condition.map { " where \($0.words)" } ?? "")
        case .corpora(let corpora): return "corpora " + corpora.map(\.name).joined(separator: ", ")
        case .selection(let base): return "some documents of \(base.name) (\(origin(base)))"
        }
    }

    private static func card(_ corpus: Corpus) -> Card {
        let specification = corpus.specification
        var rows: [(String, String?)] = []
        if let generator = specification.embedded {
            rows.append(("embedded", generator))
            rows.append(("size", specification.bytes.map { Amount.bytes($0) }))
        } else {
            switch corpus.origin {
            case .files:
                rows.append(("files", specification.files.joined(separator: " ")))
                rows.append(("where", specification.condition?.words))
            case .corpora(let corpora):
                rows.append(("corpora", corpora.map(\.name).joined(separator: ", ")))
            case .selection(let base):
                rows.append(("documents", "some of \(base.name), \(origin(base))"))
            }
        }
        if case .files = corpus.origin {
            let (valid, test) = (specification.validFraction, specification.testFraction)
            rows.append(("splits", "\(valid) of the documents in valid, \(test) in test"))
        } else {
            rows.append(("splits", "each document in the split it has there"))
        }
        rows.append(
            ("more", "summary() counts documents and bytes; corpus[1], sample(3) show some"))
        return Card("corpus \(corpus.name)", rows)
    }

    private static var corpusType: ObjectType {
        ObjectType(
            "corpus", Corpus.self,
            "Named documents, divided into train, valid and test. `#corpus` counts the documents of all splits, and `corpus[i]` is document i, counted from 1 (or from -1 at the end) in the order of the files, then of the valid and test files: a \(DocumentTable.returns); nil beyond the last. Going on from one to the next is cheap, going back far reads the files again.",
            describe: { "corpus \($0.name): \(origin($0))" },
            show: { corpus, display in card(corpus).output(display) },
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
                filter,
            ] + corpusLooking,
            operators: [corpusLength], index: document)
    }
}
