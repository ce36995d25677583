import Foundation
import RuntimeData
import RuntimeNumerics
import RuntimeSupport

/// The beginning of the digest of an engine.
package struct EngineID: Hashable, Sendable, Codable, CustomStringConvertible {
    let value: UInt64

    init(_ value: UInt64) { self.value = value }

    package var description: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard text.utf8.count == 16, let value = UInt64(text, radix: 16) else {
            throw InvalidValue("by", expected: "16 hexadecimal digits", found: text)
        }
        self.value = value
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// What the bits of numbers depend on beside their keys: equal engines give equal bits.
public struct Engine: Codable, Hashable, Sendable {
    /// See `Numerics.version`; 0 where an earlier version of the store did not say.
    public let numerics: Int
    /// See `Numerics.processor`.
    public let processor: String
    /// See `Numerics.libraries`.
    public let libraries: String
    /// What computed: `cpu`.
    public let device: String

    /// That of this process.
    public static let own = Engine(
        numerics: Numerics.version, processor: Numerics.processor,
        libraries: Numerics.libraries,
        device: "cpu")

    /// That of records that an earlier version wrote, which named none.
    package static let unknown = Engine(
        numerics: 0, processor: "unknown", libraries: "unknown", device: "cpu")

    package var id: EngineID {
        var builder = DigestBuilder("engine 1")
        builder.add(numerics)
        for text in [processor, libraries, device] { builder.add(text) }
        return EngineID(builder.finish().word(0))
    }

    /// `PROCESSOR, LIBRARIES, DEVICE`.
    public var text: String { "\(processor), \(libraries), \(device)" }
}

/// The first record of a journal.
struct JournalHead: Codable {
    /// The journal's own name, so that two files cannot change places.
    let name: String
    let host: String
    let process: Int
    /// Seconds since 1970.
    let started: Double
    /// False where the records come from a registry that checked nothing.
    var checked = true
}

/// A value by name, of an evaluation.
package struct EvaluationEntry: Codable {
    let state: Digest
    let version: StateVersion
    let data: Digest
    let name: String?
    let split: String?
    /// What was found: of losses `nats`, `tokens` and `bytes`.
    let values: JournalValue
    let by: EngineID
}

struct RunEntry: Codable {
    let run: Digest
    let registration: String
    let name: String
    let recipe: String
    let steps: Int
    let updated: Double
}

struct ProgressEntry: Codable {
    let run: Digest
    let registration: String
    let status: String
    let step: Int
    let updated: Double
    let state: Digest?
    let version: StateVersion?
    let exposure: ExposureLedger?
    let failure: String?
    let processor: String?
    let by: EngineID
}

struct RemovalEntry: Codable {
    let run: Digest
    /// Those that were there; one that begins later is not meant.
    let registrations: [String]
    let updated: Double
}

/// What a measure found, whatever its form.
package indirect enum JournalValue: Codable, Hashable, Sendable {
    case null
    case boolean(Bool)
    case number(Double)
    case text(String)
    case list([JournalValue])
    case object([String: JournalValue])

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .boolean(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode([JournalValue].self) {
            self = .list(value)
        } else {
            self = .object(try container.decode([String: JournalValue].self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .boolean(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .text(let value): try container.encode(value)
        case .list(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }

    /// What a value says as JSON.
    package init(encoding value: some Encodable) throws {
        guard let found = JournalJSON.decode(JournalValue.self, try JournalJSON.content(value))
        else {
            throw InvalidValue("value", expected: "what JSON can say", found: "\(value)")
        }
        self = found
    }

    /// The value of a type that says this; `nil` if it is of another form.
    package func decode<Value: Decodable>(_ type: Value.Type) -> Value? {
        (try? JournalJSON.content(self)).flatMap { JournalJSON.decode(type, $0) }
    }
}

/// JSON on one line, with the numbers that JSON does not know as strings.
enum JournalJSON {
    static func content(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return Array(try encoder.encode(value)) + [0x0a]
    }

    /// `nil` when it is something else.
    static func decode<Value: Decodable>(_ type: Value.Type, _ content: some Collection<UInt8>)
        -> Value?
    {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return try? decoder.decode(type, from: Data(content))
    }
}
