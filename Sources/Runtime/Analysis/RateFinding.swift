import RuntimeTraining

extension StudyResult {
    /// Effects at every learning rate of finetuning, beside those at the rate that each arm and seed has for itself: how far
    /// conclusions depend on the choice, and whether the grid was wide enough.
    ///
    /// - Throws: `RecipeError` naming what does not exist, or when nothing was finetuned.
    public func rates(value: String, against reference: String) throws -> Finding {
        let measured = try measured(value)
        let rates = commonRates
        guard !rates.isEmpty else {
            throw RecipeError("rates", "no learning rate of finetuning was tried on every arm")
        }
        func effects(_ result: StudyResult) throws -> [PairedEffects.Group] {
            try PairedEffects(result, names: nil, against: reference, value: measured).groups
        }
        let own = try effects(self)
        let single = try rates.map { try effects(with(rate: $0)) }
        func cell(_ group: PairedEffects.Group) -> FindingCell {
            .interval(Interval(Estimate(group.units.map(\.difference))))
        }
        // Which rates, and how often, from the lowest.
        func chosen(_ belongs: (Arm) -> Bool) -> String {
            let all = rows.filter { belongs($0.arm) }.compactMap(
                \.chosen?.settings.learningRate.peak)
            return Set(all).sorted().map { rate in
                let count = all.count { $0 == rate }
                return count == 1 ? "\(rate)" : "\(rate) ×\(count)"
            }.joined(separator: ", ")
        }
        var cells: [[FindingCell]] = [
            [.plain(.text(reference)), .plain(.text(chosen { $0.name == reference }))]
                + (0...rates.count).map { _ in .plain(.missing) }
        ]
        cells += own.enumerated().map { index, group in
            [
                .plain(.text(StudyResult.plain(group.label))),
                .plain(.text(chosen { $0.withoutSeeds.label == group.label })), cell(group),
            ] + single.map { cell($0[index]) }
        }
        let all = rows.compactMap(\.chosen?.settings.learningRate.peak)
        let (low, high) = (rates.min() ?? 0, rates.max() ?? 0)
        let (lowest, highest) = (all.count { $0 == low }, all.count { $0 == high })
        let atEnds =
            rates.count > 1 && lowest + highest > 0
            ? [
                "\(lowest) of \(all.count) arms and seeds chose the lowest rate, \(highest) the highest: a better one may lie outside the grid."
            ] : []
        return Finding(
            "Difference to \(reference) on \(value) by learning rate of finetuning",
            columns: ["arm", "chosen", "at its own"] + rates.map { "at \($0)" }, rows: cells,
            values: [
                ("lowest", .plain(.integer(lowest))), ("highest", .plain(.integer(highest))),
                ("choices", .plain(.integer(all.count))),
                (
                    "common",
                    .number(
                        try with(rate: nil).rows.compactMap(\.chosen).first?.settings.learningRate
                            .peak)
                ),
            ],
            notes: [
                "Test losses in nats a token, paired by seed, Student's 95% intervals. Chosen: the rates of the lowest loss on valid."
            ] + atEnds)
    }
}
