import Foundation
import GRDB
import RuntimeData
import RuntimeEvaluation
import RuntimeSupport

extension Registry {
    /// Adds a run or brings it up to date.
    ///
    /// The row keeps the furthest state: training the beginning of a finished run again, because its checkpoint was
    /// not kept, leaves it finished.
    public func save(_ run: RunRow) throws { try write { try Self.save(run, $0) } }

    package static func save(_ run: RunRow, _ database: Database) throws {
        try database.execute(
            sql: """
                INSERT INTO runs (key, name, status, step, steps, updated, recipe, failure, state, exposure,
                    processor)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (key) DO UPDATE SET name = excluded.name, updated = excluded.updated,
                    recipe = excluded.recipe, failure = excluded.failure,
                    status = iif(excluded.step >= step, excluded.status, status),
                    state = iif(excluded.step >= step, excluded.state, state),
                    exposure = iif(excluded.step >= step, excluded.exposure, exposure),
                    processor = iif(excluded.step >= step, excluded.processor, processor),
                    step = max(excluded.step, step)
                """,
            arguments: [
                run.key.hex, run.name, run.status, run.step, run.steps, run.updated, run.recipe,
                run.failure, run.state?.hex, try run.exposure.map { try CanonicalJSON.text($0) },
                run.processor,
            ])
    }

    /// Every run, the latest change last.
    public func runs() throws -> [RunRow] {
        try read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM runs ORDER BY updated, key").compactMap(
                Self.run)
        }
    }

    /// The name that a run has here; `nil` for one that is not known.
    package func name(_ run: Digest) throws -> String? {
        try read { database in
            try String.fetchOne(
                database, sql: "SELECT name FROM runs WHERE key = ?", arguments: [run.hex])
        }
    }

    private static func run(_ row: Row) -> RunRow? {
        guard let key = Digest(hex: row["key"]) else { return nil }
        let exposure: String? = row["exposure"]
        return RunRow(
            key: key, name: row["name"], status: row["status"], step: row["step"],
            steps: row["steps"], updated: row["updated"], recipe: row["recipe"],
            failure: row["failure"], state: (row["state"] as String?).flatMap(Digest.init(hex:)),
            exposure: exposure.flatMap {
                try? JSONDecoder().decode(ExposureLedger.self, from: Data($0.utf8))
            }, processor: row["processor"])
    }

    /// Forgets a run; records of states stay, as other runs may pass through them.
    public func removeRun(_ key: Digest) throws {
        try write { try $0.execute(sql: "DELETE FROM runs WHERE key = ?", arguments: [key.hex]) }
    }

    // MARK: - Histories

    /// The records of all steps that lead to a state, whoever trained them, in order.
    public func history(_ state: Digest) throws -> [StepRecord] {
        try read { database in
            let select = try database.cachedStatement(sql: "SELECT * FROM steps WHERE key = ?")
            var records: [StepRecord] = []
            var key: String? = state.hex
            while let hex = key, let row = try Row.fetchOne(select, arguments: [hex]) {
                records.append(Self.step(row))
                key = row["parent"]
            }
            return records.reversed()
        }
    }

    /// The recorded losses of a state and of those before it, the earliest first, of data whose name is known.
    public func evaluations(_ state: Digest) throws -> [NamedEvaluation] {
        try read { database in
            let parent = try database.cachedStatement(
                sql: "SELECT step, parent FROM steps WHERE key = ?")
            let losses = try database.cachedStatement(
                sql: """
                    SELECT name, split, nats, tokens, bytes FROM evaluations JOIN datasets USING (data)
                    WHERE state = ? ORDER BY name, split, data
                    """)
            var found: [[NamedEvaluation]] = []
            var key: String? = state.hex
            while let hex = key {
                let row = try Row.fetchOne(parent, arguments: [hex])
                let step: Int = row?["step"] ?? 0
                found.append(
                    try Row.fetchAll(losses, arguments: [hex]).map { row in
                        NamedEvaluation(
                            step: step, name: row["name"], split: row["split"],
                            evaluation: Evaluation(
                                nats: row["nats"], tokens: row["tokens"], bytes: row["bytes"]))
                    })
                key = row?["parent"]
            }
            return found.reversed().flatMap { $0 }
        }
    }

    /// For each of some states, which of `marked` lie on its history, itself included, the latest first.
    package func history(_ states: [Digest], among marked: Set<Digest>) throws -> [Digest: [Digest]]
    {
        try read { database in
            let select = try database.cachedStatement(sql: "SELECT parent FROM steps WHERE key = ?")
            // Histories share their beginnings: from a marked state that was met before, nothing is read again.
            var known: [Digest: [Digest]] = [:]
            for state in states where known[state] == nil {
                var found: [Digest] = []
                var rest: [Digest] = []
                var key: Digest? = state
                while let current = key {
                    if let before = known[current] {
                        rest = before
                        break
                    }
                    if marked.contains(current) { found.append(current) }
                    key = try String.fetchOne(select, arguments: [current.hex]).flatMap(
                        Digest.init(hex:))
                }
                for index in found.indices { known[found[index]] = Array(found[index...]) + rest }
                known[state] = found + rest
            }
            return known
        }
    }
}
