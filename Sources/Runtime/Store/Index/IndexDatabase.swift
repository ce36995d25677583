import Foundation
import GRDB
import RuntimeSupport
import Synchronization

/// A row of the index does not have its checksum.
struct IndexDamage: Error {}

/// What a row of the index is about.
enum IndexKind: Int {
    /// How many rows there are, and the sum of their checksums.
    case total = 0
    /// How far a journal was read.
    case journal = 1
    /// A batch of steps by its last state, version and place.
    case steps = 2
    /// A batch of steps by its first state.
    case firstSteps = 3
    /// What was measured of a state.
    case evaluation = 4
    /// A registration of a run.
    case run = 5
    /// A registration that was removed.
    case removal = 6
    /// An engine by the beginning of its digest.
    case engine = 7
    /// A study by its digest.
    case study = 8
    /// Damage by journal and place.
    case damage = 9
}

/// The rows of the index in SQLite: keys and values that check themselves, made from the journals and made again whenever
/// they are missing, old or damaged.
final class IndexDatabase: Sendable {
    /// Raised whenever rows mean something else.
    private static let form = 1

    let path: String
    private let queue: Mutex<DatabaseQueue>
    /// Fills an empty index.
    private let fill: @Sendable (IndexRows) throws -> Void

    /// Opens an index, or makes it.
    ///
    /// - Throws: `RegistryError`; `FileError` when a pipe or a device stands in its place; whatever `fill` throws.
    init(_ path: String, fill: @escaping @Sendable (IndexRows) throws -> Void) throws {
        self.path = path
        self.fill = fill
        try AtomicFile.makeFolder(PathName.parent(path))
        // SQLite would wait for the other end of a pipe.
        for end in Self.endings { try FileAccess.checkRegular(path + end) }
        do {
            do { queue = Mutex(try Self.open(path, fill)) } catch let error {
                queue = Mutex(try Self.replacement(for: error, path, fill))
            }
        } catch { throw Self.named(error, path) }
    }

    /// Another index in place of one that failed: a new one if it is damaged; one in memory if its file cannot be written, as on
    /// a full disk, since what it says is in the journals.
    private static func replacement(
        for error: any Error, _ path: String, _ fill: (IndexRows) throws -> Void
    ) throws -> DatabaseQueue {
        if isDamage(error) {
            remove(path)
            do { return try open(path, fill) } catch let second {
                guard isUnwritable(second) else { throw second }
            }
        } else if !isUnwritable(error) {
            throw error
        }
        return try open(nil, fill)
    }

    private static func isUnwritable(_ error: any Error) -> Bool {
        guard let code = (error as? DatabaseError)?.resultCode else { return false }
        return [.SQLITE_FULL, .SQLITE_IOERR, .SQLITE_READONLY].contains(code)
    }

    private static let endings = ["", "-wal", "-shm"]

    private static func remove(_ path: String) {
        for end in endings { FileAccess.remove(path + end) }
    }

    private static func named(_ error: any Error, _ path: String) -> any Error {
        error is DatabaseError || error is IndexDamage ? RegistryError(path, error) : error
    }

    private static func isDamage(_ error: any Error) -> Bool {
        if error is IndexDamage { return true }
        guard let code = (error as? DatabaseError)?.resultCode else { return false }
        // A table that is missing or of another form is SQLITE_ERROR.
        return [.SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_ERROR, .SQLITE_FORMAT].contains(code)
    }

    /// One connection, opened once: if another process makes the file anew, this one stays with the file it has.
    private static func open(_ path: String?, _ fill: (IndexRows) throws -> Void) throws
        -> DatabaseQueue
    {
        var configuration = Configuration()
        configuration.busyMode = .timeout(120)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA journal_mode = WAL")
            // What a power cut takes from an index is read again from the journals.
            try database.execute(sql: "PRAGMA synchronous = NORMAL")
        }
        let queue =
            try path.map { try DatabaseQueue(path: $0, configuration: configuration) }
            ?? DatabaseQueue(configuration: configuration)
        let found = try queue.read { try Int.fetchOne($0, sql: "PRAGMA user_version") ?? 0 }
        guard found != form else { return queue }
        try queue.inTransaction(.immediate) { database in
            if try Int.fetchOne(database, sql: "PRAGMA user_version") == form { return .commit }
            try database.execute(
                sql: """
                    DROP TABLE IF EXISTS entries;
                    CREATE TABLE entries (kind INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,
                        sum INTEGER NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;
                    PRAGMA user_version = \(form);
                    """)
            let rows = IndexRows(database)
            try fill(rows)
            try rows.finish()
            return .commit
        }
        return queue
    }

    /// Reads rows; an index that turns out to be damaged is made again first.
    func read<T>(_ body: (IndexRows) throws -> T) throws -> T {
        try repaired { queue in try queue.read { try body(IndexRows($0)) } }
    }

    /// Changes rows, all or none.
    func write<T>(_ body: (IndexRows) throws -> T) throws -> T {
        try repaired { queue in
            var result: T?
            try queue.inTransaction(.immediate) { database in
                let rows = IndexRows(database)
                result = try body(rows)
                try rows.finish()
                return .commit
            }
            guard let result else { throw IndexDamage() }
            return result
        }
    }

    private func repaired<T>(_ body: (DatabaseQueue) throws -> T) throws -> T {
        let queue = queue.withLock { $0 }
        do {
            do { return try body(queue) } catch let error
                where Self.isDamage(error) || Self.isUnwritable(error)
            {
                let fresh = try self.queue.withLock { current in
                    // Another thread may have done it.
                    if current === queue {
                        current = try Self.replacement(for: error, path, fill)
                    }
                    return current
                }
                return try body(fresh)
            }
        } catch { throw Self.named(error, path) }
    }

    /// Makes the index again from the journals.
    func rebuild() throws {
        try write { rows in
            try rows.clear()
            try fill(rows)
        }
    }

    /// Whether every row is there that was written, as it was written.
    func isWhole() throws -> Bool {
        let queue = queue.withLock { $0 }
        do {
            return try queue.read { database in
                var (count, sum): (UInt64, UInt64) = (0, 0)
                let rows = try Row.fetchCursor(
                    database, sql: "SELECT kind, key, value, sum FROM entries WHERE kind <> 0")
                while let row = try rows.next() {
                    let entry = try IndexRows.checked(row)
                    count += 1
                    sum &+= UInt64(entry.sum)
                }
                return try IndexRows(database).total == (count, sum)
            }
        } catch let error where Self.isDamage(error) { return false } catch {
            throw Self.named(error, path)
        }
    }
}

