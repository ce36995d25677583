import Foundation
import RuntimeModel
import RuntimeSupport

/// A checkpoint that cannot be used as it lies on disk.
public struct CheckpointError: RuntimeError {
    /// The checkpoint's folder.
    public let path: String
    /// What is wrong.
    public let reason: String

    package init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    /// `checkpoint PATH is damaged: REASON`.
    public var message: String { "checkpoint \(path) is damaged: \(reason)" }
}

/// What is known of a checkpoint beside its numbers.
public struct CheckpointManifest: Codable, Sendable {
    /// The version of this layout.
    public var format = 1
    /// The state key: the digest of everything that determined the numbers.
    public var key: Digest
    /// Optimiser steps behind the state.
    public var step: Int
    /// Optimiser steps since the moments were last reset.
    public var optimizerSteps: Int
    /// Whether a later checkpoint of the same run may replace it.
    public var rolling: Bool
    /// The model's shape.
    public var model: RecordedModel
    /// The recipe, for people and for `explain`.
    public var recipe: String
    /// The engine's numerics version and processor that made the numbers.
    public var numerics: Int
    /// See `Numerics.processor`.
    public var processor: String
    /// See `Numerics.libraries`; `nil` in manifests of earlier versions, as all that follows but `files`.
    public var libraries: String?
    /// What computed: `cpu`.
    public var device: String?
    /// Which numbers led to the state.
    public var version: StateVersion?
    /// The journal of the steps that led to it, and how long it was then.
    public var journal: JournalPlace?
    /// SHA-256 of each file in the folder.
    public var files: [String: Digest]

    package init(
        format: Int = 1, key: Digest, step: Int, optimizerSteps: Int, rolling: Bool,
        model: RecordedModel, recipe: String, engine: Engine,
        version: StateVersion? = nil, journal: JournalPlace? = nil, files: [String: Digest] = [:]
    ) {
        self.format = format
        self.key = key
        self.step = step
        self.optimizerSteps = optimizerSteps
        self.rolling = rolling
        self.model = model
        self.recipe = recipe
        numerics = engine.numerics
        processor = engine.processor
        libraries = engine.libraries
        device = engine.device
        self.version = version
        self.journal = journal
        self.files = files
    }

    /// Whether a checksum vouches for what it says; those of earlier versions have none.
    public internal(set) var isSealed = true

    private enum CodingKeys: CodingKey {
        case format, key, step, optimizerSteps, rolling, model, recipe, numerics, processor,
            libraries
        case device, version, journal, files
    }
}

/// Checkpoint folders: `model.safetensors`, `optimizer.safetensors`, `manifest.json`.
public enum Checkpoint {
    static let optimizerFile = "optimizer.safetensors"
    package static let manifestFile = "manifest.json"

    /// Writes the files of a checkpoint into a new folder.
    ///
    /// - Throws: `FileError` naming the file (`No space left on device` among the reasons).
    package static func write(
        _ folder: String, manifest: CheckpointManifest, parameters: Parameters,
        optimizer: OptimizerState
    ) throws {
        try AtomicFile.makeFolder(folder)
        try Safetensors.write("\(folder)/\(Safetensors.modelFile)", parameters.named)
        try Safetensors.write("\(folder)/\(optimizerFile)", optimizerTensors(optimizer))
        var manifest = manifest
        manifest.files = [:]
        for name in [Safetensors.modelFile, optimizerFile] {
            manifest.files[name] = try Digest.ofFile("\(folder)/\(name)")
        }
        try write(manifest, folder)
    }

    private static let manifestKind = "checkpoint manifest 2"

    /// Writes the manifest of a checkpoint in a folder, under its seal.
    package static func write(_ manifest: CheckpointManifest, _ folder: String) throws {
        try SealedFile.write(
            "\(folder)/\(manifestFile)", kind: manifestKind, name: manifest.key.hex,
            json: Array((try CanonicalJSON.text(manifest) + "\n").utf8))
    }

    /// The manifest of a checkpoint folder; `nil` when the folder is not there.
    ///
    /// - Throws: `CheckpointError` when it is there but unreadable.
    public static func manifest(_ folder: String) throws -> CheckpointManifest? {
        guard FileManager.default.fileExists(atPath: folder) else { return nil }
        let path = "\(folder)/\(manifestFile)"
        do {
            // The name of the folder, or of the one around it, is the state's key.
            let (inner, outer) = (PathName.last(folder), PathName.last(PathName.parent(folder)))
            let name = Digest(hex: outer) != nil && StateVersion(hex: inner) != nil ? outer : inner
            guard let content = try SealedFile.read(path, kind: manifestKind, name: name) else {
                throw DamagedFile(path, "it is not there")
            }
            var manifest = try SealedFile.decode(CheckpointManifest.self, content, path)
            manifest.isSealed = content.isSealed
            guard manifest.format == 1 else {
                throw DamagedFile(path, "the field format is \(manifest.format); expected 1")
            }
            guard manifest.step >= 0, (0...manifest.step).contains(manifest.optimizerSteps) else {
                throw DamagedFile(
                    path,
                    "the fields step and optimizerSteps are \(manifest.step) and \(manifest.optimizerSteps)"
                )
            }
            return manifest
        } catch let error as DamagedFile {
            throw CheckpointError(path: folder, reason: "\(manifestFile): \(error.reason)")
        } catch let error as FileError {
            throw CheckpointError(path: folder, reason: error.message)
        }
    }

    /// Checks that every file of a checkpoint has the hash that its manifest names.
    ///
    /// - Throws: `CheckpointError` naming the file.
    public static func verify(_ folder: String, _ manifest: CheckpointManifest) throws {
        for name in [Safetensors.modelFile, optimizerFile] {
            do {
                guard try Digest.ofFile("\(folder)/\(name)") == manifest.files[name] else {
                    throw CheckpointError(
                        path: folder,
                        reason: "\(name) does not have the hash that \(manifestFile) names")
                }
            } catch let error as FileError {
                throw CheckpointError(path: folder, reason: error.message)
            }
        }
    }

    /// Reads a verified checkpoint into a model's parameters and, unless `nil`, an optimiser.
    ///
    /// - Throws: `FileError` or `SafetensorsError`; the parameters may then be partly overwritten.
    public static func read(
        _ folder: String, manifest: CheckpointManifest, parameters: Parameters,
        optimizer: OptimizerState?
    ) throws {
        try Safetensors.read(
            "\(folder)/\(Safetensors.modelFile)",
            into: parameters.ranges.map { range in
                let values = parameters.values[range.offset..<(range.offset + range.count)]
                return (range.name, range.shape, UnsafeMutableBufferPointer(rebasing: values))
            })
        guard let optimizer else { return }
        try Safetensors.read(
            "\(folder)/\(optimizerFile)",
            into: optimizer.buffers.map { ($0.name, [$0.values.count], $0.values) })
        try optimizer.restore(steps: manifest.optimizerSteps)
    }

    private static func optimizerTensors(_ optimizer: OptimizerState) -> [NamedTensor] {
        optimizer.buffers.map { name, values in
            NamedTensor(name: name, shape: [values.count], values: UnsafeBufferPointer(values))
        }
    }
}
