extension Library {
    /// Everything that scripts see.
    public static var standard: Library {
        [
            strictness, tensors, corpora, tokenizers, alignment, statistics, models, networks,
            recipes, runs, studies, store, files, logs,
        ]
        .reduce(core) { $0.adding($1) }
    }
}
