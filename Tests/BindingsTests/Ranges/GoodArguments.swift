import Bindings

/// Arguments with which every function gets as far as its numbers.
enum GoodArguments {
    /// Lua for a value that a parameter accepts, by the path of the parameter where its kind does not say enough.
    static func value(_ kind: Kind, _ path: String) -> String {
        if let known = known[path] { return known }
        switch kind {
        case .options(let parameters): return options(parameters, path, but: nil)
        case .list(let kind): return "{ \(value(kind, path)) }"
        case .either(let kinds): return value(kinds[0], path)
        case .number(let kind):
            return "\(min(max(0.5, kind.range.lowerBound), kind.range.upperBound))"
        default: return Rig.good(kind)
        }
    }

    /// A table of the options that are needed, and of one more.
    static func options(
        _ parameters: [Parameter], _ path: String, but chosen: (name: String, value: String)?
    ) -> String {
        var fields: [String] = []
        for parameter in parameters where parameter.name != chosen?.name {
            let place = "\(path).\(parameter.name)"
            guard !parameter.mayBeLeftOut || known[place] != nil else { continue }
            fields.append("\(parameter.name) = \(value(parameter.kind, place))")
        }
        if let chosen { fields.append("\(chosen.name) = \(chosen.value)") }
        return "{ \(fields.joined(separator: ", ")) }"
    }

    /// What is given, by path; an option that need not be given is given if it stands here.
    private static let known: [String: String] = [
        "mt.corpus.options.name": "'other'", "mt.corpus.options.embedded": "'prose'",
        "mt.corpus.options.bytes": "20000", "mt.tokenizer.options.train_on": "corpus",
        "mt.tokenizer.options.vocabulary": "270",
        "mt.subset.options.documents": "2", "mt.subset.options.name": "'little'",
        "mt.neox.preset": "'micro-0.1m'", "mt.neox.options.tokenizer": "tokenizer",
        "mt.pretrained.folder": "'exported'", "mt.recipe.options.steps": "2",
        "mt.recipe.options.batch": "2", "mt.recipe.options.mixture": "{ prose = 1 }",
        "mt.study.options.arms": "{ { seed = 1 } }", "mt.study.options.recipe": arm,
        "mt.halving.options.arms": "{ { seed = 1 } }", "mt.halving.options.recipe": arm,
        "mt.halving.options.rungs": "{ 1 }", "mt.halving.options.limit": "2",
        "mt.plasticity.options.mixture": "{ prose = 1 }",
        "mt.plasticity.options.starts": "0", "mt.plasticity.options.steps": "1",
        "mt.plasticity.options.limit": "2",
        "mt.grid.parameters": "{ seed = { 1, 2 } }",
        "mt.similarity.options.corpora": "{ corpus, code }",
        "mt.similarity.options.metric": "'words'", "mt.similarity.options.bootstrap": "4",
        "mt.similarity.options.documents": "10",
        "mt.recommend.options.candidates": "{ code }", "mt.recommend.options.target": "code",
        "mt.recommend.options.weights": "{ 0.2 }", "mt.recommend.options.metric": "'words'",
        "mt.recommend.options.bootstrap": "4", "mt.recommend.options.documents": "10",
        "mt.cka.options.documents": "4", "mt.cka.options.bootstrap": "4",
        "mt.cka.options.tokens": "8", "mt.cka.options.split": "'train'",
        "mt.losses.options.bootstrap": "4", "mt.losses.options.limit": "4",
        "mt.losses.options.corpora": "corpus", "mt.losses.options.split": "'train'",
        "mt.conflict.options.bootstrap": "4", "mt.conflict.options.limit": "4",
        "mt.conflict.options.blocks": "2", "mt.conflict.options.general": "corpus",
        "mt.conflict.options.target": "corpus", "mt.conflict.options.split": "'train'",
        "mt.mixed.groups": "{ 'a', 'a', 'b', 'b' }", "mt.mixed.x": "{ 1, 2, 3, 4 }",
        "mt.mixed.y": "{ 1, 2.1, 3, 4.2 }", "mt.paired.first": "{ 1, 2, 3, 4 }",
        "mt.paired.second": "{ 1, 2.1, 3, 4.2 }", "mt.correlation.x": "{ 1, 2, 3, 4 }",
        "mt.correlation.y": "{ 1, 2.1, 3, 4.2 }",
        "mt.plot.line.options.series": "{ { x = { 1, 2 }, y = { 3, 4 } } }",
        "mt.plot.line.options.series.x": "{ 1, 2 }", "mt.plot.line.options.series.y": "{ 3, 4 }",
        "mt.plot.scatter.options.points": "{ { x = 1, y = 2 }, { x = 2, y = 3 } }",
        "mt.plot.bars.options.bars": "{ { 'a', 1 } }",
        "mt.plot.heatmap.options.values": "{ { 1 } }", "mt.plot.heatmap.options.rows": "{ 'a' }",
        "mt.plot.heatmap.options.columns": "{ 'b' }", "mt.range.first": "1", "mt.range.last": "5",
        "mt.frame.options.rows": "{ { arm = 'a', seed = 1, loss = 2 } }",
        "mt.norm.options.of": "'activations'", "mt.norm.options.layer": "0",
        "mt.norm.options.corpus": "corpus", "plot:save.path": "'f.svg'",
        "frame:pivot.options.rows": "'arm'", "frame:pivot.options.columns": "'start'",
        "frame:pivot.options.value": "'loss'", "result:pivot.options.rows": "'arm'",
        "result:pivot.options.columns": "'seed'", "result:pivot.options.value": "'prose'",
        "result:efficiency.options.value": "'prose'", "result:efficiency.options.steps_to": "3",
        "recipe:midtrain.options.mixture": "{ prose = 1 }",
        "recipe:fork.options.mixture": "{ prose = 1 }", "run:fork.options.mixture": "{ prose = 1 }",
        "recipe:finetune.options.learning_rate": "1e-3", "tensor:reshape.shape": "{ 3, 2 }",
        "tensor:permute.order": "{ 2, 1 }", "tokenizer:decode.ids": "{ 1, 2 }",
        "similarity:value.first": "'prose'", "similarity:value.second": "'code'",
        "similarity:parts.first": "'prose'", "similarity:parts.second": "'code'",
        "similarity:proximity.options.mix": "'code'",
        "similarity:proximity.options.general": "'prose'",
        "similarity:proximity.options.target": "'code'",
    ]

    private static let arm = "function(arm) return recipe:with { seed = arm.seed } end"

    /// What stands behind the number in a list that must be as long as another.
    static func tail(of path: String) -> String {
        if path.hasPrefix("mt.plot.line") { return ", 2" }
        let prefixes = ["mt.paired", "mt.correlation", "mt.mixed"]
        return prefixes.contains(where: path.hasPrefix) ? ", 2, 3, 4" : ""
    }
}
