import Foundation
import RuntimeModel
import RuntimeStore
import RuntimeSupport

/// A study's tree: what is shared, what is left to train, and what it will cost.
public struct StudyPlan {
    /// One arm's place in the tree.
    public struct Branch {
        /// The arm's label.
        public let label: String
        /// The arm it shares the most states with, among those before it; `nil` for a trunk.
        public let parent: Int?
        /// The state it parts from that arm at.
        public let from: Int
        /// Steps of the arm before finetuning.
        public let steps: Int
        /// Steps of finetuning over all its learning rates.
        public let finetuneSteps: Int
        /// Steps of its own that the store has no state or result for.
        public let missing: Int
        /// States at which later arms part from this one.
        public var branches: Set<Int>
    }

    /// The arms in order.
    public internal(set) var branches: [Branch]
    /// Steps if every arm were trained from scratch, then finetuned at every learning rate.
    public let naiveSteps: Int
    /// Steps with every distinct segment trained once.
    public let distinctSteps: Int
    /// Steps that remain, given what the store has.
    public let missingSteps: Int
    /// Tokens in the remaining steps.
    public let missingTokens: Int
    /// Floating-point operations of the remaining steps, forward and backward.
    public let missingOperations: Double
    /// Parameters of the largest model.
    public let parameters: Int
    /// Bytes of the checkpoints that will be kept.
    public let checkpointBytes: Int
    /// Bytes of those that the store does not have yet, one for each state.
    package let missingCheckpoints: [Int]
    /// The memory of the largest training step.
    public let memory: MemoryEstimate
    /// The states at which arms part, by step.
    let branchPoints: [Int: Set<Digest>]
    /// Measured seconds per token of a training step; `nil` when not calibrated.
    public var secondsPerToken: Double?

    /// Bytes of memory that training needs at most.
    public var memoryBytes: Int { memory.total }

    /// Predicted seconds for the remaining steps; `nil` when not calibrated.
    public var seconds: Double? { secondsPerToken.map { $0 * Double(missingTokens) } }
}

extension StudyPlan {
    /// The states on an arm's way at which some arm parts from another.
    ///
    /// Not only its own branches: if a trunk's checkpoint is gone, the first arm that passes there keeps it again.
    func statesToKeep(_ base: Trajectory) -> Set<Int> {
        Set(
            branchPoints.filter { $0.key < base.keys.count && $0.value.contains(base.keys[$0.key]) }
                .keys)
    }

    /// Works out the tree.
    package init(_ arms: [Study.Resolved], store: Store) throws {
        var branches: [Branch] = []
        var (naive, distinct, missing, missingTokens) = (0, 0, 0, 0)
        var operations = 0.0
        var finetuned: Set<Digest> = []
        for (index, arm) in arms.enumerated() {
            let base = arm.base
            var (parent, from): (Int?, Int) = (nil, 0)
            for earlier in 0..<index {
                if let shared = arms[earlier].base.commonPrefix(base),
                    shared > from || parent == nil
                {
                    (parent, from) = (earlier, shared)
                }
            }
            if let parent, from < arms[parent].base.steps { branches[parent].branches.insert(from) }
            let begin = max(from, Run(base, store: store, name: "").step)
            var left = arm.done ? 0 : base.steps - begin
            if !arm.done {
                missingTokens += base.tokens(in: begin..<base.steps)
                operations += base.operations(in: begin..<base.steps)
            }
            var finetuneSteps = 0
            for variant in arm.variants {
                let length = variant.trajectory.steps - base.steps
                finetuneSteps += length
                guard let key = variant.trajectory.keys.last, finetuned.insert(key).inserted else {
                    continue
                }
                distinct += length
                if !variant.done {
                    left += length
                    let steps = base.steps..<variant.trajectory.steps
                    missingTokens += variant.trajectory.tokens(in: steps)
                    operations += variant.trajectory.operations(in: steps)
                }
            }
            naive += base.steps + finetuneSteps
            distinct += base.steps - from
            missing += left
            branches.append(
                Branch(
                    label: arm.arm.label, parent: parent, from: from, steps: base.steps,
                    finetuneSteps: finetuneSteps, missing: left, branches: []))
        }
        self.branches = branches
        naiveSteps = naive
        distinctSteps = distinct
        missingSteps = missing
        self.missingTokens = missingTokens
        missingOperations = operations
        parameters = arms.map(\.base.recipe.model.parameterCount).max() ?? 0
        memory =
            arms.flatMap { [$0.base.recipe.memory] + $0.variants.map(\.trajectory.recipe.memory) }
            .max { $0.total < $1.total }
            ?? MemoryEstimate(
                parameters: 0, gradients: 0, moments: 0, activations: 0, temporary: 0)
        // What stays of an arm: its last state and those at which later arms part from it.
        var kept: [Digest: Int] = [:]
        var unwritten: [Digest: Int] = [:]
        for (arm, branch) in zip(arms, branches) {
            for state in branch.branches.union([branch.steps]) where state > 0 {
                let key = arm.base.keys[state]
                kept[key] = arm.base.recipe.checkpointBytes
                if !arm.done, !store.hasCheckpoint(key) {
                    unwritten[key] = arm.base.recipe.checkpointBytes
                }
            }
        }
        var points: [Int: Set<Digest>] = [:]
        for (arm, branch) in zip(arms, branches) {
            for state in branch.branches { points[state, default: []].insert(arm.base.keys[state]) }
        }
        branchPoints = points
        checkpointBytes = kept.values.reduce(0, +)
        missingCheckpoints = Array(unwritten.values)
    }
}
