import Foundation
import RuntimeData
import RuntimeEvaluation
import RuntimeModel
import RuntimeStore
import RuntimeSupport

extension Study {
    /// Trains and evaluates whatever the store does not have yet.
    ///
    /// Processes that run the same study share its arms: each takes one that no other has, and whose trunk is there.
    ///
    /// - Throws: `ResourceError` before any step when memory or disk cannot hold the study; `Interrupted` when asked to
    ///   stop, `FileError` when the store cannot be written, and the error of a file that is damaged or
    ///   changes meanwhile: what was finished stays, and running again goes on. An
    ///   arm that fails otherwise is named in the result, and the others go on.
    public func run(options: StudyOptions = StudyOptions()) throws -> StudyResult {
        do { return try carryOut(options) } catch let interrupt as Interrupted {
            throw Interrupted("\(interrupt.message); run the study again to go on from there")
        }
    }

    private func carryOut(_ options: StudyOptions) throws -> StudyResult {
        let outcomes = try arms.map { arm in try attempt { try resolve(arm, options) } }
        let usable = outcomes.indices.compactMap { index in
            (try? outcomes[index].get()).map { (index: index, resolved: $0) }
        }
        let plan = try StudyPlan(usable.map(\.resolved), store: store)
        try checkResources(plan, usable.map(\.resolved), options)
        let overlap = try overlap(isTraining: plan.missingSteps > 0, options)
        try store.registry.record(record(usable.map(\.resolved)))
        _ = try options.onEvent(.began(missingTokens: plan.missingTokens))
        var rows = [StudyResult.Row?](repeating: nil, count: arms.count)
        func fail(_ index: Int, _ error: any Error) throws {
            let reason = (error as? any RuntimeError)?.message ?? "\(error)"
            _ = try options.onEvent(.failed(label: arms[index].label, reason: reason))
            rows[index] = StudyResult.Row(arm: arms[index], failure: reason)
        }
        for index in arms.indices {
            if case .failure(let error) = outcomes[index] { try fail(index, error) }
        }
        var trained = 0
        var done: Set<Int> = []
        var waiting = Array(usable.indices)
        while !waiting.isEmpty {
            var left: [Int] = []
            for place in waiting {
                let (index, resolved) = usable[place]
                let branch = plan.branches[place]
                guard isReady(resolved, branch, done), let claim = try claim(resolved) else {
                    left.append(place)
                    continue
                }
                defer { withExtendedLifetime(claim) {} }
                let result = try attempt {
                    try carryOut(
                        resolved, keep: plan.statesToKeep(resolved.base), number: index + 1,
                        &trained,
                        options)
                }
                switch result {
                case .success(let row): rows[index] = row
                case .failure(let error): try fail(index, error)
                }
                done.insert(place)
            }
            if left.count == waiting.count {
                if options.stop() {
                    throw Interrupted(
                        "interrupted while another process trains \(left.count) arms of this study")
                }
                usleep(100_000)
            }
            waiting = left
        }
        var result = StudyResult(
            rows: StudyResult.choose(rows.compactMap { $0 }), measured: measures.flatMap(\.columns),
            trainedSteps: trained,
            distinctSteps: plan.distinctSteps, naiveSteps: plan.naiveSteps)
        result.overlap = overlap
        return result
    }

    private func record(_ arms: [Resolved]) -> StudyRecord {
        StudyRecord(
            arms: arms.compactMap { arm in
                arm.base.keys.last.map { key in
                    StudyRecord.Arm(
                        label: arm.arm.label, key: key,
                        finetuned: arm.variants.compactMap(\.trajectory.keys.last))
                }
            }, measured: measures.map { $0.name })
    }

    /// Refuses, before any step, what memory or disk cannot hold.
    private func checkResources(_ plan: StudyPlan, _ arms: [Resolved], _ options: StudyOptions)
        throws
    {
        guard plan.missingSteps > 0 else { return }
        try Resources.check(plan.memory, "the study")
        var kept = plan.missingCheckpoints
        if options.keepFinetuned {
            for arm in arms {
                kept += arm.variants.filter { !$0.done }.map(\.trajectory.recipe.checkpointBytes)
            }
        }
        let rolling = arms.filter { !$0.done }.map(\.base.recipe.checkpointBytes).max() ?? 0
        try Resources.check(kept: kept, rolling: rolling, in: store.folder, "the study")
    }

    /// Whether the states that an arm shares with an earlier one are there, or that arm's part is over.
    private func isReady(_ arm: Resolved, _ branch: StudyPlan.Branch, _ done: Set<Int>) -> Bool {
        guard !arm.done, let parent = branch.parent, branch.from > 0, !done.contains(parent) else {
            return true
        }
        return store.hasCheckpoint(arm.base.keys[branch.from])
    }

