import Runtime

extension Library {
    /// Statistics of lists of numbers.
    static var statistics: Library { Library(functions: [paired, correlation, mixed, holm]) }

    private static func record(_ interval: Interval) -> Record {
        Record([("value", interval.value), ("low", interval.low), ("high", interval.high)])
    }

    private static var paired: Function {
        Function(
            "paired",
            "Differences of pairs, first minus second: mean with intervals, exact tests, and multiples of the second list's standard deviation.",
            [
                .numbers("first", "Values, such as losses of an arm by seed.", .measured),
                .numbers("second", "The reference's values, in the same order.", .measured),
                .integer("seed", "Seed of the resamples.", .seed).or(1),
                .number(
                    "confidence",
                    "Of Student's interval, above 0 and below 1: 1 − 0.05 / k for k comparisons that are to hold together (Bonferroni).",
                    .confidence
                ).or(0.95),
            ],
            returns:
                "table with n, mean, half_width (of Student's interval), bootstrap (value, low, high), sign_p, permutation_p, effect",
            example:
                "print(mt.paired({ 2.1, 2.2, 2.0 }, { 2.3, 2.3, 2.2 }).permutation_p)  --> 0.25"
        ) { call in
            let first = try call.numbers("first")
            let second = try call.numbers("second")
            guard first.count == second.count, !first.isEmpty else {
                throw call.mistake(
                    "second", "\(first.count) numbers expected, got \(second.count)")
            }
            let confidence = try call.number("confidence")
            let found = try PairedComparison(
                differences: zip(first, second).map { $0 - $1 }, reference: second,
                seed: UInt64(try call.integer("seed")), confidence: confidence,
                stop: call.interpreter.session.stop)
            try call.returns(
                Record([
                    ("n", found.estimate.count), ("mean", found.estimate.mean),
                    ("half_width", found.estimate.halfWidth),
                    ("bootstrap", record(found.bootstrap)), ("sign_p", found.signP),
                    ("permutation_p", found.permutationP), ("effect", found.effect),
                ]))
        }
    }

    private static var correlation: Function {
        Function(
            "correlation",
            "How far two lists of numbers rise and fall together, such as proximity advantage and gain: Pearson's r, Spearman's rho, and the line of least squares.",
            [
                .numbers("x", "At least three numbers.", .measured),
                .numbers("y", "As many numbers.", .measured),
            ],
            returns:
                "table with n, pearson, spearman and slope (each value, low and high of the 95% interval), pearson_p, spearman_p, intercept, leave_one_out (root mean square error of predicting each point from the line of the others) and leave_one_out_mean (the same from their mean)",
            example:
                "print(mt.correlation({ 0.1, 0.2, 0.3, 0.4 }, { 1, 3, 2, 4 }).pearson.value)  --> 0.8"
        ) { call in
            let found = try Correlation(try call.numbers("x"), try call.numbers("y"))
            try call.returns(
                Record([
                    ("n", found.count), ("pearson", record(found.pearson)),
                    ("pearson_p", found.pearsonP), ("spearman", record(found.spearman)),
                    ("spearman_p", found.spearmanP), ("slope", record(found.fit.slope)),
                    ("intercept", found.fit.intercept),
                    ("leave_one_out", found.fit.leaveOneOut),
                    ("leave_one_out_mean", found.fit.leaveOneOutMean),
                ]))
        }
    }

    private static var mixed: Function {
        Function(
            "mixed",
            "A line through points of several groups, each with a random intercept, by restricted maximum likelihood: what x does within groups.",
            [
                .numbers("x", "A number for each point.", .measured),
                .numbers("y", "As many numbers.", .measured),
                .strings("groups", "The name of each point's group; at least two names."),
            ],
            returns:
                "finding; its values have intercept and slope (value, low, high), group_variance, residual_variance, log_likelihood",
            example: """
                local found = mt.mixed({ 1, 2, 3, 1, 2, 3 }, { 1, 2.1, 2.9, 6, 7.2, 7.9 },
                  { "a", "a", "a", "b", "b", "b" })
                print(found.values.slope.value)  --> 0.95
                """
        ) { call in
            let x = try call.numbers("x")
            let found = try MixedModel(
                try call.numbers("y"), [x.map { _ in 1 }, x], groups: try call.strings("groups"),
                stop: call.interpreter.session.stop)
            try call.returns(FindingBox(found.finding()))
        }
    }

    private static var holm: Function {
        Function(
            "holm", "Holm's correction of p values for how many there are.",
            [.numbers("p", "p values.", .fraction)], returns: "list of numbers, in their order",
            example: "print(mt.holm({ 0.01, 0.04 })[1])  --> 0.02"
        ) { call in try call.returns(PairedTests.holm(try call.numbers("p"))) }
    }
}
