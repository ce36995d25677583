import RuntimeSupport

/// Cuts normalised text into the words that merges work within: the steps of a pre-tokenizer one after another.
package struct TextSplitter: Sendable {
    package let steps: [PreTokenizer]
    /// Whether words are bytes; otherwise they are characters.
    package let isByteLevel: Bool
    /// The place of the step that turns bytes into characters, if other steps follow it.
    private let alphabetStep: Int?
    /// The matcher by hand of a single pattern.
    let known: KnownPattern?

    /// GPT-2's: bytes within the words of its pattern.
    package static let gpt2 = TextSplitter([.bytes(prefix: false, words: true)])

    package init(_ steps: [PreTokenizer]) {
        self.steps = steps
        let place = steps.firstIndex { if case .bytes = $0 { true } else { false } }
        isByteLevel = place != nil
        alphabetStep = place.flatMap { $0 + 1 < steps.count ? $0 : nil }
        known = KnownPattern(steps)
    }

    /// Whether it is GPT-2's, with a space before a text or without.
    var isGPT2: Bool {
        if steps.count == 1, case .bytes(_, true) = steps[0] { true } else { false }
    }

    /// Whether a text may be cut before a space behind visible ASCII, as far as words go.
    var allowsCuts: Bool { !steps.isEmpty && steps.allSatisfy(\.allowsCuts) }

    /// Where a piece of text stands.
    struct Place {
        /// Whether it begins the whole text, as far as the library knows.
        var isFirst: Bool
        /// Whether other text stands before it, so that nothing is put between.
        var continues: Bool
    }

    /// Calls `body` with each word, in order.
    ///
    /// - Throws: `Interrupted`; what `body` throws.
    func forEachWord(
        _ text: UnsafeRawBufferPointer, _ place: Place, _ stop: ShouldStop,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        guard !text.isEmpty else { return }
        guard alphabetStep != nil else { return try run(0, text, place, stop, body) }
        var bytes: [UInt8] = []
        try run(0, text, place, stop) { word in
            ByteAlphabet.bytes(word, into: &bytes)
            try bytes.withUnsafeBytes(body)
        }
    }

    private func run(
        _ index: Int, _ text: UnsafeRawBufferPointer, _ place: Place, _ stop: ShouldStop,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        guard index < steps.count else { return try body(text) }
        func next(_ start: Int, _ end: Int) throws {
            let piece = UnsafeRawBufferPointer(rebasing: text[start..<end])
            let place = start == 0 ? place : Place(isFirst: false, continues: false)
            try run(index + 1, piece, place, stop, body)
        }
        switch steps[index] {
        case .split(let pattern, let behavior, let invert):
            if behavior == .isolated, case .expression(let expression) = pattern,
                let known = expression.known
            {
                return try known.forEachWord(text, next)
            }
            var joiner = SegmentJoiner(behavior)
            var done = 0
            try pattern.forEachMatch(text, stop: stop) { start, end in
                if done < start { try joiner.add(done, start, isMatch: invert, next) }
                try joiner.add(start, end, isMatch: !invert, next)
                done = end
            }
            if done < text.count { try joiner.add(done, text.count, isMatch: invert, next) }
            try joiner.finish(next)
        case .digits(let individual):
            try split(
                text, CharacterSets.numeric, individual ? .isolated : .contiguous, next)
        case .punctuation(let behavior):
            try split(text, CharacterSets.punctuation, behavior, next)
        case .whitespaceSplit: try split(text, CharacterSets.space, .removed, next)
        case .delimiter(let scalar):
            try split(text, CodePointSet([scalar.value]), .removed, next)
        case .whitespace: try words(text, next)
        case .bytes(let prefix, let words):
            try bytes(index, text, place, stop, prefix: prefix, words: words, body)
        case .metaspace(let mark, let scheme, let split):
            try metaspace(index, text, place, stop, mark, scheme, split, body)
        }
    }

    /// Every character of a set is a match of its own.
    private func split(
        _ text: UnsafeRawBufferPointer, _ set: CodePointSet, _ behavior: PreTokenizer.Behavior,
        _ next: (Int, Int) throws -> Void
    ) throws {
        var joiner = SegmentJoiner(behavior)
        var done = 0
        var index = 0
        while index < text.count {
            let (value, length) = UTF8Check.character(text, index)
            if set.contains(value ?? CodePointSet.malformed) {
                if done < index { try joiner.add(done, index, isMatch: false, next) }
                try joiner.add(index, index + length, isMatch: true, next)
                done = index + length
            }
            index += length
        }
        if done < text.count { try joiner.add(done, text.count, isMatch: false, next) }
        try joiner.finish(next)
    }

    /// Runs of characters of words, and runs of what is neither in words nor white space.
    private func words(
        _ text: UnsafeRawBufferPointer, _ next: (Int, Int) throws -> Void
    ) throws {
        var start = 0
        var kind = 0
        var index = 0
        while index < text.count {
            let (known, length) = UTF8Check.character(text, index)
            let value = known ?? CodePointSet.malformed
            let present =
                CharacterSets.word.contains(value) ? 1 : CharacterSets.space.contains(value) ? 0 : 2
            if present != kind {
                if kind != 0 { try next(start, index) }
                (start, kind) = (index, present)
            }
            index += length
        }
        if kind != 0, start < text.count { try next(start, text.count) }
    }

    private func bytes(
        _ index: Int, _ text: UnsafeRawBufferPointer, _ place: Place, _ stop: ShouldStop,
        prefix: Bool, words: Bool, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        if prefix, text.first != 0x20, !place.continues {
            return try ([0x20] + text).withUnsafeBytes {
                try bytes(index, $0, place, stop, prefix: false, words: words, body)
            }
        }
        func next(_ start: Int, _ end: Int) throws {
            let piece = UnsafeRawBufferPointer(rebasing: text[start..<end])
            guard alphabetStep != nil else { return try run(index + 1, piece, place, stop, body) }
            let place = start == 0 ? place : Place(isFirst: false, continues: false)
            try ByteAlphabet.spelled(piece).withUnsafeBytes {
                try run(index + 1, $0, place, stop, body)
            }
        }
        guard words else { return try next(0, text.count) }
        try WordPattern.forEachWord(text, next)
    }

    private func metaspace(
        _ index: Int, _ text: UnsafeRawBufferPointer, _ place: Place, _ stop: ShouldStop,
        _ mark: [UInt8], _ scheme: PreTokenizer.Scheme, _ split: Bool,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var marked: [UInt8] = []
        marked.reserveCapacity(text.count + text.count / 4 + mark.count)
        for byte in text {
            if byte == 0x20 { marked.append(contentsOf: mark) } else { marked.append(byte) }
        }
        let isPut = scheme == .always || (scheme == .first && place.isFirst)
        if isPut, !place.continues, !marked.starts(with: mark) { marked = mark + marked }
        try marked.withUnsafeBytes { text in
            func next(_ start: Int, _ end: Int) throws {
                let place = start == 0 ? place : Place(isFirst: false, continues: false)
                try run(
                    index + 1, UnsafeRawBufferPointer(rebasing: text[start..<end]), place, stop,
                    body)
            }
            guard split else { return try next(0, text.count) }
            var joiner = SegmentJoiner(.mergedWithNext)
            var done = 0
            try TextPattern.literal(mark).forEachMatch(text, stop: stop) { start, end in
                if done < start { try joiner.add(done, start, isMatch: false, next) }
                try joiner.add(start, end, isMatch: true, next)
                done = end
            }
            if done < text.count { try joiner.add(done, text.count, isMatch: false, next) }
            try joiner.finish(next)
        }
    }
}

/// The sets of characters that pre-tokenizers of the library ask for, by the versions of Unicode that it has there.
enum CharacterSets {
    /// Numbers of Unicode 17.
    static let numeric: CodePointSet = {
        var set = UnicodeProperties.category("n")
        set.insert(0x11de0...0x11de9)
        set.insert(0x16ff4...0x16ff6)
        return set
    }()

    /// Punctuation of Unicode 8 and ASCII's.
    static let punctuation: CodePointSet = {
        var set = CodePointSet([
            0x24, 0x2b, 0x3c, 0x3d, 0x3e, 0x5e, 0x60, 0x7c, 0x7e, 0x166d, 0x111c9,
        ])
        let all = UnicodeProperties.category("p")
        for value in UInt32(0)..<0x20000 where all.contains(value) {
            let age = UnicodeScalar(value)?.properties.age
            if let age, age.major <= 8 { set.insert(value) }
        }
        return set
    }()

    static let space = UnicodeProperties.named("space") ?? CodePointSet()

    /// Of the Rust library for regular expressions, which counts the characters that join words.
    static let word: CodePointSet = {
        var set = UnicodeProperties.word
        set.insert(0x200c...0x200d)
        return set
    }()
}
