import Foundation
import RuntimeData
import RuntimeEvaluation
import RuntimeSupport

extension Registry {
    /// Adds a run or brings it up to date.
    ///
    /// The row keeps the furthest state: training the beginning of a finished run again, because its checkpoint was
    /// not kept, leaves it finished.
    public func save(_ run: RunRow) throws { try append(try contents(run)) }

    /// The records that say what a row says; the name and the recipe only where they are new.
    package func contents(_ run: RunRow) throws -> [(kind: JournalForm.Kind, content: [UInt8])] {
        let known = try read { try $0.runs(run.key) }.first
        let registration = known?.registration ?? Self.newRegistration()
        var records: [(kind: JournalForm.Kind, content: [UInt8])] = []
        let entry = known?.known.entry
        if entry?.name != run.name || entry?.recipe != run.recipe || entry?.steps != run.steps
            || run.status != "running"
        {
            let entry = RunEntry(
                run: run.key, registration: registration, name: run.name, recipe: run.recipe,
                steps: run.steps, updated: run.updated)
            records.append((.run, try JournalJSON.content(entry)))
        }
        let progress = ProgressEntry(
            run: run.key, registration: registration, status: run.status, step: run.step,
            updated: run.updated, state: run.state, version: run.version, exposure: run.exposure,
            failure: run.failure, processor: run.processor, by: Engine.own.id)
        records.append((.progress, try JournalJSON.content(progress)))
        return records
    }

