import Runtime

extension Library {
    /// What the store holds, whoever trained it.
    package static var store: Library { Library(functions: [runsFunction, recordsFunction]) }

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
}
