/// A parameter of an arm, as the grid named it.
public enum ArmValue: Hashable, Sendable, CustomStringConvertible {
    /// A whole number.
    case integer(Int)
    /// Any other number.
    case number(Double)
    /// A word.
    case text(String)
    /// A flag.
    case flag(Bool)

    /// The value as it stands in tables and CSV files.
    public var description: String {
        switch self {
        case .integer(let value): "\(value)"
        case .number(let value):
            value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
        case .text(let value): value
        case .flag(let value): "\(value)"
        }
    }
}

/// One recipe of a study, with what it stands for.
public struct Arm {
    /// The kind of arm: `midtrained`, or a control's name.
    public var name: String
    /// Named parameters in a fixed order, `seed` among them.
    public var parameters: [(name: String, value: ArmValue)]
    /// What is trained.
    public var recipe: Recipe
    /// The settings to choose from when finetuning, one per learning rate; empty for none.
    public var finetuning: [Finetuning]

    /// Creates an arm.
    public init(
        name: String, parameters: [(name: String, value: ArmValue)], recipe: Recipe,
        finetuning: [Finetuning]
    ) {
        self.name = name
        self.parameters = parameters
        self.recipe = recipe
        self.finetuning = finetuning
    }

    /// The name and parameters in one line.
    public var label: String {
        ([name] + parameters.map { "\($0.name)=\($0.value)" }).joined(separator: " ")
    }

    /// The value of a parameter; `nil` when the arm has none of that name.
    public func parameter(_ name: String) -> ArmValue? {
        parameters.first { $0.name == name }?.value
    }
}
