import Runtime

/// Trains a tokenizer on a corpus and writes it and some of the text, for `tokenize` and its peer.
///
/// `--source` is an embedded corpus, whose tokenizer is trained on prose and code together, or a file.
func prepareText(_ arguments: Arguments) throws {
    let (source, folder) = (try arguments.text("source"), try arguments.text("folder"))
    let embedded = EmbeddedCorpus.names.contains(source)
    let corpora =
        embedded
        ? try ["prose", "code"].map { try Corpus(CorpusSpecification(name: $0, embedded: $0)) }
        : [try Corpus(CorpusSpecification(name: "text", files: [source]))]
    let corpus = embedded ? try Corpus(.init(name: source, embedded: source)) : corpora[0]
    let tokenizer = try Tokenizer.train(
        on: corpora, vocabularySize: try arguments.integer("vocabulary"), maximumBytes: 16 << 20)
    try AtomicFile.makeFolder(folder)
    try tokenizer.save(folder + "/tokenizer.json")
    let most = try arguments.integer("bytes")
    var text: [UInt8] = []
    try corpus.forEachDocument(.train) { document in
        if text.count < most { text += document.text + [0] }
    }
    text.removeLast()
    try AtomicFile.write(folder + "/text") { writer in
        try text.withUnsafeBytes { try writer.write($0) }
    }
}

/// Encodes documents, which are separated by NUL, on one thread.
///
/// Every repetition has a tokenizer of its own: words that an earlier one has seen would come from its cache.
func benchmarkTokenize(_ arguments: Arguments) throws {
    let path = try arguments.text("tokenizer")
    let documents = try FileReader.bytes(try arguments.text("text"))
        .split(separator: 0, omittingEmptySubsequences: false).map(Array.init)
    var produced = 0
    var seconds: [Double] = []
    for _ in 0..<(try arguments.integer("warmup") + arguments.integer("repeats")) {
        let tokenizer = try Tokenizer.load(path)
        seconds += Measurement.time(warmup: 0, repeats: 1) {
            produced = documents.reduce(0) { $0 + tokenizer.encode($1).count }
        }
    }
    seconds.removeFirst(try arguments.integer("warmup"))
    try Measurement(
        seconds: seconds, bytes: documents.reduce(0) { $0 + $1.count }, check: produced
    ).write()
}
