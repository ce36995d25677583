import RuntimeSupport

/// Which numbers led to a state.
///
/// Keys leave the processor out, so that two processors may give one state two versions. What every step measured is in
/// the version, what machine it was is not: equal numbers are one version.
public struct StateVersion: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    let high: UInt64
    let low: UInt64

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// That of every state without a step.
    public static let initial = StateVersion(high: 0, low: 0)

    /// That of the state which a step from this one led to.
    package func after(_ state: Digest, _ record: StepRecord) -> StateVersion {
        var builder = DigestBuilder("state version 1")
        builder.add(high)
        builder.add(low)
        builder.add(state)
        builder.add(record.step)
        builder.add(record.loss)
        builder.add(record.learningRate)
        builder.add(record.gradientNorm)
        builder.add(record.tokens)
        let digest = builder.finish()
        return StateVersion(high: digest.word(0), low: digest.word(1))
    }

    /// Reads a version back from `hex`; `nil` if it is not 32 lower-case digits.
    public init?(hex: String) {
        guard let digest = Digest(hex: hex + String(repeating: "0", count: 32)) else { return nil }
        self.init(high: digest.word(0), low: digest.word(1))
    }

    /// 32 lower-case hexadecimal digits.
    public var hex: String {
        [high, low].map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    /// The hexadecimal form.
    public var description: String { hex }

    /// By their digits: an order that depends on the numbers alone.
    public static func < (left: StateVersion, right: StateVersion) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }

    /// Decodes the hexadecimal string.
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let version = StateVersion(hex: text) else {
            throw InvalidValue("version", expected: "32 hexadecimal digits", found: text)
        }
        self = version
    }

    /// Encodes the hexadecimal string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(hex)
    }
}