    /// The right to work on an arm; `nil` while another process has it.
    private func claim(_ arm: Resolved) throws -> ArmClaim? {
        if arm.done { return ArmClaim(claim: nil) }
        guard let last = arm.base.keys.last else { return nil }
        return try store.claim(arm: last).map { ArmClaim(claim: $0) }
    }

    private struct ArmClaim {
        let claim: Claim?
    }

    /// Errors of one arm are results; an interrupt, a store or machine that is full, a file that is damaged or changes while
    /// it is read, or a metric whose function is wrong ends the study.
    private func attempt<T>(_ body: () throws -> T) throws -> Result<T, any Error> {
        do { return .success(try body()) } catch {
            switch error {
            case is Interrupted, is FileError, is RegistryError, is ResourceError: throw error
            case is DamagedFile, is CheckpointError, is SafetensorsError, is LostState: throw error
            case is ChangedCorpus, is FunctionMeasureError: throw error
            case is any RuntimeError: return .failure(error)
            default: throw error
            }
        }
    }

    private func carryOut(
        _ resolved: Resolved, keep: Set<Int>, number: Int, _ trained: inout Int,
        _ options: StudyOptions
    ) throws -> StudyResult.Row {
        let arm = resolved.arm
        let base = resolved.base.keys[resolved.base.steps]
        func announce(_ task: String) throws {
            _ = try options.onEvent(.arm(number, of: arms.count, label: arm.label, task: task))
        }
        var runOptions = RunOptions()
        runOptions.keep = keep
        runOptions.advice = nil
        runOptions.checkpointSeconds = options.checkpointSeconds
        runOptions.progress = options.progress
        runOptions.stop = options.stop
        runOptions.makeStepper = options.makeStepper
        runOptions.alert = options.alert
        runOptions.evaluateEvery = options.evaluateEvery
        runOptions.evaluate = validLosses.map(\.set)

        /// What a finetuned state measures; `nil` when it came from another version of the base.
        func finetune(_ variant: Variant, _ version: StateVersion) throws -> Measurements? {
            try announce("finetuning at \(variant.settings.learningRate.peak)")
            runOptions.onEvent = { try options.onEvent(.run($0, variant.trajectory)) }
            let run = Run(
                variant.trajectory, store: store,
                name:
                    "\(arm.label) finetuned on \(variant.settings.corpus.name) at \(variant.settings.learningRate.peak)",
                isNamed: false)
            defer { trained += run.trained }
            var runOptions = runOptions
            runOptions.keep = keep.union([resolved.base.steps])
            runOptions.keepLast = options.keepFinetuned
            runOptions.origin = (resolved.base.steps, version)
            try run.train(options: runOptions)
            let found = try measure(run, runOptions)
            let isOfBase = try store.registry.comes(
                (run.key, run.version ?? .initial), from: base, at: resolved.base.steps, version)
            return isOfBase ? found : nil
        }

        // A second round is needed only where another processor's checkpoint went away or came meanwhile.
        for _ in 0..<8 {
            var known = try known(resolved, options)
            let isLost = resolved.base.steps > 0 && !known.isWhole && !known.hasCheckpoint
            var before = known.before
            if before == nil || isLost {
                try announce("training")
                runOptions.onEvent = { try options.onEvent(.run($0, resolved.base)) }
                runOptions.origin =
                    known.hasCheckpoint ? (resolved.base.steps, known.version) : nil
                let run = Run(resolved.base, store: store, name: arm.label, isNamed: false)
                defer { trained += run.trained }
                try run.train(options: runOptions)
                before = try measure(run, runOptions)
                let version = run.version ?? .initial
                if version != known.version {
                    known = try self.known(resolved, options)
                    guard known.version == version else { continue }
                }
            }
            var candidates: [StudyResult.Candidate] = []
            for (variant, found) in zip(resolved.variants, known.candidates) {
                let measurements = try found ?? finetune(variant, known.version)
                guard let measurements else { break }
                candidates.append(
                    .init(
                        settings: variant.settings, trajectory: variant.trajectory,
                        measurements: measurements))
            }
            guard let before, candidates.count == resolved.variants.count else { continue }
            return StudyResult.Row(
                arm: arm, base: resolved.base, before: before, candidates: candidates)
        }
        throw FileError(
            "go on from", store.checkpointRoot(base),
            reason: "the checkpoint that other states come from was changed again and again")
    }

    private func measure(_ run: Run, _ options: RunOptions) throws -> Measurements {
        var found = Measurements()
        for loss in validLosses { found.add(validLoss: try run.measure(loss, options), of: loss) }
        func add<M: Measure>(_ measure: M) throws {
            found.add(try run.measure(measure, options), of: measure)
        }
        for measure in measures { try add(measure) }
        return found
    }
}
