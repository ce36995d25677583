import Runtime

/// What a row of the table names: a model, and a batch of random tokens.
struct ModelCase {
    let model: any LanguageModel
    let batch: TokenBatch

    /// The presets' context is cut to the columns that are used.
    init(_ arguments: Arguments) throws {
        var shape = try NeoXConfiguration.preset(try arguments.text("model"))
        shape.vocabulary = try arguments.integer("vocabulary")
        let (rows, columns) = (try arguments.integer("rows"), try arguments.integer("columns"))
        shape.context = columns
        model = try shape.model(seed: 1, precision: try arguments.precision())
        func random(_ name: String) -> [Int32] {
            let stream = RandomStream(seed: 1, name)
            return (0..<rows * columns).map {
                Int32(stream.integer(UInt64($0), below: shape.vocabulary))
            }
        }
        batch = TokenBatch(
            rows: rows, columns: columns, inputs: random("inputs"), targets: random("targets"))
    }

    var tokens: Int { batch.inputs.count }
}

/// A full training step: gradients of the mean loss, clipping, AdamW.
struct TrainingStep {
    let one: ModelCase
    let optimizer: OptimizerState

    init(_ arguments: Arguments) throws {
        one = try ModelCase(arguments)
        optimizer = try OptimizerState(one.model.parameters)
    }

    /// The operations that `docs/performance.md` counts.
    var operations: Double {
        one.model.configuration.trainingOperationsPerToken(columns: one.batch.columns)
            * Double(one.tokens)
    }

    func take() throws -> LossSum {
        one.model.parameters.zeroGradients()
        let loss = try one.model.accumulateGradients(one.batch, scale: 1 / Float(one.tokens))
        try optimizer.step(learningRate: 1e-3)
        return loss
    }
}

func benchmarkStep(_ arguments: Arguments) throws {
    let step = try TrainingStep(arguments)
    var loss = LossSum()
    let seconds = try Measurement.time(
        warmup: try arguments.integer("warmup"), repeats: try arguments.integer("repeats")
    ) { loss = try step.take() }
    try Measurement(
        seconds: seconds, operations: step.operations, tokens: step.one.tokens, loss: loss.mean
    ).write()
}

/// The same step kernel by kernel: lines of all repetitions together.
func benchmarkProfile(_ arguments: Arguments) throws {
    let step = try TrainingStep(arguments)
    var seconds: [Double] = []
    for _ in 0..<(try arguments.integer("warmup")) { _ = try step.take() }
    let (_, lines) = try Profile.measure {
        seconds = try Measurement.time(
            warmup: 0, repeats: try arguments.integer("repeats")
        ) { _ = try step.take() }
    }
    try Measurement(
        seconds: seconds, operations: step.operations, tokens: step.one.tokens,
        kernels: lines.map(KernelTime.init)
    ).write()
}

/// The loss of a batch without gradients.
func benchmarkEvaluate(_ arguments: Arguments) throws {
    let one = try ModelCase(arguments)
    var loss = LossSum()
    let seconds = try Measurement.time(
        warmup: try arguments.integer("warmup"), repeats: try arguments.integer("repeats")
    ) { loss = try one.model.loss(one.batch) }
    let perToken = one.model.configuration.operationsPerToken(columns: one.batch.columns)
    try Measurement(
        seconds: seconds, operations: perToken * Double(one.tokens), tokens: one.tokens,
        loss: loss.mean
    ).write()
}

/// Greedy generation of as many tokens as the prompt has, the prompt being half of `--columns`.
func benchmarkGenerate(_ arguments: Arguments) throws {
    let one = try ModelCase(arguments)
    let half = one.batch.columns / 2
    let prompt = Array(one.batch.inputs.prefix(half))
    var produced = 0
    let seconds = try Measurement.time(
        warmup: try arguments.integer("warmup"), repeats: try arguments.integer("repeats")
    ) {
        produced = try one.model.generate(
            prompt: prompt, count: half, sampling: Sampling(temperature: 0)
        ).count
    }
    try Measurement(seconds: seconds, tokens: produced).write()
}

/// The best rate of large products by `Tensor.linear`, the ceiling of everything else.
func benchmarkProduct(_ arguments: Arguments) throws {
    let (m, n, k) = (
        try arguments.integer("m"), try arguments.integer("n"), try arguments.integer("k")
    )
    let a = try Tensor.normal([m, k], seed: 1)
    let b = try Tensor.normal([n, k], seed: 2)
    let precision = try arguments.precision()
    let seconds = try Measurement.time(
        warmup: try arguments.integer("warmup"), repeats: try arguments.integer("repeats")
    ) { _ = try a.linear(b, precision: precision) }
    try Measurement(seconds: seconds, operations: 2 * Double(m) * Double(n) * Double(k)).write()
}
