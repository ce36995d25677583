import Foundation
import RuntimeTraining

/// One cell of a finding.
public enum FindingCell: Sendable {
    /// A number, a word or nothing.
    case plain(ResultValue)
    /// A number with its interval.
    case interval(Interval)

    /// A number that may not be known.
    package static func number(_ value: Double?) -> FindingCell {
        .plain(value.map(ResultValue.number) ?? .missing)
    }

    /// An interval that may not be known.
    package static func interval(ifKnown value: Interval?) -> FindingCell {
        value.map(FindingCell.interval) ?? .plain(.missing)
    }

    /// The number, if it is one.
    public var number: Double? {
        switch self {
        case .plain(let value): value.number
        case .interval(let value): value.value
        }
    }

    package var text: String {
        switch self {
        case .plain(.number(let value)): Self.short(value)
        case .plain(let value): value.description
        case .interval(let value): value.text()
        }
    }

    private static func short(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15
            ? "\(Int(value))" : String(format: abs(value) < 1e-3 ? "%.3g" : "%.4f", value)
    }
}

/// What an analysis found: a table, single values and what they rest on; the same for people, scripts and figures.
public struct Finding: Sendable {
    /// What was asked.
    public let title: String
    /// Names of the rows' cells.
    public let columns: [String]
    /// The rows.
    public let rows: [[FindingCell]]
    /// Single results by name, in order.
    public let values: [(name: String, value: FindingCell)]
    /// What the numbers rest on, in sentences.
    public let notes: [String]

    /// Creates a finding.
    public init(
        _ title: String, columns: [String], rows: [[FindingCell]],
        values: [(name: String, value: FindingCell)] = [], notes: [String] = []
    ) {
        self.title = title
        self.columns = columns
        self.rows = rows
        self.values = values
        self.notes = notes
    }
}
