import Foundation
import Runtime
import Testing

@Suite("Pretrained models") struct PretrainedTests {
    static let names = ["parallel", "sequential", "sharded", "no-biases"]

    private struct Expected: Decodable {
        let ids: [Int32]
        let logits: [Float]
    }

    static func folder(_ name: String) -> String {
        ReferenceCase.folder.appendingPathComponent("huggingface/\(name)").path
    }

    /// A copy of a reference folder to be changed.
    private static func copy(_ name: String, _ scratch: Scratch, as target: String = "model") throws
        -> String
    {
        let path = "\(scratch.path)/\(target)"
        try FileManager.default.copyItem(atPath: folder(name), toPath: path)
        return path
    }

    private static func bits(_ model: any LanguageModel) -> [UInt32] {
        model.parameters.values.map(\.bitPattern)
    }

    private static func alphabetTokenizer(_ scratch: Scratch) throws -> Tokenizer {
        let text = try scratch.lines("text.jsonl", ["a short text to train on, again and again"])
        return try Tokenizer.train(
            on: [try scratch.corpus(text)], vocabularySize: 260, maximumBytes: nil)
    }

    @Test("folders that transformers wrote give its logits", arguments: names)
    func logits(name: String) throws {
        let pretrained = try PretrainedModel(Self.folder(name))
        let model = try pretrained.model(pretrained.configuration)
        let text = try Data(contentsOf: URL(fileURLWithPath: Self.folder(name) + "/logits.json"))
        let expected = try JSONDecoder().decode(Expected.self, from: text)
        let found = try model.logits(expected.ids, rows: 1)
        let difference = largestDifference(try found.values(), expected.logits)
        print("pretrained \(name): max diff \(difference)")
        #expect(difference < 1e-5)
    }

