import Runtime

extension Tokenizer: LuaObject {}

extension Library {
    package static var tokenizers: Library {
        Library(functions: [tokenizer], types: [tokenizerType])
    }

    private static var tokenizer: Function {
        Function(
            "tokenizer",
            "A BPE tokenizer: trained on corpora (once per store), or read from a Hugging Face tokenizer.json, GPT-2's vocab.json and merges.txt, a .tiktoken file or a tekken.json.",
            [
                .options([
                    .objects("train_on", "corpus", "Corpora whose train splits it is trained on.")
                        .optional,
                    .integer(
                        "vocabulary",
                        "How many tokens, end-of-text and 256 bytes included; default: 4096.",
                        .size, in: 257...1 << 24
                    ).optional,
                    .integer(
                        "bytes", "Text it is trained on at most; default: all.", .bytes.positive
                    )
                    .optional,
                    .choice(
                        "preset", TokenizerPreset.names,
                        "Whose words and normal form it is trained with, or a .tiktoken file has; default: gpt2."
                    ).optional,
                    .path(
                        "file",
                        "A tokenizer.json to read instead, a .tiktoken file, a tekken.json, or a vocab.json together with `merges`."
                    ).optional,
                    .string(
                        "end_of_text",
                        "The token that ends documents, of a file; default: `<|endoftext|>`, the only special token, or the one that published files have."
                    ).optional,
                    .path("merges", "The merges.txt of a vocab.json.").optional,
                    .boolean(
                        "add_special_tokens",
                        "Whether documents and prompts begin with the special tokens that the file's post-processor puts before a text, such as `<s>`."
                    ).or(false),
                ])
            ],
            returns: "tokenizer",
            example: """
                local prose = mt.corpus { "prose", embedded = "prose", bytes = 100000 }
                local tokens = mt.tokenizer { train_on = { prose }, vocabulary = 512 }
                print(tokens:decode(tokens:encode("a round trip")))
                """
        ) { call in
            let options = try call.options()
            let session = call.interpreter.session
            let corpora = try options.objects(ifPresent: "train_on", as: Corpus.self)
            let merges = try options.string(ifPresent: "merges")
            let file = try options.string(ifPresent: "file")
            let vocabulary = try options.integer(ifPresent: "vocabulary")
            let bytes = try options.integer(ifPresent: "bytes")
            let preset = try options.string(ifPresent: "preset")
            let end = try options.string(ifPresent: "end_of_text")
            let addsSpecial = try options.boolean("add_special_tokens")
            if addsSpecial, file == nil || merges != nil {
                throw Mistake(
                    "add_special_tokens: expected only with a tokenizer.json as `file`, got true")
            }
            if let end, file == nil {
                throw Mistake("end_of_text: expected only together with `file`, got \"\(end)\"")
            }
            for (name, value) in [("vocabulary", vocabulary), ("bytes", bytes)] {
                if let file, let value {
                    throw Mistake(
                        "\(name): expected only together with `train_on`, got \(value) with the file \"\(file)\""
                    )
                }
            }
            switch (file, merges, corpora) {
            case (let file?, nil, nil):
                let tokenizer = try Tokenizer.load(
                    file, endOfText: end, preset: preset, addsSpecialTokens: addsSpecial)
                for notice in tokenizer.notices {
                    session.progress.work(WorkProgress(notice: "\(file): \(notice)"))
                }
                try call.returns(tokenizer)
            case (let file?, let merges?, nil):
                if let preset {
                    throw Mistake("preset: expected without `merges`, got \"\(preset)\"")
                }
                try call.returns(
                    try Tokenizer.load(vocabulary: file, merges: merges, endOfText: end))
            case (nil, let merges?, nil):
                throw Mistake("merges: expected together with `file`, got \"\(merges)\" alone")
            case (nil, nil, let corpora?):
                try call.returns(
                    try session.working {
                        try session.store().tokenizer(
                            trainedOn: corpora, vocabulary: vocabulary ?? 4096, maximumBytes: bytes,
                            preset: try preset.map(TokenizerPreset.named) ?? .gpt2,
                            progress: session.progress.work, stop: session.stop)
                    })
            default: throw Mistake("train_on, file: give one of the two")
            }
        }
    }

    private static var tokenizerType: ObjectType {
        ObjectType(
            "tokenizer", Tokenizer.self, "A BPE tokenizer.",
            describe: { "tokenizer of \($0.vocabularySize) tokens (\($0.digest.short))" },
            show: { tokenizer, display in
                let sample = "The loss fell by 0.25."
                let pieces = tokenizer.encode(Array(sample.utf8)).map {
                    String(decoding: (try? tokenizer.decode([$0])) ?? [], as: UTF8.self)
                }
                return Card(
                    "tokenizer of \(tokenizer.vocabularySize) tokens",
                    [
                        ("digest", tokenizer.digest.short),
                        ("end of text", "id \(tokenizer.endOfText)"),
                        ("example", pieces.joined(separator: "·")),
                    ]
                ).output(display)
            },
            fields: [
                Field("vocabulary", "integer", "How many tokens.") { $0.vocabularySize },
                Field("end_of_text", "integer", "The id that ends every document.") {
                    $0.endOfText
                },
                Field(
                    "prefix_space", "boolean",
                    "Whether a text that begins with no space gets one."
                ) { $0.prefixesSpace },
                Field("digest", "string", "SHA-256 of vocabulary and merges.") { $0.digest.hex },
            ],
            methods: [
                Method(
                    "encode", "The ids of a text.",
                    [
                        .bytes("text", "Any bytes."),
                        .options([
                            .boolean(
                                "parse_special",
                                "Whether special tokens written out in the text become their ids; otherwise they are plain text."
                            ).or(false),
                            .boolean(
                                "add_special_tokens",
                                "Whether the special tokens stand around it that the file's post-processor puts there, such as `<s>`."
                            ).or(false),
                        ]).optional,
                    ], returns: "list of integers"
                ) { tokenizer, call in
                    let text = try call.bytes("text")
                    let parses = try call.options().boolean("parse_special")
                    let adds = try call.options().boolean("add_special_tokens")
                    let session = call.interpreter.session
                    let ids = try session.working {
                        try text.withUnsafeBytes {
                            try tokenizer.encode(
                                $0, special: parses ? .parsed : .plain, stop: session.stop)
                        }
                    }
                    try call.returns(adds ? tokenizer.withSpecialTokens(ids) : ids)
                },
                Method(
                    "decode", "The text of some ids.",
                    [.integers("ids", "Token ids.", .tokenID)], returns: "string"
                ) { tokenizer, call in
                    try call.returns(
                        Bytes(try tokenizer.decode(try call.integers("ids").map { Int32($0) })))
                },
                Method(
                    "save", "Writes a Hugging Face tokenizer.json.", [.path("path", "Where to.")]
                ) {
                    tokenizer, call in try tokenizer.save(try call.string("path"))
                },
            ])
    }
}
