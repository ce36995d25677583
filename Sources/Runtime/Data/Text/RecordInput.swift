import RuntimeSupport

/// Records of one file, in order.
package protocol RecordInput: AnyObject {
    /// Bytes of the file read so far.
    var consumed: Int { get }
    /// Where the record is, for messages: its line from 1, or `nil` for files without lines.
    var line: Int? { get }
    /// Goes to the next record; false after the last.
    ///
    /// - Throws: errors after which nothing more can be read of the file.
    func advance() throws -> Bool
    /// The record as a document, without its location; `nil` if the condition of the options leaves it out.
    ///
    /// - Throws: `TextError` about this record alone; `Interrupted`.
    func document(stop: ShouldStop) throws -> Document?
    /// The record as it stands in the file; `nil` where files have no records.
    var raw: RawRecord? { get }
    /// What records had that were left out.
    var tally: ConditionTally { get }
    /// The wanted fields that some record so far had, where a record may lack one.
    var seenFields: Set<String>? { get }
    /// What the researcher should know about the file, once it has been read.
    var notice: String? { get }
    /// The values of the wanted fields by name.
    ///
    /// - Throws: `TextError` about this record alone; `Interrupted`.
    func values(stop: ShouldStop) throws -> [String: [UInt8]]
}

extension RecordInput {
    package var seenFields: Set<String>? { nil }
    package var notice: String? { nil }
    package var raw: RawRecord? { nil }
    package var tally: ConditionTally { ConditionTally() }
}

/// How files of records are read.
package struct RecordOptions {
    /// The longest record in bytes.
    package var limit: Int
    /// Whether quotes surround separated values; `nil`: in CSV, and in TSV where that cannot lose a row.
    package var quotes: Bool?
    /// Bits of an id in files of tokens without a header; `nil` where they must show that themselves.
    package var tokenBits: Int?
    /// Whether a field that is null or missing counts as empty rather than being an error.
    package var allowsMissing = false
    /// How conversations are read.
    package var chat = ChatOptions()
    /// Which records are read; `nil` for all.
    package var condition: RecordCondition?

    package init(
        limit: Int, quotes: Bool? = nil, tokenBits: Int? = nil, allowsMissing: Bool = false,
        chat: ChatOptions = ChatOptions(), condition: RecordCondition? = nil
    ) {
        self.condition = condition
        self.limit = limit
        self.quotes = quotes
        self.tokenBits = tokenBits
        self.allowsMissing = allowsMissing
        self.chat = chat
    }
}

/// Files of records.
package enum RecordFile {
    /// Opens a file of records by the end of its name.
    ///
    /// - Throws: `FileError`; `TextError` for a first row that does not name what is wanted, or a file without records.
    package static func open(
        _ path: String, fields: Fields, tokens: (any TokenText)? = nil, _ options: RecordOptions
    ) throws -> any RecordInput {
        func separated(
            _ separator: UInt8, _ quotes: SeparatedReader.Quotes
        ) throws -> any RecordInput {
            let stated: SeparatedReader.Quotes? = options.quotes.map { $0 ? .surround : .text }
            return try SeparatedRecords(
                SeparatedReader(
                    try Compression.openText(path), file: path, separator: separator,
                    quotes: stated ?? quotes, limit: options.limit),
                file: path, fields: fields, options.condition)
        }
        switch CorpusFiles.Format.of(path) {
        case .array:
            return try ArrayRecords(
                try Compression.openText(path), file: path, fields: fields, options)
        case .commas: return try separated(UInt8(ascii: ","), .surround)
        case .tabs: return try separated(UInt8(ascii: "\t"), .surroundPlain)
        case .lines:
            return try LineRecords(
                try Compression.openText(path), file: path, fields: fields, options)
        case .tokens:
            guard options.condition == nil else {
                throw TextError(path, "a file of tokens has no fields that a condition could name")
            }
            guard let tokens else {
                throw TextError(path, "a file of tokens is read with the tokenizer that made it")
            }
            return try TokenRecords.open(path, tokens: tokens, options)
        case .text, nil: throw TextError(path, "it has no records with fields")
        }
    }
}

