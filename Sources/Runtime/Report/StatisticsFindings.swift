import Foundation
import RuntimeAnalysis
import RuntimeTraining

extension ProximityGain {
    /// Points, correlations and the mixed model.
    public func finding(_ basis: [String] = []) -> Finding {
        let unit = isRelative ? "fraction of the reference's loss" : "nats a token"
        var values: [(name: String, value: FindingCell)] = [
            ("points", .plain(.integer(points.count))),
            ("pearson", .interval(pearson)), ("pearson_p", .number(correlation.pearsonP)),
            ("pearson_fisher", .interval(correlation.pearson)),
            ("pearson_by_target", .interval(byTarget)),
            ("within_target_p", .number(withinTargetP)),
            ("spearman", .interval(spearman)), ("spearman_p", .number(correlation.spearmanP)),
            ("slope", .interval(correlation.fit.slope)),
            ("intercept", .number(correlation.fit.intercept)),
            ("leave_one_out", .number(correlation.fit.leaveOneOut)),
            ("leave_one_out_mean", .number(correlation.fit.leaveOneOutMean)),
        ]
        for left in leftOut {
            values.append(
                (
                    "pearson_without_\(left.target)",
                    .interval(ifKnown: left.correlation?.pearson)
                ))
            values.append(("error_on_\(left.target)", .number(left.error)))
            values.append(("error_on_\(left.target)_of_mean", .number(left.errorOfMean)))
        }
        if let mixed {
            values += [
                ("mixed_slope", .interval(mixed.coefficients[1])),
                ("mixed_slope_p", .number(mixed.p[1])),
                ("mixed_intercept", .interval(mixed.coefficients[0])),
                ("mixed_target_variance", .number(mixed.groupVariance)),
                ("mixed_residual_variance", .number(mixed.residualVariance)),
            ]
        }
        return Finding(
            "Gain (\(unit)) by proximity advantage",
            columns: ["arm", "mixture", "target", "advantage", "gain", "seeds"],
            rows: points.map { point in
                [
                    .plain(.text(point.arm)), .plain(.text(point.mixture.description)),
                    .plain(.text(point.target)), .interval(point.advantage),
                    .interval(point.gain), .plain(.integer(point.seeds)),
                ]
            }, values: values,
            notes: basis + [
                "pearson, spearman: 95% intervals of 2000 resamples of the points; pearson_by_target: of whole targets,",
                "known from three targets on. Arms of one target share its control, so intervals by points are too narrow.",
                "within_target_p: one-sided, of 9999 permutations of the advantages within targets.",
                "mixed: gain ~ advantage with a random intercept for each target (REML), normal intervals.",
            ])
    }
}

extension TwoWay {
    /// Effects by cell, the analysis of variance and the contrasts.
    public func finding(
        _ title: String, rows rowName: String, columns columnName: String, notes: [String] = []
    ) -> Finding {
        var values: [(name: String, value: FindingCell)] = []
        func name(_ term: Term) -> String {
            ["rows": rowName, "columns": columnName][term.name] ?? term.name
        }
        for term in terms {
            values += [
                ("\(name(term))_df", .plain(.integer(term.degrees))),
                ("\(name(term))_sum", .number(term.sum)), ("\(name(term))_f", .number(term.f)),
                ("\(name(term))_p", .number(term.p)),
            ]
        }
        values += [
            ("residual_df", .plain(.integer(residualDegrees))),
            ("residual_mean_square", .number(residualMean)),
        ]
        for (name, contrast) in [
            ("change_over_\(rowName)", rowChange), ("change_over_\(columnName)", columnChange),
            ("interaction_change", interaction),
        ] {
            guard let contrast else { continue }
            values += [
                (name, .interval(Interval(contrast.estimate))),
                ("\(name)_bootstrap", .interval(contrast.bootstrap)),
                ("\(name)_permutation_p", .number(contrast.permutationP)),
                ("\(name)_seeds", .plain(.integer(contrast.estimate.count))),
            ]
        }
        return Finding(
            title, columns: [rowName, columnName, "effect", "seeds"],
            rows: cells.map { cell in
                [
                    .number(cell.row), .number(cell.column),
                    .interval(Interval(cell.estimate)),
                    .plain(.integer(cell.estimate.count)),
                ]
            }, values: values,
            notes: [
                "Effects are losses minus the reference's of the same seed (nats a token; below 0 helps), Student's intervals over seeds.",
                "F: type II, seeds as blocks. interaction_change: how much larger the change from the lowest to the highest",
                "\(columnName) is at the highest \(rowName) than at the lowest; above 0: a high \(columnName) suits a low \(rowName).",
            ] + notes)
    }
}

extension VarianceComponents {
    /// Standard deviations of both parts for some groups of arms.
    public static func finding(
        _ title: String, _ groups: [(label: String, components: VarianceComponents)],
        notes: [String] = []
    ) -> Finding {
        func root(_ interval: Interval?) -> FindingCell {
            .interval(
                ifKnown: interval.map { variance in
                    Interval(
                        variance.value.squareRoot(), low: variance.low.map { $0.squareRoot() },
                        high: variance.high.map { $0.squareRoot() })
                })
        }
        let separated = groups.contains { $0.components.isSeparated }
        return Finding(
            title, columns: ["arm", "mean", "trunk_sd", "finetuning_sd", "trunks", "values"],
            rows: groups.map { label, components in
                [
                    .plain(.text(label)), .number(components.mean), root(components.trunk),
                    root(components.finetuning), .plain(.integer(components.trunks)),
                    .plain(.integer(components.count)),
                ]
            },
            notes: [
                "Standard deviations with 95% intervals: χ² for finetuning, Williams and Tukey for the trunk."
                    + (separated
                        ? ""
                        : " Nothing was finetuned twice: trunk_sd holds both (finetune = { seeds = { 1, 2, 3 } } tells them apart).")
            ] + notes)
    }
}

extension MixedModel {
    /// Coefficients and variances.
    public func finding() -> Finding {
        Finding(
            "Random intercept for \(groups) groups, \(count) points (REML)",
            columns: ["coefficient", "estimate", "error", "p"],
            rows: coefficients.indices.map { index in
                [
                    .plain(
                        .text(
                            index == 0
                                ? "intercept" : "x\(coefficients.count > 2 ? "\(index)" : "")")),
                    .interval(coefficients[index]), .number(errors[index]), .number(p[index]),
                ]
            },
            values: [
                ("intercept", .interval(coefficients[0])), ("slope", .interval(coefficients[1])),
                ("group_variance", .number(groupVariance)),
                ("residual_variance", .number(residualVariance)),
                ("log_likelihood", .number(logLikelihood)),
            ])
    }
}

extension Difference {
    /// Where the recipes part and what differs, for people.
    public func text() -> String {
        let head =
            (lastShared.map { "the states up to \($0) are the same" } ?? "no state is the same")
            + (firstOtherNumber.map { "; the numbers of step \($0) are not" } ?? "")
        guard !fields.isEmpty else { return head + "; no field differs" }
        var table = TextTable(["field", "first", "second"])
        func short(_ text: String) -> String {
            text.count > 40 ? text.prefix(16) + "…" : text
        }
        for field in fields { table.append([field.path, short(field.first), short(field.second)]) }
        return head + "\n" + table.text()
    }
}
