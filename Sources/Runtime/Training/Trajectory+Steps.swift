import Foundation

extension Trajectory {
    /// Whether step `step` belongs to finetuning.
    public func isFinetuning(_ step: Int) -> Bool { step >= recipe.steps }

    /// The name of the phase that step `step` belongs to.
    public func phaseName(_ step: Int) -> String {
        isFinetuning(step) ? "finetune" : phase(step).name
    }

    func phase(_ step: Int) -> Phase {
        guard let phase = recipe.phases.last(where: { $0.start <= step }) else {
            fatalError("a recipe's first phase starts at 0")
        }
        return phase
    }

    /// The learning rate of step `step`.
    public func learningRate(_ step: Int) -> Double {
        if let finetune, isFinetuning(step) { return finetune.schedule.rate(atStep: step - finetune.start) }
        return schedule.rate(atStep: step)
    }

    /// The optimiser settings of step `step`.
    public func optimizerSettings(_ step: Int) -> AdamWSettings {
        if let finetune, isFinetuning(step) { return finetune.settings.optimizer }
        return recipe.optimizer
    }

    /// Whether the optimiser forgets its moments before step `step`: at the first step of finetuning.
    public func resetsOptimizer(_ step: Int) -> Bool { finetune?.start == step }

    /// The samples of a pretraining or midtraining step: the source and position of every row.
    public func rows(_ step: Int) -> [(source: Int, position: Int)] {
        var next = Array(cursors[(step * sources.count)..<((step + 1) * sources.count)])
        return assigned[(step * recipe.batch)..<((step + 1) * recipe.batch)].map { source in
            defer { next[Int(source)] += 1 }
            return (Int(source), next[Int(source)])
        }
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
        let context = recipe.model.context
        let rows = rows(step)
        let size = recipe.batch / recipe.accumulate
        var window = [Int32](repeating: 0, count: context + 1)
        return (0..<recipe.accumulate).map { part in
            var batch = TokenBatch(rows: size, columns: context, inputs: [], targets: [])
            batch.inputs.reserveCapacity(size * context)
            batch.targets.reserveCapacity(size * context)
            for row in rows[(part * size)..<((part + 1) * size)] {
                window.withUnsafeMutableBufferPointer { buffer in
                    guard let pointer = buffer.baseAddress else { return }
                    sources[row.source].window(row.position, into: pointer)
                }
                batch.inputs.append(contentsOf: window[..<context])
                batch.targets.append(contentsOf: window[1...])
            }
            return batch
        }
    }

    /// Samples of each source read before state `state`, by source name; finetuning is not counted.
    public func samplesRead(before state: Int) -> [(name: String, samples: Int)] {
        let index = min(state, recipe.steps)
        return sources.indices.map { (sources[$0].name, cursors[index * sources.count + $0]) }
    }

    static func checkRepeats(_ recipe: Recipe, _ sources: [Source], _ samples: ArraySlice<Int>) throws {
        for (source, count) in zip(sources, samples) where count > source.windows {
            guard !recipe.mayRepeat.contains(source.name), !recipe.mayRepeat.contains("*") else { continue }
            throw ExposureError(
                source: source.name, available: source.windows * recipe.model.context,
                needed: count * recipe.model.context)
        }
    }

    func initialKey() -> Digest {
        var start = DigestBuilder("mtrepl state")
        start.add(Numerics.version)
        start.add(recipe.model.digest)
        start.add(recipe.tokenizer.digest)
        start.add(recipe.seed)
        start.add(recipe.precision.rawValue)
        return start.finish()
    }

    /// The key `first` of the last known state and those of the `count` states after it.
    func chain(from first: Digest, _ count: Int) -> [Digest] {
        var key = first
        var result = [key]
        result.reserveCapacity(count + 1)
        let known = max(0, keys.count - 1)
        let sourceDigests = sources.map(\.digest)
        var packed: [UInt64] = []
        for step in known..<(known + count) {
            var builder = DigestBuilder("step")
            builder.add(key)
            builder.add(learningRate(step))
            builder.add(optimizerSettings(step))
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
                // Sources are numbered by first use in the batch, so that one that is not used does not count.
                var numbers = [Int](repeating: -1, count: sources.count)
                var used = 0
                packed.removeAll(keepingCapacity: true)
                for row in rows(step) {
                    if numbers[row.source] < 0 {
                        numbers[row.source] = used
                        used += 1
                        builder.add(sourceDigests[row.source])
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

/// A source would be read more than once without leave.
public struct ExposureError: RuntimeError {
    /// The source.
    public let source: String
    /// Tokens it has in one pass.
    public let available: Int
    /// Tokens the recipe reads from it.
    public let needed: Int

    /// Names the source, what it has, what is needed and how to go on.
    public var message: String {
        "source \(source) has \(available) tokens, but the recipe reads \(needed) of it "
            + "(\(String(format: "%.2f", Double(needed) / Double(max(1, available)))) epochs): add text, take fewer steps, "
            + "a lower weight or a smaller batch, or allow it with repeats = { \"\(source)\" }"
    }
}

extension DigestBuilder {
    mutating func add(_ settings: AdamWSettings) {
        for value in [
            settings.beta1, settings.beta2, settings.epsilon, settings.weightDecay, settings.clip,
        ] { add(value) }
    }
}

extension NeoXConfiguration {
    /// The digest of the shape.
    public var digest: Digest {
        var builder = DigestBuilder("model")
        // Encoding a struct of numbers and flags cannot fail; an empty text would still be a fixed one.
        builder.add((try? CanonicalJSON.text(self)) ?? "")
        return builder.finish()
    }
}
