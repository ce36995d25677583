import Foundation
import Runtime

/// Readers that are fed arbitrary bytes: they may refuse them with an error, and nothing else.
///
/// `FuzzReplayTests` runs them on a small corpus; nothing here needs the test framework, so that libFuzzer can call it.
enum FuzzTarget: String, CaseIterable {
    /// `model.safetensors`.
    case safetensors
    /// `tokenizer.json`.
    case tokenizer
    /// `vocab.json`, a zero byte, `merges.txt`.
    case merges
    /// JSON Lines; the first byte says which fields are read.
    case lines
    /// JSON arrays; the first byte as for `lines`.
    case array
    /// CSV and TSV; the first byte says which, and as for `lines`.
    case rows
    /// JSON Lines within gzip or Zstandard; the first byte says which.
    case packed
    /// `config.json`.
    case configuration
    /// `.idx` and `.bin`; the first byte, times eight, is the length of the `.idx`.
    case tokens
    /// Events of a TensorBoard file, each behind a byte that is its length; the checksums are made here.
    case events

    func run(_ bytes: [UInt8], scratch: String) {
        do {
            switch self {
            case .safetensors: try Self.safetensors(bytes, scratch)
            case .tokenizer: try Self.tokenizer(bytes)
            case .merges: try Self.merges(bytes, scratch)
            case .lines, .array, .rows: try self.records(bytes)
            case .packed: try Self.packed(bytes, scratch)
            case .configuration: try Self.configuration(bytes, scratch)
            case .tokens: try Self.tokens(bytes, scratch)
            case .events: Self.events(bytes)
            }
        } catch {
            // Every refusal has a message.
            precondition(!"\(error)".isEmpty)
        }
    }

    private static func put(_ path: String, _ bytes: some Sequence<UInt8>) throws {
        // Not synced: a fuzzer writes thousands of these a second.
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }

    private static func safetensors(_ bytes: [UInt8], _ scratch: String) throws {
        let path = "\(scratch)/fuzz-\(getpid()).safetensors"
        try put(path, bytes)
        let file = try SafetensorsFile(path)
        for entry in file.entries.values {
            precondition(entry.offset >= 8 && entry.end <= bytes.count)
            guard let format = try? file.check(entry, shape: entry.shape) else { continue }
            var count = 0
            try file.forEachPiece(entry, format) { count += $1.count }
            precondition(count * format.size == entry.bytes)
        }
    }

    private static func events(_ bytes: [UInt8]) {
        var rest = bytes[...]
        var file: [UInt8] = []
        while let length = rest.popFirst() {
            file += EventFile.frame(Array(rest.prefix(Int(length))))
            rest = rest.dropFirst(Int(length))
        }
        guard let log = EventLog(file) else { return }
        precondition(log.length <= file.count)
        let scalar = EventFile.Scalar(tag: log.tags.first ?? "", step: 1, time: 0, value: 1)
        _ = log.continuation([scalar])
    }

    private static func tokenizer(_ bytes: [UInt8]) throws {
        try use(
            TokenizerFile(path: "fuzz", root: try JSONValue.read(bytes, file: "fuzz")).tokenizer())
    }

    private static func merges(_ bytes: [UInt8], _ scratch: String) throws {
        let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
        let stem = "\(scratch)/fuzz-\(getpid())"
        try put(stem + ".vocab.json", parts[0])
        try put(stem + ".merges.txt", parts.count > 1 ? parts[1] : [])
        try use(Tokenizer.load(vocabulary: stem + ".vocab.json", merges: stem + ".merges.txt"))
    }

    private static func use(_ tokenizer: Tokenizer) throws {
        let text = Array("The <|endoftext|> é\u{1F600} 12\n\n  x".utf8) + [0xff, 0x00]
        let ids = tokenizer.encode(text)
        precondition(ids.allSatisfy { $0 >= 0 && $0 < tokenizer.vocabularySize })
        _ = try tokenizer.decode(ids)
    }