/// Makes documents of JSON records.
package struct RecordReader {
    private let fields: Fields
    private let names: [String]
    private let paths: FieldPaths
    private let allowsMissing: Bool
    private let condition: RecordCondition?
    /// The fields that some record had.
    package private(set) var seen: Set<String> = []
    /// What records had that the condition left out.
    package private(set) var tally = ConditionTally()

    init(
        _ fields: Fields, allowsMissing: Bool = false, chat options: ChatOptions = ChatOptions(),
        condition: RecordCondition? = nil
    ) throws {
        self.fields = fields
        self.condition = condition
        self.allowsMissing = allowsMissing
        names = Set(fields.names).sorted()
        var chat: Chat?
        if case .chat(let conversation) = fields { chat = conversation }
        paths = try FieldPaths(
            names, optional: condition?.names ?? [], chat: chat, options, allowsNull: allowsMissing)
    }

    /// The document of the record whose text begins on `line`; `nil` if the condition leaves it out.
    ///
    /// - Throws: `TextError` naming the file, the line, and the field or column; `Interrupted`.
    package mutating func read(
        _ record: UnsafeRawBufferPointer, file: String, line: Int, stop: ShouldStop
    ) throws -> Document? {
        guard let found = try find(record, file: file, line: line, stop: stop) else { return nil }
        return found.conversation ?? fields.document(found.values)
    }

    /// What is wanted of the record whose text begins on `line`; `nil` if the condition leaves it out.
    ///
    /// - Throws: as `read`.
    package mutating func find(
        _ record: UnsafeRawBufferPointer, file: String, line: Int, stop: ShouldStop
    ) throws -> FieldPaths.Found? {
        if let position = UTF8Check.firstInvalid(record) {
            let (line, column) = Self.place(position, record, line)
            throw TextError(file, line: line, "byte \(column) of the line is not UTF-8")
        }
        var scanner = JSONScanner(record)
        let found: FieldPaths.Found
        do {
            found = try paths.read(&scanner, stop: stop)
            try scanner.finish()
        } catch {
            guard !error.isInterruption else {
                throw Interrupted("interrupted while reading \(file)")
            }
            let (line, column) = Self.place(error.offset, record, line)
            throw TextError(file, line: line, "column \(column): \(error.reason)")
        }
        // A record that is left out may lack what a document needs.
        if let condition, !condition.allows(found.values) {
            tally.add(found.values, condition)
            return nil
        }
        if allowsMissing, found.conversation == nil {
            seen.formUnion(found.values.keys)
            for name in names where found.values[name] == nil { found.values[name] = [] }
        }
        for name in names where found.values[name] == nil && found.conversation == nil {
            let known = Self.keys(of: record)
            throw TextError(
                file, line: line,
                "the record has no field \"\(name)\"; it has "
                    + (known.isEmpty ? "none" : known.joined(separator: ", "))
                    + NearestName.hint(name, among: known))
        }
        return found
    }

    /// The line and column, from 1, of a byte of a record that begins on `line`.
    private static func place(
        _ offset: Int, _ record: UnsafeRawBufferPointer, _ line: Int
    ) -> (line: Int, column: Int) {
        let before = record[..<offset]
        return (
            line + before.count { $0 == 10 }, offset - (before.lastIndex(of: 10) ?? -1)
        )
    }

    /// The names of a record's fields, the first dozen, in order.
    private static func keys(of line: UnsafeRawBufferPointer) -> [String] {
        var scanner = JSONScanner(line)
        var keys: [String] = []
        try? scanner.object { (key, scanner) throws(JSONFailure) in
            if keys.count < 12 { keys.append(String(decoding: copy key, as: UTF8.self)) }
            try scanner.skip()
        }
        return keys
    }
}

/// The lines of a JSON Lines file; lines of nothing but white space are passed over.
package final class LineRecords: RecordInput {
    private let file: String
    private var reader: RecordReader
    private var lines: LineReader
    private var isFirst = true
    private var current = UnsafeRawBufferPointer(start: nil, count: 0)

    package init(
        _ input: any ByteInput, file: String, fields: Fields, _ options: RecordOptions
    ) throws {
        self.file = file
        reader = try RecordReader(
            fields, allowsMissing: options.allowsMissing, chat: options.chat,
            condition: options.condition)
        lines = LineReader(input, file: file, limit: options.limit)
    }

    package var consumed: Int { lines.consumed }
    package var line: Int? { lines.line }
    package var seenFields: Set<String>? { reader.seen }
    package var raw: RawRecord? { .json(Array(current)) }
    package var tally: ConditionTally { reader.tally }

    package func advance() throws -> Bool {
        while let line = try lines.next() {
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0d }) { continue }
            if isFirst, line.first(where: { $0 != 0x20 && $0 != 0x09 }) == UInt8(ascii: "[") {
                throw TextError(
                    file, line: lines.line,
                    "it holds a JSON array, not a record a line: expected a name that ends in .json"
                )
            }
            isFirst = false
            current = line
            return true
        }
        return false
    }

    package func document(stop: ShouldStop) throws -> Document? {
        try reader.read(current, file: file, line: lines.line, stop: stop)
    }

    package func values(stop: ShouldStop) throws -> [String: [UInt8]] {
        try reader.find(current, file: file, line: lines.line, stop: stop)?.values ?? [:]
    }
}

