import Foundation
import RuntimeSupport

/// What is read with a tokenizer that does not decide the ids of a text, kept to be written back on export.
package struct TokenizerExtras: Sendable {
    /// The parts of a `tokenizer.json` that are kept.
    private static let keys = [
        "truncation", "padding", "pre_tokenizer", "post_processor", "decoder",
    ]
    /// The members of `config.json` that are kept.
    private static let idKeys = ["bos_token_id", "eos_token_id", "pad_token_id"]
    /// The member of a store's tokenizer that holds `companions`.
    private static let companionsKey = "companions"
    /// The files beside a `tokenizer.json` that are kept as they are.
    package static let files = [
        "tokenizer_config.json", "special_tokens_map.json", "generation_config.json",
        "chat_template.jinja", "chat_template.json",
    ]
    /// The folder beside a `tokenizer.json` whose templates are kept too.
    package static let templates = "additional_chat_templates"
    private static let longestFile = 1 << 24
    private static let configuration = "config.json"

    private var parts: [String: JSONValue] = [:]
    /// The text of each file in `files` and `templates` that was there, and what is kept of `config.json`.
    package private(set) var companions: [String: String] = [:]

    /// Nothing that was read.
    package init() {}

    /// The parts of a `tokenizer.json`, of which a store's also has the companions.
    package init(_ root: JSONValue, _ rules: TokenizerRules) {
        guard case .object(let members) = root else { return }
        for (key, value) in members
        where Self.keys.contains(key) && value.text != TokenizerExtras().text(key, rules) {
            parts[key] = value
        }
        guard case .object(let files)? = root[Self.companionsKey] else { return }
        for (name, value) in files {
            if let text = value.string { companions[name] = text }
        }
    }

    /// Reads the files beside a tokenizer in the folder of a model.
    ///
    /// - Throws: `FileError`; `TextError` for what is not JSON; `TokenizerError` for what is not an object.
    mutating func readCompanions(_ folder: String) throws {
        var templates: [String] = []
        if FileAccess.isFolder("\(folder)/\(Self.templates)") {
            templates = try FileAccess.names(in: "\(folder)/\(Self.templates)").filter {
                $0.hasSuffix(".jinja")
            }.map { "\(Self.templates)/\($0)" }
        }
        for name in Self.files + templates + [Self.configuration] {
            let path = "\(folder)/\(name)"
            guard FileAccess.exists(path) else { continue }
            let bytes = try FileReader.bytes(path, limit: Self.longestFile)
            guard name.hasSuffix(".json") else {
                guard bytes.withUnsafeBytes({ UTF8Check.firstInvalid($0) }) == nil else {
                    throw TokenizerError(path, "expected UTF-8 text")
                }
                companions[name] = String(decoding: bytes, as: UTF8.self)
                continue
            }
            guard case .object(let members) = try JSONValue.read(bytes, file: path) else {
                throw TokenizerError(path, "expected an object")
            }
            try Self.check(members, of: name, path)
            if name == Self.configuration {
                let ids = members.filter { Self.idKeys.contains($0.key) }
                if !ids.isEmpty { companions[name] = JSONValue.object(ids).text }
            } else {
                companions[name] = String(decoding: bytes, as: UTF8.self)
            }
        }
    }

    /// The files to be written beside a `tokenizer.json`: their names and texts.
    package var written: [(name: String, text: String)] {
        companions.filter { $0.key != Self.configuration }.sorted { $0.key < $1.key }
            .map { ($0.key, $0.value) }
    }

    /// A part as JSON, as it was read or as it is written for a tokenizer that was made here.
    package func text(_ key: String, _ rules: TokenizerRules) -> String {
        if let part = parts[key] { return part.text }
        guard key == "pre_tokenizer", !rules.splitter.isGPT2 else {
            return Self.standard(key, rules.prefixesSpace)
        }
        let steps = rules.splitter.steps.map(\.json)
        if steps.count == 1 { return steps[0].text }
        return JSONValue.object([("type", .string("Sequence")), ("pretokenizers", .array(steps))])
            .text
    }

    private static func standard(_ key: String, _ prefixesSpace: Bool) -> String {
        if key == "truncation" || key == "padding" { return "null" }
        return "{\"type\": \"ByteLevel\", \"add_prefix_space\": \(prefixesSpace), "
            + "\"trim_offsets\": true, \"use_regex\": true}"
    }

    /// The ids of `config.json`, as they were read; `nil` for a tokenizer that came without one.
    package var configurationIds: [(key: String, value: JSONValue)]? {
        guard let object = companion(Self.configuration),
            case .object(let members) = object
        else { return nil }
        return members
    }

    private func companion(_ name: String) -> JSONValue? {
        companions[name].flatMap { try? JSONValue.read(Array($0.utf8), file: name) }
    }

    /// The companions as a member of a store's tokenizer; `nil` without any.
    package var member: String? {
        guard !companions.isEmpty else { return nil }
        let members = companions.sorted { $0.key < $1.key }.map {
            ($0.key, JSONValue.string($0.value))
        }
        return "\(JSONValue.quoted(Self.companionsKey)): \(JSONValue.object(members).text)"
    }

    /// Of everything that is kept; `nil` if a tokenizer trained here would be written in the same way.
    package var digest: Digest? {
        guard !companions.isEmpty || !parts.isEmpty else { return nil }
        var builder = DigestBuilder("tokenizer extras 1")
        for (key, value) in parts.sorted(by: { $0.key < $1.key }) {
            builder.add(key)
            builder.add(value.text)
        }
        for (name, text) in companions.sorted(by: { $0.key < $1.key }) {
            builder.add(name)
            builder.add(text)
        }
        return builder.finish()
    }
}

