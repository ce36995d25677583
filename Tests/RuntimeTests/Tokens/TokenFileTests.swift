import Foundation
import Runtime
import Testing

@Suite("Files of tokens") struct TokenFileTests {
    private let scratch: Scratch
    private let tokenizer: Tokenizer
    private let corpus: Corpus

    init() throws {
        scratch = try Scratch()
        var specification = CorpusSpecification(name: "prose", embedded: "prose")
        specification.bytes = 30_000
        corpus = try Corpus(specification)
        tokenizer = try Tokenizer.train(on: [corpus], vocabularySize: 300)
    }

    private func store(_ corpus: Corpus) throws -> TokenStore {
        try TokenStore.open(
            corpus: corpus, split: .train, tokenizer: tokenizer, folder: scratch.path + "/store")
    }

    private func read(_ path: String) throws -> Corpus {
        var specification = CorpusSpecification(name: "read", files: [path])
        (specification.validFraction, specification.testFraction) = (0, 0)
        return try Corpus(specification, tokens: tokenizer)
    }

    private func ids(_ store: TokenStore) throws -> [Int32] { try store.ids(0..<store.count) }

    @Test(
        "what is written is read back as the same ids and documents",
        arguments: TokenStore.FileFormat.allCases)
    func roundTrip(format: TokenStore.FileFormat) throws {
        let original = try store(corpus)
        let path = scratch.path + "/\(format.rawValue).bin"
        try original.write(path, format: format)
        let bytes = try FileReader.bytes(path)
        #expect(bytes.count == original.count * 2)
        let again = try store(try read(path))
        #expect(try ids(again) == ids(original))
        #expect(again.documents == original.documents && again.textBytes == original.textBytes)
        #expect(again.digest != original.digest)
        // Another tokenizer gets the text.
        let other = try Tokenizer.train(on: [corpus], vocabularySize: 280)
        let recoded = try TokenStore.open(
            corpus: try read(path), split: .train, tokenizer: other, folder: scratch.path + "/store"
        )
        #expect(recoded.textBytes == original.textBytes && recoded.count > original.count)
    }

    @Test("ids stay as they are, even where encoding their text gives others")
    func exact() throws {
        // Two bytes apart, which encoding joins.
        let pair = try #require((0..<Int32(300)).first { tokenizer.byteCount($0) == 2 })
        let text = try tokenizer.decode([pair])
        let apart = text.map { tokenizer.encode([$0])[0] }
        #expect(tokenizer.encode(text) == [pair])
        var bytes: [UInt8] = []
        for id in apart + [tokenizer.endOfText] + apart.reversed() {
            bytes += [UInt8(id & 255), UInt8(id >> 8)]
        }
        let path = try scratch.write("a.bin", bytes: bytes)
        let store = try store(try read(path))
        #expect(
            try ids(store) == apart + [tokenizer.endOfText] + apart.reversed() + [
                tokenizer.endOfText
            ])
        #expect(
            try read(path).texts()
                == [text, text.reversed()].map {
                    String(decoding: $0, as: UTF8.self)
                })
    }

    @Test("a bad file is an error that says where")
    func errors() throws {
        let long = try scratch.write("a.bin", bytes: [5, 0, 44, 1])
        #expect(
            message { _ = try read(long).texts() }
                .hasPrefix(
                    "\(long): token 1 is 300; expected an id below 300, the tokenizer's vocabulary")
        )
        let odd = try scratch.write("b.bin", bytes: [5, 0, 5])
        #expect(message { _ = try read(odd).texts() }.contains("it ends within token 1"))
        #expect(
            message { _ = try scratch.corpus(long) }.contains("with the tokenizer that made it"))
        #expect(
            message { try store(corpus).write(scratch.path + "/x.tokens", format: .nanogpt) }
                .contains("ends in .bin"))
    }

    @Test("an index of Megatron's that lies is an error")
    func index() throws {
        let path = scratch.path + "/m.bin"
        try store(corpus).write(path, format: .megatron)
        let good = try FileReader.bytes(scratch.path + "/m.idx")
        let sequences = Int(good[18]) | Int(good[19]) << 8
        func damaged(_ change: (inout [UInt8]) -> Void) throws -> String {
            var bytes = good
            change(&bytes)
            try scratch.write("m.idx", bytes: bytes)
            return message { _ = try read(path).texts() }
        }
        #expect(try damaged { _ in } == "no error")
        #expect(try damaged { $0[0] = 0 }.contains("does not begin with MMIDIDX"))
        #expect(try damaged { $0[9] = 2 }.contains("its version is 2"))
        #expect(try damaged { $0[17] = 6 }.contains("type 6"))
        #expect(try damaged { $0[24] = 255 }.contains("more than its"))
        #expect(try damaged { $0[18] &+= 1 }.contains("its header asks for"))
        #expect(try damaged { $0.removeLast(20) }.contains("its header asks for"))
        #expect(try damaged { $0[36] = 127 }.contains("sequence 0 lies at byte 0"))
        #expect(try damaged { $0[37] = 255 }.contains("sequence 0 lies at byte 0"))
        let places = 34 + sequences * 4
        #expect(try damaged { $0[places + 7] = 127 }.contains("sequence 0 lies at"))
        #expect(try damaged { $0[places + 7] = 255 }.contains("sequence 0 lies at"))
        let documents = places + sequences * 8
        #expect(try damaged { $0[documents] = 1 }.contains("document 0 is made of"))
        #expect(try damaged { $0[documents + 8 + 7] = 127 }.contains("document 0 is made of"))
        #expect(try damaged { $0[good.count - 8] &-= 1 }.contains("expected the last"))
        // A smaller type of id does not reach the end of the data: other ids, no crash.
        #expect(try damaged { $0[17] = 1 }.contains("tokens of 1 bytes: expected"))
        #expect(try damaged { $0[17] = 5 }.contains("lies at byte"))
        // An index of another .bin, longer or shorter.
        let bytes = try FileReader.bytes(path)
        for other in [bytes + [0, 0], Array(bytes.dropLast(2))] {
            try scratch.write("m.bin", bytes: other)
            let error = try damaged { _ in }
            #expect(
                error.contains("expected \(bytes.count) bytes in \(path), found \(other.count)")
                    || error.contains("\(path) has \(other.count) bytes"), "\(error)")
        }
    }

    @Test("nanoGPT's form is not written beside an index of Megatron's")
    func stale() throws {
        let path = scratch.path + "/st.bin"
        let store = try store(corpus)
        try store.write(path, format: .megatron)
        try store.write(path, format: .megatron)
        let error = message { try store.write(path, format: .nanogpt) }
        #expect(error.contains("\(scratch.path)/st.idx is beside it"), "\(error)")
        try FileManager.default.removeItem(atPath: scratch.path + "/st.idx")
        try store.write(path, format: .nanogpt)
        #expect(try ids(self.store(try read(path))) == ids(store))
    }
}
