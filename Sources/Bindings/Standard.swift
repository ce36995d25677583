extension Library {
    /// Everything that scripts see.
    public static var standard: Library {
        [corpora, tokenizers, models, recipes, runs, studies, store, files].reduce(core) {
            $0.adding($1)
        }
    }
}
