import Foundation
import RuntimeModel
import RuntimeSupport

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
        shardBytes: Int? = nil, tokenizer file: String? = nil, stop: ShouldStop = { false }
    ) throws -> (run: StoredRun, step: Int) {
        let (name, step) = Self.parse(run)
        let found = try self.run(name)
        let wanted = step ?? found.row.step
        guard let checkpoint = found.checkpoints.first(where: { $0.step == wanted }),
            let manifest = try manifest(checkpoint.key)
        else {
            // One of those that cannot be read may be the one that is meant.
            let damage = try checkpoints().damaged.map { "; \($0.message)" }.joined()
            let steps = found.checkpoints.map { "\($0.step)" }.reversed()
            throw ExportError(
                message: "run \(found.row.name) has no checkpoint of state \(wanted); "
                    + (steps.isEmpty
                        ? "it has none at all" : "it has those of \(steps.joined(separator: ", "))")
                    + (step == nil && !steps.isEmpty ? ", as in \(name)@\(steps.last ?? "")" : "")
                    + damage)
        }
        let tokenizer = try tokenizer(of: found, file)
        let path = checkpointFolder(checkpoint.key)
        try Checkpoint.verify(path, manifest)
        // The recipe in the registry is a second witness: a manifest of an earlier version has no checksum.
        guard try manifest.model == found.model() else {
            throw CheckpointError(
                path: path,
                reason: "the field model of \(Checkpoint.manifestFile) contradicts the run's recipe"
            )
        }
        let model = manifest.model.configuration
        try model.validate()
        let parameters = try Parameters(model.parameterShapes)
        try Checkpoint.read(path, manifest: manifest, parameters: parameters, optimizer: nil)
        try ModelExport.write(
            folder, model, parameters, tokenizer, storage: storage,
            shardBytes: shardBytes, page: try lineage(of: found, step: wanted).markdown(),
            stop: stop)
        return (found, wanted)
    }

    /// The parts of `RUN@STEP`; without a step it is all name.
    package static func parse(_ text: String) -> (name: String, step: Int?) {
        guard let at = text.lastIndex(of: "@"), let step = Int(text[text.index(after: at)...]),
            step >= 0
        else { return (text, nil) }
        return (String(text[..<at]), step)
    }
}

extension StoredRun {
    /// The shape of the model that the run's recipe names.
    ///
    /// - Throws: `ExportError` when the recipe is not readable.
    fileprivate func model() throws -> RecordedModel {
        struct Recipe: Decodable { let model: RecordedModel }
        do {
            return try JSONDecoder().decode(Recipe.self, from: Data(row.recipe.utf8)).model
        } catch {
            throw ExportError(message: "the recipe of run \(row.name) does not name a model")
        }
    }
}
