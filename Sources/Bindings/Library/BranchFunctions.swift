import Runtime

extension Library {
    /// Cheap looks at many branches.
    static var branches: Library {
        Library(functions: [plasticity, halving], types: [branchesType])
    }

    /// A finding and the study behind it, as Lua holds them.
    final class BranchesBox: LuaObject {
        let finding: Finding
        let result: StudyResult

        init(_ finding: Finding, _ result: StudyResult) {
            (self.finding, self.result) = (finding, result)
        }
    }

    private static var branchesType: ObjectType {
        ObjectType(
            "branches", BranchesBox.self, "What short branches showed, and the study behind it.",
            describe: { $0.finding.text() },
            fields: [
                Field("finding", "finding", "The table and single values.") {
                    FindingBox($0.finding)
                },
                Field("result", "result", "The study's result: of halving, that of the last rung.")
                {
                    ResultBox($0.result)
                },
            ])
    }

    private static let example = """
        local prose = mt.corpus { "prose", embedded = "prose", bytes = 120000, valid_fraction = 0.1 }
        local code = mt.corpus { "code", embedded = "code", bytes = 60000, valid_fraction = 0.1 }
        local tokens = mt.tokenizer { train_on = { prose, code }, vocabulary = 300 }
        local base = mt.recipe {
          model = mt.neox("micro-0.1m", { tokenizer = tokens, context = 32, layers = 1, width = 16, heads = 2 }),
          steps = 12, batch = 4, mixture = { prose = 1 },
        }

        """

    private static var shared: [Parameter] {
        [
            .object("target", "corpus", "The corpus whose valid loss decides."),
            .objects("evaluate", "corpus", "Further corpora to measure.").optional,
            .integer(
                "limit", "Windows or examples that an evaluation reads at most.", .count.positive
            ).optional,
            .options(
                "finetune", "Finetuning before branches are compared; see mt.study.",
                studyFinetuneOptions
            ).optional,
        ]
    }

    private static var plasticity: Function {
        Function(
            "plasticity",
            "When a mixture helps most: short branches from states of one trunk, each against the trunk at the same step. A curve over start times for a fraction of the cost of full branches; what the store has is not trained again.",
            [
                .options(
                    [
                        .object("recipe", "recipe", "The trunk."),
                        .weights("mixture", "The branches' mixture."),
                        .integers(
                            "starts", "Steps at which branches leave.", .steps),
                        .integer("steps", "Steps of each branch.", .steps.positive),
                        .integers("seeds", "Trunk seeds; default: the recipe's.", .seed)
                            .optional,
                    ] + shared)
            ],
            returns: "branches; its finding has start, gain, seeds and learning_rate",
            example: example + """
                local probe = mt.plasticity {
                  recipe = base, mixture = { prose = 0.5, code = 0.5 }, starts = { 2, 6 }, steps = 2,
                  seeds = { 1, 2 }, target = code, limit = 4,
                }
                print(probe)
                assert(probe.finding.values.branch_steps == 8 and #probe.finding.rows == 2)
                """
        ) { call in
            let options = try call.options()
            let session = call.interpreter.session
            let base: RecipeBox = try options.object("recipe")
            let mixture = try Mixture(try options.weights("mixture"))
            let target: Corpus = try options.object("target")
            let steps = try options.integer("steps")
            let finetune = try options.options(ifPresent: "finetune").map {
                try studyFinetuning($0, session)
            }
            let seeds =
                try options.integers(ifPresent: "seeds")?.map { UInt64($0) } ?? [base.recipe.seed]
            let found = try session.working {
                try Plasticity(
                    base: base.recipe, mixture: mixture, corpora: try session.corpora(mixture),
                    starts: try options.integers("starts"), steps: steps, seeds: seeds,
                    target: target, evaluate: try options.objects(ifPresent: "evaluate") ?? [],
                    evaluationLimit: try options.integer(ifPresent: "limit"),
                    finetuning: { try finetune?.arms($0) ?? [$0] }, store: try session.store(),
                    options: studyOptions(call))
            }
            try call.returns(
                BranchesBox(found.finding(target: target.name, steps: steps), found.result))
        }
    }

    private static var halving: Function {
        Function(
            "halving",
            "Successive halving over branches: every arm is trained a few steps past its branching point and compared with the control at the same step; the better part goes on to the next rung, the last ones to the end.",
            [
                .options(
                    [
                        .table(
                            "arms", "A list of tables of parameters, such as `mt.grid` makes."),
                        .function("recipe", "Makes an arm's recipe from its table."),
                        .object(
                            "control", "recipe", "The reference, carried out with the arms' seeds."),
                        .integers(
                            "rungs",
                            "Steps past the branching point at which arms are judged, rising; the end follows by itself.",
                            .steps.positive),
                        .number("keep", "The part of the arms that goes on.", .fraction).or(0.5),
                        .string("name", "What the arms are called in tables.").or("midtrained"),
                    ] + shared)
            ],
            returns: "branches; its finding has rung, arm, end, gain, seeds and goes_on",
            example: example + """
                local search = mt.halving {
                  arms = mt.grid { start = { 2, 6 }, weight = { 0.2, 0.6 } },
                  recipe = function(arm)
                    return base:midtrain { from = arm.start, mixture = { prose = 1 - arm.weight, code = arm.weight } }
                  end,
                  control = base, rungs = { 2 }, target = code, limit = 4,
                }
                print(search)
                assert(#search.finding.rows == 4 + 2)
                """
        ) { call in
            let options = try call.options()
            let session = call.interpreter.session
            let control: RecipeBox = try options.object("control")
            let target: Corpus = try options.object("target")
            let finetune = try options.options(ifPresent: "finetune").map {
                try studyFinetuning($0, session)
            }
            let arms = try gridArms(options)
            let found = try session.working {
                try Halving(
                    arms: arms,
                    control: { arm in
                        var recipe = control.recipe
                        recipe.seed = arm.recipe.seed
                        return recipe
                    }, rungs: try options.integers("rungs"), keep: try options.number("keep"),
                    target: target, evaluate: try options.objects(ifPresent: "evaluate") ?? [],
                    evaluationLimit: try options.integer(ifPresent: "limit"),
                    finetuning: { try finetune?.arms($0) ?? [$0] }, store: try session.store(),
                    options: studyOptions(call))
            }
            try call.returns(BranchesBox(found.finding(target: target.name), found.result))
        }
    }
}
