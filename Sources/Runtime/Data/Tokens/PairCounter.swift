/// Neighbouring pairs of symbols within words and their counts, kept up to date while pairs are merged.
///
/// All words lie in one array of symbols; a pair remembers the words that may hold it. The heap may hold stale counts,
/// which are put right when they come up.
struct PairCounter {
    private var symbols: [Int32] = []
    private var starts: [Int32] = []
    private var lengths: [Int32] = []
    private var weights: [Int] = []
    private var slots: [UInt64: Int32] = [:]
    private var counts: [Int] = []
    private var holders: [[Int32]] = []
    private var heap = Heap<Entry>()
    /// The pairs that the merge under way has changed upwards.
    private var raised: [Int32] = []
    private var keys: [UInt64] = []

    private struct Entry: Comparable {
        let count: Int
        let key: UInt64

        // The most frequent first, then the lower ids.
        static func < (a: Entry, b: Entry) -> Bool {
            a.count != b.count ? a.count > b.count : a.key < b.key
        }
    }

    private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    init(_ words: [(word: [UInt8], count: Int)], _ byteIds: [Int32]) {
        for (word, count) in words where word.count > 1 {
            let index = Int32(starts.count)
            starts.append(Int32(symbols.count))
            lengths.append(Int32(word.count))
            weights.append(count)
            for byte in word { symbols.append(byteIds[Int(byte)]) }
            let start = symbols.count - word.count
            for place in start..<symbols.count - 1 {
                raise(symbols[place], symbols[place + 1], by: count, in: index)
            }
        }
        pushRaised()
    }

    private mutating func raise(_ left: Int32, _ right: Int32, by count: Int, in word: Int32) {
        let key = Self.key(left, right)
        let slot: Int32
        if let known = slots[key] {
            slot = known
        } else {
            slot = Int32(counts.count)
            slots[key] = slot
            keys.append(key)
            counts.append(0)
            holders.append([])
        }
        counts[Int(slot)] += count
        if holders[Int(slot)].last != word { holders[Int(slot)].append(word) }
        raised.append(slot)
    }

    private mutating func lower(_ left: Int32, _ right: Int32, by count: Int) {
        if let slot = slots[Self.key(left, right)] { counts[Int(slot)] -= count }
    }

    private mutating func pushRaised() {
        raised.sort()
        var last: Int32 = -1
        for slot in raised where slot != last {
            last = slot
            heap.push(Entry(count: counts[Int(slot)], key: keys[Int(slot)]))
        }
        raised.removeAll(keepingCapacity: true)
    }

    /// The most frequent pair; `nil` when no word has two symbols left.
    mutating func best() -> (Int32, Int32)? {
        while let entry = heap.pop() {
            guard let slot = slots[entry.key] else { continue }
            let count = counts[Int(slot)]
            if count == entry.count, count > 0 {
                return (
                    Int32(truncatingIfNeeded: entry.key >> 32), Int32(truncatingIfNeeded: entry.key)
                )
            }
            // An entry with more than the count stands for it; one with less has a better one in the heap.
            if count > 0, count < entry.count { heap.push(Entry(count: count, key: entry.key)) }
        }
        return nil
    }

    /// Replaces the pair by `result` in all words, from left to right in each.
    mutating func merge(_ left: Int32, _ right: Int32, _ result: Int32) {
        guard let slot = slots[Self.key(left, right)] else { return }
        let words = holders[Int(slot)]
        holders[Int(slot)] = []
        var previous: Int32 = -1
        for word in words.sorted() where word != previous {
            previous = word
            merge(left, right, result, in: word)
        }
        counts[Int(slot)] = 0
        slots[Self.key(left, right)] = nil
        pushRaised()
    }

    private mutating func merge(_ left: Int32, _ right: Int32, _ result: Int32, in word: Int32) {
        let start = Int(starts[Int(word)])
        let count = Int(lengths[Int(word)])
        let weight = weights[Int(word)]
        var read = start
        var write = start
        let end = start + count
        while read < end {
            guard read + 1 < end, symbols[read] == left, symbols[read + 1] == right else {
                symbols[write] = symbols[read]
                read += 1
                write += 1
                continue
            }
            if write > start {
                lower(symbols[write - 1], left, by: weight)
                raise(symbols[write - 1], result, by: weight, in: word)
            }
            if read + 2 < end {
                lower(right, symbols[read + 2], by: weight)
                // If the next two symbols merge as well, their left neighbour is lowered then.
                raise(result, symbols[read + 2], by: weight, in: word)
            }
            symbols[write] = result
            read += 2
            write += 1
        }
        lengths[Int(word)] = Int32(write - start)
    }
}
