import Bindings
import Runtime

/// The code of a notebook's cell as a part of a script, and back.
///
/// A cell is more than a chunk of Lua: its last expression is shown, its locals end with it, and `return` ends it alone. In
/// the script `mt.show(…)` shows the value, `do … end` holds the locals, and a function holds `return`.
struct LuaScript {
    private let interpreter: Interpreter

    init() throws { interpreter = try Interpreter(Interpreter.Settings()) }

    private static let (show, assign) = ("mt.show(", "do local _ = ")
    private static let (function, end) = ("(function()\n", "\nend)()")

    /// Text that does in a script what a cell does in a notebook; `nil` if there is none, as it is not Lua.
    func script(_ cell: String) -> String? {
        guard PromptCommand(cell) == nil else { return nil }
        let tokens = tokens(cell)
        guard !tokens.isEmpty else { return parses(cell) ? cell : nil }
        let place = interpreter.lastExpression(cell, name: "=cell")
        let silenced = Interpreter.isSilenced(cell)
        guard var text = code(Bytes(cell), tokens, place, silenced) else { return nil }
        if !returns(tokens), needsBlock(tokens) { text = "do\n\(text)\nend" }
        return parses(text) ? text : nil
    }

    /// The cell that `script` makes a text of, or else the text itself.
    func cell(_ text: String) -> String {
        let bytes = Bytes(text)
        var inner = [bytes]
        if let inside = bytes.between("do\n", "\nend") { inner.insert(inside, at: 0) }
        for part in inner {
            for candidate in candidates(part) + [part] where candidate != bytes {
                let cell = candidate.text
                if let made = script(cell), Bytes(made) == bytes { return cell }
            }
        }
        return text
    }

    private func tokens(_ text: String) -> [LuaTokens.Token] {
        // Lua ends lines at carriage returns too.
        let bytes = text.utf8.map { $0 == 13 ? 10 : $0 }
        return LuaTokens(String(decoding: bytes, as: UTF8.self)).tokens.filter {
            $0.kind != .openComment
        }
    }

    private func parses(_ text: String) -> Bool {
        (try? interpreter.parse(text, name: "=cell")) != nil
    }

    private func code(
        _ cell: Bytes, _ tokens: [LuaTokens.Token], _ place: Int?, _ silenced: Bool
    ) -> String? {
        let head = place.map { cell.prefix($0) }
        let value = place.map { cell.suffix(from: $0) }
        if returns(tokens) {
            let body = (head.map { $0.text + "return " } ?? "") + (value ?? cell).text
            let call = Self.function + body + Self.end
            return silenced ? "\(Self.assign)\(call) end" : "\(Self.show)\(call))"
        }
        guard let head, let value else { return parses(cell.text) ? cell.text : nil }
        let isStatement = parses(cell.text)
        if isStatement, silenced || isPrint(tokens, from: head.count) { return cell.text }
        let (expression, space) = value.splitSpace()
        // A comment behind the expression ends with its line.
        let forms =
            silenced
            ? [(Self.assign, " end"), (Self.assign, "\nend")]
            : [(Self.show, ")"), (Self.show, "\n)")]
        for (before, after) in forms {
            let text = head.text + before + expression.text + after + space.text
            if parses(text) { return text }
        }
        return nil
    }

    /// Whether the last statement is a call of `print` alone, which returns nothing to show.
    private func isPrint(_ tokens: [LuaTokens.Token], from place: Int) -> Bool {
        let call = tokens.filter { $0.start >= place }
        guard call.count > 1, call[0].text == "print" else { return false }
        if call[1].kind == .string { return call.count == 2 }
        guard call[1].text == "(" else { return false }
        var depth = 0
        for (index, token) in call.enumerated() where token.kind == .symbol {
            if ["(", "{", "["].contains(token.text) { depth += 1 }
            if [")", "}", "]"].contains(token.text) { depth -= 1 }
            if depth == 0 { return index == call.count - 1 }
        }
        return false
    }

