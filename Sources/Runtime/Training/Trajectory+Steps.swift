import Foundation
import RuntimeData
import RuntimeModel
import RuntimeNumerics
import RuntimeSupport

extension Trajectory {
    /// Whether step `step` belongs to finetuning.
    public func isFinetuning(_ step: Int) -> Bool { step >= recipe.end }

    /// The finetuning that step `step` belongs to.
    package func finetune(_ step: Int) -> FinetuneSteps? {
        isFinetuning(step) ? finetunes.last { $0.start <= step } : nil
    }

    /// The name of the phase that step `step` belongs to.
    public func phaseName(_ step: Int) -> String {
        isFinetuning(step) ? "finetune" : stretch(step).stretch.phase.name
    }

    /// The mixture of step `step`, or the finetuning set, as people write it: `prose 0.8, code 0.2`; empty when there is
    /// no such step.
    public func mixtureText(_ step: Int) -> String {
        if let finetune = finetune(step) { return finetune.settings.corpus.name }
        return stretches.isEmpty ? "" : stretch(step).stretch.phase.mixtureText
    }

    private func stretch(_ step: Int) -> (stretch: Stretch, step: Int) {
        // validate() has checked that the first phase starts at 0.
        let index = stretches.lastIndex { $0.phase.start <= step } ?? stretches.startIndex
        return (stretches[index], step - stretches[index].phase.start)
    }

    /// The learning rate of step `step`.
    public func learningRate(_ step: Int) -> Double {
        if let finetune = finetune(step) {
            return finetune.rates.rate(atStep: step - finetune.start)
        }
        let own = rates.last { $0.start <= step } ?? rates[0]
        return own.rates.rate(atStep: step - own.start)
    }

    /// The optimizer of step `step`, with its settings.
    public func optimizer(_ step: Int) -> any Optimizer {
        if let finetune = finetune(step) { return finetune.settings.optimizer }
        return stretches.isEmpty ? recipe.optimizer : stretch(step).stretch.optimizer
    }

    /// The shape of the model at step `step`: phases may change its context.
    public func configuration(_ step: Int) -> any ModelConfiguration {
        stretches.isEmpty ? recipe.model : stretch(step).stretch.model
    }

    /// The shape of the model in a state: that of the step before.
    public func configuration(ofState state: Int) -> any ModelConfiguration {
        configuration(max(0, state - 1))
    }

    /// The arithmetic of step `step`.
    public func precision(_ step: Int) -> Precision {
        stretches.isEmpty ? recipe.precision : stretch(step).stretch.precision
    }

    /// Whether the optimiser forgets its moments before step `step`: at the first step of a finetuning, and of a phase that
    /// says so or has another kind of optimizer.
    public func resetsOptimizer(_ step: Int) -> Bool {
        if let finetune = finetune(step) { return finetune.start == step }
        guard !stretches.isEmpty else { return false }
        let (stretch, index) = stretch(step)
        return index == 0 && stretch.resetsOptimizer
    }

    /// Updates of the optimizer in a state since it last forgot.
    package func updates(ofState state: Int) -> Int {
        var begin = 0
        for stretch in stretches where stretch.resetsOptimizer && stretch.phase.start < state {
            begin = stretch.phase.start
        }
        for finetune in finetunes where finetune.start < state { begin = finetune.start }
        return state - begin
    }

    /// Sequences in step `step`.
    public func batchSize(_ step: Int) -> Int {
        if let finetune = finetune(step) {
            return finetune.settings.batch + finetune.replayed(step).count
        }
        return stretches.isEmpty ? recipe.batch : stretch(step).stretch.plan.batch
    }

    /// Tokens that the steps of a range read; of finetuning, as many as full sequences have.
    public func tokens(in steps: Range<Int>) -> Int {
        var total = 0
        var step = steps.lowerBound
        while step < steps.upperBound {
            // All steps to the next boundary have as many.
            let next = min(steps.upperBound, boundary(after: step))
            total += (next - step) * batchSize(step) * configuration(step).context
            step = next
        }
        return total
    }

    /// Floating-point operations of the steps of a range, forward and backward.
    public func operations(in steps: Range<Int>) -> Double {
        var total = 0.0
        var step = steps.lowerBound
        while step < steps.upperBound {
            let next = min(steps.upperBound, boundary(after: step))
            let model = configuration(step)
            total +=
                Double(tokens(in: step..<next))
                * model.trainingOperationsPerToken(columns: model.context)
            step = next
        }
        return total
    }

    /// The first step of the next phase or finetuning.
    private func boundary(after step: Int) -> Int {
        let starts = stretches.map(\.phase.start) + finetunes.map(\.start)
        return starts.filter { $0 > step }.min() ?? self.steps
    }

    /// The samples of a pretraining or midtraining step: the source and position of every row.
    public func rows(_ step: Int) -> [(source: Source, position: Int)] {
        let (stretch, index) = stretch(step)
        return stretch.plan.rows(index).map { (stretch.plan.sources[$0.source], $0.position) }
    }

    /// Where each row of the batches of a step is from, for people: `prose, window 3 of 120`.
    package func rowTexts(_ step: Int, _ batches: [TokenBatch]) -> [String] {
        func text(_ source: Source, _ position: Int) -> String {
            let pieces = source.pieces(position)
            let start = pieces[0].lowerBound
            let more = pieces.count > 1 ? " and \(pieces.count - 1) other pieces" : ""
            return "\(source.name), tokens from \(start + 1) of \(source.store.count)\(more)"
        }
        guard let finetune = finetune(step) else {
            let rows = rows(step)
            // Batches are those of one source each where losses count differently.
            let (stretch, index) = stretch(step)
            let ordered =
                stretch.plan.lossWeights(index) == nil
                ? rows
                : stretch.plan.sources.flatMap { source in rows.filter { $0.source === source } }
            return ordered.map { text($0.source, $0.position) }
        }
        let examples = Array(repeating: finetune.settings.corpus.name, count: batches[0].rows)
        guard let plan = finetune.replay else { return examples }
        return examples
            + finetune.replayed(step).flatMap { plan.rows($0) }.map {
                text(plan.sources[$0.source], $0.position)
            }
    }