    @Test("an export is the same model, and its digest does not depend on storage or shards")
    func export() throws {
        let scratch = try Scratch()
        let tokenizer = try Self.alphabetTokenizer(scratch)
        for name in Self.names {
            let pretrained = try PretrainedModel(Self.folder(name))
            let model = try pretrained.model(pretrained.configuration)
            for storage in StorageFormat.allCases {
                let folder = "\(scratch.path)/\(name)-\(storage.rawValue)"
                // Twice: an earlier export is replaced.
                for _ in 0..<2 {
                    try ModelExport.write(
                        folder, model.configuration, model.parameters, tokenizer, storage: storage)
                }
                let again = try PretrainedModel(folder)
                #expect(
                    RecordedModel(again.configuration) == RecordedModel(pretrained.configuration))
                #expect(try again.tokenizer().digest == tokenizer.digest)
                // The sequential one is stored as float16, the others as what both halves hold.
                let exact = storage != .bfloat16 || name != "sequential"
                #expect((again.digest == pretrained.digest) == exact)
                if exact {
                    let other = try again.model(again.configuration)
                    #expect(Self.bits(other) == Self.bits(model))
                }
            }
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: scratch.path)
        #expect(!names.contains { $0.hasSuffix(".tmp") || $0.hasSuffix(".old") })
    }

    @Test("an export in shards is the same model; a later one in one file leaves none of them")
    func shards() throws {
        let scratch = try Scratch()
        let tokenizer = try Self.alphabetTokenizer(scratch)
        let pretrained = try PretrainedModel(Self.folder("parallel"))
        let model = try pretrained.model(pretrained.configuration)
        let folder = scratch.path + "/model"
        func write(_ most: Int?) throws -> [String] {
            try ModelExport.write(
                folder, model.configuration, model.parameters, tokenizer, shardBytes: most)
            #expect(try PretrainedModel(folder).digest == pretrained.digest)
            return try FileManager.default.contentsOfDirectory(atPath: folder).filter {
                $0.contains("safetensors")
            }.sorted()
        }
        let one = ["model.safetensors"]
        #expect(try write(nil) == one)
        let most = model.parameters.count * 4 / 3
        let many = try write(most)
        let total = many.count - 1
        #expect(total > 2 && total < model.parameters.ranges.count)
        #expect(
            many[0].hasPrefix("model-00001-of-000") && many.last == "model.safetensors.index.json")
        for name in many.dropLast() {
            let entries = try SafetensorsFile("\(folder)/\(name)").entries.values
            #expect(entries.count == 1 || entries.reduce(0) { $0 + $1.bytes } <= most)
        }
        #expect(try write(1).count == model.parameters.ranges.count + 1)
        #expect(try write(1 << 40) == one)
        #expect(try ModelShards.bytes("500MB") == 500_000_000)
        #expect(try ModelShards.bytes("1.5KB") == 1500)
        for bad in ["", "MB", "0MB", "-1GB", "5", "nanMB", "1e300TB", "5mb"] {
            #expect(message { _ = try ModelShards.bytes(bad) }.contains("got \"\(bad)\""))
        }
    }

    @Test("weights that are not finite numbers are refused with file, tensor and place")
    func finite() throws {
        let scratch = try Scratch()
        let path = try Self.copy("parallel", scratch)
        let file = path + "/model.safetensors"
        let entry = try #require(try SafetensorsFile(file).entries["embed_out.weight"])
        let good = try FileReader.bytes(file)
        for (value, name) in [(Float.nan, "nan"), (-.infinity, "-inf")] {
            var bytes = good
            // Row 2, column 3, in bfloat16.
            let place = entry.offset + 2 * (2 * entry.shape[1] + 3)
            withUnsafeBytes(of: StorageFormat.bfloat16(value).littleEndian) {
                bytes.replaceSubrange(place..<place + 2, with: $0)
            }
            try scratch.write("model/model.safetensors", bytes: bytes)
            let error = message { _ = try PretrainedModel(path) }
            #expect(
                error.hasPrefix(file)
                    && error.contains(
                        "tensor embed_out.weight is \(name) at [2, 3], counted from 0"),
                "\(error)")
        }
    }

    @Test("an export does not replace other files")
    func foreign() throws {
        let scratch = try Scratch()
        let tokenizer = try Self.alphabetTokenizer(scratch)
        let pretrained = try PretrainedModel(Self.folder("parallel"))
        let model = try pretrained.model(pretrained.configuration)
        try scratch.write("full/notes.txt", "mine")
        for (folder, reason) in [("full", "it holds notes.txt"), ("full/notes.txt", "in the way")] {
            #expect {
                try ModelExport.write(
                    "\(scratch.path)/\(folder)", model.configuration, model.parameters, tokenizer)
            } throws: { "\($0)".contains(reason) }
        }
        #expect(try FileReader.text(scratch.path + "/full/notes.txt") == "mine")
    }

    @Test(
        "a field that is not supported is an error with the field, its value and what is expected")
    func configuration() throws {
        let changes: [(from: String, to: String, reason: String)] = [
            ("\"gpt_neox\"", "\"mamba\"", "model_type: expected \"gpt_neox\" or \"llama\""),
            ("\"gelu_new\"", "\"relu\"", "hidden_act: expected \"gelu\", \"gelu_new\""),
            ("\"gelu_new\"", "7", "found 7"),
            ("\"default\"", "\"yarn\"", "rope_parameters.rope_type: expected \"default\", found"),
            (
                "\"attention_bias\": true", "\"attention_bias\": false",
                "attention.dense.bias is not a parameter of the model"
            ),
            (
                "\"attention_bias\": true", "\"attention_bias\": \"no\"",
                "attention_bias: expected true or false, found \"no\""
            ),
            ("\"hidden_size\": 16", "\"hidden_size\": 17", "heads: expected a divisor"),
            (
                "\"hidden_size\": 16", "\"hidden_size\": \"16\"",
                "hidden_size: expected a whole number"
            ),
            ("\"hidden_size\": 16", "\"hidden_sice\": 16", "hidden_size: expected a whole number"),
            (
                "\"hidden_size\": 16", "\"hidden_size\": 16, \"hidden_size\": 16",
                "the key \"hidden_size\" appears twice"
            ),
            (
                "\"hidden_size\": 16", "\"hidden_size\": 1e9",
                "width: expected a whole number from 1"
            ),
            ("\"vocab_size\": 31", "\"vocab_size\": -1", "vocabulary: expected a whole number"),
            (
                "\"vocab_size\": 31", "\"vocab_size\": 16777216",
                "expected F32, F16 or BF16 [16777216"
            ),
            ("\"layer_norm_eps\": 1e-05", "\"layer_norm_eps\": 0", "norm_epsilon: expected"),
            ("\"layer_norm_eps\": 1e-05", "\"layer_norm_eps\": null, \"x\": [", "config.json:"),
            (
                "\"tie_word_embeddings\": true", "\"tie_word_embeddings\": 1",
                "expected true or false"
            ),
            (
                "\"num_hidden_layers\": 1", "\"num_hidden_layers\": 2",
                "layers.1.input_layernorm.weight is missing"
            ),
            (
                "\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false",
                "embed_out.weight is missing"
            ),
            (
                "\"intermediate_size\": 24", "\"intermediate_size\": 25",
                "dense_h_to_4h.weight is F16 [24, 16], expected"
            ),
        ]
        for change in changes {
            let scratch = try Scratch()
            let path = try Self.copy("sequential", scratch)
            let text = try FileReader.text(path + "/config.json")
            #expect(text.contains(change.from))
            try scratch.write(
                "model/config.json", text.replacingOccurrences(of: change.from, with: change.to))
            #expect("\(change.reason)") {
                _ = try PretrainedModel(path)
            } throws: { error in
                let fits = "\(error)".contains(change.reason) && "\(error)".contains(path)
                if !fits { Issue.record("\(change.reason): \(error)") }
                return fits
            }
        }
    }

    @Test("a folder without weights, an index that lies, a strange tensor are errors")
    func files() throws {
        let scratch = try Scratch()
        func expect(_ path: String, _ reason: String) {
            #expect("\(reason)") {
                _ = try PretrainedModel(path)
            } throws: { error in
                let fits = "\(error)".contains(reason) && "\(error)".contains(path)
                if !fits { Issue.record("\(reason): \(error)") }
                return fits
            }
        }
        let empty = try Self.copy("parallel", scratch, as: "empty")
        try FileManager.default.removeItem(atPath: empty + "/model.safetensors")
        expect(empty, "expected model.safetensors or model.safetensors.index.json, found neither")
        try scratch.write("empty/pytorch_model.bin", "x")
        expect(empty, "only pytorch_model.bin, which may hold code and is not read")
        let sharded = try Self.copy("sharded", scratch, as: "sharded")
        let index = try FileReader.text(sharded + "/model.safetensors.index.json")
        for (from, to, reason) in [
            ("model-00002-of-00002", "../x", "expected the name of a file in the folder"),
            ("model-00002-of-00002", "model-00003-of-00002", "cannot open"),
            (
                "\"embed_out.weight\": \"model-00002", "\"embed_out.weight\": \"model-00001",
                "tensor embed_out.weight is missing"
            ),
            ("weight_map", "weights", "expected an object \"weight_map\""),
        ] {
            try scratch.write(
                "sharded/model.safetensors.index.json",
                index.replacingOccurrences(of: from, with: to))
            expect(sharded, reason)
        }
        let odd = try Self.copy("parallel", scratch, as: "odd")
        let config = try FileReader.text(odd + "/config.json")
        try scratch.write(
            "odd/config.json",
            config.replacingOccurrences(
                of: "\"tie_word_embeddings\": false", with: "\"tie_word_embeddings\": true"))
        _ = try PretrainedModel(odd)  // the head of a tied model may be stored
        let bytes = try FileReader.bytes(odd + "/model.safetensors")
        let header = String(decoding: bytes, as: UTF8.self)
        #expect(header.contains("gpt_neox.layers.0.attention.masked_bias"))
        let changed = bytes.indices.first {
            bytes[$0...].starts(with: Array("masked_bias".utf8))
        }
        var other = bytes
        other[try #require(changed)] = UInt8(ascii: "b")
        try scratch.write("odd/model.safetensors", bytes: other)
        expect(odd, "tensor gpt_neox.layers.0.attention.basked_bias is not a parameter")
    }

    @Test("files that are not regular files, or longer than any of their kind, are not read")
    func strangeFiles() throws {
        let scratch = try Scratch()
        func expect(_ reason: String, _ path: String, _ body: () throws -> Void) {
            let error = message(body)
            #expect(error.contains(reason) && error.contains(path), "\(reason): \(error)")
        }
        let path = try Self.copy("sharded", scratch)
        func sparse(_ name: String, _ size: Int) throws -> String {
            let file = try scratch.write(name, "")
            #expect(truncate(file, size) == 0)
            return file
        }
        for (name, limit) in [
            ("model/model.safetensors.index.json", 1 << 24), ("model/config.json", 1 << 20),
        ] {
            let file = try sparse(name, limit + 1)
            expect("it has \(limit + 1) bytes; expected at most \(limit)", file) {
                _ = try PretrainedModel(path)
            }
        }
        let file = try sparse("tokenizer.json", (1 << 27) + 1)
        expect("expected at most 134217728", file) { _ = try Tokenizer.load(file) }
        try FileManager.default.removeItem(atPath: path + "/config.json")
        #expect(mkfifo(path + "/config.json", 0o600) == 0)
        expect("it is not a regular file", path + "/config.json") { _ = try PretrainedModel(path) }
        #expect(mkfifo(scratch.path + "/a.idx", 0o600) == 0)
        try scratch.write("a.bin", "")
        expect("it is not a regular file", scratch.path + "/a.idx") {
            _ = try RandomAccessFile(scratch.path + "/a.idx")
        }
    }

    @Test("weights that changed since they were opened are not used")
    func changed() throws {
        let scratch = try Scratch()
        let path = try Self.copy("parallel", scratch)
        let pretrained = try PretrainedModel(path)
        var bytes = try FileReader.bytes(path + "/model.safetensors")
        let head = try #require(
            SafetensorsFile(path + "/model.safetensors").entries["embed_out.weight"])
        bytes[head.end - 1] ^= 1
        try scratch.write("model/model.safetensors", bytes: bytes)
        #expect { _ = try pretrained.model(pretrained.configuration) } throws: {
            "\($0)".contains("the weights have changed since they were opened")
        }
    }
}
