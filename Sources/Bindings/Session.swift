import Runtime

/// Shows the researcher what long work is doing; the host decides how.
public protocol Reporter: AnyObject {
    /// Reading, tokenising and the like.
    func work(_ progress: WorkProgress)
    /// Something a run reports; `steps` is its length.
    func run(_ event: RunEvent, steps: Int)
    /// Something a study reports.
    func study(_ event: StudyEvent)
    /// The work is over, one way or another: leave the terminal as it was.
    func end()
}

/// What the functions of one interpreter share: the store, the corpora by name, the seed and the reporter.
public final class Session {
    /// Where the store is, or will be made on first use.
    public let storeFolder: String
    /// The seed of recipes that name none.
    public let seed: UInt64
    /// Whether long work should stop (Ctrl-C).
    public var stop: ShouldStop = { false }
    /// Where progress goes.
    public let reporter: any Reporter

    private var opened: Store?
    private var corpora: [String: Corpus] = [:]

    /// Creates a session; the store is opened on first use.
    public init(storeFolder: String, seed: UInt64, reporter: any Reporter) {
        self.storeFolder = storeFolder
        self.seed = seed
        self.reporter = reporter
    }

    /// The store.
    ///
    /// - Throws: `FileError` or `RegistryError` when it cannot be made or opened.
    public func store() throws -> Store {
        if let opened { return opened }
        let store = try Store(storeFolder)
        opened = store
        return store
    }

    /// Makes a corpus known by its name, in place of an earlier one of that name.
    func add(_ corpus: Corpus) { corpora[corpus.name] = corpus }

    /// The corpora that a mixture names.
    ///
    /// - Throws: `RecipeError` naming the one that is not known, and the nearest name.
    func corpora(_ names: [String]) throws -> [String: Corpus] {
        var result: [String: Corpus] = [:]
        for name in names {
            guard let corpus = corpora[name] else {
                let hint = Nearest.hint(name, among: corpora.keys.sorted())
                throw RecipeError("mixture", "no corpus is called '\(name)'\(hint)")
            }
            result[name] = corpus
        }
        return result
    }

    var progress: (WorkProgress) -> Void {
        { [reporter] in reporter.work($0) }
    }
}
