import RuntimeSupport

/// One cell of a study's rows.
public enum ResultValue: Hashable, Sendable {
    /// A whole number.
    case integer(Int)
    /// A measurement.
    case number(Double)
    /// A word or a key.
    case text(String)
    /// A flag.
    case flag(Bool)
    /// Nothing known.
    case missing

    /// The value in full precision, as CSV and JSON have it.
    public var description: String {
        switch self {
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .text(let value): value
        case .flag(let value): "\(value)"
        case .missing: ""
        }
    }

    /// The value as a number, if it is one.
    public var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}

extension ArmValue {
    package var result: ResultValue {
        switch self {
        case .integer(let value): .integer(value)
        case .number(let value): .number(value)
        case .text(let value): .text(value)
        case .flag(let value): .flag(value)
        }
    }
}

extension StudyResult {
    /// The names of the parameters in use, in order of first appearance.
    public var parameterNames: [String] {
        var names: [String] = []
        for row in rows {
            for parameter in row.arm.parameters where !names.contains(parameter.name) {
                names.append(parameter.name)
            }
        }
        return names
    }

    /// The columns of `records()`.
    ///
    /// `arm`, the parameters, `learning_rate` (chosen on valid), `finetuned_on` where anything was finetuned, for every column of a measure `NAME` (at the end) and
    /// `NAME_before` (before finetuning; not of columns that were added), `tokens_SOURCE`, `key`, `failure`.
    public var columns: [String] {
        ["arm"] + parameterNames + [rateColumn] + (namesTarget ? [Self.targetColumn] : [])
            + measured.flatMap {
                added.contains($0.name) ? [$0.name] : [$0.name, "\($0.name)_before"]
            }
            + sourceNames.map { "tokens_\($0)" } + [
                "key", "failure",
            ]
    }

    /// The column of the corpus that the arm was finetuned on.
    package static let targetColumn = "finetuned_on"

    private var namesTarget: Bool {
        rows.contains { !$0.candidates.isEmpty } && !parameterNames.contains(Self.targetColumn)
            && !measured.contains { $0.name == Self.targetColumn }
    }

    /// The column of the chosen learning rate; a parameter may have the plain name.
    package var rateColumn: String {
        parameterNames.contains("learning_rate") ? "chosen_learning_rate" : "learning_rate"
    }

    private var sourceNames: [String] {
        Set(rows.flatMap { $0.base?.sources.map(\.name) ?? [] }).sorted()
    }

    /// One record a row, in the order of `columns`.
    public func records() -> [[ResultValue]] {
        let (parameterNames, sourceNames) = (parameterNames, sourceNames)
        let namesTarget = namesTarget
        return rows.map { row in
            var cells: [ResultValue] = [.text(row.arm.name)]
            cells += parameterNames.map { row.arm.parameter($0)?.result ?? .missing }
            cells.append(row.chosen.map { .number($0.settings.learningRate.peak) } ?? .missing)
            if namesTarget {
                cells.append(row.chosen.map { .text($0.settings.corpus.name) } ?? .missing)
            }
            for column in measured {
                if added.contains(column.name) {
                    cells.append(row.added[column.name].map { .number($0) } ?? .missing)
                    continue
                }
                for state in [row.after, row.before] {
                    cells.append(state[column.name].map { .number($0) } ?? .missing)
                }
            }
            let exposure = row.base.map { $0.exposure(at: $0.steps).total }
            for source in sourceNames {
                cells.append(exposure.map { .integer($0[source].tokens) } ?? .missing)
            }
            cells.append(row.key.map { .text($0.hex) } ?? .missing)
            cells.append(row.failure.map { .text($0) } ?? .missing)
            return cells
        }
    }

    /// `midtrained mix=code` as people read it.
    package static func plain(_ label: String) -> String {
        label.replacing(/(\S+)=/) { "\($0.1) " }
    }
}
