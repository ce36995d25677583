import Foundation
import RuntimeData
import RuntimeSupport

/// How an answer is found in a text, and when two are the same.
public enum AnswerRule: Codable, Hashable, Sendable {
    /// What stands behind `marker` (all of the text without one) to the end of the line; `,`, `$` and a final period do
    /// not matter.
    case behind(marker: String?)
    /// What a regular expression finds.
    case matching(Extraction)

    /// A regular expression and what is left out before answers are compared, as lm_eval's filter `regex` and its metric
    /// `exact_match` have them.
    public struct Extraction: Codable, Hashable, Sendable {
        /// The regular expression; its first group that took part is the answer, or all of the match without groups.
        public var pattern: String
        /// Which match counts: 0 is the first, 1 the second; -1 is the last, -2 the one before.
        public var selected = 0
        /// What is removed from the answer and from the reference.
        public var ignored: [String] = []
        /// Whether capital and small letters are the same.
        public var ignoresCase = false
        /// Whether ASCII punctuation is removed.
        public var ignoresPunctuation = false
        /// Whether ASCII digits are removed.
        public var ignoresNumbers = false

        /// Creates a rule.
        public init(pattern: String) { self.pattern = pattern }

        /// GSM8K's rules in lm_eval, which ignore case and these parts.
        private static func gsm8k(_ pattern: String, selected: Int) -> Extraction {
            var rule = Extraction(pattern: pattern)
            rule.selected = selected
            rule.ignored = [",", #"\$"#, "(?s).*#### ", #"\.$"#]
            rule.ignoresCase = true
            return rule
        }

        /// The number behind the first `####`.
        public static let strictMatch = gsm8k(#"#### (\-?[0-9\.\,]+)"#, selected: 0)
        /// The last number in the text.
        public static let flexibleExtract = gsm8k(
            "(-?[$0-9.,]{2,})|(-?[0-9]+)", selected: -1)
    }
}

/// A rule made ready: its expressions compiled.
package struct AnswerJudge: Sendable {
    private let rule: AnswerRule
    private let pattern: PCREPattern?
    private let ignored: [PCREPattern]

    /// - Throws: `InvalidValue` for a marker without text, or naming the regular expression that is none.
    package init(_ rule: AnswerRule) throws {
        self.rule = rule
        switch rule {
        case .behind(let marker):
            guard marker != "" else {
                throw InvalidValue("marker", expected: "text", found: "\"\"")
            }
            pattern = nil
            ignored = []
        case .matching(let extraction):
            pattern = try Self.compile("pattern", extraction.pattern)
            ignored = try extraction.ignored.map { try Self.compile("ignore", $0) }
        }
    }

    private static func compile(_ option: String, _ pattern: String) throws -> PCREPattern {
        do {
            return try PCREPattern(pattern)
        } catch let error as InvalidValue {
            throw InvalidValue(
                option, expected: "a regular expression", found: "\"\(pattern)\" (\(error.found))")
        }
    }

    /// The answer that the text of a reference stands for; `nil` if it is none.
    package func reference(_ text: [UInt8]) throws -> String? {
        switch rule {
        case .behind(let marker): return Self.answer(of: text, after: marker)
        case .matching(let extraction):
            let answer = try normal(String(decoding: text, as: UTF8.self), extraction)
            return answer.isEmpty ? nil : answer
        }
    }

    /// The answer in a generated text; `nil` if there is none.
    package func answer(_ text: [UInt8]) throws -> String? {
        guard case .matching(let extraction) = rule, let pattern else {
            if case .behind(let marker) = rule { return Self.answer(of: text, after: marker) }
            return nil
        }
        let bytes = Array(String(decoding: text, as: UTF8.self).utf8)
        let matches = try pattern.matches(bytes)
        let index = extraction.selected + (extraction.selected < 0 ? matches.count : 0)
        guard matches.indices.contains(index) else { return nil }
        let match = matches[index]
        // Of several groups the first with text; one group alone may be empty.
        let groups = match.count == 1 ? match[...] : match.dropFirst()
        let chosen =
            groups.count == 1 ? groups.first : groups.first { $0.map { !$0.isEmpty } ?? false }
        guard let chosen else { return nil }
        let found = String(decoding: chosen.map { bytes[$0] } ?? [], as: UTF8.self)
        return try normal(found.trimmingCharacters(in: .whitespacesAndNewlines), extraction)
    }

    private func normal(
        _ text: String, _ extraction: AnswerRule.Extraction
    ) throws -> String {
        var bytes = Array(text.utf8)
        for pattern in ignored { bytes = try pattern.removed(from: bytes) }
        var text = String(decoding: bytes, as: UTF8.self)
        if extraction.ignoresCase { text = text.lowercased() }
        if extraction.ignoresPunctuation || extraction.ignoresNumbers {
            text.unicodeScalars.removeAll { scalar in
                guard scalar.isASCII else { return false }
                switch scalar {
                case "0"..."9": return extraction.ignoresNumbers
                case "!"..."/", ":"..."@", "["..."`", "{"..."~":
                    return extraction.ignoresPunctuation
                default: return false
                }
            }
        }
        return text
    }

    /// The answer within a text: what follows the first `marker` on its line, without `,`, `$`, outer space and a
    /// final period; `nil` if nothing is there.
    package static func answer(of text: [UInt8], after marker: String?) -> String? {
        var text = String(decoding: text, as: UTF8.self)[...]
        if let marker {
            guard let place = text.range(of: marker) else { return nil }
            text = text[place.upperBound...]
        }
        let trimmed = text.drop { $0.isWhitespace && (marker == nil || !$0.isNewline) }
        let line = trimmed.prefix { !$0.isNewline }.filter { $0 != "," && $0 != "$" }
        var answer = line.trimmingCharacters(in: .whitespaces)
        if answer.hasSuffix(".") { answer.removeLast() }
        return answer.isEmpty ? nil : answer
    }
}
