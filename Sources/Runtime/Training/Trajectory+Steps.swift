import Foundation
import RuntimeData
import RuntimeModel
import RuntimeNumerics
import RuntimeSupport

extension Trajectory {
    /// Whether step `step` belongs to finetuning.
    public func isFinetuning(_ step: Int) -> Bool { step >= recipe.end }

    /// The name of the phase that step `step` belongs to.
    public func phaseName(_ step: Int) -> String {
        isFinetuning(step) ? "finetune" : phase(step).phase.name
    }

    /// The mixture of step `step`, or the finetuning set, as people write it: `prose 0.8, code 0.2`; empty when there is
    /// no such step.
    public func mixtureText(_ step: Int) -> String {
        if let finetune, isFinetuning(step) { return finetune.settings.corpus.name }
        return plans.isEmpty ? "" : phase(step).phase.mixture.description
    }

    private func phase(_ step: Int) -> (phase: Phase, plan: BatchPlan, step: Int) {
        // validate() has checked that the first phase starts at 0.
        let index = recipe.phases.lastIndex { $0.start <= step } ?? recipe.phases.startIndex
        return (recipe.phases[index], plans[index], step - recipe.phases[index].start)
    }

    /// The learning rate of step `step`.
    public func learningRate(_ step: Int) -> Double {
        if let finetune, isFinetuning(step) {
            return finetune.schedule.rate(atStep: step - finetune.start)
        }
        return schedule.rate(atStep: step)
    }

    /// The optimizer of step `step`, with its settings.
    public func optimizer(_ step: Int) -> any Optimizer {
        if let finetune, isFinetuning(step) { return finetune.settings.optimizer }
        return recipe.optimizer
    }

    /// Whether the optimiser forgets its moments before step `step`: at the first step of finetuning.
    public func resetsOptimizer(_ step: Int) -> Bool { finetune?.start == step }

    /// The samples of a pretraining or midtraining step: the source and position of every row.
    public func rows(_ step: Int) -> [(source: Source, position: Int)] {
        let (_, plan, index) = phase(step)
        return plan.rows(index).map { (plan.sources[$0.source], $0.position) }
    }

    /// The batch of step `step` in the parts it is worked through in: a function of the recipe and the step alone.
    public func batches(_ step: Int) throws -> [TokenBatch] {
        if let finetune, isFinetuning(step) {
            let place = finetune.place(step)
            return [
                try finetune.set.batch(
                    epoch: place.epoch, index: place.index, batch: finetune.settings.batch,
                    seed: finetune.settings.seed, packed: finetune.settings.packed)
            ]
        }
        let (_, plan, index) = phase(step)
        let batch = try plan.tokens(index)
        guard recipe.accumulate > 1 else { return [batch] }
        let rows = recipe.batch / recipe.accumulate
        return (0..<recipe.accumulate).map { part in
            let range = (part * rows * batch.columns)..<((part + 1) * rows * batch.columns)
            return TokenBatch(
                rows: rows, columns: batch.columns, inputs: Array(batch.inputs[range]),
                targets: Array(batch.targets[range]))
        }
    }

    /// What the states before and including `state` have seen of each source, phase by phase; finetuning not counted.
    public func exposure(at state: Int) -> ExposureLedger {
        var ledger = ExposureLedger()
        for (phase, plan) in zip(recipe.phases, plans) where phase.start < state {
            ledger.append(phase.name, plan.exposure(after: min(plan.steps, state - phase.start)))
        }
        return ledger
    }

    func initialKey() -> Digest {
        let weights = recipe.weights?.digest
        var start = DigestBuilder(weights == nil ? "mtrepl state" : "mtrepl state of weights")
        start.add(Numerics.version)
        start.add(recipe.model.digest)
        start.add(recipe.tokenizer.digest)
        if let weights { start.add(weights) } else { start.add(recipe.seed) }
        start.add(recipe.precision.rawValue)
        return start.finish()
    }

    /// The key `first` of the last known state and those of the `count` states after it.
    ///
    /// - Throws: `ResourceError` when memory cannot hold the keys; `Interrupted` when `stop` says so.
    func chain(
        from first: Digest, _ count: Int, stop: ShouldStop
    ) throws -> [Digest] {
        let bytes = MemoryLayout<Digest>.size
        // The list is joined to that of the keys before, and both are there meanwhile.
        try Memory.require(
            [
                ("keys of \(count) steps", Int.saturatingProduct(count + 1, bytes)),
                (
                    "keys of \(keys.count) states before",
                    Int.saturatingProduct(2, keys.count, bytes)
                ),
            ], for: "a trajectory of \(keys.count + count) steps")
        let optimizer = recipe.optimizer.keyed
        let finetuningOptimizer = finetune?.settings.optimizer.keyed
        var key = first
        var result = [key]
        result.reserveCapacity(count + 1)
        let known = max(0, keys.count - 1)
        var packed: [UInt64] = []
        for step in known..<(known + count) {
            if step % 1024 == 0, stop() {
                throw Interrupted("interrupted while the batches of the recipe were planned")
            }
            var builder = DigestBuilder("step")
            builder.add(key)
            builder.add(learningRate(step))
            builder.add(isFinetuning(step) ? finetuningOptimizer ?? optimizer : optimizer)
            builder.add(resetsOptimizer(step) ? 1 : 0)
            if let finetune, isFinetuning(step) {
                let place = finetune.place(step)
                builder.add("examples")
                builder.add(finetune.set.digest)
                builder.add(finetune.settings.seed)
                builder.add(place.epoch)
                builder.add(place.index)
                builder.add(finetune.settings.batch)
                builder.add(finetune.settings.packed ? 1 : 0)
            } else {
                builder.add("windows")
                builder.add(recipe.accumulate)
                let (_, plan, index) = phase(step)
                // Sources are numbered by first use in the batch, so that one that is not used does not count.
                var numbers = [Int](repeating: -1, count: plan.sources.count)
                var used = 0
                packed.removeAll(keepingCapacity: true)
                for row in plan.rows(index) {
                    if numbers[row.source] < 0 {
                        numbers[row.source] = used
                        used += 1
                        builder.add(plan.sources[row.source].digest)
                    }
                    packed.append(UInt64(numbers[row.source]) << 48 | UInt64(row.position))
                }
                packed.withUnsafeBytes { builder.add(bytes: $0) }
            }
            key = builder.finish()
            result.append(key)
        }
        return result
    }
}
