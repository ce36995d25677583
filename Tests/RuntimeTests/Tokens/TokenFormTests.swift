import Foundation
import Runtime
import Testing

/// Ids without a vocabulary's text.
private struct Numbers: TokenText {
    let digest = DigestBuilder("numbers").finish()
    let vocabularySize: Int
    let endOfText: Int32
    func decode(_ ids: some Collection<Int32>) throws -> [UInt8] {
        Array(ids.map { "\($0) " }.joined().utf8)
    }
}

@Suite("Forms of token files") struct TokenFormTests {
    private let scratch: Scratch
    private let documents = (1...41).map { number in (0..<50).map { 1000 + $0 * 7 + number } }

    init() throws { scratch = try Scratch() }

    private func bytes(_ numbers: some Sequence<Int>, _ width: Int) -> [UInt8] {
        numbers.flatMap { number in
            (0..<width).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        }
    }

    private var ids: [Int] { documents.flatMap { $0 + [0] } }

    /// How many documents a file has, or why it is refused.
    private func read(
        _ content: [UInt8], vocabulary: Int = 50_304, end: Int32 = 0, bits: Int? = nil
    ) throws -> String {
        let file = try scratch.write("a.bin", bytes: content)
        var specification = CorpusSpecification(name: "x", files: [file])
        (specification.validFraction, specification.testFraction) = (0, 0)
        specification.tokenBits = bits
        do {
            let corpus = try Corpus(
                specification, tokens: Numbers(vocabularySize: vocabulary, endOfText: end))
            let texts = try corpus.texts()
            let expected = documents.map { $0.map { "\($0) " }.joined() }
            return "\(texts.count)" + (texts == expected ? "" : " others")
        } catch { return "\(error)" }
    }

    @Test("the width of an id is told or asked for")
    func widths() throws {
        #expect(try read(bytes(ids, 2)) == "41")
        #expect(try read(bytes(ids, 2), bits: 16) == "41")
        #expect(try read(bytes(ids, 4)).contains("say token_bits = 32"))
        #expect(try read(bytes(ids, 4), bits: 32) == "41")
        #expect(try read(bytes(ids, 8)).contains("look like 64 bits"))
        #expect(try read(bytes(ids, 4), vocabulary: 128_256).contains("say token_bits = 32"))
        let large = ids.map { $0 == 0 ? 128_001 : $0 + 100_000 }
        #expect(
            try read(bytes(large, 4), vocabulary: 128_256, end: 128_001).contains(
                "say token_bits = 32"))
        #expect(
            try read(bytes(ids, 2), bits: 32).contains(
                "of another tokenizer, or its ids have another width"))
        #expect(try read(bytes(ids, 4) + [1], bits: 32).contains("expected 32 bits for each token"))
        #expect(try read(bytes(ids, 2) + [1]).contains("expected 16 bits for each token"))
        #expect(try read(bytes(ids, 2), bits: 8).contains("16 or 32"))
        #expect(try read(bytes(ids, 2), vocabulary: 1200).contains("expected an id below 1200"))
    }

    @Test("llm.c's files are read by their header")
    func llmc() throws {
        func file(_ magic: Int, _ width: Int, count: Int, version: Int = 1) -> [UInt8] {
            bytes([magic, version, count] + [Int](repeating: 0, count: 253), 4)
                + bytes([0] + ids.dropLast(), width)
        }
        #expect(try read(file(20_240_520, 2, count: ids.count)) == "41")
        #expect(try read(file(20_240_801, 4, count: ids.count)) == "41")
        #expect(try read(file(20_240_520, 2, count: 7)).contains("its header promises 7"))
        #expect(try read(file(20_240_520, 2, count: ids.count, version: 2)).contains("version 1"))
        #expect(try read(Array(file(20_240_520, 2, count: 1)[..<100])).contains("no header"))
    }

    @Test("files of other programs are refused by their name")
    func others() throws {
        let plain = bytes(ids, 2)
        let starts: [(String, [UInt8])] = [
            ("NumPy", [0x93] + Array("NUMPY".utf8) + [1, 0, 0x76, 0]),
            ("litgpt", Array("LITPKDS".utf8) + bytes([1, 0, 8], 4)),
            ("index of one of Megatron's", MegatronRecords.magic),
            ("pickle", [0x80, 4, 0x95, 9, 1, 0, 0, 0, 0, 0, 0]),
            ("ZIP", Array("PK".utf8) + [3, 4]), ("gzip", [0x1f, 0x8b, 8, 0]),
            ("HTML", Array("<!DOCTYPE html><html>".utf8)),
            ("GGUF", Array("GGUF".utf8)),
            ("ZIP", Array("PK".utf8) + [5, 6, 0, 0]),
            ("SentencePiece", [0x0a, 0x0e, 0x0a, 0x05] + Array("<unk>".utf8)),
            ("TFRecord", bytes([24], 8) + [0xa3, 0x7f, 0x4b, 0x22]),
            (
                "MosaicML",
                bytes([2, 60, 70, 80], 4) + Array(#"{"column_encodings": ["str"]}"#.utf8)
            ),
        ]
        for (name, start) in starts {
            let error = try read(start + plain)
            #expect(error.contains(name), "\(name): \(error)")
        }
        let text = Array(String(repeating: "plain words ", count: 20).utf16)
        for order in [text.map(\.littleEndian), text.map(\.bigEndian)] {
            let content = order.withUnsafeBytes { Array($0) }
            #expect(try read(content).contains("it is text in UTF-16"))
            // Ids of single characters are as small.
            #expect(try !read(content, vocabulary: 256).contains("UTF-16"))
            #expect(try !read(content, bits: 16).contains("UTF-16"))
        }
        let items = 3
        let first = 4 * (items + 2)
        let chunk =
            bytes([items, first, first + 8, first + 16, first + 24], 4)
            + [UInt8](repeating: 7, count: 24)
        #expect(try read(chunk).contains("litdata"))
        #expect(
            try read(Array(String(repeating: "plain words ", count: 20).utf8)).contains(
                "it is text"))
        #expect(
            try read(
                Array("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n".utf8)
            )
            .contains("git lfs pull"))
    }

    @Test("a file without any end-of-text is said to be one document")
    func noEnds() throws {
        let file = try scratch.write("n.bin", bytes: bytes(ids.filter { $0 != 0 }, 2))
        var specification = CorpusSpecification(name: "x", files: [file])
        (specification.validFraction, specification.testFraction) = (0, 0)
        let corpus = try Corpus(
            specification, tokens: Numbers(vocabularySize: 50_304, endOfText: 0))
        var notices: [String] = []
        let summary = try corpus.summary(progress: { progress in
            if let notice = progress.notice { notices.append(notice) }
        })
        #expect(summary[.train].documents == 1)
        #expect(notices.count == 1 && notices[0].contains("so it is one document"))
    }
}
