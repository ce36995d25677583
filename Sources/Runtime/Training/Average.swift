import Foundation
import RuntimeModel
import RuntimeNumerics
import RuntimeStore
import RuntimeSupport

/// A weighted mean of states, of one run or of several, as a model of its own.
///
/// Averages of checkpoints, exponential moving averages and soups are such means; they differ in their weights.
public enum Average {
    /// One state.
    public struct Term {
        /// The states it is one of.
        public let trajectory: Trajectory
        /// Which.
        public let state: Int
        /// Its weight; those of all terms are divided by their sum.
        public let weight: Double

        /// Creates a term.
        public init(_ trajectory: Trajectory, state: Int, weight: Double) {
            (self.trajectory, self.state, self.weight) = (trajectory, state, weight)
        }
    }

    /// The weights of an exponential moving average over `count` states, the last first in importance: `(1 − d) dⁿ⁻ⁱ`, and
    /// `dⁿ⁻¹` for the first, as an average that starts at the first state has them.
    public static func exponential(_ count: Int, decay: Double) -> [Double] {
        (0..<count).map { index in
            pow(decay, Double(count - 1 - index)) * (index == 0 ? 1 : 1 - decay)
        }
    }

    /// The folder of the mean in the store, which `PretrainedModel` opens; it is made unless it is there.
    ///
    /// States without a checkpoint are trained again from the nearest one before them, in memory.
    ///
    /// - Throws: `RecipeError` when the terms' models have different shapes or tokenizers, or weights do not have a positive
    ///   sum; errors of training and of the store; `Interrupted`.
    public static func folder(
        of terms: [Term], store: Store, options: RunOptions = RunOptions()
    ) throws -> String {
        guard let first = terms.first else {
            throw RecipeError("states", "at least one state expected, got none")
        }
        let sum = terms.reduce(0) { $0 + $1.weight }
        guard sum.isFinite, sum > 0 else {
            throw RecipeError("weights", "weights with a positive sum expected, got \(sum)")
        }
        let configuration = first.trajectory.configuration(ofState: first.state)
        let shape = RecordedModel(configuration.withoutInitialisation)
        for term in terms {
            guard (0...term.trajectory.steps).contains(term.state) else {
                throw RecipeError(
                    "steps", "states in 0 ... \(term.trajectory.steps) expected, got \(term.state)")
            }
            let own = term.trajectory.configuration(ofState: term.state)
            guard RecordedModel(own.withoutInitialisation) == shape,
                term.trajectory.recipe.tokenizer.digest == first.trajectory.recipe.tokenizer.digest
            else {
                throw RecipeError(
                    "runs",
                    "models of one shape and tokenizer expected, but those of term 1 and of the state "
                        + "after step \(term.state) differ")
            }
        }
        var builder = DigestBuilder("average")
        for term in terms {
            builder.add(term.trajectory.keys[term.state])
            builder.add(term.weight / sum)
        }
        let folder = "\(store.folder)/averages/\(builder.finish().hex)"
        if FileAccess.isFolder(folder) { return folder }
        try AtomicFile.makeFolder("\(store.folder)/averages")
        let parameters = try mean(terms, sum, store, options)
        try store.keep(first.trajectory.recipe.tokenizer)
        try ModelExport.write(
            folder, configuration, parameters, first.trajectory.recipe.tokenizer,
            stop: options.stop)
        return folder
    }

    private static func mean(
        _ terms: [Term], _ sum: Double, _ store: Store, _ options: RunOptions
    ) throws -> Parameters {
        let recipe = terms[0].trajectory.recipe
        try Resources.check(recipe.memory, "an average")
        let result = try Parameters(
            terms[0].trajectory.configuration(ofState: terms[0].state).parameterShapes)
        var totals = [Double](repeating: 0, count: result.values.count)
        var walker: Run?
        for term in terms {
            if options.stop() { throw Interrupted("interrupted while states were averaged") }
            // Terms of one trajectory come in the order of its steps, so that the walker goes on.
            if walker?.trajectory !== term.trajectory || walker?.step ?? 0 > term.state {
                walker = Run(term.trajectory, store: store, name: Run.defaultName)
                walker?.step = walker?.latest(upTo: term.state) ?? 0
            }
            guard let run = walker else { continue }
            try run.walk(to: term.state, options)
            let values = try run.model(options: options).parameters.values
            let weight = term.weight / sum
            for index in totals.indices { totals[index] += weight * Double(values[index]) }
        }
        for index in totals.indices { result.values[index] = Float(totals[index]) }
        return result
    }

    /// Which states have to be trained again, as they have no checkpoint: for the plan.
    public static func missing(_ terms: [Term], store: Store) -> [Int] {
        terms.filter { $0.state > 0 && !store.hasCheckpoint($0.trajectory.keys[$0.state]) }
            .map(\.state)
    }
}

extension Run {
    /// Goes to a later state without leaving checkpoints: from the nearest one that the store has, by training what lies
    /// between.
    func walk(to target: Int, _ options: RunOptions) throws {
        if let nearer = latest(upTo: target), nearer > step {
            step = nearer
            stepper = nil
        }
        let stepper = try loaded(options)
        guard step <= target else {
            throw LostState(wanted: target, step: step, reason: "a checkpoint is damaged")
        }
        while step < target {
            if options.stop() { throw Interrupted("interrupted while states were averaged") }
            try takeStep(stepper, options)
        }
        // The same steps are in the store already, or will be when the run is trained.
        unsaved.removeAll()
    }
}
