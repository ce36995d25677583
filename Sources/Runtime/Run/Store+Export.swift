import Foundation

/// A state that cannot be exported, because the store does not hold what is needed.
public struct ExportError: RuntimeError {
    /// What is missing, and what there is.
    public let message: String
}

extension Store {
    /// Writes a state of a registered run as a folder that Hugging Face's transformers loads.
    ///
    /// - Parameters:
    ///   - run: Its name or the beginning of its key, with `@STEP` for an earlier state than the last.
    ///   - storage, shardBytes: As of `ModelExport.write`.
    ///   - tokenizer: The run's tokenizer as `tokenizer.json`; by default the one that the store keeps.
    /// - Returns: the run and the step of the state.
    /// - Throws: `UnknownRun`; `ExportError` when the state has no checkpoint or the tokenizer is not there;
    ///   `CheckpointError`; as `ModelExport.write`.
    @discardableResult
    public func export(
        _ run: String, to folder: String, storage: StorageFormat = .float32,
        shardBytes: Int? = nil, tokenizer file: String? = nil
    ) throws -> (run: StoredRun, step: Int) {
        let (name, step) = Self.parse(run)
        let found = try self.run(name)
        let wanted = step ?? found.row.step
        guard let checkpoint = found.checkpoints.first(where: { $0.step == wanted }),
            let manifest = try manifest(checkpoint.key)
        else {
            let steps = found.checkpoints.map { "\($0.step)" }.reversed()
            throw ExportError(
                message: "run \(found.row.name) has no checkpoint of state \(wanted); "
                    + (steps.isEmpty
                        ? "it has none at all" : "it has those of \(steps.joined(separator: ", "))")
                    + (step == nil && !steps.isEmpty ? ", as in \(name)@\(steps.last ?? "")" : ""))
        }
        let tokenizer = try tokenizer(of: found, file)
        let path = checkpointFolder(checkpoint.key)
        try Checkpoint.verify(path, manifest)
        try manifest.model.validate()
        let parameters = try Parameters(manifest.model.parameterShapes)
        try Checkpoint.read(path, manifest: manifest, parameters: parameters, optimizer: nil)
        try ModelExport.write(
            folder, manifest.model, parameters, tokenizer, storage: storage,
            shardBytes: shardBytes)
        return (found, wanted)
    }

    /// Keeps a tokenizer under its digest and that of what was read with it, so that states can be exported later.
    func keep(_ tokenizer: Tokenizer) throws {
        let name = Self.tokenizerName(tokenizer.digest.hex, extras: tokenizer.extras.digest?.hex)
        let path = "\(folder)/tokenizers/\(name)"
        guard !FileManager.default.fileExists(atPath: path) else { return }
        try tokenizer.save(path, withCompanions: true)
    }

    private static func tokenizerName(_ digest: String, extras: String?) -> String {
        digest + (extras.map { "-\($0.prefix(16))" } ?? "") + ".json"
    }

    /// The parts of `RUN@STEP`; without a step it is all name.
    static func parse(_ text: String) -> (name: String, step: Int?) {
        guard let at = text.lastIndex(of: "@"), let step = Int(text[text.index(after: at)...]),
            step >= 0
        else { return (text, nil) }
        return (String(text[..<at]), step)
    }

    private func tokenizer(of run: StoredRun, _ file: String?) throws -> Tokenizer {
        let recipe = try JSONValue.read(
            Array(run.row.recipe.utf8), file: "the recipe of run \(run.row.name)")
        let digest = recipe["tokenizer"]?.string ?? ""
        func isThis(_ tokenizer: Tokenizer) -> Bool {
            tokenizer.digest.hex == digest || tokenizer.formerDigest.hex == digest
        }
        if let file {
            let tokenizer = try Tokenizer.load(file)
            guard isThis(tokenizer) else {
                throw ExportError(
                    message: "\(file) is not the tokenizer of run \(run.row.name): expected the "
                        + "digest \(digest), got \(tokenizer.digest.hex)")
            }
            return tokenizer
        }
        let place = "\(folder)/tokenizers"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
        // Stores of earlier versions have only those that were trained, under other names.
        let extras = recipe["tokenizer_extras"]?.string
        let ordered =
            [Self.tokenizerName(digest, extras: extras), "\(digest).json"]
            + names.sorted().filter { $0.hasSuffix(".json") }
        for name in ordered where names.contains(name) {
            if let known = try? Tokenizer.load("\(place)/\(name)"), isThis(known) {
                return known
            }
        }
        throw ExportError(
            message: "the store \(folder) does not have the tokenizer of run \(run.row.name) "
                + "(digest \(digest)); expected its tokenizer.json with --tokenizer")
    }
}
