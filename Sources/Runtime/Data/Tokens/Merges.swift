/// The merge rules of a tokenizer, looked up by pair: a hash table with linear probing, at most half full.
package struct MergeTable: Sendable {
    private var keys: [UInt64]
    private var values: [UInt64]
    private let mask: Int
    private static let none = UInt64.max

    /// A table for up to `count` rules.
    package init(count: Int) {
        var capacity = 16
        while capacity < 2 * count { capacity *= 2 }
        keys = Array(repeating: Self.none, count: capacity)
        values = Array(repeating: 0, count: capacity)
        mask = capacity - 1
    }

    private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    @inline(__always)
    private func slot(_ key: UInt64) -> Int {
        let hash = key &* 0x9e37_79b9_7f4a_7c15
        return Int(truncatingIfNeeded: (hash ^ (hash >> 32)) & UInt64(mask))
    }

    /// Adds a rule; `false` if the pair has one.
    package mutating func insert(_ left: Int32, _ right: Int32, rank: Int32, result: Int32) -> Bool
    {
        let key = Self.key(left, right)
        var index = slot(key)
        while keys[index] != Self.none {
            if keys[index] == key { return false }
            index = (index + 1) & mask
        }
        keys[index] = key
        values[index] = UInt64(UInt32(bitPattern: rank)) << 32 | UInt64(UInt32(bitPattern: result))
        return true
    }

    /// Rank (upper half) and result (lower half) of the rule for a pair, `UInt64.max` without one.
    @inline(__always)
    package func rule(_ left: Int32, _ right: Int32) -> UInt64 {
        let key = Self.key(left, right)
        return keys.withUnsafeBufferPointer { keys in
            var index = slot(key)
            while true {
                let found = keys[index]
                if found == key { return values.withUnsafeBufferPointer { $0[index] } }
                if found == Self.none { return Self.none }
                index = (index + 1) & mask
            }
        }
    }

    /// Merges `symbols` in place until no rule applies: the lowest rank first, the leftmost of equals.
    package func apply(_ symbols: inout [Int32], _ rules: inout [UInt64]) {
        if symbols.count > 64 { return applyByHeap(&symbols) }
        var count = symbols.count
        guard count > 1 else { return }
        rules.removeAll(keepingCapacity: true)
        for index in 0..<count - 1 { rules.append(rule(symbols[index], symbols[index + 1])) }
        symbols.withUnsafeMutableBufferPointer { symbols in
            rules.withUnsafeMutableBufferPointer { rules in
                while count > 1 {
                    var best = Self.none
                    var place = 0
                    // Equal pairs have equal rules, and results differ only with ranks: `<` keeps the leftmost.
                    for index in 0..<count - 1 where rules[index] < best {
                        best = rules[index]
                        place = index
                    }
                    if best == Self.none { break }
                    symbols[place] = Int32(truncatingIfNeeded: best)
                    for index in place + 1..<count - 1 {
                        symbols[index] = symbols[index + 1]
                        rules[index - 1] = rules[index]
                    }
                    count -= 1
                    // rules[place] was dropped by the shift; both pairs that hold the new symbol are looked up.
                    if place > 0 { rules[place - 1] = rule(symbols[place - 1], symbols[place]) }
                    if place < count - 1 { rules[place] = rule(symbols[place], symbols[place + 1]) }
                }
            }
        }
        symbols.removeLast(symbols.count - count)
    }

    /// The same in time n log n, for long words: a heap of (rule, place) over a linked list.
    package func applyByHeap(_ symbols: inout [Int32]) {
        let count = symbols.count
        guard count > 1 else { return }
        var previous = (0..<count).map { $0 - 1 }
        var following = (1...count).map { $0 }
        var alive = Array(repeating: true, count: count)
        var heap = Heap<Candidate>()
        func push(_ left: Int, _ heap: inout Heap<Candidate>, _ symbols: [Int32]) {
            let right = following[left]
            guard right < count else { return }
            let rule = rule(symbols[left], symbols[right])
            if rule != Self.none {
                heap.push(
                    Candidate(rule: rule, place: left, symbols: (symbols[left], symbols[right])))
            }
        }
        for index in 0..<count - 1 { push(index, &heap, symbols) }
        while let best = heap.pop() {
            let left = best.place
            guard alive[left], symbols[left] == best.symbols.0 else { continue }
            let right = following[left]
            guard right < count, symbols[right] == best.symbols.1 else { continue }
            symbols[left] = Int32(truncatingIfNeeded: best.rule)
            alive[right] = false
            following[left] = following[right]
            if following[right] < count { previous[following[right]] = left }
            if previous[left] >= 0 { push(previous[left], &heap, symbols) }
            push(left, &heap, symbols)
        }
        symbols = (0..<count).filter { alive[$0] }.map { symbols[$0] }
    }

    private struct Candidate: Comparable {
        let rule: UInt64
        let place: Int
        let symbols: (Int32, Int32)

        static func < (a: Candidate, b: Candidate) -> Bool {
            a.rule != b.rule ? a.rule < b.rule : a.place < b.place
        }
        static func == (a: Candidate, b: Candidate) -> Bool {
            a.rule == b.rule && a.place == b.place
        }
    }
}

/// A binary heap whose `pop` gives the least element.
package struct Heap<Element: Comparable> {
    private var elements: [Element] = []

    package var isEmpty: Bool { elements.isEmpty }

    mutating func push(_ element: Element) {
        elements.append(element)
        var index = elements.count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            guard elements[index] < elements[parent] else { return }
            elements.swapAt(index, parent)
            index = parent
        }
    }

    mutating func pop() -> Element? {
        guard let first = elements.first else { return nil }
        let last = elements.removeLast()
        guard !elements.isEmpty else { return first }
        elements[0] = last
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2]
            where child < elements.count && elements[child] < elements[least] { least = child }
            if least == index { return first }
            elements.swapAt(index, least)
            index = least
        }
    }
}