    /// The batch of step `step` in the parts it is worked through in: a function of the recipe and the step alone.
    public func batches(_ step: Int) throws -> [TokenBatch] {
        if let finetune = finetune(step) {
            return try batches(step, finetune)
        }
        let (stretch, index) = stretch(step)
        let batches = try stretch.plan.tokens(index)
        guard recipe.accumulate > 1 else { return batches }
        let most = stretch.plan.batch / recipe.accumulate
        return batches.flatMap { batch in
            stride(from: 0, to: batch.rows, by: most).map { first in
                let rows = min(most, batch.rows - first)
                let range = (first * batch.columns)..<((first + rows) * batch.columns)
                var part = TokenBatch(
                    rows: rows, columns: batch.columns, inputs: Array(batch.inputs[range]),
                    targets: Array(batch.targets[range]))
                part.weight = batch.weight
                return part
            }
        }
    }

    /// The examples of a step of finetuning, and the windows beside them.
    private func batches(_ step: Int, _ finetune: FinetuneSteps) throws -> [TokenBatch] {
        let place = finetune.place(step)
        var examples = try finetune.set.batch(
            epoch: place.epoch, index: place.index, batch: finetune.settings.batch,
            seed: finetune.settings.seed, packed: finetune.settings.packed)
        let windows = finetune.replayed(step)
        guard let plan = finetune.replay, let share = finetune.settings.replay?.share,
            !windows.isEmpty
        else { return [examples] }
        let parts = try windows.flatMap { try plan.tokens($0) }
        var replayed = TokenBatch(
            rows: parts.count, columns: parts[0].columns, inputs: parts.flatMap(\.inputs),
            targets: parts.flatMap(\.targets))
        // Examples and windows have many and few tokens that count; the share is one of the loss.
        examples.weight = (1 - share) / Double(examples.counted)
        replayed.weight = share / Double(replayed.counted)
        return [examples, replayed]
    }

    /// What the states before and including `state` have seen of each source, phase by phase; of finetuning, what is read beside the examples.
    public func exposure(at state: Int) -> ExposureLedger {
        var ledger = ExposureLedger()
        for stretch in stretches where stretch.phase.start < state {
            let steps = min(stretch.plan.steps, state - stretch.phase.start)
            ledger.append(stretch.phase.name, stretch.plan.exposure(after: steps))
        }
        for finetune in finetunes where finetune.start < state {
            guard let plan = finetune.replay else { continue }
            let last = min(state - 1, finetune.start + finetune.length - 1)
            ledger.append("finetune", plan.exposure(after: finetune.replayed(last).upperBound))
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
        let optimizers = stretches.map(\.optimizer.keyed)
        let finetuningOptimizers = finetunes.map(\.settings.optimizer.keyed)
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
            if isFinetuning(step), let last = finetunes.lastIndex(where: { $0.start <= step }) {
                builder.add(finetuningOptimizers[last])
            } else {
                let index = stretches.lastIndex { $0.phase.start <= step } ?? 0
                builder.add(optimizers[index])
            }
            builder.add(resetsOptimizer(step) ? 1 : 0)
            if let finetune = finetune(step) {
                let place = finetune.place(step)
                builder.add("examples")
                builder.add(finetune.set.digest)
                builder.add(finetune.settings.seed)
                builder.add(place.epoch)
                builder.add(place.index)
                builder.add(finetune.settings.batch)
                builder.add(finetune.settings.packed ? 1 : 0)
                if let plan = finetune.replay, let share = finetune.settings.replay?.share {
                    builder.add("replay")
                    builder.add(share)
                    for window in finetune.replayed(step) {
                        for row in plan.rows(window) {
                            builder.add(plan.sources[row.source].digest)
                            builder.add(row.position)
                        }
                    }
                }
            } else {
                builder.add("windows")
                builder.add(recipe.accumulate)
                let (stretch, index) = stretch(step)
                let plan = stretch.plan
                // Sources are numbered by first use in the batch, so that one that is not used does not count.
                var numbers = [Int](repeating: -1, count: plan.sources.count)
                var used: [Int] = []
                packed.removeAll(keepingCapacity: true)
                for row in plan.rows(index) {
                    if numbers[row.source] < 0 {
                        numbers[row.source] = used.count
                        used.append(row.source)
                        builder.add(plan.sources[row.source].digest)
                    }
                    packed.append(UInt64(numbers[row.source]) << 48 | UInt64(row.position))
                }
                packed.withUnsafeBytes { builder.add(bytes: $0) }
                // What a phase has as the whole recipe does is in the key of state 0.
                if let weights = plan.lossWeights(index) {
                    builder.add("loss")
                    for source in used { builder.add(weights[source]) }
                }
            }
            if precision(step) != recipe.precision {
                builder.add("precision")
                builder.add(precision(step).rawValue)
            }
            if !stretches.isEmpty, let changed = stretch(step).stretch.changedModel {
                builder.add("model")
                builder.add(changed)
            }
            key = builder.finish()
            result.append(key)
        }
        return result
    }
}
