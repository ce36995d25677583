import RuntimeSupport

/// The normal forms of Unicode, as the tokenizers library makes them: by the data of Unicode 9.0.
///
/// Characters that came later are left as they are, and no mark is moved past them. The algorithm is that of The Unicode
/// Standard, sections 3.11 and 3.12; its time is linear in the length of the text, whatever marks it has.
package enum NormalForm: String, CaseIterable, Sendable {
    /// Composed, by canonical equivalence.
    case c = "NFC"
    /// Decomposed, by canonical equivalence.
    case d = "NFD"
    /// Composed, by compatibility.
    case kc = "NFKC"
    /// Decomposed, by compatibility.
    case kd = "NFKD"

    var composes: Bool { self == .c || self == .kc }
    var isCompatible: Bool { self == .kc || self == .kd }

    /// A text in this form; `nil` if it is so already.
    ///
    /// Bytes that are not UTF-8 stay, and nothing joins across them.
    ///
    /// - Throws: `Interrupted` when `stop` says so.
    package func apply(_ text: UnsafeRawBufferPointer, stop: ShouldStop) throws -> [UInt8]? {
        // Below U+00A0 every character is its own normal form; only the first bytes from 0xC2 on begin others.
        guard text.contains(where: { $0 >= 0xc2 }) else { return nil }
        return try NormalFormTables.flags(self).withUnsafeBufferPointer { flags in
            var writer = NormalFormWriter(form: self, flags: flags, text: text)
            return try writer.run(stop)
        }
    }
}

/// Writes one text in a normal form: what is normal is copied, and segments that may not be are made anew.
///
/// A segment begins at a character that joins with nothing before it, and ends before the next such character.
private struct NormalFormWriter {
    let form: NormalForm
    /// What `NormalFormTables.flags` says of each character below `NormalFormTables.limit`.
    let flags: UnsafeBufferPointer<UInt8>
    let text: UnsafeRawBufferPointer
    private var output: [UInt8] = []
    /// How much of the text is in the output.
    private var copied = 0
    private var characters: [UInt32] = []
    private var classes: [UInt8] = []
    private var sorter = MarkSorter()

    init(
        form: NormalForm, flags: UnsafeBufferPointer<UInt8>, text: UnsafeRawBufferPointer
    ) {
        self.form = form
        self.flags = flags
        self.text = text
    }

    mutating func run(_ stop: ShouldStop) throws -> [UInt8]? {
        var index = 0
        // Where the last character begins that joins with nothing before it.
        var boundary = 0
        var polled = 0
        while index < text.count {
            if text[index] < 0x80 {
                boundary = index
                index += 1
                continue
            }
            if index - polled > 1 << 16 {
                polled = index
                if stop() { throw Interrupted("interrupted while normalising text") }
            }
            let (value, length) = UTF8Check.character(text, index)
            let flag = flag(value)
            if flag & NormalFormTables.isStable != 0 {
                if flag & NormalFormTables.isBoundary != 0 { boundary = index }
                index += length
                continue
            }
            if flag & NormalFormTables.isBoundary != 0 { boundary = index }
            index = try writeSegment(from: boundary, stop)
            boundary = index
        }
        guard copied > 0 else { return nil }
        output.append(contentsOf: text[copied...])
        return output
    }

    @inline(__always)
    private func flag(_ value: UInt32?) -> UInt8 {
        guard let value, value < NormalFormTables.limit else {
            return NormalFormTables.isStable | NormalFormTables.isBoundary
        }
        return flags[Int(value)]
    }

    /// Writes the segment that begins at `start`, and gives the place of the next.
    private mutating func writeSegment(from start: Int, _ stop: ShouldStop) throws -> Int {
        output.append(contentsOf: text[copied..<start])
        characters.removeAll(keepingCapacity: true)
        classes.removeAll(keepingCapacity: true)
        var index = start
        var polled = start
        while index < text.count {
            if index - polled > 1 << 16 {
                polled = index
                if stop() { throw Interrupted("interrupted while normalising text") }
            }
            let (value, length) = UTF8Check.character(text, index)
            if index > start, flag(value) & NormalFormTables.isBoundary != 0 { break }
            guard let value else {
                // Only the first of a segment can be such a byte, since it joins with nothing before it.
                output.append(text[index])
                index += length
                break
            }
            NormalFormTables.decompose(value, form.isCompatible) { part, combining in
                characters.append(part)
                classes.append(combining)
            }
            index += length
        }
        sorter.sort(&characters, &classes)
        if form.composes { compose() }
        for character in characters { append(character) }
        copied = index
        return index
    }

    private mutating func append(_ value: UInt32) {
        guard let scalar = UnicodeScalar(value), let bytes = UTF8.encode(scalar) else { return }
        output.append(contentsOf: bytes)
    }

    /// Puts pairs of the decomposed segment together (The Unicode Standard, D117).
    private mutating func compose() {
        var kept = 0
        var starter: Int?
        var lastClass = 0
        for index in characters.indices {
            let value = characters[index]
            let combining = Int(classes[index])
            // A mark is blocked by one of its own or a higher class, and by a starter between.
            let isAdjacent = starter.map { kept == $0 + 1 } ?? false
            if let place = starter, isAdjacent || lastClass < combining,
                let composed = NormalFormTables.composition(characters[place], value)
            {
                characters[place] = composed
                continue
            }
            if combining == 0 { starter = kept }
            lastClass = combining
            characters[kept] = value
            kept += 1
        }
        characters.removeLast(characters.count - kept)
    }
}

/// Puts marks into the canonical order (The Unicode Standard, D109) by counting, since insertion takes quadratic time
/// where marks are many.
private struct MarkSorter {
    private var counts = [Int](repeating: 0, count: 256)
    private var heldCharacters: [UInt32] = []
    private var heldClasses: [UInt8] = []

    mutating func sort(_ characters: inout [UInt32], _ classes: inout [UInt8]) {
        var start = 0
        while start < classes.count {
            guard classes[start] != 0 else {
                start += 1
                continue
            }
            var end = start + 1
            var isSorted = true
            while end < classes.count, classes[end] != 0 {
                if classes[end - 1] > classes[end] { isSorted = false }
                end += 1
            }
            if !isSorted { sort(start..<end, &characters, &classes) }
            start = end
        }
    }

    private mutating func sort(
        _ range: Range<Int>, _ characters: inout [UInt32], _ classes: inout [UInt8]
    ) {
        heldCharacters = Array(characters[range])
        heldClasses = Array(classes[range])
        for index in counts.indices { counts[index] = 0 }
        for combining in heldClasses { counts[Int(combining)] += 1 }
        var place = range.lowerBound
        for index in counts.indices {
            let count = counts[index]
            counts[index] = place
            place += count
        }
        for (character, combining) in zip(heldCharacters, heldClasses) {
            let place = counts[Int(combining)]
            characters[place] = character
            classes[place] = combining
            counts[Int(combining)] += 1
        }
    }
}
