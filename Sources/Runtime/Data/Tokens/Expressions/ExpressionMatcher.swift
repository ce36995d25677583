import RuntimeSupport

/// Runs the instructions of a regular expression on one text.
struct ExpressionMatcher {
    private let text: UnsafeRawBufferPointer
    private let code: UnsafePointer<ExpressionProgram.Instruction>
    private let bits: UnsafePointer<UInt64>
    private let words: UnsafePointer<UInt64>
    /// Ways back: where to go on, and from which place; down to `low` also from the characters before it.
    private var ways: [(pc: Int32, place: Int, low: Int)] = []
    private var steps = 0

    init(
        _ text: UnsafeRawBufferPointer, _ code: UnsafePointer<ExpressionProgram.Instruction>,
        _ bits: UnsafePointer<UInt64>, _ words: UnsafePointer<UInt64>
    ) {
        self.text = text
        self.code = code
        self.bits = bits
        self.words = words
    }

    /// The number of bytes of the character at `place`, of which a byte that is not UTF-8 is one.
    @inline(__always)
    func length(at place: Int) -> Int {
        text[place] < 0x80 ? 1 : max(1, UTF8Check.sequenceLength(text, place))
    }

    /// Where the character at `place` ends if it is in a set, otherwise -1.
    @inline(__always)
    private func step(_ set: UnsafePointer<UInt64>, _ place: Int) -> Int {
        guard place < text.count else { return -1 }
        let byte = text[place]
        if byte < 0x80 {
            return set[Int(byte >> 6)] >> UInt64(byte & 63) & 1 != 0 ? place + 1 : -1
        }
        return wideStep(set, place)
    }

    @inline(never)
    private func wideStep(_ set: UnsafePointer<UInt64>, _ place: Int) -> Int {
        let (value, length) = UTF8Check.character(text, place)
        let index = value ?? CodePointSet.malformed
        return set[Int(index >> 6)] >> UInt64(index & 63) & 1 != 0 ? place + length : -1
    }

    /// Where the character before `place` begins.
    private func before(_ place: Int) -> Int {
        var length = 2
        if text[place - 1] < 0x80 { return place - 1 }
        while length <= 4, place - length >= 0 {
            if UTF8Check.sequenceLength(text, place - length) == length { return place - length }
            length += 1
        }
        return place - 1
    }

    /// The end of the match of the instructions from `start` to `accept` at a place, or -1.
    mutating func match(_ start: Int, from place: Int, stop: ShouldStop) throws -> Int {
        let base = ways.count
        var pc = start
        var place = place
        // Places that were gone back to are remembered once there are many.
        var known: Set<UInt64>?
        var returns = 0
        while true {
            let instruction = code[pc]
            var fails = false
            switch instruction.operation {
            case .set:
                let end = step(set(instruction), place)
                if end < 0 { fails = true } else { (place, pc) = (end, pc + 1) }
            case .byte:
                if place < text.count, Int32(text[place]) == instruction.x {
                    (place, pc) = (place + 1, pc + 1)
                } else {
                    fails = true
                }
            case .run:
                let (low, end) = run(instruction, place)
                if low < 0 {
                    fails = true
                } else {
                    pc += 1
                    if end > low, code[pc].operation != .accept {
                        ways.append((Int32(pc), end, low))
                    }
                    place = end
                }
            case .possessiveRun:
                let (low, end) = run(instruction, place)
                if low < 0 { fails = true } else { (place, pc) = (end, pc + 1) }
            case .split:
                ways.append((instruction.y, place, place))
                pc = Int(instruction.x)
            case .jump: pc = Int(instruction.x)
            case .atomic:
                let end = try match(pc + 1, from: place, stop: stop)
                if end < 0 { fails = true } else { (place, pc) = (end, Int(instruction.x)) }
            case .ahead:
                let end = try match(pc + 1, from: place, stop: stop)
                if (end >= 0) == (instruction.y == 0) {
                    pc = Int(instruction.x)
                } else {
                    fails = true
                }
            case .behind:
                let matches = try matchesBehind(instruction, pc, place, stop)
                if matches == (instruction.y == 0) {
                    pc = Int(instruction.x)
                } else {
                    fails = true
                }
            case .assertion:
                if holds(instruction.x, place) { pc += 1 } else { fails = true }
            case .accept:
                ways.removeLast(ways.count - base)
                return place
            }
            while fails {
                guard ways.count > base, var way = ways.popLast() else { return -1 }
                (pc, place) = (Int(way.pc), way.place)
                if way.place > way.low {
                    place = before(way.place)
                    way.place = place
                    if place > way.low { ways.append(way) }
                }
                fails = false
                returns += 1
                try poll(stop)
                if returns > 4096 {
                    let key = UInt64(UInt32(truncatingIfNeeded: pc)) << 40 | UInt64(place)
                    if known == nil { known = [] }
                    fails = known?.insert(key).inserted == false
                }
            }
        }
    }

    @inline(__always)
    private mutating func poll(_ stop: ShouldStop) throws {
        steps += 1
        if steps & 0xfffff == 0, stop() { throw Interrupted("interrupted while encoding text") }
    }

    @inline(__always)
    private func set(_ instruction: ExpressionProgram.Instruction) -> UnsafePointer<UInt64> {
        bits.advanced(by: Int(instruction.set) * CodePointSet.wordCount)
    }

    /// Where the least number of characters ends (-1 if there are fewer), and the greatest.
    @inline(__always)
    private func run(
        _ instruction: ExpressionProgram.Instruction, _ place: Int
    ) -> (low: Int, end: Int) {
        let set = set(instruction)
        var count: Int32 = 0
        var low = instruction.x == 0 ? place : -1
        var end = place
        while count != instruction.y {
            let next = step(set, end)
            if next < 0 { break }
            end = next
            count += 1
            if count == instruction.x { low = end }
        }
        return (low, end)
    }

    private mutating func matchesBehind(
        _ instruction: ExpressionProgram.Instruction, _ pc: Int, _ place: Int, _ stop: ShouldStop
    ) throws -> Bool {
        var start = place
        for _ in 0..<instruction.set {
            guard start > 0 else { return false }
            start = before(start)
        }
        return try match(pc + 1, from: start, stop: stop) == place
    }

    private func holds(_ assertion: Int32, _ place: Int) -> Bool {
        switch ExpressionNode.Assertion(rawValue: assertion) {
        case .lineStart:
            return place == 0 || (text[place - 1] == 0x0a && place < text.count)
        case .lineEnd: return place == text.count || text[place] == 0x0a
        case .textStart: return place == 0
        case .textEnd: return place == text.count
        case .lastLineEnd:
            return place == text.count || (place == text.count - 1 && text[place] == 0x0a)
        case .wordEdge: return isWordEdge(place)
        case .noWordEdge: return !isWordEdge(place)
        case nil: return false
        }
    }

    private func isWordEdge(_ place: Int) -> Bool {
        let before = place > 0 && step(words, before(place)) == place
        return before != (step(words, place) >= 0)
    }
}
