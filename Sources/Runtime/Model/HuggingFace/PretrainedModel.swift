import Foundation
import RuntimeData
import RuntimeNumerics
import RuntimeSupport

/// A model in a Hugging Face folder: `config.json` and `model.safetensors`, or the shards of
/// `model.safetensors.index.json`.
///
/// Opening reads headers, checks every name and shape, and reads the numbers once for their digest; memory does not
/// depend on the size of the model.
public final class PretrainedModel: Sendable {
    private struct Place: Sendable {
        let name: String
        /// As the file has it.
        let shape: [Int]
        let isTransposed: Bool
        let file: SafetensorsFile
        let entry: SafetensorsFile.Entry
        let format: StorageFormat
    }

    static let indexFile = "model.safetensors.index.json"

    /// The folder as given.
    public let folder: String
    /// The model's shape.
    public let configuration: any ModelConfiguration
    /// Of names, shapes and values: the same however they are stored and divided into files.
    public let digest: Digest
    private let places: [Place]

    /// Opens a folder.
    ///
    /// - Throws: `ModelFolderError` or `SafetensorsError` naming the file and the field or tensor; `FileError`;
    ///   `Interrupted`. Weights must be finite.
    public init(_ folder: String, stop: ShouldStop = { false }) throws {
        self.folder = folder
        guard FileAccess.isFolder(folder) else {
            throw ModelFolderError(
                path: folder,
                reason: (FileAccess.exists(folder)
                    ? "it is not a folder" : "there is no such folder")
                    + "; expected one on disk with \(HuggingFaceConfiguration.file) and "
                    + "\(Safetensors.modelFile), as nothing is downloaded")
        }
        let configuration = try HuggingFaceConfiguration(
            "\(folder)/\(HuggingFaceConfiguration.file)"
        ).model()
        self.configuration = configuration
        let places = try Self.places(folder, configuration)
        self.places = places
        digest = try Self.digest(places, stop: stop) { _, _, _ in }
    }

    /// A model with these weights.
    ///
    /// - Parameter shape: The configuration, with another context if need be.
    /// - Throws: `OutOfMemory`; `ModelFolderError` when the files have changed since they were opened.
    public func model(
        _ shape: any ModelConfiguration, precision: Precision = .float32,
        stop: ShouldStop = { false }
    ) throws -> any LanguageModel {
        guard shape.parameterShapes.map(\.shape) == configuration.parameterShapes.map(\.shape)
        else {
            throw ModelFolderError(
                path: folder,
                reason: "its weights are not of the shape of the model that is asked for")
        }
        return try shape.model(precision: precision) { parameters in
            let found = try Self.digest(places, stop: stop) { index, start, piece in
                let range = parameters.ranges[index]
                let target = UnsafeMutableBufferPointer(
                    rebasing: parameters.values[range.offset..<(range.offset + range.count)])
                guard places[index].isTransposed else {
                    _ = UnsafeMutableBufferPointer(
                        rebasing: target[start..<start + piece.count]
                    ).update(fromContentsOf: piece)
                    return
                }
                let (outputs, inputs) = (range.shape[0], range.shape[1])
                for (place, value) in zip(start..., piece) {
                    target[place % outputs * inputs + place / outputs] = value
                }
            }
            guard found == digest else {
                throw ModelFolderError(
                    path: folder, reason: "the weights have changed since they were opened")
            }
        }
    }

    /// The tokenizer in the folder: `tokenizer.json`, or `vocab.json` with `merges.txt`.
    ///
    /// - Throws: `ModelFolderError` when there is none; as `Tokenizer.load`.
    public func tokenizer() throws -> Tokenizer {
        let files = ["tokenizer.json", "vocab.json", "merges.txt"].map { "\(folder)/\($0)" }
        if FileAccess.exists(files[0]) { return try Tokenizer.load(files[0], model: folder) }
        guard FileAccess.exists(files[1]), FileAccess.exists(files[2]) else {
            throw ModelFolderError(
                path: folder,
                reason: "expected tokenizer.json, or vocab.json and merges.txt; found neither")
        }
        return try Tokenizer.load(vocabulary: files[1], merges: files[2], model: folder)
    }

    // MARK: - Files

