import Bindings

/// A place of a call that takes a number: an argument, an option, an element of a list or a map.
struct NumberSlot {
    /// Such as `options.optimizer.warmup`.
    let path: String
    /// Lua for the whole argument with a number in the place.
    let argument: (String) -> String
    /// Numbers that are tried there: both ends, what lies just beyond, and what is hard for any arithmetic.
    let values: [String]
    /// One that is accepted, if the kind says so.
    let good: String?

    /// The places of an argument, or of an option, and of whatever lies within it.
    ///
    /// - Parameter name: The path of the argument with the function before it, such as `mt.corpus.options`.
    static func all(in kind: Kind, _ name: String) -> [NumberSlot] {
        func around(_ slots: [NumberSlot], _ wrap: @escaping (String) -> String) -> [NumberSlot] {
            slots.map { slot in
                NumberSlot(
                    path: slot.path, argument: { wrap(slot.argument($0)) }, values: slot.values,
                    good: slot.good)
            }
        }
        switch kind {
        case .integer(let kind): return [NumberSlot(name, kind)]
        case .number(let kind): return [NumberSlot(name, kind)]
        case .list(let kind):
            return around(all(in: kind, name + "[1]")) {
                "{ \($0)\(GoodArguments.tail(of: name)) }"
            }
        case .map(let kind): return around(all(in: kind, name + ".a")) { "{ prose = \($0) }" }
        case .either(let kinds): return kinds.flatMap { all(in: $0, name) }
        case .options(let parameters):
            return parameters.flatMap { parameter in
                around(all(in: parameter.kind, "\(name).\(parameter.name)")) { value in
                    GoodArguments.options(parameters, name, but: (parameter.name, value))
                }
            }
        case .table, .any:
            return [NumberSlot(path: name, argument: { $0 }, values: hard, good: nil)]
                + [
                    NumberSlot(
                        path: name + "[1]", argument: { "{ \($0), \($0) }" }, values: hard,
                        good: nil)
                ]
                + [
                    NumberSlot(
                        path: name + ".a[1]", argument: { "{ a = { \($0) } }" }, values: hard,
                        good: nil)
                ]
        case .function:
            return [
                NumberSlot(
                    path: name + "()", argument: { "function() return \($0) end" }, values: hard,
                    good: nil)
            ]
        default: return []
        }
    }

    private init(
        path: String, argument: @escaping (String) -> String, values: [String], good: String?
    ) {
        self.path = path
        self.argument = argument
        self.values = values
        self.good = good
    }

    private init(_ path: String, _ kind: IntegerKind) {
        let (low, high) = (kind.range.lowerBound, kind.range.upperBound)
        var ends = [low, high]
        if low > .min { ends.append(low - 1) }
        if high < .max { ends.append(high + 1) }
        self.init(
            path: path, argument: { $0 }, values: Self.distinct(ends.map(String.init) + Self.hard),
            good: "\(min(max(1, low), high))")
    }

    private init(_ path: String, _ kind: NumberKind) {
        let (low, high) = (kind.range.lowerBound, kind.range.upperBound)
        let ends = [low, high, low.nextDown, low.nextUp, high.nextDown, high.nextUp]
        self.init(
            path: path, argument: { $0 },
            values: Self.distinct(ends.filter(\.isFinite).map { "\($0)" } + Self.hard),
            good: "\(min(max(kind.noun == NumberKind.weight.noun ? 1 : 0.5, low), high))")
    }

    private static func distinct(_ values: [String]) -> [String] {
        var seen: Set<String> = []
        return values.filter { seen.insert($0).inserted }
    }

    /// What is hard for arithmetic, whatever the kind.
    static let hard = [
        "0", "-0.0", "-1", "1.5", "0/0", "1/0", "-1/0", "2^53", "9007199254740993", "2^63",
        "math.maxinteger", "math.mininteger", "1e308", "5e-324", "1 << 32", "1 << 62",
    ]
}
