import Foundation
import GRDB
import RuntimeSupport
import Synchronization

/// A row of the index does not have its checksum.
struct IndexDamage: Error {}

/// What a row of the index is about.
enum IndexKind: Int {
    /// How many rows a part has, and the sum of their checksums; without a key, the same of all such rows.
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
    /// The folder of the store.
    case owner = 10
}

/// Rows that are counted together.
///
/// All of a kind, or of a kind that may have many those whose keys, which are digests, begin with the same ten bits: a look at few
/// rows then checks few.
struct IndexPart: Hashable {
    let kind: Int
    let number: Int

    private static let many: Set<IndexKind> = [.steps, .firstSteps, .evaluation, .run, .removal]

    /// The part of a key.
    init(_ kind: IndexKind, _ key: [UInt8]) {
        self.init(kind.rawValue, key)
    }

    init(kind: Int, number: Int) { (self.kind, self.number) = (kind, number) }

    init(_ kind: Int, _ key: [UInt8]) {
        self.kind = kind
        let isMany = IndexKind(rawValue: kind).map(Self.many.contains) ?? false
        number = isMany && key.count > 1 ? Int(key[0]) << 2 | Int(key[1]) >> 6 : 0
    }

    /// The first key that may be in the part, and the first behind it.
    var bounds: (first: [UInt8], end: [UInt8]?) {
        func key(_ number: Int) -> [UInt8] { [UInt8(number >> 2), UInt8(number & 3) << 6] }
        guard IndexKind(rawValue: kind).map(Self.many.contains) ?? false else { return ([], nil) }
        return (number == 0 ? [] : key(number), number < 1023 ? key(number + 1) : nil)
    }

    /// The key of the row that has its total.
    var key: [UInt8] { [UInt8(kind), UInt8(number >> 8), UInt8(number & 255)] }

    /// Whether prefixes of keys lie in one part.
    static func isWhole(_ kind: IndexKind, _ prefix: [UInt8]) -> Bool {
        prefix.count > 1 || !many.contains(kind)
    }
}

/// How many rows there are, and the sum of their checksums.
struct IndexTotal: Equatable {
    var count: UInt64 = 0
    var sum: UInt64 = 0

    mutating func add(_ check: UInt32) {
        count &+= 1
        sum &+= UInt64(check)
    }

    mutating func remove(_ check: UInt32) {
        count &-= 1
        sum &-= UInt64(check)
    }

    static func + (left: Self, right: Self) -> Self {
        Self(count: left.count &+ right.count, sum: left.sum &+ right.sum)
    }

    var bytes: [UInt8] {
        var bytes = Bytes()
        bytes.add(count)
        bytes.add(sum)
        return bytes.all
    }

    init() {}
    init(count: UInt64, sum: UInt64) { (self.count, self.sum) = (count, sum) }
    init(_ value: [UInt8]) {
        (count, sum) = value.withUnsafeBytes {
            var reader = ByteReader($0)
            return (reader.uint64(), reader.uint64())
        }
    }
}

/// The rows of the index in SQLite: keys and values that check themselves, made from the journals and made again whenever
/// they are missing, old or damaged.
///
/// A row that a flipped bit hides would be missed without a word. So rows are counted by parts, and a part is checked when a
/// process first looks for something in it.
final class IndexDatabase: Sendable {
    /// Raised whenever rows mean something else.
    private static let form = 2

    /// Fills an empty index, given how long journals were that an earlier one knew.
    typealias Fill = @Sendable (IndexRows, _ longest: [String: Int]) throws -> Void

    /// A connection, and the parts that were checked through it.
    final class Connection: Sendable {
        let queue: DatabaseQueue
        let checked = Mutex<Set<IndexPart>>([])

        init(_ queue: DatabaseQueue) { self.queue = queue }
    }

    /// In the header of an index: `mtri`.
    private static let mark: UInt32 = 0x6d74_7269

    /// The file; `nil` for an index in memory.
    let path: String?
    private let isOurs: Bool
    private let connection: Mutex<Connection>
    private let fill: Fill

    /// Opens an index, or makes it.
    ///
    /// - Parameters:
    ///   - path: The file; `nil` for an index in memory.
    ///   - isOurs: Whether whatever lies there may be replaced, as nobody else keeps anything in that place. An index that cannot
    ///     be written is then made in memory.
    /// - Throws: `RegistryError`; `FileError` when something else stands in its place; whatever `fill` throws.
    init(_ path: String?, isOurs: Bool = true, fill: @escaping Fill) throws {
        (self.path, self.isOurs, self.fill) = (path, isOurs, fill)
        if let path { try Self.checkPlace(path, isOurs: isOurs) }
        do {
            do {
                if let path { try AtomicFile.makeFolder(PathName.parent(path)) }
                connection = Mutex(try Self.open(path, fill))
            } catch let error where error is DatabaseError || error is IndexDamage || isOurs {
                connection = Mutex(
                    try Self.replacement(for: error, path, isOurs: isOurs, fill))
            }
        } catch { throw Self.named(error, path) }
    }