extension TokenizerExtras {
    /// What a reader should know: what the tokenizers library and transformers would do and is not done here.
    ///
    /// - Parameters:
    ///   - end: The id that ends documents here.
    ///   - mark: Its text.
    ///   - appliesTemplate: Whether documents begin as the post-processor says.
    package func notices(end: Int32, _ mark: String, appliesTemplate: Bool) -> [String] {
        var notices: [String] = []
        if let processor = parts["post_processor"], !appliesTemplate {
            let added = Self.addedTokens(processor)
            if !added.isEmpty {
                notices.append(
                    "post_processor \(processor["type"]?.string ?? "?") would add "
                        + "\(added.joined(separator: ", ")) to every text; documents do not begin so here "
                        + "(add_special_tokens = true), it is only written back on export")
            }
        }
        for key in ["truncation", "padding"] {
            guard let part = parts[key], case .object = part else { continue }
            notices.append("\(key) is not applied here, only written back on export")
        }
        func other(_ file: String, _ key: String, _ value: String) {
            notices.append(
                "\(file): \(key) \(value) is not used: documents end with \(mark), id \(end); "
                    + "an export keeps what was read")
        }
        for file in [Self.configuration, "generation_config.json"] {
            guard let value = companion(file)?["eos_token_id"] else { continue }
            let ids = value.array ?? [value]
            if !ids.contains(where: { $0.integer == Int(end) }) {
                other(file, "eos_token_id", value.array == nil ? value.words : value.text)
            }
        }
        if let value = companion("tokenizer_config.json")?["eos_token"] {
            let text = value.string ?? value["content"]?.string
            if let text, text != mark { other("tokenizer_config.json", "eos_token", text) }
        }
        return notices
    }

    /// The special tokens that a post-processor puts around a single text.
    private static func addedTokens(_ processor: JSONValue) -> [String] {
        switch processor["type"]?.string {
        case "TemplateProcessing":
            return (processor["single"]?.array ?? []).compactMap {
                $0["SpecialToken"].map { $0["id"]?.string ?? "a special token" }
            }
        case "RobertaProcessing", "BertProcessing":
            return ["cls", "sep"].map { processor[$0]?.array?.first?.string ?? $0 }
        case "Sequence": return (processor["processors"]?.array ?? []).flatMap(addedTokens)
        default: return []
        }
    }
}
