import Runtime

extension BatchText: LuaObject {}

extension Library {
    package static var batches: Library { Library(types: [batchType]) }

    private static var batchType: ObjectType {
        ObjectType(
            "batch", BatchText.self,
            "The rows of a step as text: where each is from, where documents begin, which tokens count in the loss. On a terminal the latter are green and others dim; elsewhere others stand in ⟦ ⟧.",
            describe: { $0.text(styled: TerminalText.hasColours(1)) },
            fields: [
                Field(
                    "rows", "list of tables",
                    "The rows: source, tokens (ids in order) and counts (whether the loss counts each)."
                ) { batch in
                    Record(
                        [],
                        items: batch.rows.map { row in
                            Record([
                                ("source", row.source), ("tokens", row.tokens),
                                ("counts", row.counts),
                            ])
                        })
                },
                Field("counted", "integer", "Tokens that count in the loss.") { $0.counted },
            ],
            methods: [
                Method(
                    "text", "The text, as `print` shows it.",
                    [
                        .options([
                            .integer("rows", "How many rows at most.", .count).optional,
                            .boolean(
                                "colours",
                                "Whether it holds colours of a terminal. Default: as the output is."
                            ).optional,
                        ]).optional
                    ], returns: "string",
                    example: """
                        local prose = mt.corpus { "prose", embedded = "prose", bytes = 60000 }
                        local tokens = mt.tokenizer { train_on = prose, vocabulary = 300 }
                        local recipe = mt.recipe {
                          model = mt.neox("micro-0.1m", { tokenizer = tokens, context = 32 }),
                          steps = 3, batch = 4, mixture = { prose = 1 },
                        }
                        print(recipe:batch_at(1):text { rows = 2, colours = false })
                        """
                ) { batch, call in
                    let options = try call.options()
                    let styled =
                        options.has("colours")
                        ? try options.boolean("colours") : TerminalText.hasColours(1)
                    try call.returns(
                        batch.text(
                            rows: try options.integer(ifPresent: "rows") ?? .max, styled: styled))
                }
            ])
    }

    /// What a step of a recipe reads, for the methods of recipes.
    static var batchOfStep: Method<RecipeBox> {
        Method(
            "batch_at",
            "The batch of a step, to look at: which corpus each row is from, where documents begin, and which tokens count in the loss. It is what training reads; steps count from 0.",
            [.integer("step", "Which step, from 0; those of finetuning follow.", .steps)],
            returns: "batch",
            example: """
                local prose = mt.corpus { "prose", embedded = "prose", bytes = 60000 }
                local tokens = mt.tokenizer { train_on = prose, vocabulary = 300 }
                local recipe = mt.recipe {
                  model = mt.neox("micro-0.1m", { tokenizer = tokens, context = 32 }),
                  steps = 3, batch = 2, mixture = { prose = 1 },
                }
                print(recipe:batch_at(0))
                print(recipe:batch_at(2).rows[1].source)
                """
        ) { box, call in
            let trajectory = try trajectory(box.recipe, call)
            let step = try call.integer("step")
            guard step < trajectory.steps else {
                throw Mistake("step: a step in 0 ... \(trajectory.steps - 1) expected, got \(step)")
            }
            try call.returns(try BatchText(trajectory, step: step))
        }
    }
}
