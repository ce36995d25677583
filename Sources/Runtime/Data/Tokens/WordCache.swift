/// The ids of words met before, which change speed and never results.
///
/// Emptied when it is full.
package final class WordCache {
    private struct Slot {
        var hash: UInt64 = 0
        var key: UInt32 = 0
        var ids: UInt32 = 0
        var keyCount: UInt16 = 0
        var idCount: UInt16 = 0
    }

    /// Longer words are not kept.
    package static let longest = 64

    private static let capacity = 1 << 16
    private let slots: UnsafeMutablePointer<Slot>
    private var used = 0
    private var keys: [UInt8] = []
    private var ids: [Int32] = []

    package init() {
        slots = .allocate(capacity: Self.capacity)
        slots.initialize(repeating: Slot(), count: Self.capacity)
    }

    deinit { slots.deallocate() }

    /// A hash of up to `longest` bytes, never 0.
    @inline(__always)
    package static func hash(_ word: UnsafeRawBufferPointer) -> UInt64 {
        let count = word.count
        var a: UInt64 = 0
        var b: UInt64 = 0
        if count >= 8 {
            a = word.loadUnaligned(as: UInt64.self)
            b = word.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
            var offset = 8
            while offset + 8 < count {
                let next = word.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                a = mix(a ^ 0xa076_1d64_78bd_642f, next ^ 0xe703_7ed1_a0b4_28db)
                offset += 8
            }
        } else if count >= 4 {
            a = UInt64(word.loadUnaligned(as: UInt32.self))
            b = UInt64(word.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self))
        } else {
            for byte in word { a = a << 8 | UInt64(byte) }
        }
        let hash = mix(a ^ 0x9e37_79b9_7f4a_7c15, b ^ 0xe703_7ed1_a0b4_28db ^ UInt64(count))
        return hash | 1
    }

    @inline(__always)
    private static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }

    /// Appends the ids of `word` to `output`; `false` if it is not known.
    @inline(__always)
    package func append(_ word: UnsafeRawBufferPointer, hash: UInt64, to output: inout [Int32])
        -> Bool
    {
        var index = Int(truncatingIfNeeded: hash >> 8) & (Self.capacity - 1)
        while true {
            let slot = slots[index]
            if slot.hash == 0 { return false }
            if slot.hash == hash, Int(slot.keyCount) == word.count, matches(slot, word) {
                let start = Int(slot.ids)
                ids.withUnsafeBufferPointer { ids in
                    if slot.idCount == 1 {
                        output.append(ids[start])
                    } else {
                        output.append(
                            contentsOf: UnsafeBufferPointer(
                                rebasing: ids[start..<start + Int(slot.idCount)]))
                    }
                }
                return true
            }
            index = (index + 1) & (Self.capacity - 1)
        }
    }

    @inline(__always)
    private func matches(_ slot: Slot, _ word: UnsafeRawBufferPointer) -> Bool {
        keys.withUnsafeBytes { Self.equal($0, at: Int(slot.key), word) }
    }

    /// Whether `word` stands in `keys` at `start`, where at least as many bytes are.
    @inline(__always)
    package static func equal(
        _ keys: UnsafeRawBufferPointer, at start: Int, _ word: UnsafeRawBufferPointer
    ) -> Bool {
        var offset = 0
        while offset + 8 <= word.count {
            if keys.loadUnaligned(fromByteOffset: start + offset, as: UInt64.self)
                != word.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            {
                return false
            }
            offset += 8
        }
        while offset < word.count {
            if keys[start + offset] != word[offset] { return false }
            offset += 1
        }
        return true
    }

    /// Keeps the ids of a word that is not known.
    package func insert(_ word: UnsafeRawBufferPointer, hash: UInt64, ids new: [Int32]) {
        if used == Self.capacity / 2 {
            slots.update(repeating: Slot(), count: Self.capacity)
            used = 0
            keys.removeAll(keepingCapacity: true)
            ids.removeAll(keepingCapacity: true)
        }
        var index = Int(truncatingIfNeeded: hash >> 8) & (Self.capacity - 1)
        while slots[index].hash != 0 { index = (index + 1) & (Self.capacity - 1) }
        slots[index] = Slot(
            hash: hash, key: UInt32(keys.count), ids: UInt32(ids.count),
            keyCount: UInt16(word.count), idCount: UInt16(new.count))
        keys.append(contentsOf: word)
        ids.append(contentsOf: new)
        used += 1
    }
}
