import RuntimeEvaluation
import RuntimeStore
import RuntimeSupport

extension Study {
    /// What was measured of an arm's states, all of it of one version of the last state before finetuning.
    struct Known {
        /// That version.
        let version: StateVersion
        /// What was measured before finetuning.
        let before: Measurements?
        /// What was measured of each finetuned state.
        let candidates: [Measurements?]
        /// Whether there is a checkpoint of the version.
        let hasCheckpoint: Bool

        var isWhole: Bool { before != nil && candidates.allSatisfy { $0 != nil } }

        fileprivate var count: Int {
            (before == nil ? 0 : 1) + candidates.count { $0 != nil }
        }
    }

    /// What the registry knows of an arm.
    ///
    /// Two processors may have given a state two versions. Of those of which everything is known the first in the store's order
    /// counts; otherwise that of which most is known among those that can be gone on from.
    func known(_ arm: Resolved, _ options: StudyOptions) throws -> Known {
        let registry = store.registry
        guard let base = arm.base.keys.last else {
            return Known(
                version: .initial, before: nil, candidates: arm.variants.map { _ in nil },
                hasCheckpoint: false)
        }
        var versions = try registry.versions(of: base)
        func add(_ version: StateVersion?) {
            if let version, !versions.contains(version) { versions.append(version) }
        }
        // Where the measurements of the base are lost, those of what came of it name its version.
        let ends = try arm.variants.map { variant in
            try variant.trajectory.keys.last.map { key in
                try registry.versions(of: key).map { (state: key, version: $0) }
            } ?? []
        }
        for end in ends.joined() {
            add(
                try registry.version(
                    of: base, at: arm.base.steps, onTheWayTo: end.state, end.version))
        }
        let checkpoints = try store.checkpointVersions(base).map(\.version)
        for version in checkpoints { add(version) }
        if versions.isEmpty { versions = [.initial] }
        let all = try versions.map { version in
            let candidates =
                try zip(arm.variants, ends).map { variant, ends in
                    for end in ends
                    where try registry.comes(end, from: base, at: arm.base.steps, version) {
                        if let found = try measurements(variant.trajectory, end.version, options) {
                            return found
                        }
                    }
                    return nil
                } as [Measurements?]
            return Known(
                version: version, before: try measurements(arm.base, version, options),
                candidates: candidates, hasCheckpoint: checkpoints.contains(version))
        }
        if let whole = all.first(where: \.isWhole) { return whole }
        let usable = all.filter(\.hasCheckpoint)
        let most = (usable.isEmpty ? all : usable).map(\.count).max() ?? 0
        return (usable.isEmpty ? all : usable).first { $0.count == most } ?? all[0]
    }

    /// What was measured of a version of a trajectory's last state, if the registry has all of it.
    func measurements(
        _ trajectory: Trajectory, _ version: StateVersion, _ options: StudyOptions
    ) throws -> Measurements? {
        guard let key = trajectory.keys.last else { return nil }
        if measures.isEmpty,
            try !store.checkpointVersions(key).contains(where: { $0.version == version })
        {
            return nil
        }
        let setting = trajectory.setting(
            ofState: trajectory.steps, store, progress: options.progress, stop: options.stop)
        // All are prepared before any result is missed: a split without documents is an error before the first step.
        let losses = try validLosses.map { ($0, try $0.digest(setting)) }
        let others = try measures.map { ($0, try $0.digest(setting)) }
        var found = Measurements()
        for (loss, digest) in losses {
            guard
                let outcome = try store.registry.outcome(
                    of: loss, state: key, digest: digest, version: version)
            else { return nil }
            found.add(validLoss: outcome, of: loss)
        }
        func add<M: Measure>(_ measure: M, _ digest: Digest) throws -> Bool {
            guard
                let outcome = try store.registry.outcome(
                    of: measure, state: key, digest: digest, version: version)
            else { return false }
            found.add(outcome, of: measure)
            return true
        }
        for (measure, digest) in others where try !add(measure, digest) { return nil }
        return found
    }
}
