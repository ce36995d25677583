import Foundation

/// What normal forms ask of a character, taken once from the Unicode data of Swift's standard library.
///
/// The library follows a later Unicode than 9.0, but the decompositions and classes of older characters never change
/// (Unicode's stability policy), so that leaving out the younger characters gives the data of 9.0.
enum NormalFormTables {
    /// No character from here on decomposes or has a class in Unicode 9.0.
    static let limit: UInt32 = 0x30000

    /// Flag of characters that join with nothing before them.
    static let isBoundary: UInt8 = 1
    /// Flag of characters that stay as they are if they join with nothing.
    static let isStable: UInt8 = 2

    private static let table = Table()

    /// The flags of each character below `limit` for a form.
    static func flags(_ form: NormalForm) -> [UInt8] {
        switch form {
        case .c: composedFlags
        case .d: decomposedFlags
        case .kc: compatibleComposedFlags
        case .kd: compatibleDecomposedFlags
        }
    }

    private static let composedFlags = table.flags(.c)
    private static let decomposedFlags = table.flags(.d)
    private static let compatibleComposedFlags = table.flags(.kc)
    private static let compatibleDecomposedFlags = table.flags(.kd)

    /// Calls `body` with each character of the full decomposition and its combining class.
    @inline(__always)
    static func decompose(_ value: UInt32, _ isCompatible: Bool, _ body: (UInt32, UInt8) -> Void) {
        table.decompose(value, isCompatible, body)
    }

    /// What two characters compose to, if they do.
    static func composition(_ first: UInt32, _ second: UInt32) -> UInt32? {
        table.composition(first, second)
    }

    private struct Table: Sendable {
        private var classes = [UInt8](repeating: 0, count: Int(limit))
        /// Where the decomposition begins in `parts`, and above bit 24 how many characters it has; 0 without one.
        private var canonical = [UInt32](repeating: 0, count: Int(limit))
        private var compatible = [UInt32](repeating: 0, count: Int(limit))
        private var parts: [UInt32] = [0]
        private var pairs: [UInt64: UInt32] = [:]
        private var seconds: Set<UInt32> = []

        init() {
            let scalars = (0..<limit).compactMap { value -> UnicodeScalar? in
                // Ideographs and syllables have no entry: syllables decompose by arithmetic.
                let isPlain =
                    (0x3400..<0xa000).contains(value) || Hangul.syllables ~= value
                    || (0xe000..<0xf900).contains(value) || (0x20000..<0x2f800).contains(value)
                guard !isPlain, let scalar = UnicodeScalar(value),
                    let age = scalar.properties.age, age.major <= 9
                else { return nil }
                return scalar
            }
            // A line feed joins with nothing, so that one long text is quicker than many short ones and gives the same.
            var text = String.UnicodeScalarView()
            for scalar in scalars where scalar.value != 10 {
                classes[Int(scalar.value)] = scalar.properties.canonicalCombiningClass.rawValue
                text.append(scalar)
                text.append("\n")
            }
            let whole = String(text)
            read(whole.decomposedStringWithCanonicalMapping, scalars, \.canonical)
            read(whole.decomposedStringWithCompatibilityMapping, scalars, \.compatible)
            readPairs(scalars)
        }

        private mutating func read(
            _ text: String, _ scalars: [UnicodeScalar],
            _ entries: WritableKeyPath<Table, [UInt32]>
        ) {
            var start = parts.count
            var next = scalars.makeIterator()
            for part in text.unicodeScalars {
                guard part.value == 10 else {
                    parts.append(part.value)
                    continue
                }
                var scalar = next.next()
                if scalar?.value == 10 { scalar = next.next() }
                guard let value = scalar?.value else { return }
                let count = parts.count - start
                if count == 1, parts[start] == value {
                    parts.removeLast()
                } else {
                    self[keyPath: entries][Int(value)] = UInt32(start) | UInt32(count) << 24
                }
                start = parts.count
            }
        }

