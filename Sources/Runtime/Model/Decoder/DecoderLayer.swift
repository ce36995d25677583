import RuntimeNumerics
import RuntimeSupport

/// What a decoder's layers share: constants of its shape.
struct DecoderPlan {
    let shape: DecoderShape
    /// Angles of layers that see all positions, of those with a window, and of those that know no positions.
    private let angles, windowAngles, noAngles: RotaryAngles
    /// Gain and bias of norms without weights.
    fileprivate let one, zero: Tensor?

    init(_ shape: DecoderShape) throws {
        self.shape = shape
        angles = try shape.angles(base: shape.rotaryBase, shape.rotaryScaling)
        windowAngles =
            try shape.windowRotaryBase.map { try shape.angles(base: $0, nil) } ?? angles
        noAngles = try RotaryAngles(rotated: 0, positions: shape.context)
        let isPlain = shape.norm == .plainLayer
        one = isPlain ? try Tensor.ones([shape.width]) : nil
        zero = isPlain ? try Tensor.zeros([shape.width]) : nil
    }

    func angles(_ layer: Int) -> RotaryAngles {
        guard shape.knowsPositions(layer) else { return noAngles }
        return shape.isWindowed(layer) ? windowAngles : angles
    }

    func heads(_ layer: Int) -> GroupedHeads {
        GroupedHeads(
            heads: shape.heads, groups: shape.groups, size: shape.size,
            scale: shape.queryScalar.map { 1 / Float($0).squareRoot() },
            window: shape.isWindowed(layer) ? shape.window : nil,
            cap: shape.attentionCap.map { Float($0) })
    }

    var activation: Activation {
        let function: Activation.Function =
            switch shape.function {
            case .silu: .silu
            case .gelu: .gelu
            case .gelu_tanh: .geluTanh
            case .relu: .relu
            case .relu2: .squaredReLU
            }
        return Activation(function, isGated: shape.isGated)
    }
}

extension DecoderShape {
    fileprivate func angles(base: Double, _ scaling: RotaryScaling?) throws -> RotaryAngles {
        guard let scaling else {
            return try RotaryAngles(rotated: rotated, positions: context, base: Float(base))
        }
        let frequencies = RotaryAngles.frequencies(rotated: rotated, base: Float(base))
        return try RotaryAngles(
            frequencies: scaling.stretched(frequencies, base: base), positions: context,
            factor: scaling.anglesFactor)
    }

    /// What is added to the gains of RMS norms.
    fileprivate var gainOffset: Float { gainsLessOne == true ? 1 : 0 }
}

/// The parameters of a decoder, by role.
struct DecoderWeights {
    let embedding: Tensor
    let positions: Tensor?
    let layers: [DecoderLayer]
    let norm: NormWeights
    let head: Tensor

    /// Takes tensors in the order of `DecoderShape.parameterShapes`.
    init(_ plan: DecoderPlan, _ names: DecoderNames, _ tensors: [Tensor]) {
        let shape = plan.shape
        var rest = tensors[...]
        func next() -> Tensor { rest.removeFirst() }
        func norm() -> NormWeights {
            let epsilon = Float(shape.normEpsilon)
            if let one = plan.one {
                return NormWeights(gain: one, bias: plan.zero, epsilon: epsilon)
            }
            let gain = next()
            return NormWeights(
                gain: gain, bias: shape.norm == .layer ? next() : nil, epsilon: epsilon,
                offset: shape.gainOffset)
        }
        func affine(_ count: Int, bias: Bool) -> Affine {
            let weights = (0..<count).map { _ in next() }
            return Affine(weights: weights, biases: bias ? (0..<count).map { _ in next() } : [])
        }
        embedding = next()
        positions = shape.learnedPositions == nil ? nil : next()
        let (isBefore, isAfter) = (shape.normPlace != .after, shape.normPlace != .before)
        layers = (0..<shape.layers).map { index in
            DecoderLayer(
                plan: plan, index: index, attentionNorm: isBefore ? norm() : nil,
                qkv: affine(names.attention.count, bias: shape.attentionBias != .none),
                headNorms: shape.queryKeyNorm.map {
                    HeadNorms(
                        query: next(), key: next(), epsilon: Float(shape.normEpsilon),
                        offset: shape.gainOffset, isWhole: $0 == .whole)
                }, dense: affine(1, bias: shape.attentionBias == .all),
                afterAttention: isAfter ? norm() : nil, feedForwardNorm: isBefore ? norm() : nil,
                up: affine(names.up.count, bias: shape.feedForwardBias),
                down: affine(1, bias: shape.feedForwardBias),
                afterFeedForward: isAfter ? norm() : nil)
        }
        self.norm = norm()
        head = shape.tiedEmbeddings ? embedding : next()
    }
}

/// One transformer block.
struct DecoderLayer {
    let plan: DecoderPlan
    let index: Int
    let attentionNorm: NormWeights?
    let qkv: Affine
    let headNorms: HeadNorms?
    let dense: Affine
    let afterAttention: NormWeights?
    let feedForwardNorm: NormWeights?
    let up, down: Affine
    let afterFeedForward: NormWeights?

    /// The block on a residual stream `[tokens, width]`.
    func apply(_ x: Tensor, rows: Int, _ precision: Precision) throws -> Tensor {
        let middle = try x.groupedAttentionBlock(
            attentionNorm, qkv: qkv, heads: plan.heads(index), norms: headNorms, dense: dense,
            after: afterAttention, rows: rows, angles: plan.angles(index), precision: precision)
        return try finish(middle, precision)
    }

    /// A cache for generation.
    func cache(_ precision: Precision) throws -> GroupedCache {
        try GroupedCache(
            plan.heads(index), norms: headNorms, angles: plan.angles(index), precision: precision)
    }

    /// The attention part with the residual sum, around a function from queries, keys and values to what is attended.
    func attention(
        _ x: Tensor, _ precision: Precision, _ attend: (Tensor) throws -> Tensor
    ) throws -> Tensor {
        let entering = try attentionNorm.map { try x.normed($0) } ?? x
        let attended = try attend(try entering.linear(qkv, precision))
        let leaving = try attended.linear(dense, precision)
        return try x.adding(try afterAttention.map { try leaving.normed($0) } ?? leaving)
    }

    /// The feed-forward part with the residual sum.
    func finish(_ x: Tensor, _ precision: Precision) throws -> Tensor {
        try x.feedForward(
            feedForwardNorm, up: up, down: down, plan.activation, after: afterFeedForward,
            adding: x, precision: precision)
    }

    /// The same with its matrices prepared for generation.
    func joined(_ precision: Precision) throws -> DecoderLayer {
        DecoderLayer(
            plan: plan, index: index, attentionNorm: attentionNorm, qkv: try qkv.joined(precision),
            headNorms: headNorms, dense: try dense.joined(precision),
            afterAttention: afterAttention, feedForwardNorm: feedForwardNorm,
            up: try up.joined(precision), down: try down.joined(precision),
            afterFeedForward: afterFeedForward)
    }
}

extension Tensor {
    fileprivate func linear(_ affine: Affine, _ precision: Precision) throws -> Tensor {
        try linear(affine.weight, bias: affine.bias, precision: precision)
    }
}
