import Foundation
import Runtime

/// Where a client expects a kernel, and the key that both sign messages with.
struct ConnectionFile {
    private struct Fields: Decodable {
        let transport: String
        let ip: String
        let key: String
        let signature_scheme: String?
        let shell_port: Int
        let iopub_port: Int
        let stdin_port: Int
        let control_port: Int
        let hb_port: Int
    }

    /// What to bind.
    let shell, iopub, stdin, control, heartbeat: String
    /// The secret.
    let key: String

    /// Reads a connection file.
    ///
    /// - Parameters:
    ///   - path: The file that the client wrote.
    ///   - remote: Whether an address that other machines can reach is allowed.
    /// - Throws: `FileError` naming the field that is wrong.
    init(_ path: String, remote: Bool) throws {
        func wrong(_ reason: String) -> FileError { FileError("use", path, reason: reason) }
        let fields: Fields
        do {
            fields = try JSONDecoder().decode(
                Fields.self, from: Data(try FileReader.bytes(path)))
        } catch let error as DecodingError {
            throw wrong("it is not a connection file: \(error.place)")
        }
        let scheme = fields.signature_scheme ?? "hmac-sha256"
        guard scheme == "hmac-sha256" else {
            throw wrong("signature_scheme: hmac-sha256 expected, got '\(scheme)'")
        }
        guard !fields.key.isEmpty else {
            throw wrong("key: it is empty, so that anyone on this machine could run code")
        }
        guard ["tcp", "ipc"].contains(fields.transport) else {
            throw wrong("transport: tcp or ipc expected, got '\(fields.transport)'")
        }
        if fields.transport == "tcp", !remote, !Self.isLoopback(fields.ip) {
            throw wrong(
                "ip: '\(fields.ip)' is not a loopback address; --remote allows it")
        }
        let ports = [
            ("shell_port", fields.shell_port), ("iopub_port", fields.iopub_port),
            ("stdin_port", fields.stdin_port), ("control_port", fields.control_port),
            ("hb_port", fields.hb_port),
        ]
        for (name, port) in ports where !(1...65535).contains(port) {
            throw wrong("\(name): a port expected, got \(port)")
        }
        let addresses = ports.map { _, port in
            fields.transport == "ipc"
                ? "ipc://\(fields.ip)-\(port)"
                : "tcp://\(fields.ip.contains(":") ? "[\(fields.ip)]" : fields.ip):\(port)"
        }
        shell = addresses[0]
        iopub = addresses[1]
        stdin = addresses[2]
        control = addresses[3]
        heartbeat = addresses[4]
        key = fields.key
    }

    private static func isLoopback(_ ip: String) -> Bool {
        if ip == "localhost" || ip == "::1" { return true }
        let parts = ip.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}

extension DecodingError {
    /// Which field is wrong, and how, in a line.
    var place: String {
        let (path, text): ([any CodingKey], String)
        switch self {
        case .keyNotFound(let key, let context):
            (path, text) = (context.codingPath + [key], "missing")
        case .typeMismatch(let type, let context):
            (path, text) = (context.codingPath, "\(type) expected")
        case .valueNotFound(let type, let context):
            (path, text) = (context.codingPath, "\(type) expected, got null")
        case .dataCorrupted(let context):
            (path, text) = (context.codingPath, "not valid JSON")
        @unknown default: (path, text) = ([], "not as expected")
        }
        let names = path.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
        return names.isEmpty ? text : "\(names.joined(separator: ".")): \(text)"
    }
}
