extension Library {
    /// Everything that scripts see.
    public static var standard: Library {
        [
            strictness, tensors, corpora, overlaps, scores, tokenizers, alignment, statistics,
            models, networks, averages, microanneals, recipes, batches, runs, downstream, studies,
            frames, findings, representation, branches, store, files,
            displays, plots, reports, logs,
        ]
        .reduce(core) { $0.adding($1) }
    }
}
