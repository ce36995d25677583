import RuntimeSupport

/// Something whose numbers and choices a recipe, a record or a Lua table of options may name.
public protocol Settable: Sendable {
    /// What there is to set, in order.
    static var settings: [Setting<Self>] { get }
}

/// One number or choice of a `Settable`.
public struct Setting<Owner>: Sendable {
    /// What is known of it without what it belongs to.
    public let description: SettingDescription
    let get: @Sendable (Owner) -> Double
    let set: @Sendable (inout Owner, Double) -> Void

    /// A number that is read and written in ways of its own.
    public init(
        _ name: String, _ help: String, _ range: SettingRange,
        get: @escaping @Sendable (Owner) -> Double,
        set: @escaping @Sendable (inout Owner, Double) -> Void
    ) {
        description = SettingDescription(name: name, help: help, range: range)
        self.get = get
        self.set = set
    }

    /// A number.
    public init(
        _ name: String, _ help: String, _ range: SettingRange,
        _ path: any WritableKeyPath<Owner, Double> & Sendable
    ) {
        self.init(
            name, help, range, get: { $0[keyPath: path] }, set: { $0[keyPath: path] = $1 })
    }

    /// A whole number: `range` is a count or a size.
    public init(
        _ name: String, _ help: String, _ range: SettingRange,
        _ path: any WritableKeyPath<Owner, Int> & Sendable
    ) {
        self.init(
            name, help, range, get: { Double($0[keyPath: path]) },
            set: { $0[keyPath: path] = Int($1) })
    }

    /// Something that is so or not.
    public init(_ name: String, _ help: String, _ path: any WritableKeyPath<Owner, Bool> & Sendable)
    {
        self.init(
            name, help, .flag, get: { $0[keyPath: path] ? 1 : 0 },
            set: { $0[keyPath: path] = $1 != 0 })
    }

    /// One of several names; its value as a number is its place among them.
    public init<Choice: CaseIterable & RawRepresentable<String> & Sendable>(
        _ name: String, _ help: String, _ path: any WritableKeyPath<Owner, Choice> & Sendable
    ) {
        let names = Choice.allCases.map(\.rawValue)
        self.init(
            name, help, .choice(names),
            get: { Double(names.firstIndex(of: $0[keyPath: path].rawValue) ?? 0) },
            set: { owner, place in
                guard let choice = Choice(rawValue: names[Int(place)]) else { return }
                owner[keyPath: path] = choice
            })
    }
}

/// What is known of a setting without what it belongs to.
public struct SettingDescription: Hashable, Sendable {
    /// What recipes and Lua call it.
    public let name: String
    /// What it is, in a sentence.
    public let help: String
    /// The values it may have.
    public let range: SettingRange
}

/// The values that a setting may have.
public enum SettingRange: Hashable, Sendable {
    /// What stays of a running mean: from 0 to below 1.
    case factor
    /// A part of a whole: from 0 to 1.
    case fraction
    /// Added so that a divisor is not 0: above 0.
    case epsilon
    /// A coefficient of weight decay: 0 or more.
    case decay
    /// The norm of a gradient: 0 or more.
    case norm
    /// What is raised to powers: above 1.
    case base
    /// 0 or 1.
    case flag
    /// How many of something.
    case count(ClosedRange<Int>)
    /// The size of an axis.
    case size(ClosedRange<Int>)
    /// One of several names.
    case choice([String])

    /// A value as people write it.
    package func text(_ value: Double) -> String {
        switch self {
        case .flag: "\(value == 1)"
        case .count, .size: "\(Int(value))"
        case .choice(let names): names[Int(value)]
        default: "\(value)"
        }
    }

    /// What is expected, in words, and whether a number is that.
    fileprivate func check(_ value: Double) -> (expected: String, holds: Bool) {
        switch self {
        case .factor: ("a number from 0 to below 1", value >= 0 && value < 1)
        case .fraction: ("a number from 0 to 1", value >= 0 && value <= 1)
        case .epsilon: ("a positive number", value > 0 && value.isFinite)
        case .decay, .norm: ("0 or a positive number", value >= 0 && value.isFinite)
        case .base: ("a number above 1", value > 1 && value.isFinite)
        case .flag: ("0 or 1", value == 0 || value == 1)
        case .count(let range), .size(let range):
            (
                "a whole number in \(range.lowerBound) ... \(range.upperBound)",
                Int(exactly: value).map(range.contains) ?? false
            )
        case .choice(let names):
            (
                names.joined(separator: ", "),
                Int(exactly: value).map(names.indices.contains) ?? false
            )
        }
    }
}

extension Settable {
    /// What there is to set.
    public var descriptions: [SettingDescription] { Self.settings.map(\.description) }

    /// The value of a setting; `nil` where it has none of that name.
    public func value(_ name: String) -> Double? {
        Self.settings.first { $0.description.name == name }?.get(self)
    }

    /// The same with another value of a setting: a flag as 0 or 1, a choice as its place among the names.
    ///
    /// - Throws: `InvalidValue` where it has no such setting, or for a value outside its range.
    public func setting(_ name: String, _ value: Double) throws -> Self {
        guard let setting = Self.settings.first(where: { $0.description.name == name }) else {
            throw InvalidValue(
                "settings", expected: descriptions.map(\.name).joined(separator: ", "), found: name)
        }
        try Self.check(setting, value)
        var result = self
        setting.set(&result, value)
        return result
    }

    /// Checks the range of every setting.
    ///
    /// - Throws: `InvalidValue` naming the setting.
    package func checkSettings() throws {
        for setting in Self.settings { try Self.check(setting, setting.get(self)) }
    }

    private static func check(_ setting: Setting<Self>, _ value: Double) throws {
        let (expected, holds) = setting.description.range.check(value)
        guard holds else {
            throw InvalidValue(setting.description.name, expected: expected, found: value)
        }
    }
}
