import Runtime

/// Learning rates and numbers of steps as tables in Lua may state them: absolute, or as parts of something.
enum RateOptions {
    /// A learning rate, or a part of the recipe's highest.
    static func rate(_ name: String, _ help: String) -> Parameter {
        Parameter(
            name, .either([.number(.rate), .string]),
            help + " \"0.1 of peak\" is a part of the recipe's highest.")
    }

    /// Steps, or a part of all steps.
    static func steps(_ name: String, _ help: String) -> Parameter {
        Parameter(name, .either([.number(.stepsOrFraction), .string]), help)
    }

    /// The course of a learning rate: a name, segments, or a function.
    static func schedule(_ help: String, isFunction: Bool = true) -> Parameter {
        let kinds: [Kind] = [
            .choice(LearningRateSchedule.Kind.allCases.map(\.rawValue)),
            .list(.options(segmentOptions)),
        ]
        return Parameter("schedule", .either(isFunction ? kinds + [.function] : kinds), help)
    }

    private static var segmentOptions: [Parameter] {
        [
            .choice(
                "shape", RateSegment.Shape.allCases.map(\.rawValue), "How the rate changes."
            ).item,
            steps(
                "steps",
                "How long; below 1 or as \"20%\", a part of all steps. One segment may leave it out and takes what is left."
            ).optional,
            rate("from", "The first rate; default: that which the segment before ends with.")
                .optional,
            rate("to", "The last rate.").optional,
        ]
    }

    /// The value of an option made by `rate`.
    ///
    /// - Throws: `Mistake`.
    static func rate(_ value: Value, _ place: String) throws -> RateValue {
        switch value {
        case .integer(let number): return RateValue(Double(number))
        case .number(let number): return RateValue(number)
        case .string(let text):
            let words = text.split(separator: " ")
            if words.count == 3, words[1] == "of", words[2] == "peak",
                words[0].allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }),
                let part = Double(words[0]), part >= 0, part <= 1e6
            {
                return RateValue(ofPeak: part)
            }
        default: break
        }
        throw Mistake(
            "\(place): a number or a text such as \"0.1 of peak\" expected, got \(value.summary)")
    }

    /// The value of an option made by `steps`: steps, or a fraction below 1.
    ///
    /// - Throws: `Mistake`.
    static func steps(_ value: Value, _ place: String) throws -> Double {
        switch value {
        case .integer(let number): return Double(number)
        case .number(let number): return number
        default: break
        }
        let part = try fraction(value, place)
        guard part < 1 else {
            throw Mistake("\(place): less than 100% expected, got \(value.summary)")
        }
        return part
    }

    /// A text such as "80%" as a part of the whole.
    ///
    /// - Throws: `Mistake`.
    static func fraction(_ value: Value, _ place: String) throws -> Double {
        if case .string(let text) = value, text.hasSuffix("%"),
            text.dropLast().allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }),
            let percent = Double(text.dropLast()), percent >= 0, percent <= 100
        {
            return percent / 100
        }
        throw Mistake(
            "\(place): a number or a text such as \"80%\" expected, got \(value.summary)")
    }

    /// A number of steps that may have been written as a part of all.
    ///
    /// - Returns: the steps, and the part if it was written so.
    /// - Throws: `Mistake`.
    static func whole(
        _ options: Options, _ name: String, of steps: Int
    ) throws -> (steps: Int, fraction: Double?)? {
        guard let value = try options.value(name) else { return nil }
        if let number = value.integerValue { return (number, nil) }
        let part = try fraction(value, name)
        return (Recipe.step(part, of: steps), part)
    }

    /// Segments, if the option `schedule` lists them.
    ///
    /// - Throws: `Mistake` naming the segment.
    static func segments(_ options: Options) throws -> [RateSegment]? {
        guard case .table(let list)? = try options.value("schedule") else { return nil }
        guard !list.items.isEmpty else {
            throw Mistake("schedule: at least one segment expected, got none")
        }
        return try list.items.enumerated().map { index, item in
            guard case .options(let fields) = item else {
                throw Mistake("schedule[\(index + 1)]: table of options expected")
            }
            let place = "schedule[\(index + 1)]"
            return RateSegment(
                RateSegment.Shape(rawValue: try fields.string("shape")) ?? .constant,
                steps: try fields.value("steps").map { try steps($0, "\(place).steps") },
                from: try fields.value("from").map { try rate($0, "\(place).from") },
                to: try fields.value("to").map { try rate($0, "\(place).to") })
        }
    }

    /// The rates of a function, if the option `schedule` is one: called with the step from 0, how many there are, and the
    /// rate before the first.
    ///
    /// - Throws: `Mistake` naming the step; whatever the function throws.
    static func sampled(_ options: Options, steps: Int, before: Double) throws -> SampledRates? {
        guard case .function(let function)? = try options.value("schedule") else { return nil }
        guard steps <= 10_000_000 else {
            throw Mistake(
                "schedule: a function is sampled at most at 10000000 steps; there are \(steps)")
        }
        return SampledRates(
            try (0..<steps).map { step in
                let value = try function.call(step, steps, before).first ?? .null
                let rate: Double? =
                    switch value {
                    case .integer(let number): Double(number)
                    case .number(let number): number
                    default: nil
                    }
                guard let rate, rate >= 0, rate <= 1e6 else {
                    throw Mistake(
                        "schedule: a rate in 0 ... 1e6 expected at step \(step), got \(value.summary)"
                    )
                }
                return rate
            })
    }
}
