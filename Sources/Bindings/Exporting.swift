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
                    "storage", ["float32", "bfloat16"],
                    "How weights are stored; bfloat16 halves the file and rounds every weight."
                ).or("float32")
            ]).optional,
        ]
    }

    static func storage(_ call: Call) throws -> StorageFormat {
        StorageFormat(rawValue: try call.options().string("storage")) ?? .float32
    }
}
