import Foundation
import GRDB
import RuntimeData
import RuntimeEvaluation
import RuntimeSupport

/// Moves the records of a registry of the first form into a journal.
///
/// The journal's name and bytes follow from the records, so that a migration that was interrupted is done again with the
/// same result, and two copies of a store that were migrated apart merge as if they had been one.
package struct Migration {
    private let folder: String
    private let path: String
    private var dropped = 0

    init(_ folder: String) {
        self.folder = folder
        path = StoreForm.registryPath(folder)
    }

    /// Moves the records, then the registry into `backup`.
    ///
    /// - Returns: What was done, and what was left out.
    /// - Throws: `FileError` when a process of an earlier version trains; `RegistryError` when the registry is damaged.
    mutating func run() throws -> [String] {
        for name in (try? FileAccess.names(in: "\(folder)/locks")) ?? []
        where name.hasPrefix("run-") {
            guard try !Self.isLocked("\(folder)/locks/\(name)") else {
                throw FileError(
                    "migrate the store", folder,
                    reason: "a process of an earlier version trains in it; let it end first")
            }
        }
        let contents: [(kind: JournalForm.Kind, content: [UInt8])]
        do {
            let queue = try DatabaseQueue(path: path)
            try Self.migrations.migrate(queue)
            let check = try queue.read { try String.fetchAll($0, sql: "PRAGMA integrity_check(1)") }
            guard check == ["ok"] else {
                throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: check.first)
            }
            contents = try queue.read { try records($0) }
            // Brings what is in the write-ahead log into the file.
            try queue.close()
        } catch { throw error is DatabaseError ? RegistryError(path, error) : error }
        try write(contents)
        let number = Int(Date().timeIntervalSince1970)
        let backup = "\(folder)/backup/registry-\(number).sqlite"
        try AtomicFile.makeFolder("\(folder)/backup")
        for end in ["-wal", "-shm", ""] where FileAccess.exists(path + end) {
            try FileAccess.rename(path + end, backup + end)
        }
        AtomicFile.syncFolder("\(folder)/backup")
        return [
            "the store \(folder) has a new form; its registry is kept as \(backup)"
                + (dropped == 0
                    ? ""
                    : "; \(dropped) of its rows were not what they should be and were left out")
        ]
    }

    /// Whether a process of an earlier version has a lock, which it took with `flock(2)`.
    private static func isLocked(_ path: String) throws -> Bool {
        let (descriptor, _) = try FileAccess.openRegular(path, O_RDWR, action: "lock")
        defer { close(descriptor) }
        return flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    private func write(_ records: [(kind: JournalForm.Kind, content: [UInt8])]) throws {
        try Registry.write(records, prefix: "migrated", to: "\(folder)/journals", checked: false)
    }

    private typealias Step = (entry: StepEntry, hasParent: Bool)

    private mutating func records(_ database: Database) throws -> [(
        kind: JournalForm.Kind, content: [UInt8]
    )] {
        var records: [(kind: JournalForm.Kind, content: [UInt8])] = [
            (.engine, try JournalJSON.content(Engine.unknown))
        ]
        var versions: [Digest: StateVersion] = [:]
        let steps = try steps(database)
        let ends = try stops(database, steps)
        var batches: [StepBatch] = []
        var open: [Digest: Int] = [:]
        for entry in steps {
            let before = versions[entry.parent] ?? .initial
            let after = before.after(entry.state, entry.record)
            versions[entry.state] = after
            let step = (state: entry.state, record: entry.record)
            if let index = open.removeValue(forKey: entry.parent), !ends.contains(entry.parent),
                batches[index].steps.count < StepBatch.most,
                batches[index].steps.last?.record.step == entry.record.step - 1
            {
                batches[index].steps.append(step)
                batches[index].after = after
                open[entry.state] = index
            } else {
                open[entry.state] = batches.count
                batches.append(
                    StepBatch(
                        parent: entry.parent, before: before, after: after,
                        engine: Engine.unknown.id, steps: [step]))
            }
        }
        records += batches.map { (.steps, $0.content) }
        records += try evaluations(database, versions)
        records += try runs(database, versions)
        return records
    }

    /// Batches end where something else is known of a state, or another history begins.
    private func stops(_ database: Database, _ steps: [StepEntry]) throws -> Set<Digest> {
        var stops: Set<Digest> = []
        var parents: Set<Digest> = []
        for entry in steps where !parents.insert(entry.parent).inserted {
            stops.insert(entry.parent)
        }
        for sql in [
            "SELECT state FROM evaluations", "SELECT state FROM scores",
            "SELECT state FROM runs WHERE state IS NOT NULL",
        ] {
            for row in try Row.fetchAll(database, sql: sql) {
                if let key = Self.digest(row, "state") { stops.insert(key) }
            }
        }
        for name in (try? FileAccess.names(in: "\(folder)/checkpoints")) ?? [] {
            if let key = Digest(hex: name) { stops.insert(key) }
        }
        return stops
    }

    private static func digest(_ row: Row, _ column: String) -> Digest? {
        String.fromDatabaseValue(row[column]).flatMap(Digest.init(hex:))
    }

    private static func number(_ row: Row, _ column: String) -> Double? {
        let value: DatabaseValue = row[column]
        switch value.storage {
        case .double(let number): return number
        case .int64(let number): return Double(number)
        default: return nil
        }
    }

    private static func integer(_ row: Row, _ column: String) -> Int? {
        let value: DatabaseValue = row[column]
        guard case .int64(let number) = value.storage else { return nil }
        return Int(number)
    }

    private static func text(_ row: Row, _ column: String) -> String? {
        let value: DatabaseValue = row[column]
        guard case .string(let text) = value.storage else { return nil }
        return text
    }

    private mutating func steps(_ database: Database) throws -> [StepEntry] {
        var entries: [StepEntry] = []
        let rows = try Row.fetchCursor(database, sql: "SELECT * FROM steps ORDER BY step, key")
        while let row = try rows.next() {
            guard let state = Self.digest(row, "key"), let step = Self.integer(row, "step"),
                step >= 1,
                let loss = Self.number(row, "loss"), let rate = Self.number(row, "learning_rate"),
                let norm = Self.number(row, "gradient_norm"),
                let tokens = Self.integer(row, "tokens"), let seconds = Self.number(row, "seconds")
            else {
                dropped += 1
                continue
            }
            // The first version did not know the state before.
            let parent = Self.digest(row, "parent") ?? Digest(words: SIMD4<UInt64>())
            entries.append(
                StepEntry(
                    parent: parent, state: state,
                    record: StepRecord(
                        step: step, loss: loss, learningRate: rate, gradientNorm: norm,
                        tokens: tokens, seconds: seconds)))
        }
        return entries
    }

    private mutating func evaluations(_ database: Database, _ versions: [Digest: StateVersion])
        throws
        -> [(kind: JournalForm.Kind, content: [UInt8])]
    {
        var records: [(kind: JournalForm.Kind, content: [UInt8])] = []
        func add(_ state: Digest, _ data: Digest, _ row: Row?, _ values: JournalValue) throws {
            let entry = EvaluationEntry(
                state: state, version: versions[state] ?? .initial, data: data,
                name: row.flatMap { Self.text($0, "name") },
                split: row.flatMap { Self.text($0, "split") }, values: values,
                by: Engine.unknown.id)
            records.append((.evaluation, try JournalJSON.content(entry)))
        }
        let losses = try Row.fetchCursor(
            database,
            sql: "SELECT * FROM evaluations LEFT JOIN datasets USING (data) ORDER BY state, data")
        while let row = try losses.next() {
            guard let state = Self.digest(row, "state"), let data = Self.digest(row, "data"),
                let nats = Self.number(row, "nats"), let tokens = Self.integer(row, "tokens"),
                let bytes = Self.integer(row, "bytes")
            else {
                dropped += 1
                continue
            }
            try add(
                state, data, row,
                JournalValue(encoding: Evaluation(nats: nats, tokens: tokens, bytes: bytes)))
        }
        let scores = try Row.fetchCursor(database, sql: "SELECT * FROM scores ORDER BY state, task")
        while let row = try scores.next() {
            guard let state = Self.digest(row, "state"), let task = Self.digest(row, "task"),
                let text = Self.text(row, "result"),
                let result = JournalJSON.decode(JournalValue.self, Array(text.utf8))
            else {
                dropped += 1
                continue
            }
            try add(state, task, nil, result)
        }
        return records
    }

    private mutating func runs(_ database: Database, _ versions: [Digest: StateVersion]) throws
        -> [(
            kind: JournalForm.Kind, content: [UInt8]
        )]
    {
        var records: [(kind: JournalForm.Kind, content: [UInt8])] = []
        let rows = try Row.fetchCursor(database, sql: "SELECT * FROM runs ORDER BY updated, key")
        while let row = try rows.next() {
            guard let key = Self.digest(row, "key"), let name = Self.text(row, "name"),
                let status = Self.text(row, "status"), let step = Self.integer(row, "step"),
                let steps = Self.integer(row, "steps"), let updated = Self.number(row, "updated"),
                let recipe = Self.text(row, "recipe")
            else {
                dropped += 1
                continue
            }
            let registration = String(key.hex.prefix(16))
            let state = Self.digest(row, "state")
            records.append(
                (
                    .run,
                    try JournalJSON.content(
                        RunEntry(
                            run: key, registration: registration, name: name, recipe: recipe,
                            steps: steps, updated: updated))
                ))
            records.append(
                (
                    .progress,
                    try JournalJSON.content(
                        ProgressEntry(
                            run: key, registration: registration, status: status, step: step,
                            updated: updated, state: state, version: state.flatMap { versions[$0] },
                            exposure: Self.text(row, "exposure").flatMap {
                                try? JSONDecoder().decode(ExposureLedger.self, from: Data($0.utf8))
                            }, failure: Self.text(row, "failure"),
                            processor: Self.text(row, "processor"), by: Engine.unknown.id))
                ))
        }
        return records
    }

    /// The tables of the first form, brought up to its last version.
    package static var migrations: DatabaseMigrator {
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
}