        /// Two characters compose to a third if its decomposition is that of the first, and the second behind it.
        private mutating func readPairs(_ scalars: [UnicodeScalar]) {
            var known: [[UInt32]: UInt32] = [:]
            var composites: [(value: UInt32, parts: [UInt32])] = []
            for scalar in scalars where canonical[Int(scalar.value)] != 0 {
                guard !scalar.properties.isFullCompositionExclusion else { continue }
                var parts: [UInt32] = []
                decompose(scalar.value, false) { part, _ in parts.append(part) }
                known[parts] = scalar.value
                composites.append((scalar.value, parts))
            }
            for (value, parts) in composites {
                let before = Array(parts.dropLast())
                guard let second = parts.last,
                    let first = before.count == 1 ? before[0] : known[before]
                else { continue }
                pairs[UInt64(first) << 32 | UInt64(second)] = value
                seconds.insert(second)
            }
        }

        @inline(__always)
        func decompose(_ value: UInt32, _ isCompatible: Bool, _ body: (UInt32, UInt8) -> Void) {
            guard value < limit else { return body(value, 0) }
            let entry = isCompatible ? compatible[Int(value)] : canonical[Int(value)]
            if entry != 0 {
                let start = Int(entry & 0xff_ffff)
                for index in start..<start + Int(entry >> 24) {
                    body(parts[index], classes[Int(parts[index])])
                }
            } else if Hangul.syllables ~= value {
                Hangul.decompose(value) { body($0, 0) }
            } else {
                body(value, classes[Int(value)])
            }
        }

        func composition(_ first: UInt32, _ second: UInt32) -> UInt32? {
            Hangul.composition(first, second) ?? pairs[UInt64(first) << 32 | UInt64(second)]
        }

        func flags(_ form: NormalForm) -> [UInt8] {
            (0..<limit).map { value in
                var decomposed: [(value: UInt32, combining: UInt8)] = []
                decompose(value, form.isCompatible) { decomposed.append(($0, $1)) }
                var flags: UInt8 = 0
                let first = decomposed.first?.value ?? value
                let joinsBefore = form.composes && joins(first)
                if decomposed.first?.combining == 0, !joinsBefore { flags |= isBoundary }
                let isStable: Bool
                if form.composes {
                    // Whatever may follow it, a composite is made again only where something does.
                    var whole = first
                    var isWhole = true
                    for part in decomposed.dropFirst() {
                        guard let pair = composition(whole, part.value) else {
                            isWhole = false
                            break
                        }
                        whole = pair
                    }
                    isStable = isWhole && whole == value && flags & isBoundary != 0
                } else {
                    isStable =
                        decomposed.count == 1 && decomposed[0].value == value
                        && flags & isBoundary != 0
                }
                if isStable { flags |= NormalFormTables.isStable }
                return flags
            }
        }

        /// Whether a character can compose with one before it.
        private func joins(_ value: UInt32) -> Bool {
            seconds.contains(value) || Hangul.vowels ~= value || Hangul.trailing ~= value
        }
    }
}

/// Hangul's syllables, which decompose and compose by arithmetic (The Unicode Standard, section 3.12).
enum Hangul {
    static let syllables: ClosedRange<UInt32> = 0xac00...0xd7a3
    static let leading: ClosedRange<UInt32> = 0x1100...0x1112
    static let vowels: ClosedRange<UInt32> = 0x1161...0x1175
    static let trailing: ClosedRange<UInt32> = 0x11a8...0x11c2

    static func decompose(_ value: UInt32, _ body: (UInt32) -> Void) {
        let index = value - syllables.lowerBound
        body(leading.lowerBound + index / 588)
        body(vowels.lowerBound + index % 588 / 28)
        if index % 28 > 0 { body(trailing.lowerBound + index % 28 - 1) }
    }

    static func composition(_ first: UInt32, _ second: UInt32) -> UInt32? {
        if leading ~= first, vowels ~= second {
            let pair = (first - leading.lowerBound) * 21 + second - vowels.lowerBound
            return syllables.lowerBound + pair * 28
        }
        if syllables ~= first, (first - syllables.lowerBound) % 28 == 0, trailing ~= second {
            return first + second - trailing.lowerBound + 1
        }
        return nil
    }
}
