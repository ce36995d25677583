import RuntimeSupport

/// What a corpus is made of, as the researcher says it.
public struct CorpusSpecification: Codable, Hashable, Sendable {
    /// What to do with a line that is not a usable record.
    public enum BadLines: String, Codable, CaseIterable, Sendable {
        /// Stop with an error that names file and line.
        case error
        /// Leave it out and count it.
        case skip
    }

    /// The name, used in messages and tables.
    public var name: String
    /// Paths, globs and folders, read in this order; empty when `embedded` is given.
    public var files: [String] = []
    /// Files of the valid split; empty takes `validFraction` of `files`.
    public var validFiles: [String] = []
    /// Files of the test split; empty takes `testFraction` of `files`.
    public var testFiles: [String] = []
    /// The name of an embedded corpus in place of files; `EmbeddedCorpus.names` lists them.
    public var embedded: String?
    /// Bytes of text an embedded corpus generates, all splits together; `nil` is the corpus's own default.
    public var bytes: Int?
    /// The seed of an embedded corpus.
    public var embeddedSeed: UInt64 = 1
    /// Which fields of a JSON record make the document; text files ignore it.
    public var fields = Fields.standard
    /// Whether special tokens written out in templates become their ids; `nil` for no.
    public var parsesSpecial: Bool?
    /// The digest of the tokenizer of token files; `Corpus` sets it.
    public internal(set) var tokenizer: String?
    /// The share of documents for valid when it has no files of its own, 0 ..< 1.
    public var validFraction = 0.02
    /// The share of documents for test when it has no files of its own, 0 ..< 1.
    public var testFraction = 0.02
    /// The seed of the division into splits.
    public var splitSeed: UInt64 = 1
    /// Whether quotes surround separated values (`true`) or are text; `nil`: they surround those of CSV, and those of
    /// TSV where that cannot join two values or rows.
    public var quotes: Bool?
    /// Bits of an id in token files without a header, 16 or 32; `nil` where the file shows it.
    public var tokenBits: Int?
    /// Whether a field that is null or missing counts as empty instead of being an error.
    public var allowsMissing: Bool?
    /// How conversations are read.
    public var chat: ChatOptions?
    /// Which records are read; `nil` for all.
    public var condition: RecordCondition?
    /// What to do with bad lines.
    public var badLines = BadLines.error
    /// Whether a document may stand in more than one split (only separate files can cause that).
    public var allowsOverlap = false
    /// The longest document (or line of JSON) in bytes; memory grows with the longest document and no further.
    public var maximumDocumentBytes = 256 << 20

    /// A corpus of files.
    public init(name: String, files: [String]) {
        self.name = name
        self.files = files
    }

    /// An embedded corpus.
    public init(name: String, embedded: String) {
        self.name = name
        self.embedded = embedded
    }

    package func validate() throws {
        guard !name.isEmpty else {
            throw InvalidValue("name", expected: "a name for the corpus", found: "\"\"")
        }
        guard files.isEmpty == (embedded != nil) else {
            throw InvalidValue(
                "corpus \"\(name)\"", expected: "either files or an embedded corpus",
                found: embedded == nil ? "neither" : "both")
        }
        if embedded != nil, !(validFiles.isEmpty && testFiles.isEmpty) {
            throw InvalidValue(
                "corpus \"\(name)\"", expected: "no separate files for an embedded corpus",
                found: (validFiles + testFiles).joined(separator: ", "))
        }
        if let bytes, bytes <= 0 || embedded == nil {
            throw InvalidValue(
                "bytes", expected: "a positive number, for an embedded corpus", found: bytes)
        }
        for (label, value) in [("valid", validFraction), ("test", testFraction)] {
            guard value >= 0, value < 1 else {
                throw InvalidValue("\(label) fraction", expected: "0 ..< 1", found: value)
            }
        }
        guard validFraction + testFraction < 1 else {
            throw InvalidValue(
                "valid and test fractions", expected: "a sum below 1, to leave some for training",
                found: validFraction + testFraction)
        }
        if let condition {
            guard embedded == nil else {
                throw InvalidValue(
                    "where", expected: "files of records, which have fields",
                    found: "an embedded corpus")
            }
            _ = try FieldPaths([], optional: condition.names)
            if let empty = condition.fields.first(where: { $0.value.isEmpty }) {
                throw InvalidValue(
                    "where", expected: "a value of \"\(empty.key)\"", found: "an empty list")
            }
        }
        if let tokenBits, tokenBits != 16, tokenBits != 32 {
            throw InvalidValue("token bits", expected: "16 or 32", found: tokenBits)
        }
        guard maximumDocumentBytes > 0 else {
            throw InvalidValue(
                "maximum document bytes", expected: "a positive number", found: maximumDocumentBytes
            )
        }
    }
}

extension CorpusSpecification {
    /// How its files of records are read.
    var recordOptions: RecordOptions {
        RecordOptions(
            limit: maximumDocumentBytes, quotes: quotes, tokenBits: tokenBits,
            allowsMissing: allowsMissing ?? false, chat: chat ?? ChatOptions(),
            condition: condition)
    }
}
