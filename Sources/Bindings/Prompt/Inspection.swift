extension Interpreter {
    /// The help, or with `source` the Lua source, of what stands at a place of a piece of Lua: of the name there, or of the
    /// function whose call is open there.
    ///
    /// Nothing is run.
    ///
    /// - Parameters:
    ///   - code: A piece of Lua, finished or not.
    ///   - cursor: The place, in bytes.
    /// - Returns: nil if nothing is known.
    public func inspect(_ code: String, cursor: Int, source: Bool = false) -> String? {
        let bytes = Array(code.utf8)
        var end = min(max(0, cursor), bytes.count)
        while end < bytes.count, Self.isPartOfName(bytes[end]) { end += 1 }
        let tokens = LuaTokens(String(decoding: bytes[..<end], as: UTF8.self)).tokens
        let expressions = Expressions(tokens, self)
        var last: Int? = tokens.count - 1
        while let index = last {
            if tokens.indices.contains(index), tokens[index].kind == .name {
                let start = tokens[expressions.beginning(index)].start
                let text = String(decoding: bytes[start..<tokens[index].end], as: UTF8.self)
                if source, let found = try? self.source(text) { return found }
                if let found = try? help(text) { return found }
            }
            last = expressions.callee(around: index)
        }
        return nil
    }

    private static func isPartOfName(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || (48...57).contains(byte) || (97...122).contains(byte | 32)
    }
}

extension Expressions {
    /// The first token of the expression that ends with a token.
    fileprivate func beginning(_ last: Int) -> Int {
        var index = last
        while index >= 2, isSymbol(index - 1, ".") || isSymbol(index - 1, ":") {
            var before = index - 2
            while [")", "]", "}"].contains(where: { isSymbol(before, $0) }) {
                guard let start = opening(before) else { return index }
                guard start > 0, endsExpression(start - 1) else {
                    before = start
                    break
                }
                before = start - 1
            }
            index = before
        }
        return index
    }

    /// The last token of what is called by the innermost bracket that is open at a token.
    fileprivate func callee(around index: Int) -> Int? {
        var bracket =
            tokens.indices.contains(index) && isBracket(index)
            ? index
            : index == tokens.count - 1
                ? open : tokens.indices.contains(index) ? enclosing[index] : nil
        while let start = bracket {
            if !isSymbol(start, "["), start > 0, endsExpression(start - 1) { return start - 1 }
            bracket = enclosing[start]
        }
        return nil
    }

    private func isBracket(_ index: Int) -> Bool {
        ["(", "{"].contains { isSymbol(index, $0) }
    }
}