    /// A removal names the registrations that were there, so that it never removes what begins later.
    private static func newRegistration() -> String {
        let digits = String(UInt64.random(in: 0 ... .max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Every run, the latest change last.
    public func runs() throws -> [RunRow] {
        try read { Self.rows(try $0.runs()) }.sorted {
            ($0.updated, $0.key.hex) < ($1.updated, $1.key.hex)
        }
    }

    private static func rows(_ runs: [(run: Digest, registration: String, known: IndexedRun)])
        -> [RunRow]
    {
        var all: [Digest: IndexedRun] = [:]
        for (run, _, known) in runs {
            var whole = all[run] ?? IndexedRun()
            if let entry = known.entry { whole.add(entry) }
            for progress in [known.furthest, known.latest] {
                if let progress { whole.add(progress) }
            }
            all[run] = whole
        }
        return all.compactMap { run, known in
            guard let entry = known.entry, let furthest = known.furthest, let latest = known.latest
            else { return nil }
            return RunRow(
                key: run, name: entry.name, status: furthest.status, step: furthest.step,
                steps: entry.steps, updated: latest.updated, recipe: entry.recipe,
                failure: latest.failure, state: furthest.state, version: furthest.version,
                exposure: furthest.exposure, processor: furthest.processor)
        }
    }

    /// The name that a run has here; `nil` for one that is not known.
    package func name(_ run: Digest) throws -> String? {
        try read { Self.rows(try $0.runs(run)) }.first?.name
    }

    /// Forgets a run; records of states stay, as other runs may pass through them.
    public func removeRun(_ key: Digest) throws {
        try refresh()
        let registrations = try read { try $0.runs(key) }.map(\.registration)
        guard !registrations.isEmpty else { return }
        let entry = RemovalEntry(
            run: key, registrations: registrations, updated: Date().timeIntervalSince1970)
        try append([(.removal, try JournalJSON.content(entry))])
    }

    // MARK: - Histories

    /// The batches that lead to a version of a state, the latest first.
    func way(_ state: Digest, _ version: StateVersion?, _ rows: IndexRows) throws
        -> [StepPlace]
    {
        var places: [StepPlace] = []
        var state = state
        var version = try version ?? Self.chosen(state, rows)
        var last = Int.max
        // Steps become fewer, so that the way ends even if records contradict each other.
        while let wanted = version,
            let place = try rows.steps(endingIn: state, wanted).first(where: { $0.last <= last })
        {
            places.append(place)
            (state, version, last) = (place.parent, place.before, place.first - 1)
        }
        return places
    }

    /// The version that a state had on the way to a version of a later one; `nil` where records between them are missing.
    ///
    /// - Parameter step: The number of the earlier state.
    package func version(
        of state: Digest, at step: Int, onTheWayTo end: Digest, _ version: StateVersion
    ) throws -> StateVersion? {
        if state == end { return version }
        return try read { rows in
            var (point, wanted, last) = (end, version, Int.max)
            while let place = try rows.steps(endingIn: point, wanted).first(where: {
                $0.last <= last
            }) {
                if place.parent == state { return place.before }
                if place.first <= step {
                    // Passed without stopping.
                    let batch = try batch(place)
                    return zip(batch.steps, batch.versions).first { $0.0.state == state }?.1
                }
                (point, wanted, last) = (place.parent, place.before, place.first - 1)
            }
            return nil
        }
    }

    /// Whether a version of a state comes from one of an earlier state; where records are missing, whether it must.
    package func comes(
        _ end: (state: Digest, version: StateVersion), from state: Digest, at step: Int,
        _ version: StateVersion
    ) throws -> Bool {
        if let found = try self.version(
            of: state, at: step, onTheWayTo: end.state, end.version)
        {
            return found == version
        }
        return try versions(of: state).allSatisfy { $0 == version }
    }

    /// The records of all steps that lead to a state, whoever trained them, in order.
    ///
    /// - Parameter version: By default the one that is chosen.
    public func history(_ state: Digest, version: StateVersion? = nil) throws -> [StepRecord] {
        try read { rows in
            try way(state, version, rows).reversed().flatMap { try batch($0).steps.map(\.record) }
        }
    }

    /// The states on the way to a state with their versions, the earliest first.
    package func states(_ state: Digest, version: StateVersion?) throws -> [(
        step: Int, key: Digest, version: StateVersion
    )] {
        try read { rows in
            let places = try way(state, version, rows)
            guard let first = places.last else { return [] }
            return try places.reversed().reduce(
                into: [(first.first - 1, first.parent, first.before)]
            ) { states, place in
                let batch = try batch(place)
                for (step, version) in zip(batch.steps, batch.versions) {
                    states.append((step.record.step, step.state, version))
                }
            }
        }
    }

    /// The recorded losses of a state and of those before it, the earliest first, of data whose name is known.
    public func evaluations(_ state: Digest, version: StateVersion? = nil) throws
        -> [NamedEvaluation]
    {
        try read { rows in
            func losses(_ state: Digest, _ version: StateVersion, _ step: Int) throws
                -> [NamedEvaluation]
            {
                let entries = try rows.evaluations(state).filter { $0.version == version }
                var seen: Set<Digest> = []
                return entries.compactMap { entry -> NamedEvaluation? in
                    guard let name = entry.name, let split = entry.split,
                        let evaluation = entry.values.decode(Evaluation.self),
                        seen.insert(entry.data).inserted
                    else { return nil }
                    return NamedEvaluation(
                        step: step, name: name, split: split, evaluation: evaluation)
                }.sorted { ($0.name, $0.split) < ($1.name, $1.split) }
            }
            let places = try way(state, version, rows)
            guard let first = places.last else {
                guard let version = try version ?? Self.chosen(state, rows) else { return [] }
                return try losses(state, version, 0)
            }
            var found = try losses(first.parent, first.before, first.first - 1)
            for place in places.reversed() {
                let batch = try batch(place)
                for (step, version) in zip(batch.steps, batch.versions) {
                    found += try losses(step.state, version, step.record.step)
                }
            }
            return found
        }
    }

    /// For each of some states, which of `marked` lie on its history, itself included, the latest first.
    package func history(_ states: [Digest], among marked: Set<Digest>) throws -> [Digest: [Digest]]
    {
        struct Point: Hashable {
            let state: Digest
            let version: StateVersion
        }
        return try read { rows in
            // States that others passed without stopping are inside batches, which are then read.
            let isInside = try marked.contains { try rows.steps(endingIn: $0).isEmpty }
            // Histories share their beginnings: from a state that was met before, nothing is read again.
            var known: [Point: [Digest]] = [:]
            var result: [Digest: [Digest]] = [:]
            for state in states where result[state] == nil {
                guard let version = try Self.chosen(state, rows) else {
                    result[state] = marked.contains(state) ? [state] : []
                    continue
                }
                var found: [(point: Point, marked: [Digest])] = []
                var rest: [Digest] = []
                var point = Point(state: state, version: version)
                var last = Int.max
                var passed: Set<Digest> = []
                while true {
                    if let before = known[point] {
                        rest = before
                        break
                    }
                    let isMarked =
                        marked.contains(point.state) && passed.insert(point.state).inserted
                    var here = isMarked ? [point.state] : []
                    let place = try rows.steps(endingIn: point.state, point.version).first {
                        $0.last <= last
                    }
                    if isInside, let place {
                        here += try batch(place).steps.dropLast().reversed().map(\.state).filter(
                            marked.contains)
                    }
                    found.append((point, here))
                    guard let place else { break }
                    point = Point(state: place.parent, version: place.before)
                    last = place.first - 1
                }
                for (point, marked) in found.reversed() {
                    rest = marked + rest
                    known[point] = rest
                }
                result[state] = rest
            }
            return result
        }
    }
}
