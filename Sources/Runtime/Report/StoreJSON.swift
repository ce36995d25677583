import Foundation
import RuntimeData
import RuntimeStore
import RuntimeSupport
import RuntimeTraining

/// What commands say, as JSON for programs: objects with sorted keys.
private enum StoreJSON {
    struct Checkpoint: Encodable {
        let key: String
        let step: Int
        let rolling: Bool
        let bytes: Int

        init(_ held: HeldCheckpoint) {
            (key, step, rolling, bytes) = (held.key.hex, held.step, held.rolling, held.bytes)
        }
    }

    struct Seen: Encodable {
        let phase, source: String
        let tokens: Int
        let epochs: Double
    }

    struct Step: Encodable {
        let step: Int
        let loss, learning_rate, gradient_norm: Double
        let tokens: Int
        let seconds: Double

        init(_ record: StepRecord) {
            (step, loss, tokens) = (record.step, record.loss, record.tokens)
            (learning_rate, gradient_norm) = (record.learningRate, record.gradientNorm)
            seconds = record.seconds
        }
    }

    struct Loss: Encodable {
        let step: Int
        let corpus, split: String
        let loss, bits_per_byte: Double
        let tokens, bytes: Int

        init(_ item: NamedEvaluation) {
            (step, corpus, split) = (item.step, item.name, item.split)
            (loss, bits_per_byte) = (item.evaluation.loss, item.evaluation.bitsPerByte)
            (tokens, bytes) = (item.evaluation.tokens, item.evaluation.bytes)
        }
    }

    struct Run: Encodable {
        let key, name, status: String
        let step, steps: Int
        let state: String?
        let updated: Double
        let bytes: Int
        let parameters: Int?
        let failure, processor: String?
        let exposure: [Seen]
        let checkpoints: [Checkpoint]
        let last_steps: [Step]
        let evaluations: [Loss]
    }

    struct Removal: Encodable {
        let runs: [String]
        let checkpoints: [Checkpoint]
    }

    struct Item: Encodable {
        let kind, path: String
        let bytes: Int
    }

    struct Collection: Encodable {
        let dry_run: Bool
        let items: [Item]
    }

    struct Damage: Encodable { let path, reason, remedy: String }
    struct Version: Encodable {
        let version, engine: String
        let loss: Double?
    }
    struct Difference: Encodable {
        let state: String
        let versions: [Version]
    }
    struct Check: Encodable {
        let files, bytes, steps: Int
        let index_was_wrong, repaired: Bool
        let unchecked: [String]
        let damages: [Damage]
        let differences: [Difference]
    }
    struct Merge: Encodable {
        let copied, bytes, known: Int
        let left_out: [String]
    }
}

extension StoredRun {
    /// What `text(history:)` says, as JSON; the recipe is that of `mtrepl runs show --recipe`.
    ///
    /// - Parameter evaluations: The recorded losses on its way.
    public func json(history: [StepRecord], evaluations: [NamedEvaluation]) throws -> String {
        try CanonicalJSON.text(
            StoreJSON.Run(
                key: row.key.hex, name: row.name, status: status, step: row.step, steps: row.steps,
                state: row.state?.hex, updated: row.updated, bytes: bytes, parameters: parameters,
                failure: row.failure, processor: row.processor,
                exposure: (row.exposure?.phases ?? []).flatMap { phase in
                    phase.exposure.entries.sorted { $0.key < $1.key }.map { name, entry in
                        StoreJSON.Seen(
                            phase: phase.name, source: name, tokens: entry.tokens,
                            epochs: entry.epochs)
                    }
                }, checkpoints: checkpoints.reversed().map(StoreJSON.Checkpoint.init),
                last_steps: history.suffix(5).map(StoreJSON.Step.init),
                evaluations: evaluations.map(StoreJSON.Loss.init)), pretty: true)
    }
}

extension RunList {
    /// Runs that were removed, with the checkpoints that went with them, as JSON.
    public static func json(removed runs: [StoredRun], _ checkpoints: [HeldCheckpoint]) throws
        -> String
    {
        try CanonicalJSON.text(
            StoreJSON.Removal(
                runs: runs.map(\.row.key.hex),
                checkpoints: checkpoints.map(StoreJSON.Checkpoint.init)),
            pretty: true)
    }
}

extension [Garbage] {
    /// What went, or would, as JSON.
    public func json(dryRun: Bool) throws -> String {
        try CanonicalJSON.text(
            StoreJSON.Collection(
                dry_run: dryRun,
                items: map {
                    StoreJSON.Item(kind: $0.kind.rawValue, path: $0.path, bytes: $0.bytes)
                }), pretty: true)
    }
}

extension StoreCheck {
    /// What `text(repaired:)` says, as JSON.
    public func json(repaired: Bool) throws -> String {
        try CanonicalJSON.text(
            StoreJSON.Check(
                files: files, bytes: bytes, steps: steps, index_was_wrong: indexWasWrong,
                repaired: repaired, unchecked: unchecked,
                damages: damages.map {
                    StoreJSON.Damage(path: $0.path, reason: $0.reason, remedy: $0.remedy)
                },
                differences: differences.map { difference in
                    StoreJSON.Difference(
                        state: difference.state.hex,
                        versions: difference.versions.map {
                            StoreJSON.Version(
                                version: $0.version.hex, engine: $0.engine, loss: $0.loss)
                        })
                }), pretty: true)
    }
}

extension StoreMerge {
    /// What came, as JSON.
    public func json() throws -> String {
        try CanonicalJSON.text(
            StoreJSON.Merge(copied: copied, bytes: bytes, known: known, left_out: left),
            pretty: true)
    }
}
