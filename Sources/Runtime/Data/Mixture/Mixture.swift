import Foundation
import RuntimeSupport

/// Weights of sources, kept as whole millionths that sum to one exactly.
///
/// Sources are in order of their names, whatever order they were given in, and those of weight 0 are left out: equal
/// mixtures are equal values.
public struct Mixture: Codable, Hashable, Sendable, CustomStringConvertible {
    /// One source's share.
    public struct Part: Codable, Hashable, Sendable {
        /// The source's name.
        public let name: String
        /// Its share in millionths, at least 1.
        public let millionths: Int
    }

    /// The unit of shares.
    public static let whole = 1_000_000

    /// The shares, which sum to `whole`.
    public let parts: [Part]

    /// Takes weights that sum to 1 within 0.000001.
    ///
    /// - Throws: `MixtureError` naming the weight that is negative, not a number or below a millionth, the name given
    ///   twice, or the sum.
    public init(_ weights: [(name: String, weight: Double)]) throws {
        try self.init(weights, tolerance: 1e-6)
    }

    /// Takes weights that sum to 1 within `tolerance`, and are then divided by their sum.
    init(_ weights: [(name: String, weight: Double)], tolerance: Double) throws {
        let weights = weights.sorted { $0.name < $1.name }
        for (index, item) in weights.enumerated() {
            guard item.weight.isFinite, item.weight >= 0 else {
                throw MixtureError(
                    "mixture", "weight of \"\(item.name)\": expected 0 ... 1, got \(item.weight)")
            }
            guard item.weight == 0 || item.weight >= 1e-6 else {
                throw MixtureError(
                    "mixture",
                    "weight of \"\(item.name)\": expected 0 or at least 0.000001, got \(item.weight)"
                )
            }
            guard index == 0 || weights[index - 1].name != item.name else {
                throw MixtureError("mixture", "\"\(item.name)\" is named twice")
            }
        }
        guard !weights.isEmpty else {
            throw MixtureError("mixture", "expected at least one source with its weight, got none")
        }
        let sum = weights.reduce(0) { $0 + $1.weight }
        guard abs(sum - 1) <= tolerance else {
            let list = weights.map { "\($0.name) = \(Self.decimal($0.weight))" }
            throw MixtureError(
                "mixture",
                "the weights must sum to 1, but \(list.joined(separator: ", ")) sum to \(Self.decimal(sum))"
            )
        }
        let used = weights.filter { $0.weight > 0 }
        let shares = Self.shares(used.map(\.weight))
        parts = used.indices.map { Part(name: used[$0].name, millionths: max(1, shares[$0])) }
        guard parts.reduce(0, { $0 + $1.millionths }) == Self.whole else {
            throw MixtureError(
                "mixture", "the weights cannot be held in millionths; round them to six decimals")
        }
    }

    /// Weights as millionths that sum to `whole`: rounded down, then the rest to the largest remainders, the first among
    /// equals.
    static func shares(_ weights: [Double]) -> [Int] {
        let sum = weights.reduce(0, +)
        var shares = weights.map { Int(($0 / sum * 1e6 + 1e-9).rounded(.down)) }
        let remainders = weights.indices.map { weights[$0] / sum * 1e6 - Double(shares[$0]) }
        let order = weights.indices.sorted {
            remainders[$0] != remainders[$1] ? remainders[$0] > remainders[$1] : $0 < $1
        }
        let missing = whole - shares.reduce(0, +)
        for index in order.prefix(max(0, missing)) { shares[index] += 1 }
        return shares
    }

    /// The only source.
    public init(only name: String) {
        parts = [Part(name: name, millionths: Self.whole)]
    }

    /// The weight of a source, 0 if it is not in the mixture.
    public func weight(_ name: String) -> Double {
        Double(parts.first { $0.name == name }?.millionths ?? 0) / Double(Self.whole)
    }

    /// Throws a `MixtureError` with the nearest known name if one of the sources is not among `known`.
    public func check(against known: [String]) throws {
        for part in parts where !known.contains(part.name) {
            throw MixtureError(
                "mixture",
                "there is no source \"\(part.name)\"; expected one of "
                    + known.sorted().joined(separator: ", ")
                    + NearestName.hint(part.name, among: known))
        }
    }

    /// `code 0.2, web 0.8`.
    public var description: String {
        parts.map { "\($0.name) \(Self.decimal(Double($0.millionths) / 1e6))" }
            .joined(separator: ", ")
    }

    private static func decimal(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e9
            ? "\(Int(value))" : String(format: "%.9g", value)
    }

    /// Decodes and checks the shares.
    public init(from decoder: any Decoder) throws {
        let parts = try decoder.singleValueContainer().decode([Part].self)
        let names = parts.map(\.name)
        guard parts.allSatisfy({ $0.millionths >= 1 && $0.millionths <= Self.whole }),
            parts.reduce(0, { $0 + $1.millionths }) == Self.whole, names == names.sorted(),
            Set(names).count == names.count
        else {
            throw MixtureError(
                "mixture", "expected shares by name that sum to 1000000, got \(parts)")
        }
        self.parts = parts
    }

    /// Encodes the shares as an array.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(parts)
    }
}