    private static func digest(
        _ places: [Place], stop: ShouldStop,
        _ body: (Int, Int, UnsafeBufferPointer<Float>) throws -> Void
    ) throws -> Digest {
        var builder = DigestBuilder("weights 1")
        for (index, place) in places.enumerated() {
            builder.add(place.name)
            builder.add(place.shape.count)
            for length in place.shape { builder.add(length) }
            try place.file.forEachPiece(place.entry, place.format) { start, piece in
                if stop() { throw Interrupted("interrupted while reading \(place.file.path)") }
                if let odd = piece.firstIndex(where: { !$0.isFinite }) {
                    throw SafetensorsError(
                        path: place.file.path,
                        reason: "tensor \(place.entry.name) is \(piece[odd]) at "
                            + "\(indices(of: start + odd, in: place.shape)), counted from 0; "
                            + "expected finite numbers")
                }
                builder.add(bytes: UnsafeRawBufferPointer(piece))
                try body(index, start, piece)
            }
        }
        return builder.finish()
    }

    /// Where in a row-major tensor a number stands.
    private static func indices(of position: Int, in shape: [Int]) -> [Int] {
        var rest = position
        return shape.reversed().map { length in
            defer { rest /= length }
            return rest % length
        }.reversed()
    }

    /// Where every parameter lies; whatever else the files hold must be known not to be one.
    private static func places(
        _ folder: String, _ configuration: any ModelConfiguration
    ) throws -> [Place] {
        let (files, owner) = try open(folder)
        var names = Set(files.flatMap(\.entries.keys))
        var places: [Place] = []
        for parameter in configuration.parameterShapes {
            let name = parameter.name
            let isTransposed = type(of: configuration).isTransposed(name)
            let shape = isTransposed ? parameter.shape.reversed() : parameter.shape
            let stored = type(of: configuration).storedNames(name).first { names.contains($0) }
            guard let stored, let file = files.first(where: { $0.entries[stored] != nil }),
                let entry = file.entries[stored]
            else { throw missing(name, folder, files) }
            if let expected = owner[stored], expected != file.path {
                throw SafetensorsError(path: expected, reason: "tensor \(stored) is missing")
            }
            names.remove(stored)
            places.append(
                Place(
                    name: name, shape: shape, isTransposed: isTransposed, file: file, entry: entry,
                    format: try file.check(entry, shape: shape)))
        }
        let odd = names.sorted().first { !configuration.ignores($0) }
        if let odd, let file = files.first(where: { $0.entries[odd] != nil }) {
            throw SafetensorsError(
                path: file.path,
                reason: "tensor \(odd) is not a parameter of the model that config.json describes")
        }
        return places
    }

    private static func missing(
        _ name: String, _ folder: String, _ files: [SafetensorsFile]
    ) -> any RuntimeError {
        files.count == 1
            ? SafetensorsError(path: files[0].path, reason: "tensor \(name) is missing")
            : ModelFolderError(
                path: "\(folder)/\(indexFile)", reason: "tensor \(name) is in none of its files")
    }

    /// The files, and for shards which file the index says each tensor is in.
    private static func open(
        _ folder: String
    ) throws -> (files: [SafetensorsFile], owner: [String: String]) {
        let (single, index) = ("\(folder)/\(Safetensors.modelFile)", "\(folder)/\(indexFile)")
        if FileAccess.exists(single) { return ([try SafetensorsFile(single)], [:]) }
        guard FileAccess.exists(index) else {
            let pickled = FileAccess.exists("\(folder)/pytorch_model.bin")
            throw ModelFolderError(
                path: folder,
                reason: "expected \(Safetensors.modelFile) or \(indexFile), found "
                    + (pickled
                        ? "only pytorch_model.bin, which may hold code and is not read; "
                            + "save it with transformers as safetensors" : "neither"))
        }
        let root = try JSONValue.read(index, limit: 1 << 24)
        guard case .object(let members)? = root["weight_map"] else {
            throw ModelFolderError(path: index, reason: "expected an object \"weight_map\"")
        }
        var owner: [String: String] = [:]
        for (name, value) in members {
            guard let file = value.string, !file.isEmpty, !file.contains("/"), file != ".." else {
                throw ModelFolderError(
                    path: index,
                    reason: "weight_map, tensor \(name): expected the name of a file in the folder")
            }
            owner[name] = "\(folder)/\(file)"
        }
        let files = try Set(owner.values).sorted().map(SafetensorsFile.init)
        var seen: [String: String] = [:]
        for file in files {
            for name in file.entries.keys {
                if let other = seen.updateValue(file.path, forKey: name) {
                    throw SafetensorsError(
                        path: file.path, reason: "tensor \(name) is also in \(other)")
                }
            }
        }
        return (files, owner)
    }
}
