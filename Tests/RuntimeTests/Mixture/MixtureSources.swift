import Runtime

/// Three sources of embedded text under one tokenizer.
enum MixtureSources {
    static func open(context: Int = 16) throws -> (Scratch, [Source]) {
        let scratch = try Scratch()
        let corpora = try ["prose", "code", "arithmetic"].map { name in
            var specification = CorpusSpecification(name: name, embedded: name)
            specification.bytes = 40_000
            return try Corpus(specification)
        }
        let tokenizer = try Tokenizer.train(on: corpora, vocabularySize: 500)
        return (
            scratch,
            try corpora.map { corpus in
                let store = try TokenStore.open(
                    corpus: corpus, split: .train, tokenizer: tokenizer, folder: scratch.path)
                return try Source(store: store, name: corpus.name, context: context, seed: 7)
            }
        )
    }
}
