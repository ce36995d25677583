import Runtime
import TestSupport
import Testing

@Suite("Regular expressions") struct ExpressionTests {
    /// The matches of a pattern as texts.
    private func matches(_ pattern: String, _ text: String) throws -> [String] {
        let expression = try RegularExpression(pattern)
        let bytes = Array(text.utf8)
        var found: [String] = []
        try bytes.withUnsafeBytes { buffer in
            try expression.forEachMatch(buffer, stop: { false }) {
                found.append(String(decoding: buffer[$0..<$1], as: UTF8.self))
            }
        }
        return found
    }

    @Test(
        "matches are Oniguruma's",
        arguments: [
            (#"a{1,3}+"#, "aaaaaaa b", ["aaaaaaa"]), (#"a{2}+"#, "aaaaa", ["aaaa"]),
            (#"a{,2}"#, "aaa", ["aa", "a"]), (#"a++b|a"#, "aab", ["aab"]),
            (#"(?i:'s)"#, "a'ſ 'S", ["'ſ", "'S"]), (#"(?i:k)"#, "K\u{212a}", ["K", "\u{212a}"]),
            (#"(?<=a)b"#, "abb", ["b"]), (#"(?<!a)b"#, "abb", ["b"]),
            (#"\s+(?!\S)|\s+"#, "a   b ", ["  ", " ", " "]), (#"(?:a|b)*?c"#, "abac", ["abac"]),
            (#"[^\s|[.,!]]+"#, "a.b|c d", ["a", "b", "c", "d"]),
            (#"[\p{L}&&[^a]]+"#, "abca", ["bc"]), (#"[a-z-9]+"#, "ab-9x", ["ab-9x"]),
            (#"x{"#, "ax{", ["x{"]), (#"$"#, "a\nb", ["", ""]), (#"^b"#, "b\nb", ["b", "b"]),
            (#"b*"#, "abba", ["", "bb", ""]), (#"\bé\B"#, "éa é", ["é"]),
            (#"(?>a|ab)c"#, "abcac", ["ac"]), (#"[[:^alpha:]]"#, "a1", ["1"]),
            (#"(?m:.)"#, "\n", ["\n"]), (#"."#, "\n", []),
        ])
    func semantics(_ pattern: String, _ text: String, _ expected: [String]) throws {
        #expect(try matches(pattern, text) == expected, "\(pattern)")
    }

    @Test(
        "what is not supported is refused by name",
        arguments: [
            (#"(a)\1"#, #"\1 at character"#), (#"(?<n>a)"#, "this kind of group"),
            ("a**", "a quantifier of a quantifier"), ("[a-", "no closing ]"),
            ("(a", "no closing )"),
            ("a)", "an unmatched )"), (#"\p{Klingon}"#, "the property \"Klingon\""),
            ("(?i:ß)", "a character beyond ASCII"),
            ("(?i:ss)", "letters that one character stands for"),
            ("(?<=a+)b", "must have one length"), ("(?:a*)*", "of what may be empty"),
            ("[b-a]", "a range that goes down"), ("a{2,1}", "a count that goes down"),
            ("(?:(?:a{1000}){1000}){1000}", "too long"), ("*", "a quantifier of nothing"),
            (String(repeating: "(", count: 5000), "in more than 100 others"), (#"\"#, "ends with"),
        ])
    func refused(_ pattern: String, _ reason: String) {
        do {
            _ = try RegularExpression(pattern)
            Issue.record("\(pattern) is read")
        } catch let error as ExpressionError {
            #expect(error.reason.contains(reason), "\(pattern): \(error.reason)")
        } catch { Issue.record("\(error)") }
    }

    @Test("time stays near linear, also where backtracking alone is exponential")
    func time() throws {
        let long = String(repeating: "a", count: 600)
        #expect(try matches("(?:a|aa)+b", long).isEmpty)
        #expect(try matches("(?:a+)+b", String(long.prefix(400))).isEmpty)
        for unit in [" ", "a", "A", "\n", "1", "'", "\u{301}", "漢", "Aa"] {
            let text = String(repeating: unit, count: 300_000)
            for (name, source) in KnownPattern.sources {
                // DeepSeek's cuts numbers by a pattern of its own.
                let isNone = name == "deepseek" && unit == "1"
                #expect(try matches(source, text).isEmpty == isNone, "\(name), \(unit)")
            }
        }
    }

    @Test("a search is interrupted")
    func interrupted() throws {
        let expression = try RegularExpression("(?:a|b)*c")
        let text = [UInt8](repeating: 0x61, count: 20_000)
        let error = message {
            try text.withUnsafeBytes { try expression.forEachMatch($0, stop: { true }) { _, _ in } }
        }
        #expect(error.hasPrefix("interrupted"), "\(error)")
    }

    @Test("patterns that are matched by hand give the words of the expression, on any bytes")
    func byHand() throws {
        let pools: [[UnicodeScalar]] = [
            Array("aBsStTrRvVeElLmMdD''  \n\r\t019.,-_(){}/".unicodeScalars),
            Array(
                "aÉé 中\u{a0}\u{2003}½٣\u{301}\u{1F600}'sſ \u{85}\u{3000}ⅧǅʰK\r\n/".unicodeScalars),
            (0..<4000).compactMap { UnicodeScalar(UInt32($0) * 277 % 0x20000) },
        ]
        for (name, source) in KnownPattern.sources {
            guard let known = KnownPattern(source: source) else { continue }
            let expression = try RegularExpression(source)
            var generator = Draws(seed: 5)
            for round in 0..<Long.pick(3000, long: 100_000) {
                var bytes: [UInt8] = []
                for _ in 0..<Int.random(in: 0...30, using: &generator) {
                    // Now and then a part of a character.
                    guard round % 4 < 3, Int.random(in: 0..<40, using: &generator) > 0 else {
                        bytes.append(UInt8.random(in: 0...255, using: &generator))
                        continue
                    }
                    let pool = pools[round % 4]
                    let scalar = pool[Int.random(in: 0..<pool.count, using: &generator)]
                    bytes += Array(String(scalar).utf8)
                }
                var (ends, expected): ([Int], [Int]) = ([], [])
                try bytes.withUnsafeBytes { buffer in
                    known.forEachWord(buffer) { _, end in ends.append(end) }
                    try expression.forEachMatch(buffer, stop: { false }) { expected.append($1) }
                }
                #expect(ends == expected, "\(name): \(bytes)")
            }
        }
    }
}
