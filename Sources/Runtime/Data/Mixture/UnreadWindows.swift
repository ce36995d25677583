import RuntimeSupport

/// What an earlier source left unread of its epoch, cut into windows of another length or put into another order.
///
/// Stretches of text that nobody read are cut into whole windows; what remains of them is joined, in the order of the
/// store, into windows of several pieces. Every token is an input once; only what does not fill a last window is left out.
struct UnreadWindows: Sendable {
    /// The inputs of each window, as one or several pieces of the store.
    private let wholes: [Int]
    private let joined: [[Range<Int>]]
    private let context: Int

    /// Windows of `context` over stretches of the store's tokens, which are in order and apart.
    init(_ stretches: [Range<Int>], context: Int) {
        var wholes: [Int] = []
        var joined: [[Range<Int>]] = []
        var pieces: [Range<Int>] = []
        var missing = context
        for stretch in stretches {
            let count = stretch.count / context
            for index in 0..<count { wholes.append(stretch.lowerBound + index * context) }
            var start = stretch.lowerBound + count * context
            while start < stretch.upperBound {
                let end = min(stretch.upperBound, start + missing)
                pieces.append(start..<end)
                missing -= end - start
                start = end
                if missing == 0 {
                    joined.append(pieces)
                    (pieces, missing) = ([], context)
                }
            }
        }
        (self.wholes, self.joined, self.context) = (wholes, joined, context)
    }

    /// How many windows there are.
    var count: Int { wholes.count + joined.count }

    /// The inputs of a window; what follows each is its target.
    func pieces(_ index: Int) -> [Range<Int>] {
        index < wholes.count
            ? [wholes[index]..<wholes[index] + context] : joined[index - wholes.count]
    }
}
