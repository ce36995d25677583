import RuntimeModel
import RuntimeStore
import RuntimeSupport

extension Recipe {
    /// The model of state 0: with the weights of a folder, or fresh ones of the seed.
    package func initialModel(stop: ShouldStop = { false }) throws -> any LanguageModel {
        guard let weights else { return try model.model(seed: seed, precision: precision) }
        return try weights.model(model, precision: precision, stop: stop)
    }
}

extension PretrainedModel {
    /// Refuses a shape that these weights do not have; the context is free.
    ///
    /// - Throws: `RecipeError`.
    package func check(_ model: any ModelConfiguration) throws {
        var own = configuration
        own.context = model.context
        guard
            RecordedModel(own.withoutInitialisation) == RecordedModel(model.withoutInitialisation)
        else {
            throw RecipeError("model", "its shape is not that of the weights in \(folder)")
        }
    }
}

extension Run {
    /// Writes the present state as a folder that Hugging Face's transformers loads.
    ///
    /// - Throws: as `ModelExport.write`.
    public func export(
        to folder: String, storage: StorageFormat = .float32, shardBytes: Int? = nil,
        stop: ShouldStop = { false }
    ) throws {
        let recipe = trajectory.recipe
        try ModelExport.write(
            folder, trajectory.configuration(ofState: step), try model().parameters,
            recipe.tokenizer, storage: storage,
            shardBytes: shardBytes, page: try lineage().markdown(), stop: stop)
    }

    /// Where the present state comes from.
    private func lineage() throws -> Lineage {
        try flush()
        let registry = store.registry
        return Lineage(
            name: try storedName.get(), key: key, step: step, steps: trajectory.steps,
            recipe: try trajectory.recipeText(), exposure: trajectory.exposure(at: step),
            version: version, engines: try registry.engines(key, version),
            evaluations: try registry.evaluations(key, version: version))
    }
}
