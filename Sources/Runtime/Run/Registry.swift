import Foundation
import GRDB

/// The registry of a store failed.
public struct RegistryError: RuntimeError {
    /// The database file.
    public let path: String
    /// What SQLite said.
    public let reason: String

    /// `registry PATH: REASON`.
    public var message: String { "registry \(path): \(reason)" }
}

/// Runs, step records and evaluations in SQLite, shared by processes (write-ahead log).
///
/// Step records and evaluations belong to states, by key: whoever trained a state, every run that passes through it
/// has them.
public final class Registry: Sendable {
    private let pool: DatabasePool
    private let path: String

    /// Opens the database, making it or bringing it up to date.
    ///
    /// - Throws: `RegistryError`.
    public init(path: String) throws {
        self.path = path
        try AtomicFile.makeFolder((path as NSString).deletingLastPathComponent)
        var configuration = Configuration()
        configuration.busyMode = .timeout(30)
        do {
            pool = try DatabasePool(path: path, configuration: configuration)
            try Self.migrations.migrate(pool)
        } catch {
            throw RegistryError(path: path, reason: Self.reason(error))
        }
    }

    private static var migrations: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { database in
            try database.execute(
                sql: """
                    CREATE TABLE runs (key TEXT PRIMARY KEY, name TEXT NOT NULL, status TEXT NOT NULL,
                        step INTEGER NOT NULL, steps INTEGER NOT NULL, updated REAL NOT NULL,
                        recipe TEXT NOT NULL, failure TEXT);
                    CREATE TABLE steps (key TEXT PRIMARY KEY, step INTEGER NOT NULL, loss REAL NOT NULL,
                        learning_rate REAL NOT NULL, gradient_norm REAL NOT NULL, tokens INTEGER NOT NULL,
                        seconds REAL NOT NULL) WITHOUT ROWID;
                    CREATE TABLE evaluations (state TEXT NOT NULL, data TEXT NOT NULL, nats REAL NOT NULL,
                        tokens INTEGER NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (state, data)) WITHOUT ROWID;
                    """)
        }
        return migrator
    }

    private static func reason(_ error: any Error) -> String {
        guard let error = error as? DatabaseError else { return "\(error)" }
        return error.message ?? error.resultCode.description
    }

    private func write<T>(_ body: (Database) throws -> T) throws -> T {
        do { return try pool.write(body) } catch {
            throw RegistryError(path: path, reason: Self.reason(error))
        }
    }

    private func read<T>(_ body: (Database) throws -> T) throws -> T {
        do { return try pool.read(body) } catch {
            throw RegistryError(path: path, reason: Self.reason(error))
        }
    }

    /// Records steps under the keys of the states they led to; states already recorded keep their record.
    public func record(steps: [(state: Digest, record: StepRecord)]) throws {
        guard !steps.isEmpty else { return }
        try write { database in
            let insert = try database.cachedStatement(
                sql: "INSERT OR IGNORE INTO steps VALUES (?, ?, ?, ?, ?, ?, ?)")
            for (state, record) in steps {
                try insert.execute(arguments: [
                    state.hex, record.step, record.loss, record.learningRate, record.gradientNorm,
                    record.tokens, record.seconds,
                ])
            }
        }
    }

    /// The records of the given states, in their order; states without one are left out.
    public func steps(_ states: [Digest]) throws -> [StepRecord] {
        try read { database in
            let select = try database.cachedStatement(sql: "SELECT * FROM steps WHERE key = ?")
            return try states.compactMap { state in
                try Row.fetchOne(select, arguments: [state.hex]).map { row in
                    StepRecord(
                        step: row["step"], loss: row["loss"], learningRate: row["learning_rate"],
                        gradientNorm: row["gradient_norm"], tokens: row["tokens"],
                        seconds: row["seconds"])
                }
            }
        }
    }

    /// The recorded loss of a state on the data with the given digest.
    public func evaluation(state: Digest, data: Digest) throws -> Evaluation? {
        try read { database in
            let select = try database.cachedStatement(
                sql: "SELECT nats, tokens, bytes FROM evaluations WHERE state = ? AND data = ?")
            return try Row.fetchOne(select, arguments: [state.hex, data.hex]).map { row in
                Evaluation(nats: row["nats"], tokens: row["tokens"], bytes: row["bytes"])
            }
        }
    }

    /// Records the loss of a state on some data.
    public func record(_ evaluation: Evaluation, state: Digest, data: Digest) throws {
        try write { database in
            try database.execute(
                sql: "INSERT OR REPLACE INTO evaluations VALUES (?, ?, ?, ?, ?)",
                arguments: [
                    state.hex, data.hex, evaluation.nats, evaluation.tokens, evaluation.bytes,
                ])
        }
    }

    /// Adds a run or replaces what is known of it.
    public func save(_ run: RunRow) throws {
        try write { database in
            try database.execute(
                sql: "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                arguments: [
                    run.key.hex, run.name, run.status, run.step, run.steps, run.updated, run.recipe,
                    run.failure,
                ])
        }
    }

    /// Every run, the latest change last.
    public func runs() throws -> [RunRow] {
        try read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM runs ORDER BY updated, key").compactMap(
                Self.run)
        }
    }

    private static func run(_ row: Row) -> RunRow? {
        guard let key = Digest(hex: row["key"]) else { return nil }
        return RunRow(
            key: key, name: row["name"], status: row["status"], step: row["step"],
            steps: row["steps"],
            updated: row["updated"], recipe: row["recipe"], failure: row["failure"])
    }

    /// Forgets a run; records of states stay, as other runs may pass through them.
    public func removeRun(_ key: Digest) throws {
        try write { try $0.execute(sql: "DELETE FROM runs WHERE key = ?", arguments: [key.hex]) }
    }
}
