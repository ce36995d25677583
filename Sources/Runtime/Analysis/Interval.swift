import Foundation

/// A value with the limits of its 95% interval.
public struct Interval: Hashable, Sendable {
    /// The value itself.
    public let value: Double
    /// The lower limit; `nil` when the data cannot tell.
    public let low: Double?
    /// The upper limit; `nil` when the data cannot tell.
    public let high: Double?

    /// A value whose limits may be unknown.
    public init(_ value: Double, low: Double? = nil, high: Double? = nil) {
        self.value = value
        self.low = low
        self.high = high
    }

    /// Whether both limits are known and lie on one side of 0.
    public var excludesZero: Bool {
        guard let low, let high else { return false }
        return low > 0 || high < 0
    }

    /// `0.512 [0.498, 0.527]`; with `signed`, a plus before what is not negative.
    public func text(decimals: Int = 4, signed: Bool = false) -> String {
        func number(_ value: Double) -> String {
            let text = String(format: signed ? "%+.\(decimals)f" : "%.\(decimals)f", value)
            // A rounded zero has no sign.
            return Double(text) == 0 ? text.filter { $0 != "-" && $0 != "+" } : text
        }
        guard let low, let high else { return number(value) }
        return "\(number(value)) [\(number(low)), \(number(high))]"
    }
}

extension Interval {
    /// A mean with Student's interval.
    public init(_ estimate: Estimate) {
        let half = estimate.halfWidth
        self.init(
            estimate.mean, low: half.map { estimate.mean - $0 },
            high: half.map { estimate.mean + $0 })
    }
}