/// The elements of a JSON array.
package final class ArrayRecords: RecordInput {
    private let file: String
    private var reader: RecordReader
    private var elements: JSONArrayReader
    private var current = UnsafeRawBufferPointer(start: nil, count: 0)

    package init(
        _ input: any ByteInput, file: String, fields: Fields, _ options: RecordOptions
    ) throws {
        self.file = file
        reader = try RecordReader(
            fields, allowsMissing: options.allowsMissing, chat: options.chat,
            condition: options.condition)
        elements = JSONArrayReader(input, file: file, limit: options.limit)
    }

    package var consumed: Int { elements.consumed }
    package var line: Int? { elements.line }
    package var seenFields: Set<String>? { reader.seen }
    package var raw: RawRecord? { .json(Array(current)) }
    package var tally: ConditionTally { reader.tally }

    package func advance() throws -> Bool {
        guard let element = try elements.next() else { return false }
        current = element
        return true
    }

    package func document(stop: ShouldStop) throws -> Document? {
        try reader.read(current, file: file, line: elements.line, stop: stop)
    }

    package func values(stop: ShouldStop) throws -> [String: [UInt8]] {
        try reader.find(current, file: file, line: elements.line, stop: stop)?.values ?? [:]
    }
}

/// The rows of a file of separated values whose first row names the columns.
package final class SeparatedRecords: RecordInput {
    private let file: String
    private let fields: Fields
    private var rows: SeparatedReader
    private let condition: RecordCondition?
    private var columns: [String] = []
    private var wanted: [(name: String, index: Int)] = []
    package private(set) var tally = ConditionTally()

    /// - Throws: `TextError` for a first row that does not name what is wanted.
    package init(
        _ reader: consuming SeparatedReader, file: String, fields: Fields,
        _ condition: RecordCondition? = nil
    ) throws {
        self.file = file
        self.fields = fields
        self.condition = condition
        rows = reader
        if case .chat = fields {
            throw TextError(file, "a conversation is read from JSON, not from separated values")
        }
        guard try rows.next() else { return }
        if let (column, reason) = rows.fault() {
            throw TextError(file, line: rows.line, "column \(column): \(reason)")
        }
        let names = (0..<rows.count).map { String(decoding: rows.value($0), as: UTF8.self) }
        columns = names
        var seen: Set<String> = []
        for name in names where !seen.insert(name).inserted {
            throw TextError(file, line: rows.line, "two columns are called \"\(name)\"")
        }
        for name in Set(fields.names + (condition?.names ?? [])).sorted() {
            guard let index = names.firstIndex(of: name) else {
                throw TextError(
                    file, line: rows.line,
                    "no column is called \"\(name)\"; there are "
                        + names.prefix(12).joined(separator: ", ")
                        + NearestName.hint(name, among: names))
            }
            wanted.append((name, index))
        }
    }

    package var consumed: Int { rows.consumed }
    package var line: Int? { rows.line }

    package func advance() throws -> Bool { try rows.next() }

    package var raw: RawRecord? {
        guard rows.count == columns.count else { return nil }
        return .row(columns.indices.map { (columns[$0], Array(rows.value($0))) })
    }

    package func document(stop: ShouldStop) throws -> Document? {
        let values = try values(stop: stop)
        if let condition, !condition.allows(values) {
            tally.add(values, condition)
            return nil
        }
        return fields.document(values)
    }

    package func values(stop: ShouldStop) throws -> [String: [UInt8]] {
        guard rows.count == columns.count else {
            throw TextError(
                file, line: rows.line,
                "the row has \(rows.count) values; expected \(columns.count), as the first row names"
            )
        }
        if let (column, reason) = rows.fault() {
            throw TextError(file, line: rows.line, "column \(column): \(reason)")
        }
        var values: [String: [UInt8]] = [:]
        for (name, index) in wanted { values[name] = Array(rows.value(index)) }
        return values
    }
}
