/// Numbers of 64-bit hashes, in the order in which they were added; 12 to 24 bytes each.
package struct HashIndex: Sendable {
    private var keys: [UInt64] = []
    private var numbers: [Int32] = []
    private var mask = 0
    /// How many different hashes it has.
    package private(set) var count = 0

    package init() { grow(1 << 10) }

    /// The number of a hash, from 0; `nil` if it was not added.
    package func number(_ hash: UInt64) -> Int32? {
        var place = Int(truncatingIfNeeded: hash) & mask
        while numbers[place] >= 0 {
            if keys[place] == hash { return numbers[place] }
            place = (place + 1) & mask
        }
        return nil
    }

    /// The number of a hash, which is the next one if it is new.
    package mutating func add(_ hash: UInt64) -> Int32 {
        if 2 * (count + 1) > numbers.count { grow(2 * numbers.count) }
        var place = Int(truncatingIfNeeded: hash) & mask
        while numbers[place] >= 0 {
            if keys[place] == hash { return numbers[place] }
            place = (place + 1) & mask
        }
        keys[place] = hash
        numbers[place] = Int32(count)
        count += 1
        return Int32(count - 1)
    }

    private mutating func grow(_ size: Int) {
        let (oldKeys, oldNumbers) = (keys, numbers)
        keys = Array(repeating: 0, count: size)
        numbers = Array(repeating: -1, count: size)
        mask = size - 1
        for (key, number) in zip(oldKeys, oldNumbers) where number >= 0 {
            var place = Int(truncatingIfNeeded: key) & mask
            while numbers[place] >= 0 { place = (place + 1) & mask }
            keys[place] = key
            numbers[place] = number
        }
    }
}

/// Lists of numbers by the number of a hash, made at once.
package struct HashLists: Sendable {
    package private(set) var index = HashIndex()
    private var starts: [Int32] = []
    private var members: [Int32] = []

    /// Lists of what `pairs` names, each in the order of the pairs.
    package init(_ pairs: [(hash: UInt64, member: Int32)]) {
        var counts: [Int32] = []
        let numbers = pairs.map { pair in
            let number = index.add(pair.hash)
            if Int(number) == counts.count { counts.append(0) }
            counts[Int(number)] += 1
            return number
        }
        starts = [0]
        for count in counts { starts.append((starts.last ?? 0) + count) }
        var next = starts
        members = Array(repeating: 0, count: pairs.count)
        for (number, pair) in zip(numbers, pairs) {
            members[Int(next[Int(number)])] = pair.member
            next[Int(number)] += 1
        }
    }

    /// How many lists.
    package var count: Int { index.count }

    /// The list of a number.
    package subscript(number: Int32) -> ArraySlice<Int32> {
        members[Int(starts[Int(number)])..<Int(starts[Int(number) + 1])]
    }

    /// The list of a hash; empty if it has none.
    package subscript(hash hash: UInt64) -> ArraySlice<Int32> {
        index.number(hash).map { self[$0] } ?? []
    }
}
