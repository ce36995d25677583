import Foundation
import Runtime

/// What was executed, in this session and those before, kept in a file of JSON lines.
///
/// A file that cannot be used does not stop the kernel: there is then the history of this session only.
final class KernelHistory {
    private struct Entry: Codable {
        let session: Int
        var line = 0
        var source: String?
    }

    private struct Request: Decodable {
        let output: Bool?
        let hist_access_type: String
        let session: Int?
        let start: Int?
        let stop: Int?
        let n: Int?
        let pattern: String?
        let unique: Bool?
    }

    /// Entries of the file that are looked at, and lines after which it is cut to so many.
    private static let most = 10_000

    private let descriptor: Int32
    private let session: Int
    private var entries: [Entry] = []
    private var outputs: [Int: String] = [:]

    init(_ path: String) {
        try? AtomicFile.makeFolder(PathName.parent(path))
        descriptor = path.isEmpty ? -1 : open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            session = 1
            return
        }
        flock(descriptor, LOCK_EX)
        defer { flock(descriptor, LOCK_UN) }
        let lines = ((try? FileReader.bytes(path)) ?? []).split(separator: UInt8(ascii: "\n"))
        let known = lines.compactMap { try? JSONDecoder().decode(Entry.self, from: Data($0)) }
        entries = known.suffix(Self.most).filter { $0.source != nil }
        session = (known.map(\.session).max() ?? 0) &+ 1
        if lines.count > 2 * Self.most, ftruncate(descriptor, 0) == 0 {
            for entry in entries { append(entry) }
        }
        // Takes the number of this session, also from kernels that start now.
        append(Entry(session: session))
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// `MTREPL_KERNEL_HISTORY`, or a file in the folder for the state of programs.
    static var path: String {
        let environment = ProcessInfo.processInfo.environment
        if let path = environment["MTREPL_KERNEL_HISTORY"] { return path }
        let folder =
            environment["XDG_STATE_HOME"] ?? (environment["HOME"] ?? ".") + "/.local/state"
        return folder + "/mtrepl/kernel_history.jsonl"
    }

    private func append(_ entry: Entry) {
        guard var line = try? JSONEncoder().encode(entry) else { return }
        line.append(UInt8(ascii: "\n"))
        _ = line.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    }

    /// Adds what was executed.
    func add(_ line: Int, _ source: String) {
        let entry = Entry(session: session, line: line, source: source)
        entries.append(entry)
        guard descriptor >= 0 else { return }
        flock(descriptor, LOCK_EX)
        append(entry)
        flock(descriptor, LOCK_UN)
    }

    /// Adds what came of it, which is not kept in the file.
    func add(output: String, of line: Int) { outputs[line] = output }

    /// Answers a `history_request`.
    func reply(_ message: KernelMessage) throws -> JSON {
        let request = try message.request(Request.self)
        let count = request.n.map { max(0, $0) } ?? .max
        let found: ArraySlice<Entry>
        switch request.hist_access_type {
        case "tail": found = entries.suffix(count)
        case "range": found = range(request)[...]
        case "search": found = search(request).suffix(count)
        default: found = []
        }
        return [
            "status": "ok",
            "history": .array(
                found.map { entry in
                    let source = JSON.string(entry.source ?? "")
                    let output = entry.session == session ? outputs[entry.line] : nil
                    return [
                        .integer(entry.session), .integer(entry.line),
                        request.output == true
                            ? [source, output.map { .string($0) } ?? .null] : source,
                    ]
                }),
        ]
    }

    /// Lines of a session; 0 and below count back from this one.
    private func range(_ request: Request) -> [Entry] {
        let wanted = request.session ?? 0
        let number = wanted > 0 ? wanted : session &+ wanted
        return entries.filter {
            $0.session == number && $0.line >= request.start ?? 0
                && $0.line < request.stop ?? .max
        }
    }

    /// What fits a pattern with `*` and `?`; of equal ones, if that is wanted, the last.
    private func search(_ request: Request) -> [Entry] {
        let pattern = request.pattern ?? "*"
        var found = entries.filter { fnmatch(pattern, $0.source ?? "", 0) == 0 }
        if request.unique == true {
            var seen: Set<String> = []
            found = found.reversed().filter { seen.insert($0.source ?? "").inserted }.reversed()
        }
        return found
    }
}
