import Runtime

/// Named values that were checked against their parameters: the arguments of a call, or a table of options.
///
/// Every accessor comes twice: `number("x")` for what must be there or has a default, `number(ifPresent: "x")` for what may be
/// left out. Values were checked before, so that these throw only when a binding asks for another type than its own record says.
public protocol Fields {
    /// The value or its default; nil if it was left out.
    func value(_ name: String) throws -> Value?
    /// The record of a name.
    func parameter(_ name: String) -> Parameter?
}

/// A binding asked for a name or a type that its own record does not have: a mistake in the binding, shown as an error.
struct UnknownName: RuntimeError {
    let name: String
    var message: String {
        "internal: the record of this function does not declare '\(name)' like that"
    }
}

extension Fields {
    private func read<Result>(_ name: String, _ convert: (Value) throws -> Result?) throws
        -> Result?
    {
        guard let value = try value(name) else { return nil }
        guard let result = try convert(value) else { throw UnknownName(name: name) }
        return result
    }

    private func need<Result>(_ name: String, _ result: Result?) throws -> Result {
        guard let result else { throw UnknownName(name: name) }
        return result
    }

    /// Whether the value was given or has a default.
    public func has(_ name: String) -> Bool { ((try? value(name)) ?? nil) != nil }

    /// A boolean.
    public func boolean(_ name: String) throws -> Bool {
        try need(name, try boolean(ifPresent: name))
    }
    /// A boolean, if given.
    public func boolean(ifPresent name: String) throws -> Bool? {
        try read(name) { if case .boolean(let value) = $0 { value } else { nil } }
    }

    /// An integer.
    public func integer(_ name: String) throws -> Int {
        try need(name, try integer(ifPresent: name))
    }
    /// An integer, if given.
    public func integer(ifPresent name: String) throws -> Int? {
        try read(name) { $0.integerValue }
    }

    /// A number.
    public func number(_ name: String) throws -> Double {
        try need(name, try number(ifPresent: name))
    }
    /// A number, if given.
    public func number(ifPresent name: String) throws -> Double? {
        try read(name) { $0.numberValue }
    }

    /// A string, a path or a choice.
    public func string(_ name: String) throws -> String {
        try need(name, try string(ifPresent: name))
    }
    /// A string, a path or a choice, if given.
    public func string(ifPresent name: String) throws -> String? {
        try read(name) { $0.stringValue }
    }

    /// The bytes of a string.
    public func bytes(_ name: String) throws -> [UInt8] {
        try need(name, try bytes(ifPresent: name))
    }
    /// The bytes of a string, if given.
    public func bytes(ifPresent name: String) throws -> [UInt8]? {
        try read(name) { $0.bytesValue }
    }

    /// A list of strings.
    public func strings(_ name: String) throws -> [String] {
        try need(name, try strings(ifPresent: name))
    }
    /// A list of strings, if given.
    public func strings(ifPresent name: String) throws -> [String]? {
        try list(name) { $0.stringValue }
    }

    /// A list of numbers.
    public func numbers(_ name: String) throws -> [Double] {
        try need(name, try numbers(ifPresent: name))
    }
    /// A list of numbers, if given.
    public func numbers(ifPresent name: String) throws -> [Double]? {
        try list(name) { $0.numberValue }
    }

    /// A list of integers.
    public func integers(_ name: String) throws -> [Int] {
        try need(name, try integers(ifPresent: name))
    }
    /// A list of integers, if given.
    public func integers(ifPresent name: String) throws -> [Int]? {
        try list(name) { $0.integerValue }
    }

    /// An object.
    public func object<Object>(_ name: String, as type: Object.Type = Object.self) throws -> Object
    {
        try need(name, try object(ifPresent: name, as: type))
    }
    /// An object, if given.
    public func object<Object>(ifPresent name: String, as type: Object.Type = Object.self) throws
        -> Object?
    {
        try read(name) { if case .object(let reference) = $0 { reference.get(type) } else { nil } }
    }

    /// A list of objects.
    public func objects<Object>(_ name: String, as type: Object.Type = Object.self) throws
        -> [Object]
    {
        try need(name, try objects(ifPresent: name, as: type))
    }
    /// A list of objects, if given.
    public func objects<Object>(ifPresent name: String, as type: Object.Type = Object.self) throws
        -> [Object]?
    {
        try list(name) { if case .object(let reference) = $0 { reference.get(type) } else { nil } }
    }

    /// A function.
    public func function(_ name: String) throws -> Callback {
        try need(name, try function(ifPresent: name))
    }
    /// A function, if given.
    public func function(ifPresent name: String) throws -> Callback? {
        try read(name) { if case .function(let callback) = $0 { callback } else { nil } }
    }

    /// Names and numbers, sorted by name.
    public func weights(_ name: String) throws -> [(name: String, weight: Double)] {
        try need(name, try weights(ifPresent: name))
    }
    /// Names and numbers, sorted by name, if given.
    public func weights(ifPresent name: String) throws -> [(name: String, weight: Double)]? {
        try read(name) { value in
            guard case .table(let table) = value else { return nil }
            return try table.fields.map {
                (name: $0.key, weight: try need(name, $0.value.numberValue))
            }
        }
    }

    /// A table (also of a list or map parameter).
    public func table(_ name: String) throws -> Table { try need(name, try table(ifPresent: name)) }
    /// A table (also of a list or map parameter), if given.
    public func table(ifPresent name: String) throws -> Table? {
        try read(name) { if case .table(let table) = $0 { table } else { nil } }
    }

    /// A table of options; all defaults if it was left out.
    public func options(_ name: String = "options") throws -> Options {
        if let options = try options(ifPresent: name) { return options }
        guard case .options(let parameters) = parameter(name)?.kind else {
            throw UnknownName(name: name)
        }
        return try Options(Table(), parameters, path: name, interpreter: nil)
    }
    /// A table of options, if given.
    public func options(ifPresent name: String) throws -> Options? {
        try read(name) { if case .options(let options) = $0 { options } else { nil } }
    }

    /// A list of tables of options, if given.
    public func optionsList(ifPresent name: String) throws -> [Options]? {
        try list(name) { if case .options(let options) = $0 { options } else { nil } }
    }

    private func list<Element>(_ name: String, _ convert: (Value) -> Element?) throws -> [Element]?
    {
        try read(name) { value in
            guard case .table(let table) = value else { return nil }
            return try table.items.map { try need(name, convert($0)) }
        }
    }
}

extension Value {
    /// The integer, if it is one.
    public var integerValue: Int? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int(exactly: value)
        default: nil
        }
    }

    /// The number, if it is one.
    public var numberValue: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// The text, if it is UTF-8 text.
    public var stringValue: String? { if case .string(let value) = self { value } else { nil } }

    /// The bytes of a string, if it is one.
    public var bytesValue: [UInt8]? {
        switch self {
        case .string(let value): Array(value.utf8)
        case .bytes(let value): value
        default: nil
        }
    }
}
