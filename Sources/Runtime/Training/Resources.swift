import Foundation
import RuntimeModel
import RuntimeSupport

/// What training needs against what the machine has.
package enum Resources {
    /// Refuses a training step that memory cannot hold.
    ///
    /// - Parameters:
    ///   - held: Bytes of the estimate that tensors hold already.
    ///   - what: What needs it, such as `training`.
    /// - Throws: `ResourceError`.
    package static func check(_ memory: MemoryEstimate, held: Int = 0, _ what: String) throws {
        let available = Memory.availableBytes + held
        guard memory.total > available else { return }
        let parts = [
            ("parameters", memory.parameters), ("gradients", memory.gradients),
            ("moments", memory.moments), ("activations", memory.activations),
            ("temporary", memory.temporary),
        ].map { "\($0) \(Amount.bytes($1))" }
        throw ResourceError(
            message: "\(what) needs \(Amount.bytes(memory.total)) of memory: "
                + parts.joined(separator: ", ")
                + "; \(Amount.bytes(max(0, available))) available "
                + "(limit \(Amount.bytes(Memory.limit))); take a smaller batch or context, "
                + "or set `accumulate`")
    }

    /// Refuses checkpoints that the store's file system cannot hold.
    ///
    /// - Parameters:
    ///   - kept: Checkpoints that will stay, by their bytes.
    ///   - rolling: The bytes of the one that is written meanwhile.
    /// - Throws: `ResourceError`.
    package static func check(kept: [Int], rolling: Int, in folder: String, _ what: String) throws {
        let staying = kept.reduce(0) { Int.saturatingSum($0, $1) }
        let needed = Int.saturatingSum(staying, rolling)
        guard let free = Machine.freeBytes(folder), needed > free else { return }
        throw ResourceError(
            message:
                "\(what) needs \(Amount.bytes(needed)) of disk: \(kept.count) checkpoints that stay "
                + "\(Amount.bytes(staying)), one for resuming \(Amount.bytes(rolling)); "
                + "\(Amount.bytes(free)) free on the file system of \(folder); "
                + "`mtrepl runs gc` and `mtrepl runs remove` make space")
    }
}

extension Recipe {
    /// The memory of the recipe's largest step, finetuning included.
    public var memory: MemoryEstimate {
        let own = (
            max(batch / accumulate, finetunings.map(\.mostRows).max() ?? 0), model, optimizer
        )
        // A recipe is valid, so that its phases have models.
        let changed = phases.compactMap { phase in
            (try? model(in: phase.settings)).map {
                (
                    (phase.settings.batch ?? batch) / accumulate, $0,
                    phase.settings.optimizer ?? optimizer
                )
            }
        }
        return ([own] + changed).map { rows, model, optimizer in
            model.memory(rows: rows, columns: model.context, optimizer: optimizer)
        }.max { $0.total < $1.total }
            ?? model.memory(rows: batch, columns: model.context, optimizer: optimizer)
    }

    /// Bytes of a checkpoint: the parameters and what the optimizer keeps.
    public var checkpointBytes: Int {
        let ranges = ParameterRange.ranges(of: model.parameterShapes)
        let kept =
            ([optimizer] + phases.compactMap(\.settings.optimizer)
            + finetunings.map(\.optimizer)).map { $0.stateBytes(for: ranges) }.max() ?? 0
        return Int.saturatingSum(Int.saturatingProduct(4, model.parameterCount), kept)
    }
}

extension Run {
    /// Refuses, before any step, what memory or disk cannot hold.
    func checkResources(to target: Int, _ options: RunOptions) throws {
        let boundaries = options.boundaries(to: target)
        let recipe = trajectory.recipe
        var held = 0
        if stepper != nil {
            let memory = recipe.memory
            held = memory.parameters + memory.gradients + memory.moments
        }
        try Resources.check(recipe.memory, held: held, "training")
        let missing = boundaries.filter { boundary in
            boundary > step && !hasCheckpoint(boundary)
                && (boundary < trajectory.steps || options.keepLast)
        }
        guard boundaries.contains(where: { $0 > step }) else { return }
        let bytes = recipe.checkpointBytes
        try Resources.check(
            kept: missing.map { _ in bytes }, rolling: bytes, in: store.folder, "training")
    }
}
