import Foundation
import RuntimeSupport

extension TokenStore {
    /// Opens the tokens of one split of a corpus, encoding them first if `folder` does not hold them.
    ///
    /// The file is named by the content of the documents and the tokenizer, so that moved or regrouped files find it
    /// again. It is built under a lock and appears whole or not at all; a damaged one is built again (`repair` says so).
    ///
    /// - Throws: `TokenStoreError` if the split is empty; `ChangedCorpus` if the files change meanwhile; `Interrupted`;
    ///   whatever reading and writing throw.
    public static func open(
        corpus: Corpus, split: Split, tokenizer: Tokenizer, folder: String,
        progress: ProgressHandler? = nil, stop: ShouldStop = { false }
    ) throws -> TokenStore {
        let part = try corpus.summary(cache: folder, progress: progress, stop: stop)[split]
        guard part.documents > 0 else {
            throw TokenStoreError(
                corpus.name,
                "its \(split) split holds no document; expected files for it, or a larger \(split) fraction"
            )
        }
        let digest = key(part.digest, tokenizer)
        let path = "\(folder)/tokens/\(digest.hex).tokens"
        var repair: String?
        func existing() throws -> TokenStore? {
            guard FileManager.default.fileExists(atPath: path) else { return nil }
            do {
                let store = try TokenStore(path, repair: repair)
                guard store.digest == digest else {
                    throw TokenStoreError(path, "the token store is damaged: it holds other tokens")
                }
                return store
            } catch let error as TokenStoreError {
                repair = error.message + "; it is built again"
            }
            return nil
        }
        if let store = try existing() { return store }
        if let repair { progress?(WorkProgress(notice: repair)) }
        let lock = try Claim(path + ".lock", stop: stop)
        defer { withExtendedLifetime(lock) {} }
        // Another process may have built it while this one waited.
        if let store = try existing() { return store }
        try build(path, corpus, split, part, tokenizer, digest, folder, progress, stop)
        return try TokenStore(path, repair: repair)
    }

    private static func key(_ documents: Digest, _ tokenizer: Tokenizer) -> Digest {
        var builder = DigestBuilder("token store 1")
        builder.add(documents)
        builder.add(tokenizer.digest)
        return builder.finish()
    }

    private static func build(
        _ path: String, _ corpus: Corpus, _ split: Split, _ part: CorpusSummary.Part,
        _ tokenizer: Tokenizer, _ digest: Digest, _ folder: String, _ progress: ProgressHandler?,
        _ stop: ShouldStop
    ) throws {
        let activity = "tokenizing \(corpus.name) (\(split))"
        try AtomicFile.write(path) { writer in
            var builder = TokenStoreBuilder(tokenizer)
            var content = DocumentsDigest()
            var batch: [Document] = []
            // Ids that this tokenizer made stay as they are.
            let keepsIDs = corpus.tokens?.digest == tokenizer.digest
            var bytes = 0
            var done = 0
            func flush() throws {
                try builder.append(batch, &writer)
                done += bytes
                batch.removeAll(keepingCapacity: true)
                bytes = 0
                progress?(
                    WorkProgress(activity, done: done, total: part.textBytes, unit: "bytes"))
            }
            try corpus.forEachDocument(split, stop: stop) { document in
                content.add(document, ContentHash(document.text))
                var kept = document
                if !keepsIDs { kept.ids = nil }
                batch.append(kept)
                bytes += document.text.count
                if bytes >= 4 << 20 { try flush() }
            }
            try flush()
            guard content.finish().digest == part.digest else {
                // What was remembered of the files is not what they hold: it would say so for ever.
                corpus.forgetSummary(cache: folder)
                throw ChangedCorpus(name: corpus.name, activity: "tokenized")
            }
            try builder.finish(digest, &writer)
        }
    }
}

/// Writes the body and footer of a token store.
private struct TokenStoreBuilder {
    private let tokenizer: Tokenizer
    private let idBytes: Int
    private var checksum = BodyChecksum()
    private var tokens = 0
    private var textBytes = 0
    /// Tokens and bytes of each document.
    private var lengths: [(tokens: Int, bytes: Int)] = []

    init(_ tokenizer: Tokenizer) {
        self.tokenizer = tokenizer
        idBytes = tokenizer.vocabularySize <= 1 << 16 ? 2 : 4
    }

    private mutating func put(_ bytes: UnsafeRawBufferPointer, _ writer: inout FileWriter) throws {
        checksum.add(bytes)
        try writer.write(bytes)
    }

    mutating func append(_ documents: [Document], _ writer: inout FileWriter) throws {
        let encoded = tokenizer.encode(
            texts: documents.map { $0.ids == nil ? $0.text : [] },
            templateText: documents.map { $0.ids == nil ? $0.templateText : [] })
        for (document, ids) in zip(documents, encoded) {
            let ids = (document.ids ?? ids) + [tokenizer.endOfText]
            if idBytes == 2 {
                let narrow = ids.map { UInt16(truncatingIfNeeded: $0) }
                try narrow.withUnsafeBytes { try put($0, &writer) }
            } else {
                try ids.withUnsafeBytes { try put($0, &writer) }
            }
            tokens += ids.count
            textBytes += document.text.count
            lengths.append((ids.count, document.text.count))
        }
    }

    mutating func finish(_ digest: Digest, _ writer: inout FileWriter) throws {
        let used = tokens * idBytes
        let padding = [UInt8](repeating: 0, count: (used + 7) / 8 * 8 - used)
        try padding.withUnsafeBytes { try put($0, &writer) }
        var token: UInt64 = 0
        var byte: UInt64 = 0
        for length in lengths + [(0, 0)] {
            try [token, byte].withUnsafeBytes { try put($0, &writer) }
            token += UInt64(length.tokens)
            byte += UInt64(length.bytes)
        }
        let layout = TokenStoreLayout(
            idBytes: idBytes, tokens: tokens, documents: lengths.count, textBytes: textBytes,
            vocabularySize: tokenizer.vocabularySize, endOfText: Int(tokenizer.endOfText),
            digest: digest)
        try layout.footer(checksum: checksum.finish()).withUnsafeBytes { try writer.write($0) }
    }
}
