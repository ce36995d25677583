import RuntimeData
import RuntimeSupport

/// A `config.json` or index of a Hugging Face folder that cannot be used: which file, which field, what it has.
public struct ModelFolderError: RuntimeError {
    /// The file or folder.
    public let path: String
    /// What is wrong and what was expected.
    public let reason: String

    /// `PATH: REASON`.
    public var message: String { "\(path): \(reason)" }
}

/// A `config.json` as Hugging Face's transformers writes it, whose fields a family reads.
public struct HuggingFaceConfiguration {
    package static let file = "config.json"

    private let path: String
    private let root: JSONValue

    /// Reads the file.
    ///
    /// - Throws: `FileError`; `TextError` with line and column.
    package init(_ path: String) throws {
        self.path = path
        root = try JSONValue.read(path, limit: 1 << 20)
    }

    /// The shape of the model, which its family reads.
    ///
    /// - Throws: `ModelFolderError` naming the field, its value and what was expected.
    package func model() throws -> any ModelConfiguration {
        guard case .object = root else { throw fail("expected an object") }
        let families = ModelFamilies.all
        guard let type = self["model_type"]?.string,
            let family = families.first(where: { $0.modelType == type })
        else {
            throw fail(
                "model_type",
                expected: families.map { "\"\($0.modelType)\"" }.joined(separator: " or "))
        }
        func read<Family: ModelConfiguration>(_: Family.Type) throws -> any ModelConfiguration {
            try Family(self)
        }
        let shape = try read(family)
        do {
            try shape.validate()
        } catch let error as InvalidValue {
            throw fail(error.message)
        }
        return shape
    }

    /// The text of the file for a model with a tokenizer, whose end-of-text begins and ends documents unless the
    /// tokenizer came with a `config.json`.
    package static func text(
        _ shape: any ModelConfiguration, _ tokenizer: Tokenizer, storage: StorageFormat
    ) throws -> String {
        let end = JSONValue.number(Double(tokenizer.endOfText))
        let ids =
            tokenizer.extras.configurationIds ?? [("bos_token_id", end), ("eos_token_id", end)]
        let fields = shape.fields({ key in ids.first { $0.key == key }?.value }, storage: storage)
        return decimal(try CanonicalJSON.text(fields, pretty: true)) + "\n"
    }

    /// The same text with a decimal point in fields of which transformers refuses whole numbers.
    private static func decimal(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            guard line.contains("_logit_softcapping\""),
                let end = line.lastIndex(where: \.isWholeNumber), !line.contains(".")
            else { return String(line) }
            return line[...end] + ".0" + line[line.index(after: end)...]
        }.joined(separator: "\n")
    }

    // MARK: - Fields

    /// A field; `nil` where it is not there or null.
    package subscript(key: String) -> JSONValue? { root[key] }

    /// Whether a field is there, be it null.
    package func has(_ key: String) -> Bool {
        guard case .object(let members) = root else { return false }
        return members.contains { $0.key == key }
    }

    package func integer(_ key: String, otherwise standard: Int? = nil) throws -> Int {
        if let value = root[key]?.integer { return value }
        guard root[key] == nil, let standard else { throw fail(key, expected: "a whole number") }
        return standard
    }

    package func number(_ key: String) throws -> Double? { try number(root[key], key) }

    package func number(_ value: JSONValue?, _ key: String) throws -> Double? {
        guard let value else { return nil }
        guard case .number(let number) = value else {
            throw fail(key, expected: "a number", found: value)
        }
        return number
    }

    package func boolean(_ key: String) throws -> Bool? {
        guard let value = root[key] else { return nil }
        guard let flag = value.boolean else { throw fail(key, expected: "true or false") }
        return flag
    }

    package func fail(_ key: String, expected: String) -> ModelFolderError {
        fail(key, expected: expected, found: root[key])
    }

    package func fail(_ key: String, expected: String, found: JSONValue?) -> ModelFolderError {
        fail("\(key): expected \(expected), found \(found?.words ?? "nothing")")
    }

    package func fail(_ reason: String) -> ModelFolderError {
        ModelFolderError(path: path, reason: reason)
    }
}
