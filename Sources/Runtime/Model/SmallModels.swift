/// Small models that every family has, for the prompt, tests and ablations across families.
enum SmallModels {
    /// Named by the size without embeddings, about.
    static let sizes: [(name: String, layers: Int, width: Int, heads: Int, context: Int)] = [
        ("micro-0.1m", 2, 64, 2, 128), ("micro-1m", 5, 128, 4, 256),
        ("micro-4m", 5, 256, 8, 512), ("micro-15m", 8, 384, 6, 1024),
        ("micro-60m", 12, 640, 10, 1024),
    ]
}
