import Foundation

/// A file of a store whose bytes are not those that were written.
public struct DamagedFile: RuntimeError {
    /// The file.
    public let path: String
    /// What is wrong with it, and what was expected.
    public let reason: String

    /// Creates an error.
    public init(_ path: String, _ reason: String) {
        self.path = path
        self.reason = reason
    }

    /// `PATH is damaged: REASON`.
    public var message: String { "\(path) is damaged: \(reason)" }
}

/// A JSON object in a file of a store that says what it is and checks all of its bytes.
///
///     {"sha256":"…","kind":"corpus summary 2","name":"…", the object's own members}
///
/// The checksum is over every byte behind its comma, and what stands before can have one value only. The name is that of
/// the file, so that two files cannot change places.
package enum SealedFile {
    /// Longer files are not read.
    package static let longest = 1 << 28

    /// What a file holds.
    package struct Content {
        /// The object's own members as JSON, the seal left out.
        package let json: [UInt8]
        /// Whether it has a seal; files of earlier versions have none.
        package let isSealed: Bool
    }

    /// What is wrong with a file that must have a seal and has none.
    package static let unsealed =
        "it has no checksum, so an earlier version wrote it, or its first bytes were changed"

    private static let start = Array("{\"sha256\":\"".utf8)
    private static let end = Array("\",".utf8)
    private static let head = start.count + 64 + end.count

    private static func label(_ kind: String, _ name: String) -> [UInt8] {
        Array("\"kind\":\"\(kind)\",\"name\":\"\(name)\"".utf8)
    }

    /// Writes a JSON object under a seal.
    ///
    /// - Parameters:
    ///   - kind: What the file is, with the version of its form; without characters that JSON escapes.
    ///   - name: What tells it from others of its kind.
    ///   - json: An object with at least one member.
    /// - Throws: `FileError`.
    package static func write(_ path: String, kind: String, name: String, json: [UInt8]) throws {
        // The object's own brace opens before the seal.
        let rest = label(kind, name) + [UInt8(ascii: ",")] + json.drop { $0 != 0x7b }.dropFirst()
        let digest = Digest.of(rest)
        // A pipe would be waited for.
        try FileAccess.checkRegular(path)
        try AtomicFile.write(path) { writer in
            for bytes in [start, Array(digest.hex.utf8), end, rest] {
                try bytes.withUnsafeBytes { try writer.write($0) }
            }
        }
    }

    /// Reads a file and checks its seal; `nil` when there is none of that name.
    ///
    /// - Throws: `FileError` for what cannot be read, such as a pipe; `DamagedFile` when a byte differs from what was
    ///   written, or the seal is of another kind or name.
    package static func read(_ path: String, kind: String, name: String) throws -> Content? {
        var status = stat()
        guard stat(path, &status) == 0 || errno != ENOENT else { return nil }
        let bytes = try FileReader.bytes(path, limit: longest)
        guard bytes.starts(with: start) else { return Content(json: bytes, isSealed: false) }
        guard bytes.count > head, bytes[(head - end.count)..<head].elementsEqual(end),
            let digest = Digest(
                hex: String(decoding: bytes[start.count..<(start.count + 64)], as: UTF8.self))
        else { throw DamagedFile(path, "it has no whole checksum") }
        let rest = bytes[head...]
        guard Digest.of(rest) == digest else {
            throw DamagedFile(path, "its bytes do not have the checksum that it names")
        }
        let label = label(kind, name)
        guard rest.starts(with: label), rest.dropFirst(label.count).first == UInt8(ascii: ",")
        else {
            throw DamagedFile(
                path, "expected a \(kind) called \(name); it says it is something else")
        }
        return Content(json: [0x7b] + rest.dropFirst(label.count + 1), isSealed: true)
    }

    /// The value that a file's members spell, all of which must be known.
    ///
    /// - Throws: `DamagedFile` naming the file and the member that is missing, unknown or of another type.
    package static func decode<Value: Codable>(
        _ type: Value.Type, _ content: Content, _ path: String
    ) throws -> Value {
        let data = Data(content.json)
        do {
            let value = try JSONDecoder().decode(type, from: data)
            let known = Data(try CanonicalJSON.text(value).utf8)
            if let place = unknown(
                try JSONSerialization.jsonObject(with: data),
                try JSONSerialization.jsonObject(with: known))
            {
                throw DamagedFile(path, "it has the field \(place), which is not known")
            }
            return value
        } catch let error as DecodingError {
            throw DamagedFile(path, describe(error))
        } catch let error as InvalidValue {
            throw DamagedFile(path, error.message)
        }
    }

    /// The first member, by path, that an object has and another has not.
    private static func unknown(_ found: Any, _ known: Any) -> String? {
        if let found = found as? [String: Any], let known = known as? [String: Any] {
            for (name, value) in found.sorted(by: { $0.key < $1.key }) {
                guard let other = known[name] else { return name }
                if let place = unknown(value, other) { return "\(name).\(place)" }
            }
        } else if let found = found as? [Any], let known = known as? [Any] {
            for (value, other) in zip(found, known) {
                if let place = unknown(value, other) { return place }
            }
        }
        return nil
    }

    private static func describe(_ error: DecodingError) -> String {
        func place(_ path: [any CodingKey]) -> String {
            path.map(\.stringValue).joined(separator: ".")
        }
        switch error {
        case .keyNotFound(let key, let context):
            return "the field \(place(context.codingPath + [key])) is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            return
                "the field \(place(context.codingPath)) is of another type: \(context.debugDescription)"
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            return
                "the field \(place(context.codingPath)) is not usable: \(context.debugDescription)"
        default: return "it is not a JSON object of its kind"
        }
    }
}
