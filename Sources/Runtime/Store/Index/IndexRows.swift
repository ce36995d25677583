import Foundation
import GRDB

/// The rows of an index within one transaction.
final class IndexRows {
    typealias Entry = (key: [UInt8], value: [UInt8])

    private let database: Database
    private let connection: IndexDatabase.Connection
    /// What changes of the totals.
    private var changes: [IndexPart: IndexTotal] = [:]
    /// Whether every row was written in this transaction.
    private var isNew = false

    private static let columns = "SELECT kind, key, value, sum FROM entries WHERE kind = ?"

    init(_ database: Database, _ connection: IndexDatabase.Connection) {
        (self.database, self.connection) = (database, connection)
    }

    private static func sum(_ kind: Int, _ key: [UInt8], _ value: [UInt8]) -> UInt32 {
        JournalForm.sum([UInt8(truncatingIfNeeded: kind)] + key) ^ (JournalForm.sum(value) &* 31)
    }

    /// - Throws: `IndexDamage`.
    private static func checked(_ row: Row) throws -> (
        kind: Int, key: [UInt8], value: [UInt8], sum: UInt32
    ) {
        guard let kind = Int.fromDatabaseValue(row[0]), let key = Data.fromDatabaseValue(row[1]),
            let value = Data.fromDatabaseValue(row[2]), let sum = Int64.fromDatabaseValue(row[3])
        else { throw IndexDamage() }
        let entry = (key: [UInt8](key), value: [UInt8](value))
        guard Int64(Self.sum(kind, entry.key, entry.value)) == sum else { throw IndexDamage() }
        return (kind, entry.key, entry.value, UInt32(truncatingIfNeeded: sum))
    }

    // MARK: - Rows

    /// Rows whose keys begin with some bytes, in the order of the keys.
    ///
    /// - Throws: `IndexDamage` when a row is not as it was written, or is not there.
    func entries(_ kind: IndexKind, _ prefix: [UInt8] = []) throws -> [Entry] {
        let isPart = IndexPart.isWhole(kind, prefix)
        if isPart { try check(IndexPart(kind, prefix)) }
        var found: [Entry] = []
        var totals: [IndexPart: IndexTotal] = [:]
        let select = try database.cachedStatement(
            sql: Self.columns + " AND key >= ? ORDER BY key")
        let rows = try Row.fetchCursor(select, arguments: [kind.rawValue, Data(prefix)])
        while let row = try rows.next() {
            let entry = try Self.checked(row)
            guard entry.key.starts(with: prefix) else { break }
            found.append((entry.key, entry.value))
            if !isPart { totals[IndexPart(kind, entry.key), default: .init()].add(entry.sum) }
        }
        if !isPart, !isNew {
            guard try totals == expected(kind) else { throw IndexDamage() }
        }
        return found
    }

    /// The row of a key.
    func value(_ kind: IndexKind, _ key: [UInt8]) throws -> [UInt8]? {
        try check(IndexPart(kind, key))
        return try find(kind, key)?.value
    }

    private func find(_ kind: IndexKind, _ key: [UInt8]) throws -> (value: [UInt8], sum: UInt32)? {
        let select = try database.cachedStatement(sql: Self.columns + " AND key = ?")
        return try Row.fetchOne(select, arguments: [kind.rawValue, Data(key)]).map {
            let row = try Self.checked($0)
            return (row.value, row.sum)
        }
    }

    /// Adds a row, or replaces it.
    func set(_ kind: IndexKind, _ key: [UInt8], _ value: [UInt8]) throws {
        let part = IndexPart(kind, key)
        try check(part)
        if let old = try find(kind, key) {
            if old.value == value { return }
            changes[part, default: .init()].remove(old.sum)
        }
        changes[part, default: .init()].add(try put(kind, key, value))
    }

    private func put(_ kind: IndexKind, _ key: [UInt8], _ value: [UInt8]) throws -> UInt32 {
        let sum = Self.sum(kind.rawValue, key, value)
        let insert = try database.cachedStatement(
            sql: "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)")
        try insert.execute(arguments: [kind.rawValue, Data(key), Data(value), Int64(sum)])
        return sum
    }

