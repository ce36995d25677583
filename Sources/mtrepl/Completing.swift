import Bindings
import CReadline
import Glibc
import Runtime

/// Tab: readline asks, `Interpreter.complete` answers.
enum Completing {
    /// readline has one completion for the process.
    nonisolated(unsafe) private static var complete: ((String) -> Completion)?
    /// The lines before the one that is edited.
    nonisolated(unsafe) static var before = ""
    nonisolated(unsafe) private static let wordBreaks = strdup(
        " \t\n\"'`@$><=;|&{}()[],.:+-*/%^#~?!\\")
    nonisolated(unsafe) private static let stringBreaks = strdup("\"'")

    static func start(_ complete: @escaping (String) -> Completion) {
        self.complete = complete
        mt_rl_complete_with(
            { _, start, _ in Completing.matches(from: Int(start)) },
            { Completing.answer().inString ? Completing.stringBreaks : Completing.wordBreaks })
    }

    /// What the interpreter says of the text up to the cursor.
    private static func answer() -> Completion {
        let line = Array(String(cString: mt_rl_buffer()).utf8.prefix(Int(mt_rl_point())))
        return complete?(before + String(decoding: line, as: UTF8.self))
            ?? Completion(start: 0, candidates: [])
    }

    /// A list as readline wants it: what all have in common, then all of them, if there are several.
    private static func matches(from start: Int)
        -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    {
        let line = Array(String(cString: mt_rl_buffer()).utf8)
        var found = answer()
        // readline shows candidates as they are, and what a terminal would act on can hardly be typed.
        found.candidates.removeAll { !$0.isVisible }
        mt_rl_exactly(found.inString && found.candidates.contains { $0.contains("/") })
        // readline replaces from its own idea of the word's beginning.
        let ours = found.start - before.utf8.count
        var texts = found.candidates.map { candidate in
            ours <= start
                ? Array(candidate.utf8.dropFirst(start - ours))
                : Array(line[start..<ours]) + Array(candidate.utf8)
        }
        guard let first = texts.first else { return nil }
        if texts.count == 1, found.inString, first.last != UInt8(ascii: "/") {
            let point = Int(mt_rl_point())
            let quote = quote(line, before: max(0, ours))
            if point >= line.count || line[point] != quote { texts[0].append(quote) }
        } else if texts.count > 1 {
            var common = first
            for text in texts { common = zip(common, text).prefix { $0 == $1 }.map(\.0) }
            texts.insert(common, at: 0)
        }
        let list = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(
            capacity: texts.count + 1)
        for (index, text) in texts.enumerated() {
            list[index] = strdup(String(decoding: text, as: UTF8.self))
        }
        list[texts.count] = nil
        return list
    }

    private static func quote(_ line: [UInt8], before index: Int) -> UInt8 {
        index > 0 && index <= line.count ? line[index - 1] : UInt8(ascii: "\"")
    }
}
