import Glibc

/// Files of tokenizers that are not read, told by their content, so that an error can name them.
enum OtherTokenizerFile {
    /// - Throws: `TokenizerError` saying what the file is and what to do.
    static func check(_ path: String) throws {
        let file = try RandomAccessFile(path)
        var start = [UInt8](repeating: 0, count: min(file.size, 1 << 16))
        try start.withUnsafeMutableBytes { try file.read(at: 0, into: $0) }
        guard let kind = kind(start) else { return }
        throw TokenizerError(
            path,
            "it is \(kind), which is not read: expected a Hugging Face tokenizer.json, "
                + "which transformers writes with AutoTokenizer.from_pretrained(…).save_pretrained(…)"
        )
    }

    private static func kind(_ start: [UInt8]) -> String? {
        // A message of protocol buffers whose first field holds a piece and its score.
        if start.count > 3, start[0] == 0x0a, start[2] == 0x0a { return "a SentencePiece model" }
        let line = start.prefix { $0 != 10 && $0 != 13 }
        let rank = /[A-Za-z0-9+\/]+={0,2} [0-9]+/
        if line.count < 200, String(decoding: line, as: UTF8.self).wholeMatch(of: rank) != nil {
            return "a tiktoken vocabulary"
        }
        let text = String(decoding: start, as: UTF8.self)
        return text.contains("\"token_bytes\"") && text.contains("\"rank\"")
            ? "a tekken.json of Mistral's" : nil
    }
}