    private static func checkPlace(_ path: String, isOurs: Bool) throws {
        guard !path.isEmpty else {
            throw FileError("open", "the index", reason: "its name is empty")
        }
        // SQLite would wait for the other end of a pipe.
        for end in endings { try FileAccess.checkRegular(path + end) }
        guard !isOurs, let size = FileAccess.status(path)?.st_size, size > 0 else { return }
        let header = size < 100 ? [] : try RandomAccessFile(path).bytes(0..<100)
        guard header.count == 100,
            header[68..<72].reduce(UInt32(0), { $0 << 8 | UInt32($1) }) == mark
        else {
            throw FileError(
                "use as the index", path,
                reason:
                    "it is not one that mtrepl made; expected one, or a file that is not there yet"
            )
        }
    }

    /// Another index in place of one that failed: a new one if it is damaged; one in memory if its file cannot be written, as on
    /// a full disk, since what it says is in the journals.
    private static func replacement(
        for error: any Error, _ path: String?, isOurs: Bool, _ fill: Fill
    ) throws -> Connection {
        if isDamage(error), let path {
            remove(path)
            do { return try open(path, fill) } catch let second {
                guard isUnwritable(second, isOurs: isOurs) else { throw second }
            }
        } else if !isUnwritable(error, isOurs: isOurs) {
            throw error
        }
        return try open(nil, fill)
    }

    private static func isUnwritable(_ error: any Error, isOurs: Bool) -> Bool {
        guard let code = (error as? DatabaseError)?.resultCode else {
            return isOurs && error is FileError
        }
        return [.SQLITE_FULL, .SQLITE_IOERR, .SQLITE_READONLY].contains(code)
            || (isOurs && code == .SQLITE_CANTOPEN)
    }

    private static let endings = ["", "-wal", "-shm"]

    private static func remove(_ path: String) {
        for end in endings { FileAccess.remove(path + end) }
    }

    private static func named(_ error: any Error, _ path: String?) -> any Error {
        error is DatabaseError || error is IndexDamage
            ? RegistryError(path ?? "in memory", error) : error
    }

    private static func isDamage(_ error: any Error) -> Bool {
        if error is IndexDamage { return true }
        guard let code = (error as? DatabaseError)?.resultCode else { return false }
        // A table that is missing or of another form is SQLITE_ERROR.
        return [.SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_ERROR, .SQLITE_FORMAT].contains(code)
    }

    /// One connection, opened once: if another process makes the file anew, this one stays with the file it has.
    private static func open(_ path: String?, _ fill: Fill) throws -> Connection {
        var configuration = Configuration()
        configuration.busyMode = .timeout(120)
        configuration.prepareDatabase { database in
            // In the file itself from its first byte on, not in the log beside it.
            if try UInt32.fetchOne(database, sql: "PRAGMA application_id") != mark {
                try database.execute(sql: "PRAGMA application_id = \(mark)")
            }
            try database.execute(sql: "PRAGMA journal_mode = WAL")
            // What a power cut takes from an index is read again from the journals.
            try database.execute(sql: "PRAGMA synchronous = NORMAL")
        }
        let queue =
            try path.map { try DatabaseQueue(path: $0, configuration: configuration) }
            ?? DatabaseQueue(configuration: configuration)
        let connection = Connection(queue)
        let found = try queue.read { try Int.fetchOne($0, sql: "PRAGMA user_version") ?? 0 }
        guard found != form else {
            try queue.read { try IndexRows($0, connection).checkTotals() }
            return connection
        }
        try queue.inTransaction(.immediate) { database in
            if try Int.fetchOne(database, sql: "PRAGMA user_version") == form { return .commit }
            try database.execute(
                sql: """
                    DROP TABLE IF EXISTS entries;
                    CREATE TABLE entries (kind INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,
                        sum INTEGER NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;
                    PRAGMA user_version = \(form);
                    """)
            let rows = IndexRows(database, connection)
            try rows.clear()
            try fill(rows, [:])
            try rows.finish()
            return .commit
        }
        return connection
    }

    /// Reads rows; an index that turns out to be damaged is made again first.
    func read<T>(_ body: (IndexRows) throws -> T) throws -> T {
        try repaired { connection in
            try connection.queue.read { try body(IndexRows($0, connection)) }
        }
    }

    /// Changes rows, all or none.
    func write<T>(_ body: (IndexRows) throws -> T) throws -> T {
        try repaired { connection in
            var result: T?
            try connection.queue.inTransaction(.immediate) { database in
                let rows = IndexRows(database, connection)
                result = try body(rows)
                try rows.finish()
                return .commit
            }
            guard let result else { throw IndexDamage() }
            return result
        }
    }

    private func repaired<T>(_ body: (Connection) throws -> T) throws -> T {
        let connection = connection.withLock { $0 }
        do {
            do { return try body(connection) } catch let error
                where Self.isDamage(error) || Self.isUnwritable(error, isOurs: false)
            {
                let fresh = try self.connection.withLock { current in
                    // Another thread may have done it.
                    if current === connection {
                        current = try Self.replacement(
                            for: error, path, isOurs: isOurs, fill)
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
            let longest = try rows.progress().mapValues(\.longest)
            try rows.clear()
            try fill(rows, longest)
        }
    }

    /// Whether every row is there that was written, as it was written.
    func isWhole() throws -> Bool {
        let connection = connection.withLock { $0 }
        do {
            try connection.queue.read { database in
                let rows = IndexRows(database, connection)
                try rows.checkTotals()
                try rows.checkAll()
            }
            return true
        } catch let error where Self.isDamage(error) { return false } catch {
            throw Self.named(error, path)
        }
    }
}