/// The rows of an index within one transaction.
final class IndexRows {
    typealias Entry = (key: [UInt8], value: [UInt8])

    private let database: Database
    /// What changes of the total.
    private var (count, sum): (UInt64, UInt64) = (0, 0)

    init(_ database: Database) { self.database = database }

    private static func sum(_ kind: Int, _ key: [UInt8], _ value: [UInt8]) -> UInt32 {
        JournalForm.sum([UInt8(truncatingIfNeeded: kind)] + key) ^ (JournalForm.sum(value) &* 31)
    }

    /// - Throws: `IndexDamage`.
    static func checked(_ row: Row) throws -> (key: [UInt8], value: [UInt8], sum: UInt32) {
        guard let kind = Int.fromDatabaseValue(row["kind"]),
            let key = Data.fromDatabaseValue(row["key"]),
            let value = Data.fromDatabaseValue(row["value"]),
            let sum = Int64.fromDatabaseValue(row["sum"])
        else { throw IndexDamage() }
        let entry = (key: [UInt8](key), value: [UInt8](value))
        guard Int64(Self.sum(kind, entry.key, entry.value)) == sum else { throw IndexDamage() }
        return (entry.key, entry.value, UInt32(truncatingIfNeeded: sum))
    }

    /// Rows whose keys begin with some bytes, in the order of the keys.
    func entries(_ kind: IndexKind, _ prefix: [UInt8] = []) throws -> [Entry] {
        var found: [Entry] = []
        let select = try database.cachedStatement(
            sql:
                "SELECT kind, key, value, sum FROM entries WHERE kind = ? AND key >= ? ORDER BY key"
        )
        let rows = try Row.fetchCursor(select, arguments: [kind.rawValue, Data(prefix)])
        while let row = try rows.next() {
            let entry = try Self.checked(row)
            guard entry.key.starts(with: prefix) else { break }
            found.append((entry.key, entry.value))
        }
        return found
    }

    /// The row of a key.
    func value(_ kind: IndexKind, _ key: [UInt8]) throws -> [UInt8]? {
        let select = try database.cachedStatement(
            sql: "SELECT kind, key, value, sum FROM entries WHERE kind = ? AND key = ?")
        return try Row.fetchOne(select, arguments: [kind.rawValue, Data(key)]).map {
            try Self.checked($0).value
        }
    }

    /// Adds a row, or replaces it.
    func set(_ kind: IndexKind, _ key: [UInt8], _ value: [UInt8]) throws {
        if let old = try self.value(kind, key) {
            if old == value { return }
            sum &-= UInt64(Self.sum(kind.rawValue, key, old))
            count &-= 1
        }
        let new = Self.sum(kind.rawValue, key, value)
        sum &+= UInt64(new)
        count &+= 1
        let insert = try database.cachedStatement(
            sql: "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)")
        try insert.execute(arguments: [kind.rawValue, Data(key), Data(value), Int64(new)])
    }

    /// Removes every row.
    func clear() throws {
        try database.execute(sql: "DELETE FROM entries")
        (count, sum) = (0, 0)
    }

    /// The number of rows and the sum of their checksums.
    var total: (UInt64, UInt64) {
        get throws {
            guard let value = try value(.total, []) else { return (0, 0) }
            return value.withUnsafeBytes {
                var reader = ByteReader($0)
                return (reader.uint64(), reader.uint64())
            }
        }
    }

    /// Brings the total up to date.
    func finish() throws {
        guard count != 0 || sum != 0 else { return }
        let before = try total
        var bytes = Bytes()
        bytes.add(before.0 &+ count)
        bytes.add(before.1 &+ sum)
        (count, sum) = (0, 0)
        let check = Self.sum(IndexKind.total.rawValue, [], bytes.all)
        try database.execute(
            sql: "INSERT OR REPLACE INTO entries VALUES (0, ?, ?, ?)",
            arguments: [Data(), Data(bytes.all), Int64(check)])
    }
}
