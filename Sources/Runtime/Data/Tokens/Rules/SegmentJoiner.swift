/// Puts matches and what lies between them together to pieces, as a behaviour says.
struct SegmentJoiner {
    private let behavior: PreTokenizer.Behavior
    private var pending: (start: Int, end: Int)?
    private var wasMatch = false

    init(_ behavior: PreTokenizer.Behavior) { self.behavior = behavior }

    /// Takes the next segment of the text; segments follow each other without a gap.
    @inline(__always)
    mutating func add(
        _ start: Int, _ end: Int, isMatch: Bool, _ body: (Int, Int) throws -> Void
    ) rethrows {
        defer { wasMatch = isMatch }
        let joins: Bool
        switch behavior {
        case .isolated: return try emit(start, end, body)
        case .removed: return isMatch ? () : try emit(start, end, body)
        case .contiguous: joins = isMatch == wasMatch
        case .mergedWithPrevious: joins = isMatch && !wasMatch
        case .mergedWithNext: joins = wasMatch && !isMatch
        }
        if joins, let before = pending {
            pending = (before.start, end)
        } else {
            try finish(body)
            pending = (start, end)
        }
    }

    @inline(__always)
    private func emit(_ start: Int, _ end: Int, _ body: (Int, Int) throws -> Void) rethrows {
        if start < end { try body(start, end) }
    }

    /// Gives the last piece.
    mutating func finish(_ body: (Int, Int) throws -> Void) rethrows {
        if let (start, end) = pending { try emit(start, end, body) }
        pending = nil
    }
}
