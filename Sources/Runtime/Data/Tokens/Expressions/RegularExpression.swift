import RuntimeSupport

/// A regular expression in the syntax and with the meaning of Oniguruma, which the tokenizers library uses.
///
/// Text is UTF-8; a byte that is not counts as a character of no property. Matches are those of backtracking: the first
/// alternative that leads to a match, not the longest. No pattern takes exponential time: places from which the
/// rest is known to fail are remembered.
package final class RegularExpression: Sendable {
    /// The pattern as it was written.
    package let pattern: String
    /// Its matcher by hand, if it has one.
    let known: KnownPattern?
    let instructions: [ExpressionProgram.Instruction]
    let starts: [[Int32]]
    /// The bits of all sets, one set behind another.
    let bits: [UInt64]

    /// - Throws: `ExpressionError` for what is wrong or not supported.
    package init(_ pattern: String) throws {
        self.pattern = pattern
        known = KnownPattern(source: pattern)
        let program = try ExpressionProgram(ExpressionParser.parse(pattern))
        instructions = program.instructions
        starts = program.starts
        var sets = program.sets
        // For the edges of words.
        sets.append(UnicodeProperties.named("word") ?? CodePointSet())
        bits = sets.flatMap(\.words)
    }

    /// Calls `body` with the start and end of each match in `text`, from left to right and without overlap.
    ///
    /// An empty match counts unless it stands where the one before ends.
    ///
    /// - Throws: `Interrupted` when `stop` says so, which is asked now and then; what `body` throws.
    package func forEachMatch(
        _ text: UnsafeRawBufferPointer, stop: ShouldStop, _ body: (Int, Int) throws -> Void
    ) throws {
        try instructions.withUnsafeBufferPointer { instructions in
            try bits.withUnsafeBufferPointer { bits in
                guard let code = instructions.baseAddress, let bits = bits.baseAddress else {
                    return
                }
                var matcher = ExpressionMatcher(text, code, bits, bits.advanced(by: wordBits))
                var place = 0
                var last = -1
                while place <= text.count {
                    guard let (start, end) = try find(&matcher, text, from: place, stop) else {
                        return
                    }
                    place = end
                    if start == end, last == end {
                        place += end < text.count ? matcher.length(at: end) : 1
                        continue
                    }
                    last = end
                    try body(start, end)
                }
            }
        }
    }

    @inline(__always)
    private func find(
        _ matcher: inout ExpressionMatcher, _ text: UnsafeRawBufferPointer, from place: Int,
        _ stop: ShouldStop
    ) throws -> (Int, Int)? {
        var start = place
        while start <= text.count {
            for branch in starts[start < text.count ? Int(text[start]) : 256] {
                let end = try matcher.match(Int(branch), from: start, stop: stop)
                if end >= 0 { return (start, end) }
            }
            start += start < text.count ? matcher.length(at: start) : 1
        }
        return nil
    }

    private var wordBits: Int { bits.count - CodePointSet.wordCount }
}