    /// Removes every row.
    func clear() throws {
        try database.execute(sql: "DELETE FROM entries")
        changes = [:]
        isNew = true
        connection.checked.withLock { $0 = [] }
    }

    // MARK: - Totals

    /// Looks at every row of a part that this connection did not look at yet.
    private func check(_ part: IndexPart) throws {
        guard !isNew, !connection.checked.withLock({ $0.contains(part) }) else { return }
        let (first, end) = part.bounds
        let select = try database.cachedStatement(
            sql: Self.columns + " AND key >= ?" + (end == nil ? "" : " AND key < ?"))
        let bounds = [Data(first)] + (end.map { [Data($0)] } ?? [])
        let rows = try Row.fetchCursor(
            select, arguments: StatementArguments([part.kind]) + StatementArguments(bounds))
        var total = IndexTotal()
        while let row = try rows.next() { total.add(try Self.checked(row).sum) }
        let stored = try find(.total, part.key).map { IndexTotal($0.value) } ?? .init()
        guard total == stored + (changes[part] ?? .init()) else { throw IndexDamage() }
        connection.checked.withLock { _ = $0.insert(part) }
    }

    /// What the parts of a kind should have.
    private func expected(_ kind: IndexKind) throws -> [IndexPart: IndexTotal] {
        var totals = changes.filter { $0.key.kind == kind.rawValue }
        for (key, value) in try totalRows(kind.rawValue) {
            guard key.count == 3 else { throw IndexDamage() }
            let part = IndexPart(kind: kind.rawValue, number: Int(key[1]) << 8 | Int(key[2]))
            totals[part] = (totals[part] ?? .init()) + IndexTotal(value)
        }
        return totals.filter { $0.value.count != 0 || $0.value.sum != 0 }
    }

    private func totalRows(_ kind: Int) throws -> [Entry] {
        let select = try database.cachedStatement(
            sql: Self.columns + " AND key >= ? AND key < ?")
        let rows = try Row.fetchCursor(
            select,
            arguments: [
                IndexKind.total.rawValue, Data([UInt8(kind)]), Data([UInt8(kind) + 1]),
            ])
        var found: [Entry] = []
        while let row = try rows.next() {
            let entry = try Self.checked(row)
            found.append((entry.key, entry.value))
        }
        return found
    }

    /// Looks at the rows that have the totals of parts.
    ///
    /// - Throws: `IndexDamage` when one is not as it was written, or is not there.
    func checkTotals() throws {
        var total = IndexTotal()
        let select = try database.cachedStatement(sql: Self.columns)
        let rows = try Row.fetchCursor(select, arguments: [IndexKind.total.rawValue])
        var stored: IndexTotal?
        while let row = try rows.next() {
            let entry = try Self.checked(row)
            if entry.key.isEmpty { stored = IndexTotal(entry.value) } else { total.add(entry.sum) }
        }
        guard stored == total else { throw IndexDamage() }
    }

    /// Looks at every row.
    ///
    /// - Throws: `IndexDamage` when one is not as it was written, or is not there.
    func checkAll() throws {
        var found: [IndexPart: IndexTotal] = [:]
        let rows = try Row.fetchCursor(
            database, sql: "SELECT kind, key, value, sum FROM entries WHERE kind <> 0")
        while let row = try rows.next() {
            let entry = try Self.checked(row)
            found[IndexPart(entry.kind, entry.key), default: .init()].add(entry.sum)
        }
        for kind in 1...10 {
            guard let kind = IndexKind(rawValue: kind) else { continue }
            let here = found.filter { $0.key.kind == kind.rawValue }
            guard try expected(kind) == here else { throw IndexDamage() }
            for part in here.keys { found[part] = nil }
        }
        guard found.isEmpty else { throw IndexDamage() }
    }

    /// Brings the totals up to date.
    func finish() throws {
        guard isNew || !changes.isEmpty else { return }
        var all = try find(.total, []).map { IndexTotal($0.value) } ?? .init()
        for (part, change) in changes where change != .init() {
            var total = change
            if let old = try find(.total, part.key) {
                total = IndexTotal(old.value) + change
                all.remove(old.sum)
            }
            all.add(try put(.total, part.key, total.bytes))
        }
        _ = try put(.total, [], all.bytes)
        changes = [:]
    }
}
