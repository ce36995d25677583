import RuntimeSupport

/// The tokens of corpora, encoded on first use and found again afterwards.
public final class EncodedCorpora {
    /// A part of a corpus as a tokenizer encodes it; two corpora are the same only if they are one object.
    private struct Name: Hashable {
        let corpus: Corpus
        let split: Split
        let tokenizer: Digest
        let context: Int?

        init(_ corpus: Corpus, _ split: Split, _ tokenizer: Tokenizer, _ context: Int? = nil) {
            (self.corpus, self.split, self.context) = (corpus, split, context)
            self.tokenizer = tokenizer.digest
        }

        static func == (left: Name, right: Name) -> Bool {
            left.corpus === right.corpus && left.split == right.split
                && left.tokenizer == right.tokenizer && left.context == right.context
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(ObjectIdentifier(corpus))
            hasher.combine(split)
            hasher.combine(tokenizer)
            hasher.combine(context)
        }
    }

    /// Where the files of tokens are kept.
    public let folder: String
    private var tokenStores: [Name: TokenStore] = [:]
    private var finetuneSets: [Name: FinetuneSet] = [:]

    /// Keeps the files of tokens in a folder.
    public init(_ folder: String) { self.folder = folder }

    /// The tokens of one split of a corpus, built on first use and read afterwards.
    public func tokens(
        _ corpus: Corpus, _ split: Split, _ tokenizer: Tokenizer,
        progress: @escaping ProgressHandler = { _ in },
        stop: @escaping ShouldStop = { false }
    ) throws -> TokenStore {
        let name = Name(corpus, split, tokenizer)
        if let store = tokenStores[name] { return store }
        let store = try TokenStore.open(
            corpus: corpus, split: split, tokenizer: tokenizer, folder: folder, progress: progress,
            stop: stop)
        tokenStores[name] = store
        tellOfTemplates(corpus, tokenizer, progress)
        return store
    }

    /// One split of a corpus as prompts and responses, encoded on first use and kept in memory.
    public func finetuneSet(
        _ corpus: Corpus, _ split: Split, _ tokenizer: Tokenizer, context: Int,
        progress: @escaping ProgressHandler = { _ in }, stop: @escaping ShouldStop = { false }
    ) throws -> FinetuneSet {
        let name = Name(corpus, split, tokenizer, context)
        if let set = finetuneSets[name] { return set }
        let set = try FinetuneSet(
            corpus: corpus, split: split, tokenizer: tokenizer, context: context, cache: folder,
            progress: progress,
            stop: stop)
        if let notice = set.notice(of: corpus.name, split) {
            progress(WorkProgress(notice: notice))
        }
        finetuneSets[name] = set
        tellOfTemplates(corpus, tokenizer, progress)
        return set
    }

    private func tellOfTemplates(
        _ corpus: Corpus, _ tokenizer: Tokenizer, _ progress: ProgressHandler
    ) {
        for leaf in corpus.leaves where leaf.specification.parsesSpecial != true {
            guard
                let notice = tokenizer.notice(
                    ofTemplates: leaf.specification.fields.templates, of: "corpus \(leaf.name)")
            else { continue }
            progress(WorkProgress(notice: notice))
        }
    }
}
