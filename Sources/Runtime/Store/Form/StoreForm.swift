import Foundation
import GRDB
import RuntimeSupport

/// The form of a store, which decides who may open it.
enum StoreForm {
    /// 1 is that of stores whose records are in `registry.sqlite`.
    static let version = 2
    private static let kind = "store"
    /// In the header of the database that keeps earlier programs out: `mtre`.
    private static let mark: UInt32 = 0x6d74_7265

    private struct Content: Codable {
        var form: Int
        /// The digest of the database that keeps earlier programs out; stores of the first days of this form do not have it.
        var gate: Digest?
    }

    static func path(_ folder: String) -> String { "\(folder)/store.json" }
    static func registryPath(_ folder: String) -> String { "\(folder)/registry.sqlite" }

    /// Makes a folder a store of this form, moving what an earlier version wrote into journals.
    ///
    /// - Returns: What a person should know.
    /// - Throws: `FileError` when the store has a later form; `RegistryError`, `DamagedFile`.
    static func prepare(_ folder: String) throws -> [String] {
        if try isReady(folder) { return [] }
        // Two processes that open a store for the first time would both make its files.
        let claim = try Claim("\(folder)/claims/form")
        defer { withExtendedLifetime(claim) {} }
        if try isReady(folder) { return [] }
        let registry = registryPath(folder)
        for end in ["", "-wal", "-shm"] { try FileAccess.checkRegular(registry + end) }
        var notices: [String] = []
        if FileAccess.exists(registry), try !isGate(registry) {
            if FileAccess.status(registry)?.st_size == 0 {
                let place = try setAside(registry, folder)
                notices.append("\(registry) was empty; moved to \(place)")
            } else if try content(folder) != nil, !isRegistry(registry) {
                // Only what keeps earlier programs out: nothing is lost with it.
                let place = try setAside(registry, folder)
                notices.append("\(registry) is damaged: it is made again; moved to \(place)")
            } else {
                var migration = Migration(folder)
                notices += try migration.run()
            }
        }
        if try !isGate(registry) || content(folder)?.gate != Digest.ofFile(registry) {
            try writeGate(registry)
        }
        try SealedFile.write(
            path(folder), kind: kind, name: "form",
            json: Array(
                try CanonicalJSON.text(
                    Content(form: version, gate: try Digest.ofFile(registry))
                ).utf8))
        return notices
    }

    /// Whether a folder has all of this form's files.
    static func isReady(_ folder: String) throws -> Bool {
        guard let content = try content(folder) else { return false }
        // The files of a store of the earlier form may have been copied into this one.
        let gate = registryPath(folder)
        guard try isGate(gate) else { return false }
        return try content.gate.map { try Digest.ofFile(gate) == $0 } ?? true
    }

    /// What the form's file says; `nil` where it is not there, or damaged: all that it says is written again, and records say
    /// their own form.
    ///
    /// - Throws: `FileError` when the store has a later form.
    private static func content(_ folder: String) throws -> Content? {
        let path = path(folder)
        guard FileAccess.exists(path) else { return nil }
        do {
            guard let found = try SealedFile.read(path, kind: kind, name: "form"), found.isSealed
            else { return nil }
            let content = try SealedFile.decode(Content.self, found, path)
            guard content.form <= version else {
                throw FileError(
                    "open the store", folder,
                    reason:
                        "it has the form \(content.form), this mtrepl knows \(version): use a newer one"
                )
            }
            return content
        } catch is DamagedFile { return nil }
    }

    /// Whether a file is a registry of the earlier form, as far as can be seen.
    private static func isRegistry(_ path: String) -> Bool {
        var configuration = Configuration()
        configuration.readonly = true
        do {
            return try DatabaseQueue(path: path, configuration: configuration).read {
                try $0.tableExists("runs")
            }
        } catch {
            // One that cannot be read for another reason may be one.
            let code = (error as? DatabaseError)?.resultCode
            return code != .SQLITE_CORRUPT && code != .SQLITE_NOTADB
        }
    }

    /// Whether a registry is the one that only keeps earlier programs out.
    private static func isGate(_ path: String) throws -> Bool {
        guard FileAccess.exists(path) else { return false }
        let file = try RandomAccessFile(path)
        guard file.size >= 100 else { return false }
        let header = try file.bytes(0..<100)
        return header[68..<72].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } == mark
    }

    private static func setAside(_ path: String, _ folder: String) throws -> String {
        let target = "\(folder)/damaged/registry-\(UInt32.random(in: 0 ... .max)).sqlite"
        try AtomicFile.makeFolder("\(folder)/damaged")
        try FileAccess.rename(path, target)
        return target
    }

    /// Earlier programs bring a registry up to date before they read it; this one tells them why they cannot.
    private static func writeGate(_ path: String) throws {
        // Not in the store, whose file system may have no locks.
        let temporary =
            NSTemporaryDirectory() + "mtrepl-gate.\(getpid()).\(UInt32.random(in: 0 ... .max))"
        defer { for end in ["", "-journal", "-wal", "-shm"] { unlink(temporary + end) } }
        do {
            let queue = try DatabaseQueue(path: temporary)
            try queue.write { database in
                try database.execute(
                    sql: """
                        PRAGMA application_id = \(mark);
                        CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
                        CREATE TRIGGER gate BEFORE INSERT ON grdb_migrations BEGIN
                            SELECT RAISE(ABORT, 'this store has the form \(version), which this mtrepl does not know: use a newer one');
                        END;
                        """)
            }
            try queue.close()
        } catch { throw RegistryError(path, error) }
        guard let bytes = FileManager.default.contents(atPath: temporary) else {
            throw FileError("read", temporary, errno: errno)
        }
        for end in ["-wal", "-shm"] { FileAccess.remove(path + end) }
        try AtomicFile.write(path) { writer in
            try bytes.withUnsafeBytes { try writer.write($0) }
        }
    }
}
