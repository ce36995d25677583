/// One parameter of a function, or one option of a table of options.
public final class Parameter {
    /// The name in Lua.
    public let name: String
    /// What it accepts.
    public let kind: Kind
    /// One sentence for the reference and the prompt.
    public let help: String
    /// Whether it may be left out.
    public let isOptional: Bool
    /// What stands for it when it is left out.
    public let standard: Value?
    /// Where a table of options may also hold it.
    public let place: Place

    /// Where a table of options may hold an option.
    public enum Place {
        /// Under its name only.
        case named
        /// Under its name, or as the next item: `mt.corpus { "web", files = … }`.
        case item
        /// Under its name, or as all remaining items.
        case rest
    }

    /// A parameter of any kind.
    public init(
        _ name: String, _ kind: Kind, _ help: String, isOptional: Bool = false,
        standard: Value? = nil,
        place: Place = .named
    ) {
        self.name = name
        self.kind = kind
        self.help = help
        self.isOptional = isOptional
        self.standard = standard
        self.place = place
    }

    /// Whether a call may leave it out: it is optional, or options that are all optional.
    public var mayBeLeftOut: Bool {
        if case .options(let parameters) = kind {
            return isOptional || parameters.allSatisfy(\.mayBeLeftOut)
        }
        return isOptional
    }

    /// It may be left out.
    public var optional: Parameter {
        Parameter(name, kind, help, isOptional: true, standard: standard, place: place)
    }
    /// It may stand as the next item of the table of options.
    public var item: Parameter { at(.item) }
    /// It may stand as all remaining items of the table of options; its kind should be a list.
    public var rest: Parameter { at(.rest) }

    private func at(_ place: Place) -> Parameter {
        Parameter(name, kind, help, isOptional: isOptional, standard: standard, place: place)
    }

    /// It may be left out and is then this number.
    public func or(_ value: Int) -> Parameter { standard(.integer(value)) }
    /// It may be left out and is then this number.
    public func or(_ value: Double) -> Parameter { standard(.number(value)) }
    /// It may be left out and is then this text.
    public func or(_ value: String) -> Parameter { standard(.string(value)) }
    /// It may be left out and is then this.
    public func or(_ value: Bool) -> Parameter { standard(.boolean(value)) }

    private func standard(_ value: Value) -> Parameter {
        var value = value
        if case .number = kind, case .integer(let number) = value {
            value = .number(Double(number))
        }
        return Parameter(name, kind, help, isOptional: true, standard: value, place: place)
    }
}

extension Parameter {
    /// `true` or `false`.
    public static func boolean(_ name: String, _ help: String) -> Parameter {
        Parameter(name, .boolean, help)
    }
    /// An integer of a kind, or of the part of it that lies in a range.
    public static func integer(
        _ name: String, _ help: String, _ kind: IntegerKind, in range: ClosedRange<Int>? = nil
    ) -> Parameter {
        Parameter(name, .integer(range.map(kind.within) ?? kind), help)
    }
    /// A number of a kind.
    public static func number(_ name: String, _ help: String, _ kind: NumberKind) -> Parameter {
        Parameter(name, .number(kind), help)
    }
    /// UTF-8 text.
    public static func string(_ name: String, _ help: String) -> Parameter {
        Parameter(name, .string, help)
    }
    /// Any string.
    public static func bytes(_ name: String, _ help: String) -> Parameter {
        Parameter(name, .bytes, help)
    }
    /// The name of something of the session or the store.
    public static func name(_ name: String, of named: Named, _ help: String) -> Parameter {
        Parameter(name, .name(named), help)
    }
    /// One of a few names.
    public static func choice(_ name: String, _ names: [String], _ help: String) -> Parameter {
        Parameter(name, .choice(names), help)
    }
    /// A path, checked under `--safe`.
    public static func path(_ name: String, _ help: String) -> Parameter {
        Parameter(name, .path, help)
    }
    /// Paths, checked under `--safe`; one string counts as a list of one.
    public static func paths(_ name: String, _ help: String) -> Parameter {
        Parameter(name, .list(.path), help)
    }
    /// A list of strings; one string counts as a list of one.
    public static func strings(_ name: String, _ help: String) -> Parameter {
        Parameter(name, .list(.string), help)
    }
    /// A list of numbers of a kind; one number counts as a list of one.
    public static func numbers(_ name: String, _ help: String, _ kind: NumberKind) -> Parameter {
        Parameter(name, .list(.number(kind)), help)
    }
    /// A list of integers of a kind, or of the part of it that lies in a range; one counts as a list of one.
    public static func integers(
        _ name: String, _ help: String, _ kind: IntegerKind, in range: ClosedRange<Int>? = nil
    ) -> Parameter {
        Parameter(name, .list(.integer(range.map(kind.within) ?? kind)), help)
    }
    /// An object of a type of ours, by the type's name.
    public static func object(_ name: String, _ type: String, _ help: String) -> Parameter {
        Parameter(name, .object([type]), help)
    }
    /// A list of objects of a type; one object counts as a list of one.
    public static func objects(_ name: String, _ type: String, _ help: String) -> Parameter {
        Parameter(name, .list(.object([type])), help)
    }
    /// A function, called back with `Callback.call`.
    public static func function(_ name: String, _ help: String) -> Parameter {
        Parameter(name, .function, help)
    }
    /// A table from names to numbers, such as a mixture.
    public static func weights(_ name: String, _ help: String) -> Parameter {
        Parameter(name, .map(.number(.weight)), help)
    }
    /// A table of any shape.
    public static func table(_ name: String, _ help: String) -> Parameter {
        Parameter(name, .table, help)
    }
    /// Any value.
    public static func any(_ name: String, _ help: String) -> Parameter {
        Parameter(name, .any, help)
    }
    /// A table of named options.
    public static func options(
        _ name: String = "options", _ help: String = "", _ parameters: [Parameter]
    )
        -> Parameter
    { Parameter(name, .options(parameters), help) }
    /// A table of named options.
    public static func options(_ parameters: [Parameter]) -> Parameter {
        options("options", "", parameters)
    }
}
