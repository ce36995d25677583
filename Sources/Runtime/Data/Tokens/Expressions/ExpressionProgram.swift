/// A regular expression as instructions for `ExpressionMatcher`.
struct ExpressionProgram {
    enum Operation: UInt8 {
        /// A character of `set`.
        case set
        /// The byte `x`.
        case byte
        /// `x` to `y` characters of `set` (no bound if `y` is negative), as many as possible, fewer if the rest fails.
        case run
        /// The same, never fewer.
        case possessiveRun
        /// First `x`, then `y`.
        case split
        case jump
        /// What follows up to `accept`, without a way back into it; then `x`.
        case atomic
        /// What follows up to `accept` must match here, or not (`y` is 1); then `x`.
        case ahead
        /// The same for the `count` characters before.
        case behind
        /// The assertion `x`.
        case assertion
        case accept
    }

    struct Instruction {
        var operation: Operation
        var set: Int32 = 0
        var x: Int32 = 0
        var y: Int32 = 0
    }

    private static let longest = 100_000

    private(set) var instructions: [Instruction] = []
    private(set) var sets: [CodePointSet] = []
    /// Where the alternatives of the whole begin that can match before each byte, and (last) at the end of the text.
    private(set) var starts: [[Int32]]

    /// - Throws: `ExpressionError` for what is not supported.
    init(_ node: ExpressionNode) throws {
        starts = Array(repeating: [], count: 257)
        var branches = [node]
        if case .choice(let all) = node { branches = all }
        for branch in branches {
            let start = Int32(instructions.count)
            try append(branch)
            add(.accept)
            let first = Self.first(branch)
            for byte in 0..<256 where first.bytes[byte] || first.isNullable {
                starts[byte].append(start)
            }
            if first.isNullable { starts[256].append(start) }
        }
    }

    private mutating func add(
        _ operation: Operation, set: Int32 = 0, x: Int32 = 0, y: Int32 = 0
    ) {
        instructions.append(Instruction(operation: operation, set: set, x: x, y: y))
    }

    private var end: Int32 { Int32(instructions.count) }

    private mutating func index(_ set: CodePointSet) -> Int32 {
        if let known = sets.firstIndex(of: set) { return Int32(known) }
        sets.append(set)
        return Int32(sets.count - 1)
    }

    private mutating func append(_ node: ExpressionNode) throws {
        guard instructions.count < Self.longest else {
            throw ExpressionError(reason: "it is too long with its repetitions written out")
        }
        switch node {
        case .set(let set): add(.set, set: index(set))
        case .literal(let bytes): for byte in bytes { add(.byte, x: Int32(byte)) }
        case .sequence(let parts): for part in parts { try append(part) }
        case .choice(let branches): try append(choice: branches[...])
        case .assertion(let assertion): add(.assertion, x: assertion.rawValue)
        case .atomic(let inner): try append(inner, within: .atomic)
        case .look(let inner, false, let negative):
            try append(inner, within: .ahead, y: negative ? 1 : 0)
        case .look(let inner, true, let negative): try append(behind: inner, negative)
        case .repeated(let inner, let least, let most, let greed):
            try append(repeated: inner, least, most, greed)
        }
    }

    private mutating func append(choice branches: ArraySlice<ExpressionNode>) throws {
        guard let first = branches.first else { return }
        guard branches.count > 1 else { return try append(first) }
        let split = instructions.count
        add(.split, x: end + 1)
        try append(first)
        let jump = instructions.count
        add(.jump)
        instructions[split].y = end
        try append(choice: branches.dropFirst())
        instructions[jump].x = end
    }

    private mutating func append(
        _ inner: ExpressionNode, within operation: Operation, set: Int32 = 0, y: Int32 = 0
    ) throws {
        let start = instructions.count
        add(operation, set: set, y: y)
        try append(inner)
        add(.accept)
        instructions[start].x = end
    }

