import Runtime

extension Difference: LuaObject {}

extension Library {
    static var differenceType: ObjectType {
        ObjectType(
            "difference", Difference.self, "Where two recipes or runs part, and what differs.",
            describe: { $0.text() },
            fields: [
                Field(
                    "last_shared", "integer",
                    "The last state in common; nil when even the initial states differ."
                ) { $0.lastShared },
                Field(
                    "first_other_number", "integer",
                    "Of two runs, the first step that measured something else although it led to the same state, as on another processor; nil if there is none."
                ) { $0.firstOtherNumber },
                Field(
                    "fields", "list of tables",
                    "What differs: path, first and second (the values of the two)."
                ) { difference in
                    Record(
                        [],
                        items: difference.fields.map { field in
                            Record([
                                ("path", field.path), ("first", field.first),
                                ("second", field.second),
                            ])
                        })
                },
            ])
    }

    /// What a recipe can do about runs.
    static var recipeRunMethods: [Method<RecipeBox>] {
        [
            Method(
                "open",
                "A run of the recipe, at the latest state the store has; `train` goes on from there.",
                [.options([.name("name", of: .run, "A name for people.").or("run")])],
                returns: "run",
                example: """
                    local prose = mt.corpus { "prose", embedded = "prose", bytes = 200000 }
                    local tokens = mt.tokenizer { train_on = { prose }, vocabulary = 512 }
                    local run = mt.recipe {
                      model = mt.neox("micro-0.1m", { tokenizer = tokens, context = 32 }),
                      steps = 5, batch = 2, mixture = { prose = 1 },
                    }:open()
                    if run.step == 0 then run:train { to = 3 } end  -- else the store has it
                    run:resume()
                    print(run.step, run:evaluate(prose, { limit = 4 }).loss > 0)
                    """
            ) { box, call in
                try call.returns(try open(box, name: try call.options().string("name"), call))
            },
            Method(
                "run", "Opens a run of the recipe and trains it.",
                [
                    .options(
                        [.name("name", of: .run, "A name for people.").or("run")] + trainOptions)
                ],
                returns: "run"
            ) { box, call in
                let options = try call.options()
                let run = try open(box, name: try options.string("name"), call)
                try train(run, options, call)
                try call.returns(run)
            },
            Method(
                "keys", "The state keys along the recipe.",
                [
                    .integers("steps", "Which states; default: the last.", .steps)
                        .optional
                ],
                returns: "list of strings"
            ) { box, call in
                let trajectory = try trajectory(box.recipe, call)
                let steps = try call.integers(ifPresent: "steps") ?? [trajectory.steps]
                try call.returns(
                    try steps.map { step in
                        guard step <= trajectory.steps else {
                            throw Mistake(
                                "steps: a state in 0 ... \(trajectory.steps) expected, got \(step)")
                        }
                        return trajectory.keys[step].hex
                    })
            },
            Method(
                "exposure",
                "Tokens and epochs that the whole recipe reads of each source, by phase; finetuning not counted.",
                returns:
                    "list of tables with phase, source, tokens, epochs and loss_share, the part of the phase's loss"
            ) { box, call in
                let trajectory = try trajectory(box.recipe, call)
                try call.returns(exposureTable(trajectory.exposure(at: box.recipe.end)))
            },
            Method(
                "cost",
                "What the whole recipe costs and shows: tokens, floating-point operations (forward and backward), and of each source the tokens weighted by the learning rate, as a part of the recipe's highest. Arms that are equal in one of these are matched by it.",
                returns: "table of tokens, operations and weighted (by source)",
                example: """
                    local cost = recipe:cost()
                    print(cost.tokens, cost.operations, cost.weighted.prose)
                    """
            ) { box, call in
                let session = call.interpreter.session
                let trajectory = try trajectory(box.recipe, call)
                let cost = try session.working {
                    try trajectory.cost(of: 0..<trajectory.steps, stop: session.stop)
                }
                try call.returns(
                    Record([
                        ("tokens", cost.tokens), ("operations", cost.operations),
                        (
                            "weighted",
                            Record(
                                cost.weighted.sorted { $0.key < $1.key }.map {
                                    ($0.key, $0.value as any LuaConvertible)
                                })
                        ),
                    ]))
            },
            Method(
                "explain", "Where two recipes part, and which of their fields differ.",
                [.object("other", "recipe", "Another recipe.")],
                returns: "difference"
            ) { box, call in
                let other: RecipeBox = try call.object("other")
                try call.returns(
                    Difference(try trajectory(box.recipe, call), try trajectory(other.recipe, call))
                )
            },
        ]
    }
}
