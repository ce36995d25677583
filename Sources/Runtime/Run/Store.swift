import Foundation

/// A folder that holds token stores, checkpoints and the registry; several processes may use one at a time.
public final class Store {
    /// The folder.
    public let folder: String
    /// Runs, step records and evaluations.
    public let registry: Registry

    private var tokenStores: [String: TokenStore] = [:]
    private var finetuneSets: [String: FinetuneSet] = [:]
    private var evaluators: [EvaluatorName: Evaluator] = [:]
    private var retained: [Corpus] = []  // their addresses name them above
    /// Names of the tokenizers that this object knows to be in the store.
    var keptTokenizers: Set<String> = []

    private struct EvaluatorName: Hashable {
        let set: EvaluationSet
        let tokenizer: Digest
        let context: Int
    }

    /// Opens a store, making the folder if it is not there.
    ///
    /// - Throws: `FileError` or `RegistryError`.
    public init(_ folder: String) throws {
        self.folder = folder
        try AtomicFile.makeFolder(folder)
        guard access(folder, W_OK | X_OK) == 0 else {
            let reason = String(cString: strerror(errno))
            throw FileError(
                "write to the store", folder,
                reason: "\(reason); --store or MTREPL_STORE names another folder")
        }
        registry = try Registry(path: "\(folder)/registry.sqlite")
    }

    /// The tokens of one split of a corpus, built on first use and read afterwards.
    public func tokens(
        _ corpus: Corpus, _ split: Split, _ tokenizer: Tokenizer,
        progress: @escaping ProgressHandler = { _ in },
        stop: @escaping ShouldStop = { false }
    ) throws -> TokenStore {
        let name = "\(ObjectIdentifier(corpus)) \(split.rawValue) \(tokenizer.digest.hex)"
        if let store = tokenStores[name] { return store }
        let store = try TokenStore.open(
            corpus: corpus, split: split, tokenizer: tokenizer, folder: folder, progress: progress,
            stop: stop)
        tokenStores[name] = store
        retained.append(corpus)
        tellOfTemplates(corpus, tokenizer, progress)
        return store
    }

    /// One split of a corpus as prompts and responses, encoded on first use and kept in memory.
    public func finetuneSet(
        _ corpus: Corpus, _ split: Split, _ tokenizer: Tokenizer, context: Int,
        progress: @escaping ProgressHandler = { _ in }, stop: @escaping ShouldStop = { false }
    ) throws -> FinetuneSet {
        let name =
            "\(ObjectIdentifier(corpus)) \(split.rawValue) \(tokenizer.digest.hex) \(context)"
        if let set = finetuneSets[name] { return set }
        let set = try FinetuneSet(
            corpus: corpus, split: split, tokenizer: tokenizer, context: context, cache: folder,
            progress: progress,
            stop: stop)
        if let notice = set.notice(of: corpus.name, split) {
            progress(WorkProgress(notice: notice))
        }
        finetuneSets[name] = set
        retained.append(corpus)
        tellOfTemplates(corpus, tokenizer, progress)
        return set
    }

    private func tellOfTemplates(
        _ corpus: Corpus, _ tokenizer: Tokenizer, _ progress: ProgressHandler
    ) {
        guard corpus.specification.parsesSpecial != true,
            let notice = tokenizer.notice(
                ofTemplates: corpus.specification.fields.templates, of: "corpus \(corpus.name)")
        else { return }
        progress(WorkProgress(notice: notice))
    }

    /// What evaluates models on a set, prepared on first use.
    public func evaluator(
        _ set: EvaluationSet, _ tokenizer: Tokenizer, context: Int,
        progress: @escaping ProgressHandler = { _ in },
        stop: @escaping ShouldStop = { false }
    ) throws -> Evaluator {
        let name = EvaluatorName(set: set, tokenizer: tokenizer.digest, context: context)
        if let evaluator = evaluators[name] { return evaluator }
        let evaluator = try Evaluator(
            set, tokenizer: tokenizer, context: context, store: self, progress: progress, stop: stop
        )
        evaluators[name] = evaluator
        return evaluator
    }

    /// The folder of the checkpoint with a state key, whether it is there or not.
    public func checkpointFolder(_ key: Digest) -> String { "\(folder)/checkpoints/\(key.hex)" }

    /// The manifest of the checkpoint with a state key; `nil` when there is none.
    ///
    /// - Throws: `CheckpointError` when it is there but damaged.
    public func manifest(_ key: Digest) throws -> CheckpointManifest? {
        guard let manifest = try Checkpoint.manifest(checkpointFolder(key)) else { return nil }
        guard manifest.key == key else {
            throw CheckpointError(
                path: checkpointFolder(key),
                reason: "\(Checkpoint.manifestFile) names the state \(manifest.key)")
        }
        // Without a checksum the registry is the witness of which step it is.
        if !manifest.isSealed, let known = try registry.steps([key]).first?.step,
            known != manifest.step
        {
            throw CheckpointError(
                path: checkpointFolder(key),
                reason: "the field step of \(Checkpoint.manifestFile) contradicts the registry")
        }
        return manifest
    }

    /// Every checkpoint that can be read, and the folders that cannot with the reason.
    public func checkpoints() throws -> (usable: [CheckpointManifest], damaged: [CheckpointError]) {
        let root = "\(folder)/checkpoints"
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).sorted()
        var usable: [CheckpointManifest] = []
        var damaged: [CheckpointError] = []
        for name in names {
            guard let key = Digest(hex: name) else { continue }
            do {
                if let manifest = try manifest(key) { usable.append(manifest) }
            } catch let error as CheckpointError { damaged.append(error) }
        }
        return (usable, damaged)
    }

    /// Marks a checkpoint as one to stay, whichever run wrote it.
    public func keep(_ key: Digest) throws {
        guard var manifest = try manifest(key), manifest.rolling else { return }
        manifest.rolling = false
        try Checkpoint.write(manifest, checkpointFolder(key))
    }

    /// Deletes a checkpoint unless it was marked as one to stay meanwhile.
    func removeRolling(_ key: Digest) {
        guard let manifest = try? manifest(key), manifest.rolling else { return }
        removeCheckpoint(key)
    }

    /// Deletes a checkpoint; one that is not there is fine.
    public func removeCheckpoint(_ key: Digest) {
        // Renamed first, so that nobody finds half a checkpoint under its key.
        let path = checkpointFolder(key)
        let doomed = "\(path).\(getpid()).\(UInt32.random(in: 0 ... .max)).tmp"
        guard rename(path, doomed) == 0 else { return }
        try? FileManager.default.removeItem(atPath: doomed)
    }

    /// Moves a damaged checkpoint out of the way, for a person to look at, and says where it went.
    public func setAside(_ key: Digest) throws -> String {
        let target = "\(folder)/damaged/\(key.short)-\(UInt32.random(in: 0 ... .max))"
        try AtomicFile.makeFolder("\(folder)/damaged")
        guard rename(checkpointFolder(key), target) == 0 else {
            throw FileError("move", checkpointFolder(key), errno: errno)
        }
        return target
    }
}
