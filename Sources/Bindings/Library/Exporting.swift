import Runtime

extension Library {
    static var exportHelp: String {
        "Writes the weights and the tokenizer as a folder that Hugging Face's transformers loads; an earlier export there is replaced."
    }

    static var exportParameters: [Parameter] {
        [
            .path("folder", "Where to."),
            .options([
                .choice(
                    "storage", StorageFormat.allCases.map(\.rawValue),
                    "How weights are stored; float16 and bfloat16 halve the file and round every weight. A weight beyond float16's 65504 is an error."
                ).or("float32"),
                .string(
                    "max_shard_size",
                    "The most that a file of weights holds, such as \"500MB\" or \"2GB\" (powers of 1000, as of transformers); more become model-00001-of-0000N.safetensors with an index. Default: one file."
                ).optional,
            ]).optional,
        ]
    }

    static func exportOptions(_ call: Call) throws -> (storage: StorageFormat, shardBytes: Int?) {
        let options = try call.options()
        return (
            StorageFormat(rawValue: try options.string("storage")) ?? .float32,
            try options.string(ifPresent: "max_shard_size").map(ModelShards.bytes)
        )
    }
}
