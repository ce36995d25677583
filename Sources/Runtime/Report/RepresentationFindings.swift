import Foundation
import RuntimeAnalysis

extension LayerAlignment {
    /// Alignment by layer.
    public func finding(_ first: String, _ second: String) -> Finding {
        Finding(
            "Linear CKA of \(first) and \(second) on \(corpus)",
            columns: ["layer", "cka", "unbiased"],
            rows: layers.map { layer in
                [
                    .plain(.text(layer.name)), .interval(layer.alignment.value),
                    .number(layer.alignment.unbiased),
                ]
            }, values: [("documents", .plain(.integer(documents)))],
            notes: [
                "Hidden states averaged over each document's tokens; 95% intervals over resampled documents. cka rises by itself",
                "when documents are fewer than the width; unbiased does not.",
            ])
    }
}

extension LayerDistortion {
    /// Changes by layer and kind.
    public func finding(_ first: String, _ second: String) -> Finding {
        Finding(
            "Change of weights from \(first) to \(second)",
            columns: ["layer", "kind", "change", "relative", "before"],
            rows: lines.map { line in
                [
                    .plain(.text(line.layer)), .plain(.text(line.kind)), .number(line.change),
                    .number(line.relative), .number(line.before),
                ]
            },
            values: [
                ("change", .number(lines.last?.change)),
                ("relative", .number(lines.last?.relative)),
            ],
            notes: ["change: ‖W₁ − W₀‖ (root of the sum of squares); relative: over ‖W₀‖."])
    }
}

extension GradientConflict {
    /// Cosines by state and layer.
    public func finding(general: String, target: String) -> Finding {
        Finding(
            "Cosine of the gradients of \(general) and \(target)",
            columns: ["step", "layer", "cosine", "general_loss", "target_loss"],
            rows: states.flatMap { state in
                state.layers.map { layer in
                    [
                        .plain(.integer(state.step)), .plain(.text(layer.name)),
                        .interval(layer.cosine), .number(state.losses.general),
                        .number(state.losses.target),
                    ]
                }
            },
            notes: [
                "Above 0 a step for one lowers the loss of the other, below 0 they conflict. 95% intervals over resampled blocks;",
                "noise of the gradients lowers the cosine, more windows less so.",
            ])
    }
}

extension LossesUnderModel {
    /// Losses by corpus.
    public func finding(_ model: String) -> Finding {
        Finding(
            "Losses under \(model)", columns: ["corpus", "loss", "bits_per_byte", "tokens"],
            rows: lines.map { line in
                [
                    .plain(.text(line.corpus)), .interval(line.nats), .interval(line.bits),
                    .plain(.integer(line.tokens)),
                ]
            },
            notes: [
                "loss in nats a token; 95% intervals over resampled documents, or examples with prompt and response; none with a single one."
            ]
        )
    }
}
