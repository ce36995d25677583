import Bindings
import Runtime

/// Answers about a piece of code, none of which runs it.
///
/// Positions of the protocol are code points.
struct KernelQuestions {
    let host: Host

    private struct Place: Decodable {
        let code: String
        let cursor_pos: Int?
        let detail_level: Int?

        /// The code before the cursor.
        var before: String {
            let scalars = code.unicodeScalars
            let end = scalars.index(
                scalars.startIndex, offsetBy: max(0, cursor_pos ?? scalars.count),
                limitedBy: scalars.endIndex)
            return String(scalars[..<(end ?? scalars.endIndex)])
        }
    }

    func complete(_ message: KernelMessage) throws -> JSON {
        let before = try message.request(Place.self).before
        let found = host.interpreter.complete(before)
        let kept = String(decoding: before.utf8.prefix(found.start), as: UTF8.self)
        return [
            "status": "ok", "matches": .array(found.candidates.map { .string($0) }),
            "cursor_start": .integer(kept.unicodeScalars.count),
            "cursor_end": .integer(before.unicodeScalars.count), "metadata": [:],
        ]
    }

    func inspect(_ message: KernelMessage) throws -> JSON {
        let place = try message.request(Place.self)
        let text = host.interpreter.inspect(
            place.code, cursor: place.before.utf8.count, source: place.detail_level == 1)
        return [
            "status": "ok", "found": .boolean(text != nil),
            "data": text.map { ["text/plain": .string($0)] } ?? [:], "metadata": [:],
        ]
    }

    func isComplete(_ message: KernelMessage) throws -> JSON {
        struct Request: Decodable { let code: String }
        let code = try message.request(Request.self).code
        switch host.completeness(code) {
        case .complete: return ["status": "complete"]
        case .incomplete:
            return ["status": "incomplete", "indent": .string(Self.indent(after: code))]
        case .invalid: return ["status": "invalid"]
        }
    }

    /// The spaces that the next line should begin with: two more where the last line opens a block.
    private static func indent(after code: String) -> String {
        let line = code.split(separator: "\n").last ?? ""
        let opens =
            line.firstMatch(of: /(\b(do|then|else|repeat)|\bfunction\b.*\)|[({])\s*$/) != nil
        return String(line.prefix { $0 == " " || $0 == "\t" }) + (opens ? "  " : "")
    }
}
