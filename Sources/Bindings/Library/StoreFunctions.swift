import Runtime

extension Library {
    /// What the store holds, whoever trained it.
    package static var store: Library {
        Library(functions: [
            runsFunction, recordsFunction, studiesFunction, explainFunction,
        ])
    }

    private static var runsFunction: Function {
        Function(
            "runs", "The runs of the store, whoever trained them, the latest change last.",
            returns:
                "list of tables with key, name, status, step, steps, parameters, updated (seconds since 1970), bytes (of checkpoints), failure, processor (the kernels that trained it)",
            example: "for _, run in ipairs(mt.runs()) do print(run.name, run.status, run.step) end"
        ) { call in
            let items = try call.interpreter.session.store().runs().map { run in
                Record([
                    ("key", run.row.key.hex), ("name", run.row.name), ("status", run.status),
                    ("step", run.row.step), ("steps", run.row.steps),
                    ("parameters", run.parameters), ("updated", run.row.updated),
                    ("bytes", run.bytes), ("failure", run.row.failure),
                    ("processor", run.row.processor),
                ])
            }
            try call.returns(Record([], items: items))
        }
    }

    private static var recordsFunction: Function {
        Function(
            "records",
            "What every step of a run in the store measured, without its recipe or corpora.",
            [.name("run", of: .run, "Its name, or the beginning of its key.")],
            returns:
                "list of tables with step, loss, learning_rate, gradient_norm, tokens, seconds",
            example: Examples.storedRun + "\nprint(#mt.records \"trunk\")"
        ) { call in
            let store = try call.interpreter.session.store()
            let run = try store.run(try call.string("run"))
            let records = try run.row.state.map { try store.registry.history($0) } ?? []
            try call.returns(recordsTable(records))
        }
    }

    private static var studiesFunction: Function {
        Function(
            "studies", "The studies that were begun in the store, whoever began them.",
            returns:
                "list of tables with key, measured (names of corpora and tasks) and arms: tables with label, key, finetuned (keys) and finished (whether the store has all that was measured of it)",
            example: Examples.study + """

                study:run()
                for _, study in ipairs(mt.studies()) do
                  for _, arm in ipairs(study.arms) do print(arm.label, arm.key:sub(1, 8), arm.finished) end
                end
                """
        ) { call in
            let registry = try call.interpreter.session.store().registry
            let items = try registry.studies().map { study in
                let arms = try study.arms.map { arm in
                    Record([
                        ("label", arm.label), ("key", arm.key.hex),
                        ("finetuned", Record([], items: arm.finetuned.map(\.hex))),
                        ("finished", try registry.isMeasured(arm)),
                    ])
                }
                return Record([
                    ("key", study.key.hex), ("measured", Record([], items: study.measured)),
                    ("arms", Record([], items: arms)),
                ])
            }
            try call.returns(Record([], items: items))
        }
    }

    private static var explainFunction: Function {
        Function(
            "explain",
            "Where two runs part, as far as they were carried out, and what differs: fields of their recipes, and what computed them.",
            [
                .name("run", of: .run, "Its name, or the beginning of its key."),
                .string("other", "The same of the other run."),
                .options([
                    .path("store", "The folder of the other run's store; default: this one.")
                        .optional
                ]).optional,
            ],
            returns: "difference",
            example: Examples.setUp("recipe") + """

                recipe:run { name = "trunk" }
                recipe:with { seed = 2 }:run { name = "seed two" }
                print(mt.explain("trunk", "seed two"))
                """
        ) { call in
            let session = call.interpreter.session
            let store = try session.store()
            let options = try call.options(ifPresent: "options")
            let other = try options?.string(ifPresent: "store").map(session.store(at:)) ?? store
            try call.returns(
                Difference(
                    try store.run(try call.string("run")), in: store,
                    try other.run(try call.string("other")), in: other))
        }
    }
}