    /// Every alternative has one length in characters, by which the matcher steps back.
    private mutating func append(behind inner: ExpressionNode, _ negative: Bool) throws {
        var branches = [inner]
        if case .choice(let all) = inner { branches = all }
        let lengths = branches.map(Self.length)
        guard lengths.allSatisfy({ $0 != nil && $0 == lengths[0] }), let length = lengths[0] else {
            throw ExpressionError(
                reason: "what stands before a place ((?<=…) or (?<!…)) must have one length")
        }
        try append(inner, within: .behind, set: Int32(length), y: negative ? 1 : 0)
    }

    private mutating func append(
        repeated inner: ExpressionNode, _ least: Int, _ most: Int?, _ greed: ExpressionNode.Greed
    ) throws {
        if case .set(let set) = inner, greed != .lazy {
            return add(
                greed == .greedy ? .run : .possessiveRun, set: index(set), x: Int32(least),
                y: Int32(most ?? -1))
        }
        if case .literal(let bytes) = inner, greed != .lazy, bytes.count == 1 {
            let set = CodePointSet([UInt32(bytes[0])])
            return try append(repeated: .set(set), least, most, greed)
        }
        if greed == .possessive {
            return try append(.repeated(inner, min: least, max: most, .greedy), within: .atomic)
        }
        if Self.first(inner).isNullable, most == nil {
            throw ExpressionError(reason: "a repetition of what may be empty is not supported")
        }
        for _ in 0..<least { try append(inner) }
        /// A way into the repetition and one around it, of which a lazy one tries the latter first.
        func fork() -> Int {
            let split = instructions.count
            add(.split, x: end + 1)
            return split
        }
        func close(_ split: Int) {
            instructions[split].y = end
            if greed == .lazy {
                let inside = instructions[split].x
                instructions[split].x = instructions[split].y
                instructions[split].y = inside
            }
        }
        guard let most else {
            let split = fork()
            try append(inner)
            add(.jump, x: Int32(split))
            return close(split)
        }
        var splits: [Int] = []
        for _ in least..<most {
            splits.append(fork())
            try append(inner)
        }
        for split in splits { close(split) }
    }

    /// The length in characters, if it has only one.
    private static func length(_ node: ExpressionNode) -> Int? {
        switch node {
        case .set: return 1
        case .literal(let bytes): return bytes.count { $0 & 0xc0 != 0x80 }
        case .sequence(let parts):
            let lengths = parts.compactMap(length)
            return lengths.count == parts.count ? lengths.reduce(0, +) : nil
        case .choice(let branches):
            let lengths = branches.map(length)
            return lengths.allSatisfy { $0 == lengths[0] } ? lengths[0] : nil
        case .repeated(let inner, let least, let most, _):
            return least == most ? length(inner).map { $0 * least } : nil
        case .atomic(let inner): return length(inner)
        case .look, .assertion: return 0
        }
    }

    /// The bytes with which a match begins, and whether it can be empty.
    private static func first(_ node: ExpressionNode) -> (bytes: [Bool], isNullable: Bool) {
        let none = [Bool](repeating: false, count: 256)
        func union(_ one: [Bool], _ two: [Bool]) -> [Bool] { zip(one, two).map { $0 || $1 } }
        switch node {
        case .set(let set): return (set.firstBytes, false)
        case .literal(let bytes):
            guard let byte = bytes.first else { return (none, true) }
            var flags = none
            flags[Int(byte)] = true
            return (flags, false)
        case .sequence(let parts):
            var flags = none
            for part in parts {
                let next = first(part)
                flags = union(flags, next.bytes)
                if !next.isNullable { return (flags, false) }
            }
            return (flags, true)
        case .choice(let branches):
            let all = branches.map(first)
            return (
                all.reduce(none) { union($0, $1.bytes) }, all.contains(where: \.isNullable)
            )
        case .repeated(let inner, let least, let most, _):
            let inner = first(inner)
            return (most == 0 ? none : inner.bytes, inner.isNullable || least == 0)
        case .atomic(let inner): return first(inner)
        case .look, .assertion: return (none, true)
        }
    }
}
