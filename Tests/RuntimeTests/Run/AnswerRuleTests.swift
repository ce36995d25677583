import Runtime
import Testing

/// The expected values are those of lm_eval's filter `regex`, its metric `exact_match` and Python's `re`.
@Suite("Rules for answers") struct AnswerRuleTests {
    private func judged(
        _ rule: AnswerRule.Extraction, _ text: String
    ) throws -> String? {
        try AnswerJudge(.matching(rule)).answer(Array(text.utf8))
    }

    @Test(
        "the number behind the first #### and a space, as GSM8K's strict-match takes it",
        arguments: [
            ("Six and six. #### 12 apples", "12"), ("#### 1,234.5. And", "1234.5"),
            ("#### -7\n#### 8", "-7"), ("####12", nil), ("#### $12", nil), ("12", nil),
            ("#### 1.", "1"), ("#### .", ""), ("### #### 5", "5"), ("#### 1 2", "1"),
            ("é #### ٣", nil), ("#### 5\u{301}", "5"), ("####\n12", nil), ("#### ,,", ""),
        ] as [(String, String?)])
    func strict(_ text: String, _ expected: String?) throws {
        #expect(try judged(.strictMatch, text) == expected)
    }

    @Test(
        "the last number in the text, as GSM8K's flexible-extract takes it",
        arguments: [
            ("Six and six. #### 12 apples", "12"), ("It is 3 or 4", "4"), ("$1,200", "1200"),
            ("Costs $5.", "5"), ("no number", nil), ("a - 5", "5"), ("-5", "-5"), ("1.5.", "1.5"),
            ("12, 13,", "13"), ("x.. 7 ..", "."),
        ] as [(String, String?)])
    func flexible(_ text: String, _ expected: String?) throws {
        #expect(try judged(.flexibleExtract, text) == expected)
    }

    @Test("which match, groups, and what is left out of both")
    func other() throws {
        var rule = AnswerRule.Extraction(pattern: #"\(([A-D])\)|answer is (\w+)"#)
        #expect(try judged(rule, "(B) or the answer is C") == "B")
        rule.selected = -1
        #expect(try judged(rule, "(B) or the answer is C") == "C")
        rule.selected = 1
        #expect(try judged(rule, "(B) or the answer is C") == "C")
        rule.selected = 2
        #expect(try judged(rule, "(B) or the answer is C") == nil)
        rule = AnswerRule.Extraction(pattern: "(?m)^(.*)$")
        rule.selected = -1
        #expect(try judged(rule, "one\ntwo") == "two")
        #expect(try judged(rule, "") == "")
        rule = AnswerRule.Extraction(pattern: "a*")
        rule.selected = 1
        #expect(try judged(rule, "éaa") == "aa")
        rule = AnswerRule.Extraction(pattern: "(?s).*")
        rule.ignored = ["the ", "[aeiou]"]
        rule.ignoresCase = true
        rule.ignoresPunctuation = true
        rule.ignoresNumbers = true
        #expect(try judged(rule, " the Big, (Ötter) 12!") == "bg öttr ")
        let judge = try AnswerJudge(.matching(rule))
        #expect(try judge.reference(Array("the Big Ötter-".utf8)) == "bg öttr")
        let strict = try AnswerJudge(.matching(.strictMatch))
        #expect(try strict.reference(Array("Take 6.\n#### 1,200".utf8)) == "1200")
        #expect(try strict.reference(Array("Paris.".utf8)) == "paris")
        #expect(try strict.reference(Array("#### ".utf8)) == nil)
    }

    @Test("a pattern that is none is named, and one that runs wild ends")
    func errors() throws {
        #expect(
            message { _ = try AnswerJudge(.matching(AnswerRule.Extraction(pattern: "(a"))) }
                .contains("pattern: expected a regular expression, got \"(a\""))
        var rule = AnswerRule.Extraction(pattern: "a")
        rule.ignored = ["*"]
        #expect(
            message { _ = try AnswerJudge(.matching(rule)) }.contains(
                "ignore: expected a regular expression"))
        let wild = AnswerRule.Extraction(pattern: "(a|aa|b?)*c")
        let text = String(repeating: "a", count: 5000)
        let outcome = message { _ = try judged(wild, text) }
        #expect(outcome == "no error" || outcome.contains("PCRE2"), "\(outcome)")
    }
}