    private final class Memory: ByteInput {
        private var rest: ArraySlice<UInt8>
        private let step: Int
        init(_ bytes: some Collection<UInt8>, step: Int) {
            (rest, self.step) = (Array(bytes)[...], step)
        }
        var consumed: Int { 0 }
        func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
            let piece = rest.prefix(min(step, buffer.count))
            buffer.copyBytes(from: piece)
            rest = rest.dropFirst(piece.count)
            return piece.count
        }
    }

    private func records(_ bytes: [UInt8]) throws {
        guard let first = bytes.first else { return }
        let fields: Fields =
            switch first & 3 {
            case 0: .standard
            case 1: .text(try Template("{a.b}{c[1]}{d[].e}{text}"))
            case 2: .chat(try Chat(field: "m"))
            default: .prompted(prompt: try Template("{a}"), response: try Template("{text}"))
            }
        let input = Memory(bytes.dropFirst(), step: first >> 4 == 0 ? 1 << 18 : Int(first >> 4))
        var options = RecordOptions(limit: 1 << 16)
        if first & 0x40 != 0 {
            options.condition = RecordCondition(["a": [.text("x"), .number(1)]])
        }
        let records: any RecordInput =
            switch self {
            case .lines: try LineRecords(input, file: "fuzz", fields: fields, options)
            case .array: try ArrayRecords(input, file: "fuzz", fields: fields, options)
            default:
                try SeparatedRecords(
                    SeparatedReader(
                        input, file: "fuzz", separator: first & 4 == 0 ? 0x2c : 9,
                        quotes: first & 8 == 0 ? .surround : .surroundPlain, limit: options.limit),
                    file: "fuzz", fields: fields, options.condition)
            }
        var count = 0
        while try records.advance() {
            // More records than bytes: a reader that does not move.
            count += 1
            precondition(count <= bytes.count + 1)
            _ = try? records.raw?.value()
            guard let document = try? records.document(stop: { false }) else { continue }
            precondition(document.text.withUnsafeBytes { UTF8Check.firstInvalid($0) } == nil)
            precondition(document.parts.reduce(0) { $0 + $1.bytes.count } == document.text.count)
            precondition(records.line ?? 1 >= 1)
        }
    }

    private static func packed(_ bytes: [UInt8], _ scratch: String) throws {
        guard let first = bytes.first else { return }
        let path = "\(scratch)/fuzz-\(getpid()).jsonl" + (first & 1 == 0 ? ".gz" : ".zst")
        try put(path, bytes.dropFirst())
        let records = try RecordFile.open(path, fields: .standard, RecordOptions(limit: 1 << 16))
        while try records.advance() {
            precondition(records.consumed <= bytes.count)
            _ = try? records.document(stop: { false })
        }
    }

    private static func configuration(_ bytes: [UInt8], _ scratch: String) throws {
        let path = "\(scratch)/fuzz-\(getpid()).config.json"
        try put(path, bytes)
        let shape = try HuggingFaceConfiguration(path).model()
        precondition(shape.parameterCount > 0)
        precondition(!shape.parameterShapes.isEmpty || shape.layers > 0)
    }

    private struct Ids: TokenText {
        let digest = DigestBuilder("fuzz").finish()
        let vocabularySize = 300
        let endOfText: Int32 = 0
        func decode(_ ids: some Collection<Int32>) throws -> [UInt8] {
            ids.map { UInt8(truncatingIfNeeded: $0) }
        }
    }

    private static func tokens(_ bytes: [UInt8], _ scratch: String) throws {
        guard let first = bytes.first else { return }
        let stem = "\(scratch)/fuzz-\(getpid())"
        let index = bytes.dropFirst().prefix(Int(first) * 8 + 2)
        try? FileManager.default.removeItem(atPath: stem + ".idx")
        if first > 0 { try put(stem + ".idx", index) }
        try put(stem + ".bin", bytes.dropFirst(1 + index.count))
        let records = try TokenRecords.open(
            stem + ".bin", tokens: Ids(), RecordOptions(limit: 1 << 16))
        var count = 0
        while try records.advance() {
            count += 1
            precondition(count <= bytes.count)
            let document = try records.document(stop: { false })
            precondition((document?.ids ?? []).allSatisfy { (0..<300).contains($0) })
        }
    }
}
