import Foundation
import RuntimeData
import RuntimeNumerics
import RuntimeSupport

/// A folder that Hugging Face's transformers loads: configuration, weights and tokenizer.
public enum ModelExport {
    private static let pageFile = "README.md"
    private static let files =
        [
            HuggingFaceConfiguration.file, "generation_config.json", Safetensors.modelFile,
            PretrainedModel.indexFile, "tokenizer.json",
            pageFile,
        ] + TokenizerExtras.files + [TokenizerExtras.templates]

    private static func isPart(_ name: String) -> Bool {
        files.contains(name) || (name.hasPrefix("model-") && name.hasSuffix(".safetensors"))
    }

    private struct Generation: Encodable {
        let bos_token_id: Int32
        let eos_token_id: Int32
    }

    private struct TokenizerSettings: Encodable {
        let add_prefix_space: Bool
        let bos_token: String
        let clean_up_tokenization_spaces = false
        let eos_token: String
        let model_max_length: Int
        let tokenizer_class = "PreTrainedTokenizerFast"
        let unk_token: String
    }

    /// Writes a model with its tokenizer.
    ///
    /// The folder appears whole or not at all; one that holds an earlier export is replaced.
    ///
    /// - Parameters:
    ///   - storage: `float32`, or `bfloat16` or `float16` to round every weight to the nearest.
    ///   - shardBytes: The most bytes of weights in a file; `nil` for one file.
    ///   - page: What `README.md` says of the model; `nil` for none.
    ///   - stop: polled now and then; `true` throws `Interrupted`.
    /// - Throws: `ModelFolderError` when the folder holds other files; `FileError`; `InvalidValue`; `Interrupted`.
    public static func write(
        _ folder: String, _ configuration: any ModelConfiguration, _ parameters: Parameters,
        _ tokenizer: Tokenizer, storage: StorageFormat = .float32, shardBytes: Int? = nil,
        page: String? = nil, stop: ShouldStop = { false }
    ) throws {
        try check(folder)
        let temporary = "\(folder).\(getpid()).\(UInt32.random(in: 0 ... .max)).tmp"
        do {
            try AtomicFile.makeFolder(temporary)
            let (tensors, copies) = try stored(parameters, configuration)
            try withExtendedLifetime(copies) {
                try ModelShards.write(
                    temporary, tensors, storage, shardBytes: shardBytes, stop: stop)
            }
            try AtomicFile.write(
                "\(temporary)/\(HuggingFaceConfiguration.file)",
                text: HuggingFaceConfiguration.text(
                    configuration, tokenizer, storage: storage))
            try tokenizer.save("\(temporary)/tokenizer.json")
            if let page { try AtomicFile.write("\(temporary)/\(pageFile)", text: page) }
            try writeCompanions(temporary, tokenizer, configuration)
            try replace(folder, by: temporary)
        } catch {
            FileAccess.removeTree(temporary)
            throw error
        }
        AtomicFile.syncFolder(PathName.parent(folder))
    }

    /// The parameters as the family's files have them, some of them copies that must be kept alive.
    private static func stored(
        _ parameters: Parameters, _ configuration: any ModelConfiguration
    ) throws -> ([NamedTensor], copies: [Tensor]) {
        var copies: [Tensor] = []
        let tensors = try zip(parameters.ranges, parameters.named).map { range, tensor in
            guard type(of: configuration).isTransposed(range.name) else { return tensor }
            let copy = try parameters.tensor(range).transposed().packed()
            copies.append(copy)
            return NamedTensor(
                name: range.name, shape: copy.shape,
                values: UnsafeBufferPointer(start: copy.pointer, count: copy.count))
        }
        return (tensors, copies)
    }

    /// Writes the files beside the tokenizer as they were read, or those of a tokenizer that was made here.
    private static func writeCompanions(
        _ folder: String, _ tokenizer: Tokenizer, _ configuration: any ModelConfiguration
    ) throws {
        let known = tokenizer.extras.companions
        for (name, text) in tokenizer.extras.written {
            let path = "\(folder)/\(name)"
            try AtomicFile.makeFolder(PathName.parent(path))
            try AtomicFile.write(path, text: text)
        }
        let end = tokenizer.endOfText
        // Files of a folder that had none of the settings get those that transformers needs.
        if known["generation_config.json"] == nil, tokenizer.extras.configurationIds == nil {
            try AtomicFile.write(
                "\(folder)/generation_config.json",
                json: Generation(bos_token_id: end, eos_token_id: end))
        }
        guard known["tokenizer_config.json"] == nil else { return }
        let mark = try tokenizer.text([end])
        try AtomicFile.write(
            "\(folder)/tokenizer_config.json",
            json: TokenizerSettings(
                add_prefix_space: tokenizer.prefixesSpace, bos_token: mark, eos_token: mark,
                model_max_length: configuration.context, unk_token: mark))
    }

    /// Refuses to replace anything but an earlier export.
    private static func check(_ folder: String) throws {
        guard !folder.isEmpty else {
            throw InvalidValue("folder", expected: "the name of a folder", found: "nothing")
        }
        guard FileAccess.exists(folder) else { return }
        guard FileAccess.isFolder(folder) else {
            throw ModelFolderError(path: folder, reason: "a file of that name is in the way")
        }
        let names = try FileAccess.names(in: folder)
        // A page alone is somebody's own.
        let isExport = names.contains(HuggingFaceConfiguration.file)
        if let odd = names.first(where: { !isPart($0) || ($0 == pageFile && !isExport) }) {
            throw ModelFolderError(
                path: folder,
                reason: "it holds \(odd), which is not part of an export; "
                    + "expected a new folder, an empty one or an earlier export")
        }
    }

    private static func replace(_ folder: String, by temporary: String) throws {
        guard FileAccess.exists(folder) else {
            return try FileAccess.rename(temporary, folder)
        }
        let old = temporary + ".old"
        try FileAccess.rename(folder, old)
        try FileAccess.rename(temporary, folder)
        FileAccess.removeTree(old)
    }
}

extension Parameters {
    /// Every parameter, to be written.
    package var named: [NamedTensor] {
        ranges.map { range in
            NamedTensor(
                name: range.name, shape: range.shape,
                values: UnsafeBufferPointer(
                    rebasing: values[range.offset..<(range.offset + range.count)]))
        }
    }
}
