import Foundation
import RuntimeData
import RuntimeStore
import RuntimeSupport
import RuntimeTraining

/// What a run measured, for other programs.
public struct RunMetrics {
    /// How it is written.
    public enum Format: String, CaseIterable, Sendable {
        /// `steps.csv` and `evaluations.csv`.
        case csv
        /// `steps.jsonl` and `evaluations.jsonl`.
        case jsonl
        /// An event file that TensorBoard reads.
        case tensorboard
    }

    /// The records of its steps.
    public let steps: [StepRecord]
    /// The recorded losses of its states.
    public let evaluations: [NamedEvaluation]
    /// When the run changed last, in seconds since 1970; 0 if it never did.
    public let updated: Double

    /// Creates metrics.
    public init(steps: [StepRecord], evaluations: [NamedEvaluation], updated: Double) {
        self.steps = steps
        self.evaluations = evaluations
        self.updated = updated
    }

    /// Writes the files of a format into a folder, replacing those of an earlier export; TensorBoard's is gone on with.
    ///
    /// - Parameter raw: As for `TextTable.csv`.
    /// - Returns: the files.
    /// - Throws: `FileError`.
    @discardableResult
    public func write(to folder: String, format: Format, raw: Bool = false) throws -> [String] {
        func put(_ name: String, _ text: String) throws -> String {
            try AtomicFile.write("\(folder)/\(name)", text: text)
            return "\(folder)/\(name)"
        }
        switch format {
        case .csv:
            return [
                try put("steps.csv", StepRecord.csv(steps)),
                try put("evaluations.csv", evaluationTable.csv(raw: raw)),
            ]
        case .jsonl:
            return [
                try put("steps.jsonl", steps.map(Self.json).joined()),
                try put("evaluations.jsonl", evaluations.map(Self.json).joined()),
            ]
        case .tensorboard:
            try AtomicFile.makeFolder(folder)
            return [try EventFile.update(folder, scalars, start: start)]
        }
    }

    private var evaluationTable: TextTable {
        var table = TextTable([
            "step", "corpus", "split", "loss", "bits_per_byte", "nats", "tokens", "bytes",
        ])
        for entry in evaluations {
            let it = entry.evaluation
            table.append([
                "\(entry.step)", entry.name, entry.split, "\(it.loss)", "\(it.bitsPerByte)",
                "\(it.nats)", "\(it.tokens)", "\(it.bytes)",
            ])
        }
        return table
    }

    private static func json(_ record: StepRecord) -> String {
        "{\"step\":\(record.step),\"loss\":\(number(record.loss)),"
            + "\"learning_rate\":\(number(record.learningRate)),"
            + "\"gradient_norm\":\(number(record.gradientNorm)),"
            + "\"tokens\":\(record.tokens),\"seconds\":\(number(record.seconds))}\n"
    }

    private static func json(_ entry: NamedEvaluation) -> String {
        let it = entry.evaluation
        return "{\"step\":\(entry.step),\"corpus\":\(JSONValue.quoted(entry.name)),"
            + "\"split\":\(JSONValue.quoted(entry.split)),\"loss\":\(number(it.loss)),"
            + "\"bits_per_byte\":\(number(it.bitsPerByte)),\"nats\":\(number(it.nats)),"
            + "\"tokens\":\(it.tokens),\"bytes\":\(it.bytes)}\n"
    }

    /// JSON has no NaN and no infinities.
    private static func number(_ value: Double) -> String { value.isFinite ? "\(value)" : "null" }

    private var start: Double { max(0, updated - steps.reduce(0) { $0 + $1.seconds }) }

    /// Every curve at every step, in order of the steps; times are the records' own.
    private var scalars: [EventFile.Scalar] {
        var time = start
        var result: [EventFile.Scalar] = []
        var rest = evaluations[...]
        func losses(upTo step: Int) {
            while let entry = rest.first, entry.step <= step {
                rest = rest.dropFirst()
                let tag = "\(entry.name)/\(entry.split)"
                result += [
                    ("loss", entry.evaluation.loss),
                    ("bits_per_byte", entry.evaluation.bitsPerByte),
                ]
                .map {
                    EventFile.Scalar(
                        tag: "\(tag)/\($0.0)", step: entry.step, time: time, value: $0.1)
                }
            }
        }
        losses(upTo: 0)
        for record in steps {
            time += record.seconds
            var values = [
                ("train/loss", record.loss), ("train/learning_rate", record.learningRate),
                ("train/gradient_norm", record.gradientNorm),
            ]
            if record.seconds > 0 {
                values.append(("train/tokens_per_second", Double(record.tokens) / record.seconds))
            }
            result += values.map {
                EventFile.Scalar(tag: $0.0, step: record.step, time: time, value: $0.1)
            }
            losses(upTo: record.step)
        }
        losses(upTo: .max)
        return result
    }
}

extension Store {
    /// What a registered run measured.
    ///
    /// - Throws: `RegistryError`.
    public func metrics(of run: StoredRun) throws -> RunMetrics {
        guard let state = run.row.state else {
            return RunMetrics(steps: [], evaluations: [], updated: run.row.updated)
        }
        return RunMetrics(
            steps: try registry.history(state), evaluations: try registry.evaluations(state),
            updated: run.row.updated)
    }
}

extension Run {
    /// The losses of corpora that were recorded on the way, the earliest first.
    ///
    /// - Throws: `RegistryError`.
    public func evaluations() throws -> [NamedEvaluation] {
        try store.registry.evaluations(key)
    }

    /// What the steps so far measured.
    ///
    /// - Throws: `RegistryError`.
    public func metrics() throws -> RunMetrics {
        let last = trajectory.keys.last
        let row = try store.registry.runs().first { $0.key == last }
        return RunMetrics(
            steps: try records(), evaluations: try evaluations(),
            updated: row?.updated ?? 0)
    }
}
