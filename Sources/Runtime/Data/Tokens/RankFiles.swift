import Foundation
import RuntimeSupport

/// Tokenizers that are written as byte strings with their ranks: files of tiktoken, and Mistral's `tekken.json`.
///
/// Two neighbours merge into the byte string of the lowest rank; a word that is a byte string is that one, whatever merges.
/// Merges are written out as transformers does it: every way to divide a byte string into two others.
struct RankFile {
    let path: String
    /// The token that ends documents, if it was named.
    var endOfText: String?

    private func error(_ reason: String) -> TokenizerError { TokenizerError(path, reason) }

    /// What is known of the tokenizers that are published in this form, by the number of their byte strings.
    private static let published: [Int: (preset: String, special: [(String, Int)])] = [
        50256: ("gpt2", [(Tokenizer.endOfTextMark, 50256)]),
        100256: (
            "gpt4",
            [
                (Tokenizer.endOfTextMark, 100257), ("<|fim_prefix|>", 100258),
                ("<|fim_middle|>", 100259), ("<|fim_suffix|>", 100260),
                ("<|endofprompt|>", 100276),
            ]
        ),
        199998: ("o200k", [(Tokenizer.endOfTextMark, 199999), ("<|endofprompt|>", 200018)]),
        128000: ("llama3", [("<|begin_of_text|>", 128000), ("<|end_of_text|>", 128001)]),
        151643: (
            "qwen2",
            [
                (Tokenizer.endOfTextMark, 151643), ("<|im_start|>", 151644), ("<|im_end|>", 151645),
            ]
        ),
    ]

    // MARK: - tiktoken

    /// Reads the lines of a `.tiktoken` file: base64, a space, a rank.
    ///
    /// - Parameter preset: The name of the preset whose words it has; needed unless it is a published one.
    /// - Throws: `TokenizerError` naming the line.
    func tiktoken(_ bytes: [UInt8], preset: String?) throws -> Tokenizer {
        var tokens: [(bytes: [UInt8], id: Int)] = []
        for (index, line) in bytes.split(separator: 10).enumerated() {
            let line = line.last == 13 ? line.dropLast() : line
            let parts = line.split(separator: 0x20, omittingEmptySubsequences: false)
            guard parts.count == 2, let token = Data(base64Encoded: Data(parts[0])), !token.isEmpty,
                let rank = Int(String(decoding: parts[1], as: UTF8.self)),
                (0..<1 << 24).contains(rank)
            else {
                throw error(
                    "line \(index + 1): expected bytes in base64, a space and a rank, found "
                        + JSONValue.quoted(String(decoding: line.prefix(80), as: UTF8.self)))
            }
            tokens.append((Array(token), rank))
        }
        let known = Self.published[tokens.count]
        guard let preset = preset ?? known?.preset else {
            throw error(
                "it has \(tokens.count) byte strings, as no published tokenizer: expected the preset whose words it "
                    + "has (preset), one of \(TokenizerPreset.names.joined(separator: ", "))")
        }
        let rules = try TokenizerPreset.named(preset).rules
        var special = known?.special ?? []
        if let endOfText, !special.contains(where: { $0.0 == endOfText }) {
            special = [(endOfText, (tokens.map(\.id).max() ?? -1) + 1)]
        }
        guard !special.isEmpty else {
            throw error("expected the token that ends documents (end_of_text); it gets the next id")
        }
        return try tokenizer(
            tokens, special, normalizers: rules.normalizers.map(\.json),
            steps: rules.splitter.steps.map(\.json))
    }

    // MARK: - tekken

    /// Whether JSON is a `tekken.json`.
    static func isTekken(_ root: JSONValue) -> Bool {
        root["model"] == nil && root["vocab"]?.array != nil && root["config"]?["pattern"] != nil
    }

