import RuntimeSupport

/// Which records of a file are read: those whose fields have certain values.
public struct RecordCondition: Codable, Hashable, Sendable {
    /// A value that a field may be asked to have.
    public enum Value: Codable, Hashable, Sendable {
        /// The text of a string, byte for byte.
        case text(String)
        /// A number, however it is written.
        case number(Double)
        /// `true` or `false`.
        case boolean(Bool)

        /// The value as Lua writes it.
        package var words: String {
            switch self {
            case .text(let text): JSONValue.quoted(text)
            case .number(let number): Int(exactly: number).map { "\($0)" } ?? "\(number)"
            case .boolean(let flag): "\(flag)"
            }
        }

        fileprivate func isText(_ bytes: some Collection<UInt8>) -> Bool {
            switch self {
            case .text(let text): bytes.elementsEqual(text.utf8)
            case .boolean(let flag): bytes.elementsEqual("\(flag)".utf8)
            case .number(let number):
                bytes.count < 400 && Double(String(decoding: bytes, as: UTF8.self)) == number
            }
        }
    }

    /// Of each field, a path as in templates, the values of which it must have one.
    public var fields: [String: [Value]]

    /// A condition on some fields.
    ///
    /// - Parameter fields: of each field the values that it may have.
    public init(_ fields: [String: [Value]]) { self.fields = fields }

    /// The names of its fields, in order.
    var names: [String] { fields.keys.sorted() }

    /// Whether the values of a record fulfil it; a field that is missing has no value.
    ///
    /// Of all elements of a list (`tags[]`) one suffices.
    func allows(_ values: [String: [UInt8]]) -> Bool {
        fields.allSatisfy { name, allowed in
            guard let value = values[name] else { return false }
            if allowed.contains(where: { $0.isText(value) }) { return true }
            guard name.contains("[]") else { return false }
            return value.split(separator: 10, omittingEmptySubsequences: false).contains {
                element in
                allowed.contains { $0.isText(element) }
            }
        }
    }

    /// The condition as it is written in Lua.
    package var words: String {
        names.map { name in
            "\(name) = " + (fields[name] ?? []).map(\.words).joined(separator: " or ")
        }.joined(separator: ", ")
    }
}

/// What records had in the fields of a condition, for the message when none fulfils it.
package struct ConditionTally {
    private static let most = 1000
    /// Records that were left out.
    package private(set) var leftOut = 0
    private var counts: [String: [[UInt8]: Int]] = [:]

    mutating func add(_ values: [String: [UInt8]], _ condition: RecordCondition) {
        leftOut += 1
        for name in condition.fields.keys {
            guard let value = values[name], value.count <= 60 else { continue }
            let known = counts[name, default: [:]]
            guard known.count < Self.most || known[value] != nil else { continue }
            counts[name, default: [:]][value, default: 0] += 1
        }
    }

    mutating func add(_ other: ConditionTally) {
        leftOut += other.leftOut
        for (name, values) in other.counts {
            for (value, count) in values
            where counts[name, default: [:]].count < Self.most || counts[name]?[value] != nil {
                counts[name, default: [:]][value, default: 0] += count
            }
        }
    }

    /// What the fields of a condition held, the most frequent first.
    func words(_ condition: RecordCondition) -> String {
        condition.names.map { name in
            let found = (counts[name] ?? [:]).map {
                (String(decoding: $0.key, as: UTF8.self), $0.value)
            }
            .sorted { $0.1 != $1.1 ? $0.1 > $1.1 : $0.0 < $1.0 }
            guard !found.isEmpty else { return "none has a short field \"\(name)\"" }
            let shown = found.prefix(8).map { "\(JSONValue.quoted($0.0)) (\($0.1))" }
            let asked = condition.fields[name]?.first.map {
                if case .text(let text) = $0 { text } else { "" }
            }
            return "\(name) is " + shown.joined(separator: ", ")
                + (found.count > 8 ? " and \(found.count - 8) others" : "")
                + NearestName.hint(asked ?? "", among: found.map(\.0))
        }.joined(separator: "; ")
    }
}
