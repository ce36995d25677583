import Runtime

/// Weights of sources as a table in Lua may state them.
struct MixtureOptions {
    /// The mixture; of weights that change, their mean.
    let mixture: Mixture
    /// The weights that change.
    let ramp: MixtureRamp?
    /// The shares of the loss that are not those of the samples.
    let loss: [String: Double]

    /// The parameter that is read by `init`.
    static func parameter(_ help: String) -> Parameter {
        Parameter(
            "mixture",
            .either([
                .map(.either([.number(.weight), .string, .function, .table])), .function,
            ]),
            help
                + " A weight may also be { first, last } (a straight line over the phase; with course = \"cosine\" half a cosine), a function of the progress from 0 to 1, or \"rest\" for what the others leave. { share = 0.1, loss = 0.3 } reads a source as one tenth of the samples and counts it as three tenths of the loss. In place of the table, a function of the progress may return all weights."
        )
    }

    /// Weights that do not change.
    init(_ mixture: Mixture, loss: [String: Double]) {
        (self.mixture, ramp, self.loss) = (mixture, nil, loss)
    }

    /// Reads an option that was accepted by `parameter`.
    ///
    /// - Parameter steps: Steps that weights which change have; functions are called once for each.
    /// - Throws: `Mistake` naming the weight; `MixtureError`; whatever a function throws.
    init(_ value: Value?, steps: Int) throws {
        var loss: [String: Double] = [:]
        var parts: [MixtureRamp.Part] = []
        switch value {
        case .function(let function): parts = try Self.sampled(function, steps)
        case .table(let table):
            for (name, value) in table.fields {
                let place = "mixture.\(name)"
                guard case .table(let weight) = value, weight.items.isEmpty else {
                    parts.append(.init(name, try Self.course(value, place, steps)))
                    continue
                }
                let keys = weight.fields.map(\.key)
                guard let share = weight["share"], keys.allSatisfy(["share", "loss"].contains)
                else {
                    throw Mistake(
                        "\(place): { first, last } or { share = …, loss = … } expected, got a table with "
                            + (keys.isEmpty ? "nothing" : keys.joined(separator: ", ")))
                }
                parts.append(.init(name, try Self.course(share, "\(place).share", steps)))
                if let counted = weight["loss"] {
                    loss[name] = try Self.number(counted, "\(place).loss")
                }
            }
        default: throw Mistake("mixture: a table or a function expected")
        }
        self.loss = loss
        let constants = parts.compactMap { part -> (name: String, weight: Double)? in
            if case .constant(let weight) = part.course { (part.name, weight) } else { nil }
        }
        guard constants.count < parts.count else {
            (mixture, ramp) = (try Mixture(constants), nil)
            return
        }
        let others = parts.filter { if case .constant = $0.course { false } else { true } }
        if others.map(\.course) == [.rest] {
            let sum = constants.reduce(0) { $0 + $1.weight }
            let rest = 1 - sum
            guard rest > -1e-6 else {
                throw MixtureError(
                    "mixture", "nothing is left for \(others[0].name), as the others sum to \(sum)")
            }
            (mixture, ramp) = (
                try Mixture(constants + [(name: others[0].name, weight: rest < 1e-6 ? 0 : rest)]),
                nil
            )
            return
        }
        let ramp = try MixtureRamp(parts, steps: max(1, steps))
        (mixture, self.ramp) = (try ramp.mean(), ramp)
    }

    private static func course(
        _ value: Value, _ place: String, _ steps: Int
    ) throws -> MixtureRamp.Course {
        switch value {
        case .integer, .number: return .constant(try number(value, place))
        case .string("rest"): return .rest
        case .function(let function):
            return .sampled(
                try progress(steps).map { progress in
                    try number(
                        try function.call(progress).first ?? .null,
                        "\(place) at progress \(progress)"
                    )
                })
        case .table(let table) where table.items.count == 2:
            let ends = try table.items.enumerated().map {
                try number($0.element, "\(place)[\($0.offset + 1)]")
            }
            for field in table.fields where field.key != "course" {
                throw Mistake(
                    "unknown option '\(place).\(field.key)'\(NearestName.hint(field.key, among: ["course"], listing: true))"
                )
            }
            switch table["course"] {
            case nil, .string("linear")?: return .linear(ends[0], ends[1])
            case .string("cosine")?: return .cosine(ends[0], ends[1])
            case let other?:
                throw Mistake(
                    "\(place).course: \"linear\" or \"cosine\" expected, got \(other.summary)")
            }
        default:
            throw Mistake(
                "\(place): a weight, { first, last }, { share = …, loss = … }, a function or \"rest\" expected, got \(value.summary)"
            )
        }
    }

    private static func number(_ value: Value, _ place: String) throws -> Double {
        let number: Double
        switch value {
        case .integer(let integer): number = Double(integer)
        case .number(let real): number = real
        default: throw Mistake("\(place): a number in 0 ... 1 expected, got \(value.summary)")
        }
        guard number >= 0, number <= 1e9 else {
            throw Mistake("\(place): a number in 0 ... 1 expected, got \(number)")
        }
        return number
    }

    private static func progress(_ steps: Int) throws -> [Double] {
        guard steps <= 10_000_000 else {
            throw Mistake(
                "mixture: a function is sampled at most at 10000000 steps; the phase has \(steps)")
        }
        return (0..<max(1, steps)).map { steps > 1 ? Double($0) / Double(steps - 1) : 0 }
    }

    /// The weights that a function returns at every step.
    private static func sampled(_ function: Callback, _ steps: Int) throws -> [MixtureRamp.Part] {
        var values: [String: [Double]] = [:]
        for (step, progress) in try progress(steps).enumerated() {
            let place = "mixture at progress \(progress)"
            guard case .table(let table)? = try function.call(progress).first, table.items.isEmpty
            else { throw Mistake("\(place): a table of weights by name expected") }
            for (name, value) in table.fields {
                // A source that the function does not name has the weight 0.
                let missing = step - (values[name]?.count ?? 0)
                values[name, default: []] += Array(repeating: 0, count: missing)
                values[name]?.append(try number(value, "\(place), \(name)"))
            }
        }
        return values.map { name, weights in
            let missing = Array(repeating: 0.0, count: max(1, steps) - weights.count)
            return MixtureRamp.Part(name, .sampled(weights + missing))
        }
    }
}
