import RuntimeStore
import RuntimeTraining

extension [NamedEvaluation] {
    /// A row a loss: step, corpus and split, which are axes, and what was measured.
    ///
    /// - Throws: never; columns have different names.
    public func frame() throws -> Frame {
        func column(
            _ name: String, _ role: Frame.Role, _ value: (NamedEvaluation) -> ResultValue
        ) -> Frame.Column { Frame.Column(name, role, map(value)) }
        return try Frame([
            column("step", .axis) { .integer($0.step) }, column("corpus", .axis) { .text($0.name) },
            column("split", .axis) { .text($0.split) },
            column("loss", .value) { .number($0.evaluation.loss) },
            column("bits_per_byte", .value) { .number($0.evaluation.bitsPerByte) },
            column("tokens", .note) { .integer($0.evaluation.tokens) },
            column("bytes", .note) { .integer($0.evaluation.bytes) },
        ])
    }
}
