import Foundation
import Glibc
import Runtime

/// What the functions of one interpreter share: the store, the corpora by name, and progress.
public final class Session {
    /// Where the store is, or will be made on first use.
    public let storeFolder: String
    /// The file of the store's index, if it was given.
    private let index: String?
    /// The seed of recipes that name none.
    public let seed: UInt64
    /// True once the researcher has asked to stop.
    public let stop: ShouldStop
    /// Shows what long work is doing.
    package let progress: Progress

    private var opened: Store?
    private var corpora: [String: Corpus] = [:]
    /// Where the documents of corpora were last read, the latest last.
    private var cursors: [DocumentCursor] = []
    private var draws: UInt64 = 0
    private var reached: [ReachedState] = []
    /// Training in the background whose end has not been announced, and the pipe that wakes the prompt.
    var backgrounds: [BackgroundRun] = []
    /// What is to be announced of training that has ended, in the order of its ends.
    var endings: [BackgroundEnding] = []
    package var (wake, ring): (Int32, Int32) = (-1, -1)

    package init(_ settings: Interpreter.Settings, stop: @escaping ShouldStop) {
        storeFolder = Self.storeFolder(settings.store)
        index = settings.index
        seed = settings.seed
        self.stop = stop
        progress = Progress(settings.report, settings.display)
    }

    deinit {
        endBackground()
        for end in [wake, ring] where end >= 0 { close(end) }
    }

    /// The folder of the store: what was given, else `MTREPL_STORE`, else `.mtrepl`.
    public static func storeFolder(_ given: String?) -> String {
        let variable = getenv("MTREPL_STORE").map { String(cString: $0) } ?? ""
        return given ?? (variable.isEmpty ? ".mtrepl" : variable)
    }

    /// The store.
    ///
    /// - Throws: `FileError` or `RegistryError` when it cannot be made or opened.
    public func store() throws -> Store {
        if let opened { return opened }
        let store = try Store(storeFolder, index: index)
        for notice in store.takeNotices() { progress.work(WorkProgress(notice: notice)) }
        opened = store
        return store
    }

    /// Another store, which must be there.
    ///
    /// - Throws: `FileError` when there is none, or when it is not inside the working folder (--safe).
    func store(at folder: String) throws -> Store {
        guard Store.isStore(folder) else {
            try FileAccess.check(folder)
            throw FileError("open", folder, reason: "there is no store here")
        }
        for end in ["", "/index.sqlite", "/registry.sqlite"] { try FileAccess.check(folder + end) }
        let store = try Store(folder, index: Store.ownIndex(folder), forReading: true)
        for notice in store.takeNotices() { progress.work(WorkProgress(notice: notice)) }
        return store
    }

    /// The seed of a random tensor that names none: a function of the session's seed and of how many
    /// such tensors there were before.
    func nextSeed() -> UInt64 {
        defer { draws += 1 }
        return RandomStream(seed: seed, "tensors").bits(draws)
    }

    /// Makes a corpus known by its name, in place of an earlier one of that name.
    package func add(_ corpus: Corpus) { corpora[corpus.name] = corpus }

    /// Reads documents of a corpus by number; that of the corpora used last is kept.
    func cursor(_ corpus: Corpus) -> DocumentCursor {
        let known = cursors.firstIndex { $0.corpus === corpus }.map { cursors.remove(at: $0) }
        let cursor = known ?? DocumentCursor(corpus)
        cursors.append(cursor)
        if cursors.count > 3 { cursors.removeFirst() }
        return cursor
    }

    /// The names of the runs in the store, if it is there.
    var runNames: [String] {
        guard opened != nil || FileManager.default.fileExists(atPath: storeFolder) else {
            return []
        }
        let names = (try? store().registry.runs().map(\.name)) ?? []
        return Array(Set(names)).sorted()
    }

    /// The names that mixtures may use.
    var corpusNames: [String] { corpora.keys.sorted() }

    /// The corpora that a mixture names.
    ///
    /// - Throws: `Mistake` naming the one that is not known, and the nearest name.
    package func corpora(_ mixture: Mixture) throws -> [String: Corpus] {
        var result: [String: Corpus] = [:]
        for name in mixture.parts.map(\.name) {
            guard let corpus = corpora[name] else {
                throw Mistake(
                    "mixture: no corpus is called '\(name)'\(NearestName.hint(name, among: corpora.keys.sorted(), listing: true))"
                )
            }
            result[name] = corpus
        }
        return result
    }

    /// Notes the state that training led to.
    package func note(_ state: ReachedState) { reached.append(state) }

    /// The states that training led to since the last call.
    public func takeReached() -> [ReachedState] {
        defer { reached = [] }
        return reached
    }

    /// Runs long work and clears its progress away afterwards.
    func working<Result>(_ body: () throws -> Result) throws -> Result {
        defer { progress.end() }
        return try body()
    }
}

/// A state that training led to.
public struct ReachedState: Hashable, Sendable, Codable {
    /// The run's name, or the arm's.
    public let name: String
    /// Steps done.
    public let step: Int
    /// The state's key.
    public let key: String

    /// Creates one.
    public init(name: String, step: Int, key: String) {
        (self.name, self.step, self.key) = (name, step, key)
    }
}
