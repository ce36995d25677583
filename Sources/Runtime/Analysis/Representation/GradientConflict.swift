import RuntimeData
import RuntimeEvaluation
import RuntimeModel
import RuntimeStore
import RuntimeSupport
import RuntimeTraining

/// Whether learning one corpus helps or hurts another: the cosine of their gradients, state by state.
public struct GradientConflict: Sendable {
    /// One state.
    public struct State: Sendable {
        /// Steps done.
        public let step: Int
        /// By layer, `all` last: above 0 a step for one lowers the loss of the other, below 0 they conflict.
        public let layers: [(name: String, cosine: Interval)]
        /// Losses of the two in nats a token.
        public let losses: (general: Double, target: Double)
    }

    /// The states in order of their steps.
    public let states: [State]

    /// Takes gradients at some states of a run that the store has.
    ///
    /// - Throws: `InvalidValue` naming a step whose state is not in the store; as `GradientBlocks`.
    public init(
        _ trajectory: Trajectory, store: Store, steps: [Int]?, general: EvaluationSet,
        target: EvaluationSet, blocks count: Int, replicates: Int, seed: UInt64,
        progress: ProgressHandler? = nil, stop: @escaping ShouldStop
    ) throws {
        let there = try trajectory.storedStates(store)
        let wanted = steps ?? there
        guard !wanted.isEmpty else {
            throw InvalidValue(
                "steps", expected: "states in the store, such as `keep` leaves", found: "none")
        }
        for step in wanted where !there.contains(step) {
            throw InvalidValue(
                "steps",
                expected: "states in the store (\(there.map(String.init).joined(separator: ", ")))",
                found: step)
        }
        states = try wanted.sorted().map { step in
            let model = try trajectory.storedModel(step, store)
            let blocks = try GradientBlocks(
                model, trajectory.recipe.tokenizer, [general, target], blocks: count, store: store,
                progress: progress, stop: stop)
            let values = blocks.cosines([1, 0], [0, 1])
            let drawn = try Parallel.map(replicates) { replicate in
                blocks.cosines(
                    [1, 0], [0, 1], multiplicity: blocks.draw(replicate, seed: seed))
            }
            return State(
                step: step,
                layers: blocks.layers.indices.map { layer in
                    (
                        blocks.layers[layer],
                        Bootstrap.centred(values[layer], drawn.map { $0[layer] })
                    )
                }, losses: (blocks.loss(0).nats, blocks.loss(1).nats))
        }
    }
}

extension Trajectory {
    /// The states whose checkpoints are in a store, state 0 among them as it is always known.
    public func storedStates(_ store: Store) throws -> [Int] {
        let there = Set(try store.checkpoints().usable.map(\.key))
        return [0] + keys.indices.dropFirst().filter { there.contains(keys[$0]) }
    }

    /// The model of a state that is in a store.
    ///
    /// - Throws: `CheckpointError` when it is damaged or gone.
    public func storedModel(_ step: Int, _ store: Store) throws -> any LanguageModel {
        let model = try recipe.initialModel()
        guard step > 0 else { return model }
        let folder = store.checkpointFolder(keys[step])
        guard let manifest = try store.manifest(keys[step]) else {
            throw CheckpointError(path: folder, reason: "there is no checkpoint of step \(step)")
        }
        try check(manifest, of: step, folder)
        try Checkpoint.verify(folder, manifest)
        try Checkpoint.read(
            folder, manifest: manifest, parameters: model.parameters, optimizer: nil)
        return model
    }
}

/// The loss of some corpora under a model, with intervals over documents or examples.
public struct LossesUnderModel: Sendable {
    /// One corpus.
    public struct Line: Sendable {
        /// Its name.
        public let corpus: String
        /// Nats a token.
        public let nats: Interval
        /// Bits a byte, which does not depend on the tokenizer.
        public let bits: Interval
        /// Tokens that count.
        public let tokens: Int
    }

    /// The corpora in order.
    public let lines: [Line]

    /// Measures the losses.
    ///
    /// - Throws: errors of reading and of the model; `Interrupted`.
    public init(
        _ model: any LanguageModel, _ tokenizer: Tokenizer, _ sets: [EvaluationSet], store: Store,
        replicates: Int, seed: UInt64, stop: @escaping ShouldStop
    ) throws {
        lines = try sets.enumerated().map { index, set in
            let evaluator = try store.evaluators.evaluator(
                set, tokenizer, context: model.configuration.context, stop: stop)
            let parts = try evaluator.documents(model, stop: stop)
            let stream = RandomStream(seed: seed, "documents of \(set.corpus.name)")
            func sums(_ times: [Int32]) -> (Double, Double) {
                var (nats, count, bytes) = (0.0, 0.0, 0.0)
                for (part, times) in zip(parts, times) {
                    nats += Double(times) * part.nats
                    count += Double(times) * Double(part.tokens)
                    bytes += Double(times) * Double(part.bytes)
                }
                return (nats / count, nats / bytes / 0.6931471805599453)
            }
            let all = sums(parts.map { _ in 1 })
            let drawn =
                parts.count < 2
                ? []
                : (0..<replicates).map {
                    sums(Bootstrap.multiplicities(parts.count, replicate: $0, stream: stream))
                }
            return Line(
                corpus: set.corpus.name, nats: Bootstrap.percentile(all.0, drawn.map(\.0)),
                bits: Bootstrap.percentile(all.1, drawn.map(\.1)),
                tokens: parts.reduce(0) { $0 + $1.tokens })
        }
    }
}