    /// Whether a cell returns, or asks for arguments, outside of functions.
    private func returns(_ tokens: [LuaTokens.Token]) -> Bool {
        outermost(tokens, of: ["function"]).contains { $0.text == "return" || $0.text == "..." }
    }

    /// Whether a cell has locals or labels of its own, or begins as if it went on with what stands before it.
    private func needsBlock(_ tokens: [LuaTokens.Token]) -> Bool {
        if tokens[0].kind == .symbol, tokens[0].text == "(" { return true }
        return outermost(tokens, of: ["function", "if", "do", "repeat"]).contains {
            ($0.kind == .keyword && ["local", "goto"].contains($0.text))
                || ($0.kind == .symbol && $0.text == "::")
        }
    }

    /// The keywords and symbols outside of blocks of some kinds.
    private func outermost(
        _ tokens: [LuaTokens.Token], of kinds: Set<String>
    ) -> [LuaTokens.Token] {
        var stack: [String] = []
        return tokens.filter { token in
            guard token.kind == .keyword || token.kind == .symbol else { return false }
            if token.kind == .keyword {
                switch token.text {
                case "function", "if", "do", "repeat": stack.append(token.text)
                case "end", "until": _ = stack.popLast()
                default: break
                }
            }
            return !stack.contains { kinds.contains($0) }
        }
    }

    /// What a text may have been made of.
    private func candidates(_ text: Bytes) -> [Bytes] {
        var found: [Bytes] = []
        for (before, after) in [(Self.show, ")"), (Self.assign, " end")] {
            guard
                let body = text.between(before + Self.function, Self.end + after)
            else { continue }
            found += [body] + body.without("return ")
        }
        let (trimmed, space) = text.splitSpace()
        for (before, afters) in [(Self.show, ["\n)", ")"]), (Self.assign, ["\nend", " end"])] {
            for after in afters where trimmed.hasSuffix(after) {
                found += trimmed.dropLast(after.utf8.count).without(before).map { $0 + space }
            }
        }
        return found
    }
}

/// A text byte by byte: Lua's lines and names are bytes, where Swift's characters may join what stands beside each other.
private struct Bytes: Equatable {
    var bytes: ArraySlice<UInt8>

    init(_ text: String) { bytes = Array(text.utf8)[...] }
    private init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    static func == (a: Bytes, b: Bytes) -> Bool { a.bytes.elementsEqual(b.bytes) }
    static func + (a: Bytes, b: Bytes) -> Bytes { Bytes((a.bytes + b.bytes)[...]) }

    var text: String { String(decoding: bytes, as: UTF8.self) }
    var count: Int { bytes.count }

    func prefix(_ count: Int) -> Bytes { Bytes(bytes.prefix(count)) }
    func suffix(from offset: Int) -> Bytes { Bytes(bytes.dropFirst(offset)) }
    func dropLast(_ count: Int) -> Bytes { Bytes(bytes.dropLast(count)) }
    func hasSuffix(_ text: String) -> Bool {
        bytes.suffix(text.utf8.count).elementsEqual(text.utf8)
    }

    /// What stands between a beginning and an end.
    func between(_ first: String, _ last: String) -> Bytes? {
        guard count >= first.utf8.count + last.utf8.count, bytes.starts(with: first.utf8),
            hasSuffix(last)
        else { return nil }
        return Bytes(bytes.dropFirst(first.utf8.count).dropLast(last.utf8.count))
    }

    /// The text without white space at its end, and that space.
    func splitSpace() -> (Bytes, Bytes) {
        let space = bytes.reversed().prefix { [9, 10, 13, 32].contains($0) }.count
        return (dropLast(space), Bytes(bytes.suffix(space)))
    }

    /// The text with one occurrence of a piece left out: the last ones first, a few at most.
    func without(_ piece: String) -> [Bytes] {
        let piece = Array(piece.utf8)
        var found: [Bytes] = []
        var place = bytes.endIndex - piece.count
        while place >= bytes.startIndex, found.count < 20 {
            if bytes[place...].starts(with: piece) {
                found.append(
                    Bytes((bytes[..<place] + bytes[(place + piece.count)...])[...]))
            }
            place -= 1
        }
        return found
    }
}
