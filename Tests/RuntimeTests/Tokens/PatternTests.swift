import Runtime
import TestSupport
import Testing

@Suite("Word pattern") struct PatternTests {
    private func words(_ text: [UInt8]) -> [String] {
        var result: [String] = []
        text.withUnsafeBytes { bytes in
            WordPattern.forEachWord(bytes) { start, end in
                result.append(String(decoding: bytes[start..<end], as: UTF8.self))
            }
        }
        return result
    }

    @Test(
        "tricky strings are cut as GPT-2 cuts them",
        arguments: [
            ("Hello world", ["Hello", " world"]), ("  two", [" ", " two"]),
            ("a\n\n b", ["a", "\n\n", " b"]),
            ("a\n\nb", ["a", "\n", "\n", "b"]), ("tail  ", ["tail", "  "]),
            ("it's we'll I'd", ["it", "'s", " we", "'ll", " I", "'d"]),
            ("IT'S 'sup 've", ["IT", "'", "S", " '", "sup", " '", "ve"]),
            ("x=10;y", ["x", "=", "10", ";", "y"]),
            ("don''t", ["don", "''", "t"]), ("1st 23.5%", ["1", "st", " 23", ".", "5", "%"]),
            ("été naïve", ["été", " naïve"]), ("漢字かな!", ["漢字かな", "!"]),
            ("a\u{a0}b", ["a", "\u{a0}", "b"]),
            ("\u{1F600}\u{1F600} ok", ["\u{1F600}\u{1F600}", " ok"]), ("Ⅷ²½", ["Ⅷ²½"]),
            ("\t\tx", ["\t", "\t", "x"]),
            ("e\u{301}a", ["e", "\u{301}", "a"]), ("", []), (" ", [" "]), ("\r\n", ["\r\n"]),
            ("'", ["'"]), ("'l", ["'", "l"]),
        ])
    func golden(text: String, expected: [String]) {
        #expect(words(Array(text.utf8)) == expected)
    }

    @Test("random text is cut as PCRE2 cuts it")
    func pcre() throws {
        let pattern = try PCREPattern(WordPattern.source)
        let pools: [[UnicodeScalar]] = [
            Array("ab sStTrRvVeElLmMdD''  \n\t019.,-_(){}".unicodeScalars),
            Array("aé 中\u{a0}\u{2003}½٣\u{301}\u{1F600}'s \u{85}\u{3000}Ⅷ".unicodeScalars),
            // The installed PCRE2 does not know the characters of Unicode 15 and later.
            (0..<3000).compactMap { UnicodeScalar(UInt32($0) * 373 % 0x110000) }.filter {
                $0 != "\u{180e}" && ($0.properties.age?.major ?? 0) < 15
            },
        ]
        var generator = Draws(seed: 3)
        for round in 0..<6000 {
            let pool = pools[round % pools.count] + (round % 2 == 0 ? pools[0] : [])
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0...40, using: &generator) {
                text.append(pool[Int.random(in: 0..<pool.count, using: &generator)])
            }
            let bytes = Array(String(text).utf8)
            var ends: [Int] = []
            var expected: [Int] = []
            try bytes.withUnsafeBytes { buffer in
                WordPattern.forEachWord(buffer) { _, end in ends.append(end) }
                try pattern.forEachMatch(buffer) { expected.append($0.upperBound) }
            }
            #expect(ends == expected, "\(String(text).debugDescription)")
        }
    }

    @Test("cutting into pieces changes no word")
    func pieces() {
        var generator = Draws(seed: 4)
        let pool = Array("ab  \n.é'".utf8)
        for _ in 0..<500 {
            let count = Int.random(in: 0...300, using: &generator)
            let text = (0..<count).map { _ in
                pool[Int.random(in: 0..<pool.count, using: &generator)]
            }
            let ranges = text.withUnsafeBytes { WordPattern.pieces($0, size: 20) }
            #expect(ranges.flatMap { words(Array(text[$0])) } == words(text))
            #expect(ranges.reduce(0) { $0 + $1.count } == text.count)
        }
    }
}