    /// Reads a `tekken.json`: special tokens have the first ids, byte strings those behind them.
    func tekken(_ root: JSONValue) throws -> Tokenizer {
        let config = root["config"]
        guard let pattern = config?["pattern"]?.string else {
            throw error("config.pattern: expected a regular expression")
        }
        guard let size = config?["default_vocab_size"]?.integer,
            let count = config?["default_num_special_tokens"]?.integer,
            (1..<1 << 24).contains(size), (0..<size).contains(count)
        else {
            throw error(
                "config: expected default_vocab_size and the smaller default_num_special_tokens")
        }
        var tokens: [(bytes: [UInt8], id: Int)] = []
        for (index, entry) in (root["vocab"]?.array ?? []).enumerated() {
            guard let text = entry["token_bytes"]?.string,
                let bytes = Data(base64Encoded: Data(text.utf8)), !bytes.isEmpty,
                let rank = entry["rank"]?.integer, (0..<1 << 24).contains(rank)
            else {
                throw error("vocab, entry \(index + 1): expected a rank and token_bytes in base64")
            }
            if rank < size - count { tokens.append((Array(bytes), rank + count)) }
        }
        var names: [Int: String] = [0: "<unk>", 1: "<s>", 2: "</s>"]
        if let list = root["special_tokens"]?.array {
            names = [:]
            for (index, entry) in list.enumerated() {
                guard let name = entry["token_str"]?.string, let rank = entry["rank"]?.integer,
                    (0..<count).contains(rank), names.updateValue(name, forKey: rank) == nil
                else {
                    throw error(
                        "special_tokens, entry \(index + 1): expected token_str and a rank of its own below \(count)"
                    )
                }
            }
        }
        let special = (0..<count).map { (names[$0] ?? "<SPECIAL_\($0)>", $0) }
        let step = JSONValue.object([
            ("type", .string("Split")), ("pattern", .object([("Regex", .string(pattern))])),
            ("behavior", .string("Isolated")), ("invert", .boolean(false)),
        ])
        let bytes = PreTokenizer.bytes(prefix: false, words: false).json
        return try tokenizer(tokens, special, normalizers: [], steps: [step, bytes])
    }

    // MARK: - Both

    private func tokenizer(
        _ tokens: [(bytes: [UInt8], id: Int)], _ special: [(String, Int)],
        normalizers: [JSONValue], steps: [JSONValue]
    ) throws -> Tokenizer {
        func number(_ value: Int) -> JSONValue { .number(Double(value)) }
        let vocabulary =
            tokens.map { (ByteAlphabet.text($0.bytes), number($0.id)) }
            + special.map { ($0.0, number($0.1)) }
        let added = special.map { name, id in
            JSONValue.object([
                ("id", number(id)), ("content", .string(name)), ("special", .boolean(true)),
                ("normalized", .boolean(false)),
            ])
        }
        let root = JSONValue.object([
            (
                "normalizer",
                .object([("type", .string("Sequence")), ("normalizers", .array(normalizers))])
            ),
            (
                "pre_tokenizer",
                .object([("type", .string("Sequence")), ("pretokenizers", .array(steps))])
            ),
            ("added_tokens", .array(added)),
            (
                "model",
                .object([
                    ("vocab", .object(vocabulary)), ("ignore_merges", .boolean(true)),
                    ("merges", .array(try merges(tokens))),
                ])
            ),
        ])
        return try TokenizerFile(path: path, root: root, endOfText: endOfText).tokenizer()
    }

    /// The ways to divide byte strings, by the rank of the whole, then of the parts.
    private func merges(_ tokens: [(bytes: [UInt8], id: Int)]) throws -> [JSONValue] {
        var ids: [[UInt8]: Int] = [:]
        for token in tokens {
            guard ids.updateValue(token.id, forKey: token.bytes) == nil else {
                throw error("the byte string of rank \(token.id) appears twice")
            }
        }
        var merges: [JSONValue] = []
        for token in tokens.sorted(by: { $0.id < $1.id }) where token.bytes.count > 1 {
            var parts: [(Int, Int, Int)] = []
            for cut in 1..<token.bytes.count {
                guard let left = ids[Array(token.bytes[..<cut])],
                    let right = ids[Array(token.bytes[cut...])]
                else { continue }
                parts.append((left, right, cut))
            }
            for (_, _, cut) in parts.sorted(by: { ($0.0, $0.1) < ($1.0, $1.1) }) {
                merges.append(
                    .array([
                        .string(ByteAlphabet.text(token.bytes[..<cut])),
                        .string(ByteAlphabet.text(token.bytes[cut...])),
                    ]))
            }
        }
        return merges
    }
}
