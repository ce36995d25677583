/// Rows of tokens and what follows each of them.
public struct TokenBatch: Sendable {
    /// Sequences.
    public var rows: Int
    /// Tokens of each sequence.
    public var columns: Int
    /// Token ids, shape `[rows, columns]`.
    public var inputs: [Int32]
    /// The id that follows each input, shape `[rows, columns]`; -1 where nothing is counted.
    public var targets: [Int32]
    /// How much each of its tokens counts in the loss, relative to other batches of the same step.
    public var weight = 1.0

    /// Creates a batch whose targets are all -1 and whose inputs are all `filler`.
    public init(rows: Int, columns: Int, filler: Int32) {
        self.rows = rows
        self.columns = columns
        inputs = Array(repeating: filler, count: rows * columns)
        targets = Array(repeating: -1, count: rows * columns)
    }

    /// Creates a batch from parts of `rows * columns` elements.
    public init(rows: Int, columns: Int, inputs: [Int32], targets: [Int32]) {
        self.rows = rows
        self.columns = columns
        self.inputs = inputs
        self.targets = targets
    }

    /// The number of targets that count.
    public var counted: Int { targets.count { $0 >= 0 } }
}
