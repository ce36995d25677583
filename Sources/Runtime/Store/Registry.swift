import Foundation
import GRDB
import RuntimeData
import RuntimeEvaluation
import RuntimeSupport

/// The registry of a store failed.
public struct RegistryError: RuntimeError {
    /// The database file.
    public let path: String
    /// What SQLite said, and what to do about it.
    public let reason: String

    /// `registry PATH: REASON`.
    public var message: String { "registry \(path): \(reason)" }

    package init(_ path: String, _ error: any Error) {
        self.path = path
        guard let error = error as? DatabaseError else {
            reason = "\(error)"
            return
        }
        let said = error.message ?? error.resultCode.description
        switch error.resultCode {
        case .SQLITE_FULL: reason = "No space left on device (\(said))"
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            reason =
                "the file is damaged (\(said)); move it and its -wal and -shm files away and run again: "
                + "checkpoints stay usable, losses are measured again"
        default: reason = said
        }
    }
}

/// Runs, step records and evaluations in SQLite, shared by processes (write-ahead log).
///
/// Step records and evaluations belong to states, by key: whoever trained a state, every run that passes through it
/// has them. Every step record names the state before it, so that a state's history can be read without its recipe.
public final class Registry: Sendable {
    private let pool: DatabasePool
    private let path: String

    /// Opens the database, making it or bringing it up to date.
    ///
    /// - Throws: `RegistryError`; `FileError` when a pipe or a device stands in its place.
    public init(path: String) throws {
        self.path = path
        let folder = PathName.parent(path)
        try AtomicFile.makeFolder(folder)
        // SQLite would wait for the other end of a pipe.
        for end in ["", "-wal", "-shm"] { try FileAccess.checkRegular(path + end) }
        // Two processes that find a new file would both make its tables.
        let lock = try FileLock("\(folder)/locks/registry")
        defer { withExtendedLifetime(lock) {} }
        var configuration = Configuration()
        configuration.busyMode = .timeout(30)
        configuration.prepareDatabase { database in
            // Written as rarely as checkpoints are, and like them to survive a power cut.
            try database.execute(sql: "PRAGMA synchronous = FULL")
        }
        do {
            pool = try DatabasePool(path: path, configuration: configuration)
            try Self.migrations.migrate(pool)
        } catch {
            throw RegistryError(path, error)
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
        migrator.registerMigration("2: histories") { database in
            try database.execute(
                sql: """
                    ALTER TABLE steps ADD COLUMN parent TEXT;
                    ALTER TABLE runs ADD COLUMN state TEXT;
                    ALTER TABLE runs ADD COLUMN exposure TEXT;
                    """)
        }
        migrator.registerMigration("3: names of data, scores") { database in
            try database.execute(
                sql: """
                    CREATE TABLE datasets (data TEXT PRIMARY KEY, name TEXT NOT NULL, split TEXT NOT NULL)
                        WITHOUT ROWID;
                    CREATE TABLE scores (state TEXT NOT NULL, task TEXT NOT NULL, result TEXT NOT NULL,
                        PRIMARY KEY (state, task)) WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("4: processors") { database in
            try database.execute(sql: "ALTER TABLE runs ADD COLUMN processor TEXT")
        }
        return migrator
    }

    package func write<T>(_ body: (Database) throws -> T) throws -> T {
        do { return try pool.write(body) } catch { throw RegistryError(path, error) }
    }

    package func read<T>(_ body: (Database) throws -> T) throws -> T {
        do { return try pool.read(body) } catch { throw RegistryError(path, error) }
    }

    // MARK: - Steps

    /// Records steps under the keys of the states they led to, and with them how far a run has come; states already
    /// recorded keep their record.
    public func record(steps: [StepEntry], run: RunRow? = nil) throws {
        guard !steps.isEmpty || run != nil else { return }
        try write { database in
            let insert = try database.cachedStatement(
                sql: """
                    INSERT INTO steps (key, step, loss, learning_rate, gradient_norm, tokens, seconds, parent)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT (key) DO UPDATE SET parent = excluded.parent WHERE parent IS NULL
                    """)
            for entry in steps {
                let record = entry.record
                try insert.execute(arguments: [
                    entry.state.hex, record.step, record.loss, record.learningRate,
                    record.gradientNorm, record.tokens, record.seconds, entry.parent.hex,
                ])
            }
            if let run { try Self.save(run, database) }
        }
    }

    /// The records of the given states, in their order; states without one are left out.
    public func steps(_ states: [Digest]) throws -> [StepRecord] {
        try read { database in
            let select = try database.cachedStatement(sql: "SELECT * FROM steps WHERE key = ?")
            return try states.compactMap { state in
                try Row.fetchOne(select, arguments: [state.hex]).map(Self.step)
            }
        }
    }

    package static func step(_ row: Row) -> StepRecord {
        StepRecord(
            step: row["step"], loss: row["loss"], learningRate: row["learning_rate"],
            gradientNorm: row["gradient_norm"], tokens: row["tokens"], seconds: row["seconds"])
    }

    // MARK: - Measures

    /// What a measure with the given digest found at a state, if that is recorded.
    public func outcome<M: Measure>(
        of measure: M, state: Digest, digest: Digest
    ) throws -> M.Outcome? {
        if M.self == WindowLoss.self {
            return try evaluation(state: state, data: digest) as? M.Outcome
        }
        return try read { database in
            let select = try database.cachedStatement(
                sql: "SELECT result FROM scores WHERE state = ? AND task = ?")
            return try String.fetchOne(select, arguments: [state.hex, digest.hex]).flatMap {
                try? JSONDecoder().decode(M.Outcome.self, from: Data($0.utf8))
            }
        }
    }

    /// Records what a measure with the given digest found at a state.
    public func record<M: Measure>(
        _ outcome: M.Outcome, of measure: M, state: Digest, digest: Digest
    ) throws {
        // Losses have a table of their own, as those of a run are listed by name.
        if let evaluation = outcome as? Evaluation, let loss = measure as? WindowLoss {
            return try record(
                evaluation, state: state, data: digest, name: loss.name, split: loss.set.split)
        }
        try write { database in
            try database.execute(
                sql: "INSERT OR REPLACE INTO scores VALUES (?, ?, ?)",
                arguments: [state.hex, digest.hex, try CanonicalJSON.text(outcome)])
        }
    }

    private func evaluation(state: Digest, data: Digest) throws -> Evaluation? {
        try read { database in
            let select = try database.cachedStatement(
                sql: "SELECT nats, tokens, bytes FROM evaluations WHERE state = ? AND data = ?")
            return try Row.fetchOne(select, arguments: [state.hex, data.hex]).map { row in
                Evaluation(nats: row["nats"], tokens: row["tokens"], bytes: row["bytes"])
            }
        }
    }

    private func record(
        _ evaluation: Evaluation, state: Digest, data: Digest, name: String, split: Split
    ) throws {
        try write { database in
            try database.execute(
                sql: "INSERT OR REPLACE INTO datasets VALUES (?, ?, ?)",
                arguments: [data.hex, name, split.rawValue])
            try database.execute(
                sql: "INSERT OR REPLACE INTO evaluations VALUES (?, ?, ?, ?, ?)",
                arguments: [
                    state.hex, data.hex, evaluation.nats, evaluation.tokens, evaluation.bytes,
                ])
        }
    }
}
