import Foundation
import RuntimeSupport
import Synchronization

/// Where the records of a checkpoint are: its journal held so many bytes when it was written.
public struct JournalPlace: Codable, Hashable, Sendable {
    /// The journal's name.
    public let name: String
    /// Bytes.
    public let length: Int
}

/// The journal of one object of a process, made with its first record.
final class JournalWriter: Sendable {
    private struct State {
        var file: (descriptor: Int32, name: String)?
        var length = 0
        var number: UInt32 = 0
        /// Says that somebody writes the journal.
        var claim: Claim?
    }

    private let folder: String
    private let state = Mutex(State())

    init(_ folder: String) { self.folder = folder }

    /// The claim on a journal: while it is held the file is its writer's.
    static func claimPath(_ name: String, in folder: String) -> String {
        "\(PathName.parent(folder))/claims/journal-\(name)"
    }

    deinit {
        state.withLock { state in
            if let file = state.file { close(file.descriptor) }
        }
    }

    /// Where the next record will be; `nil` before the first.
    var place: JournalPlace? {
        state.withLock { state in
            state.file.map { JournalPlace(name: $0.name, length: state.length) }
        }
    }

    /// Appends records that appear together, and waits until they would survive the end of the machine.
    ///
    /// - Returns: The journal.
    /// - Throws: `FileError`; what comes next then goes into another journal.
    @discardableResult
    func append(_ records: [(kind: JournalForm.Kind, content: [UInt8])]) throws -> JournalPlace {
        try state.withLock { state in
            while true {
                if state.file == nil || state.number > UInt32.max - 1024 || state.length > 1 << 40 {
                    try begin(&state)
                }
                try put(&state, records)
                // Moved or removed under us, the file is nobody's any more: the records go into another.
                if let file = state.file, isThere(file) {
                    return JournalPlace(name: file.name, length: state.length)
                }
                abandon(&state)
            }
        }
    }

    private func begin(_ state: inout State) throws {
        abandon(&state)
        try AtomicFile.makeFolder(folder)
        let host = Self.host
        while true {
            let digits = String(UInt32.random(in: 0 ... .max), radix: 16)
            let name =
                "\(host)-\(getpid())-\(String(repeating: "0", count: 8 - digits.count))\(digits)"
            let path = "\(folder)/\(name)\(JournalForm.fileEnding)"
            let descriptor: Int32
            do {
                descriptor = try FileAccess.open(
                    path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, action: "write")
            } catch let error {
                if FileAccess.exists(path) { continue }
                throw error
            }
            state = State(file: (descriptor, name))
            state.claim = try Claim.attempt(Self.claimPath(name, in: folder))
            let head = JournalHead(
                name: name, host: host, process: Int(getpid()),
                started: Date().timeIntervalSince1970)
            do {
                try put(
                    &state,
                    [
                        (.journal, try JournalJSON.content(head)),
                        (.engine, try JournalJSON.content(Engine.own)),
                    ])
            } catch {
                // A journal without its first record says nothing.
                unlink(path)
                abandon(&state)
                throw error
            }
            AtomicFile.syncFolder(folder)
            return
        }
    }

    private func put(
        _ state: inout State, _ records: [(kind: JournalForm.Kind, content: [UInt8])]
    ) throws {
        guard let file = state.file else { return }
        let path = "\(folder)/\(file.name)\(JournalForm.fileEnding)"
        var bytes: [UInt8] = []
        var number = state.number
        for (kind, content) in records {
            guard content.count <= JournalForm.longest else {
                throw FileError(
                    "write", path,
                    reason:
                        "a record has \(content.count) bytes; expected at most \(JournalForm.longest)"
                )
            }
            bytes += JournalForm.record(kind, number: number, content: content)
            number += 1
        }
        do {
            var writer = FileWriter(descriptor: file.descriptor, path: path)
            try bytes.withUnsafeBytes { try writer.write($0) }
            try writer.flush()
            guard fdatasync(file.descriptor) == 0 else {
                throw FileError("write", path, errno: errno)
            }
        } catch {
            // Nothing may stand behind half a record, and what others may have read is never taken back.
            abandon(&state)
            throw error
        }
        state.length += bytes.count
        state.number = number
    }

    private func isThere(_ file: (descriptor: Int32, name: String)) -> Bool {
        var held = stat()
        guard fstat(file.descriptor, &held) == 0,
            let named = FileAccess.status("\(folder)/\(file.name)\(JournalForm.fileEnding)")
        else { return false }
        return held.st_ino == named.st_ino && held.st_dev == named.st_dev
    }

    private func abandon(_ state: inout State) {
        if let file = state.file { close(file.descriptor) }
        state = State()
    }

    /// The machine's name, as part of a file's.
    static let host: String = {
        let name = Machine.name.utf8.prefix(48).map { byte -> Character in
            let character = Character(UnicodeScalar(byte))
            return character.isASCII && (character.isLetter || character.isNumber) ? character : "_"
        }
        return name.isEmpty ? "host" : String(name)
    }()
}
