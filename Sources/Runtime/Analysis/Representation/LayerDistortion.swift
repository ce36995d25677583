import RuntimeModel
import RuntimeSupport

/// How far parameters moved from one state to another.
public struct LayerDistortion: Sendable {
    /// One parameter, or a group of them.
    public struct Line: Sendable {
        /// `embedding`, `1` … (blocks), `head`, or `all`.
        public let layer: String
        /// The parameter's name within its layer, or `all`.
        public let kind: String
        /// ‖W₁ − W₀‖, the root of the sum of squares.
        public let change: Double
        /// ‖W₀‖.
        public let before: Double

        /// ‖W₁ − W₀‖ / ‖W₀‖; `nil` for parameters that were 0.
        public var relative: Double? { before > 0 ? change / before : nil }
    }

    /// Every parameter, then each layer, then all.
    public let lines: [Line]

    /// Compares two states of one shape.
    ///
    /// - Throws: `InvalidValue` for models of different shapes.
    public init(from first: any LanguageModel, to second: any LanguageModel) throws {
        guard first.parameters.ranges == second.parameters.ranges else {
            throw InvalidValue(
                "networks", expected: "two of the same shape",
                found: "\(first.parameters.count) and \(second.parameters.count) parameters")
        }
        let (a, b) = (first.parameters.values, second.parameters.values)
        var lines: [Line] = []
        var order: [String] = []
        var sums: [String: (change: Double, before: Double)] = [:]
        for range in first.parameters.ranges {
            var (change, before) = (0.0, 0.0)
            for index in range.offset..<(range.offset + range.count) {
                let difference = Double(b[index]) - Double(a[index])
                change += difference * difference
                before += Double(a[index]) * Double(a[index])
            }
            let place = ParameterPlace(range)
            lines.append(
                Line(
                    layer: place.layer, kind: place.kind, change: change.squareRoot(),
                    before: before.squareRoot()))
            for group in [place.layer, "all"] {
                if sums[group] == nil, group != "all" { order.append(group) }
                sums[group, default: (0, 0)].change += change
                sums[group, default: (0, 0)].before += before
            }
        }
        for group in order + ["all"] {
            let sum = sums[group] ?? (0, 0)
            lines.append(
                Line(
                    layer: group, kind: "all", change: sum.change.squareRoot(),
                    before: sum.before.squareRoot()))
        }
        self.lines = lines
    }
}

/// Where a parameter belongs.
struct ParameterPlace {
    /// `embedding`, `1` … (blocks), or `head` (final norm and output).
    let layer: String
    /// The rest of the name.
    let kind: String

    /// The place of a parameter.
    init(_ range: ParameterRange) {
        layer = range.layer.map { "\($0 + 1)" } ?? (range.role == .embedding ? "embedding" : "head")
        kind = range.part
    }
}
