import Foundation
import RuntimeModel
import RuntimeNumerics
import RuntimeStore

/// Where a run's states come from and go to.
extension Run {
    func hasCheckpoint(_ step: Int) -> Bool {
        store.hasCheckpoint(trajectory.keys[step])
    }

    /// The latest state in the store, up to `target`.
    package func latest(upTo target: Int) -> Int? {
        let there = Set(
            (try? FileManager.default.contentsOfDirectory(atPath: "\(store.folder)/checkpoints"))
                ?? [])
        guard !there.isEmpty else { return nil }
        return stride(from: target, to: 0, by: -1).first { there.contains(trajectory.keys[$0].hex) }
    }

    package func loaded(_ options: RunOptions) throws -> any Stepper {
        if let stepper { return stepper }
        let state = try TrainingState(trajectory.recipe, stop: options.stop)
        while step > 0, try !restore(state, at: step, options) {
            step = latest(upTo: step - 1) ?? 0
        }
        let stepper = try options.makeStepper(state)
        try stepper.load()
        self.stepper = stepper
        return stepper
    }

    /// Reads the checkpoint of a state; a damaged one is set aside with a warning and counts as absent.
    package func restore(
        _ state: TrainingState, at target: Int, _ options: RunOptions
    ) throws -> Bool {
        let key = trajectory.keys[target]
        guard let folder = try folder(of: target, options) else { return false }
        let manifest: CheckpointManifest
        do {
            guard let found = try store.manifest(key, folder) else { return false }
            manifest = found
            try trajectory.check(manifest, of: target, folder)
            try Checkpoint.verify(folder, manifest)
        } catch let error as CheckpointError {
            // Another process may have removed it while it was read.
            guard FileManager.default.fileExists(atPath: folder) else { return false }
            let place = try store.setAside(key, folder)
            let isThere = store.hasCheckpoint(key)
            _ = try options.onEvent(
                .warning(
                    "\(error.message); moved to \(place), going on from "
                        + (isThere ? "another version" : "an earlier state")))
            return isThere ? try restore(state, at: target, options) : false
        }
        try state.use(
            trajectory.configuration(ofState: target), trajectory.precision(max(0, target - 1)),
            trajectory.optimizer(max(0, target - 1)))
        try Checkpoint.read(
            folder, manifest: manifest, parameters: state.model.parameters,
            optimizer: state.optimizer)
        step = target
        // Manifests of earlier versions name none.
        version = try manifest.version ?? store.registry.version(of: key)
        let stays =
            options.keep.contains(target) || (target == trajectory.steps && options.keepLast)
        if manifest.rolling && stays { try store.keep(key) }
        // Another run's rolling checkpoint is that run's to replace.
        let own = try trajectory.recipeText() == manifest.recipe
        rolling = manifest.rolling && !stays && own ? key : nil
        _ = try options.onEvent(.restored(step: target))
        return true
    }

    /// The checkpoint of a state that the options allow.
    private func folder(of target: Int, _ options: RunOptions) throws -> String? {
        let key = trajectory.keys[target]
        guard let origin = options.origin, target >= origin.step else {
            return store.checkpointFolder(key)
        }
        return try store.checkpointVersions(key).first { _, version in
            try store.registry.comes(
                (key, version), from: trajectory.keys[origin.step], at: origin.step, origin.version)
        }?.folder
    }

    /// Frees the model and the moments if the store has them; they are read again when they are needed.
    func releaseStoredState() {
        guard unsaved.isEmpty, step == 0 || hasCheckpoint(step) else { return }
        stepper = nil
    }

    /// Goes on where another run of the same recipe is, with its model and moments unless the store has them.
    ///
    /// The other run's store, with its connections, is not needed any more.
    public func takeOver(_ other: Run) {
        (step, stepper, rolling) = (other.step, other.stepper, other.rolling)
        (version, unsaved, unsavedFrom) = (other.version, other.unsaved, other.unsavedFrom)
    }

    /// Hands the steps to the registry, and with them how far the run is.
    package func flush() throws {
        guard !unsaved.isEmpty else { return }
        try store.registry.record(steps: unsaved, from: unsavedFrom, run: try row("running"))
        unsaved.removeAll()
    }

    /// Records first, so that a state on disk always has its records.
    package func write(_ stepper: any Stepper, rolling isRolling: Bool) throws {
        try flush()
        guard step > 0 else { return }
        let before = rolling
        if !store.hasCheckpoint(key, version) {
            try store.keep(trajectory.recipe.tokenizer)
            try stepper.read()
            let state = stepper.state
            let manifest = CheckpointManifest(
                key: key, step: step, optimizerSteps: state.optimizer.steps, rolling: isRolling,
                model: RecordedModel(trajectory.configuration(ofState: step)),
                recipe: try trajectory.recipeText(),
                engine: .own, version: version, journal: store.registry.place)
            try store.write(manifest) { folder, manifest in
                try Checkpoint.write(
                    folder, manifest: manifest, parameters: state.model.parameters,
                    optimizer: state.optimizer)
            }
        }
        if !isRolling { try store.keep(key) }
        rolling = isRolling ? key : nil
        if let before, before != key { store.removeRolling(before) }
    }

    /// Brings the registry up to date.
    package func register(_ status: String, failure: String? = nil) throws {
        guard let row = try row(status, failure: failure) else { return }
        try store.registry.record(steps: unsaved, from: unsavedFrom, run: row)
        unsaved.removeAll()
    }

    private func row(_ status: String, failure: String? = nil) throws -> RunRow? {
        guard let last = trajectory.keys.last else { return nil }
        return RunRow(
            key: last, name: try storedName.get(), status: status, step: step,
            steps: trajectory.steps,
            updated: Date().timeIntervalSince1970, recipe: try trajectory.recipeText(),
            failure: failure, state: key, version: version, exposure: trajectory.exposure(at: step),
            processor: Numerics.processor)
    }
}

extension Trajectory {
    /// Refuses a manifest that contradicts what the recipe says of a state.
    ///
    /// All that decides a number is compared, so that nothing rests on a manifest without a checksum.
    ///
    /// - Throws: `CheckpointError` naming the field.
    package func check(_ manifest: CheckpointManifest, of state: Int, _ folder: String) throws {
        let wrong =
            manifest.step != state
            ? "step"
            : manifest.optimizerSteps != updates(ofState: state)
                ? "optimizerSteps"
                : manifest.model != RecordedModel(configuration(ofState: state))
                    ? "model" : manifest.numerics != Numerics.version ? "numerics" : nil
        guard let wrong else { return }
        throw CheckpointError(
            path: folder,
            reason: "the field \(wrong) of \(Checkpoint.manifestFile) contradicts the recipe")
    }
}
