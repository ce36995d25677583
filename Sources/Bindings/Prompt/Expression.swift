/// What an unfinished expression is about, told from records and by looking at values without running code.
indirect enum Subject {
    /// A value that is reached from the globals by names.
    case value([Interpreter.PathStep], Sight)
    /// A function of the library.
    case function(Function)
    /// An object of a type of the library.
    case object(ObjectType)
    case string
    case unknown
}

/// Reads tokens backwards from a place: which brackets are open there, and what expression ends there.
struct Expressions {
    let interpreter: Interpreter
    let tokens: [LuaTokens.Token]
    /// For each token, the innermost open bracket before it.
    let enclosing: [Int?]
    /// The innermost bracket that is open at the end.
    let open: Int?

    init(_ tokens: [LuaTokens.Token], _ interpreter: Interpreter) {
        self.tokens = tokens
        self.interpreter = interpreter
        var stack: [Int] = []
        var enclosing: [Int?] = []
        for (index, token) in tokens.enumerated() {
            if token.kind == .symbol, [")", "}", "]"].contains(token.text) { _ = stack.popLast() }
            enclosing.append(stack.last)
            if token.kind == .symbol, ["(", "{", "["].contains(token.text) { stack.append(index) }
        }
        self.enclosing = enclosing
        open = stack.last
    }

    func isSymbol(_ index: Int, _ text: String) -> Bool {
        tokens.indices.contains(index) && tokens[index].kind == .symbol
            && tokens[index].text == text
    }

    /// Whether an expression may end with a token, so that what follows calls or indexes it.
    func endsExpression(_ index: Int) -> Bool {
        guard tokens.indices.contains(index) else { return false }
        switch tokens[index].kind {
        case .name, .string: return true
        case .symbol: return [")", "]", "}"].contains(tokens[index].text)
        default: return false
        }
    }

    /// The bracket that a closing one at `index` belongs to.
    func opening(_ index: Int) -> Int? {
        var candidate = index - 1
        while candidate >= 0 {
            if enclosing[candidate] == enclosing[index],
                ["(", "{", "["].contains(tokens[candidate].text), tokens[candidate].kind == .symbol
            {
                return candidate
            }
            candidate -= 1
        }
        return nil
    }

    /// What the expression that ends before a token stands for.
    func subject(before end: Int) -> Subject {
        let last = end - 1
        guard tokens.indices.contains(last) else { return .unknown }
        let token = tokens[last]
        switch token.kind {
        case .name:
            if isSymbol(last - 1, ".") || isSymbol(last - 1, ":") {
                return member(subject(before: last - 1), token.text)
            }
            return global(token.text)
        case .string:
            return endsExpression(last - 1) ? result(subject(before: last)) : .string
        case .symbol:
            guard let start = opening(last) else { return .unknown }
            if token.text == "]" { return element(subject(before: start), start, last) }
            if ["(", "{"].contains(tokens[start].text), endsExpression(start - 1) {
                return result(subject(before: start))
            }
            return token.text == ")" ? subject(before: last) : .unknown
        default: return .unknown
        }
    }

    private func global(_ name: String) -> Subject { value([.name(name)]) }

    private func value(_ path: [Interpreter.PathStep]) -> Subject {
        guard let sight = interpreter.look(path) else { return .unknown }
        if case .object(let name) = sight { return object(name) }
        if case .string = sight { return .string }
        return .value(path, sight)
    }

    private func object(_ name: String) -> Subject {
        interpreter.library.types.first { $0.name == name }.map { .object($0) } ?? .unknown
    }

    private func member(_ subject: Subject, _ name: String) -> Subject {
        switch subject {
        case .value(let path, .table):
            let names = (path + [.name(name)]).map { step in
                if case .name(let name) = step { name } else { "" }
            }
            let full = names.joined(separator: ".")
            if let function = interpreter.library.functions.first(where: { $0.fullName == full }) {
                return .function(function)
            }
            return value(path + [.name(name)])
        case .object(let type):
            guard let member = type.members.first(where: { $0.name == name }) else {
                return .unknown
            }
            if case .field = member.form { return result(.function(member)) }
            return .function(member)
        case .string: return value([.name("string"), .name(name)])
        default: return .unknown
        }
    }

    private func element(_ subject: Subject, _ start: Int, _ end: Int) -> Subject {
        guard case .value(let path, .table) = subject, end == start + 2 else { return .unknown }
        let key = tokens[start + 1]
        if key.kind == .string { return value(path + [.name(key.text)]) }
        return Int(key.text).map { value(path + [.index($0)]) } ?? .unknown
    }

    /// What a call gives: the first word of a record's results may be a type.
    private func result(_ subject: Subject) -> Subject {
        guard case .function(let function) = subject else { return .unknown }
        let word = function.returns.prefix { $0.isLetter }
        return word == "string" ? .string : object(String(word))
    }

    // MARK: - Parameters

    /// What is expected of the value that begins with a token (or would, at the end).
    func expected(at index: Int) -> Kind? {
        if isSymbol(index - 1, "=") {
            guard index >= 2, let table = bracket(index), isSymbol(table, "{"),
                tokens[index - 2].kind == .name, let kind = expected(at: table)
            else { return nil }
            if let values = kind.mapped { return values }
            return kind.options.first { $0.name == tokens[index - 2].text }?.kind
        }
        let isArgument = isSymbol(index - 1, "(") || isSymbol(index - 1, ",")
        let isItem =
            isSymbol(index - 1, "{") || isSymbol(index - 1, ",") || isSymbol(index - 1, ";")
        if let bracket = bracket(index) {
            if isSymbol(bracket, "("), isArgument, endsExpression(bracket - 1),
                case .function(let function) = subject(before: bracket)
            {
                let position = commas(bracket, index)
                return function.parameters.indices.contains(position)
                    ? function.parameters[position].kind : nil
            }
            if isSymbol(bracket, "{"), isItem {
                return item(of: expected(at: bracket), bracket, index)
            }
        }
        let startsCall =
            isSymbol(index, "{") || (index < tokens.count && tokens[index].kind != .symbol)
        guard startsCall, endsExpression(index - 1),
            case .function(let function) = subject(before: index)
        else { return nil }
        return function.parameters.first?.kind
    }

    private func bracket(_ index: Int) -> Int? { index < tokens.count ? enclosing[index] : open }

    private func commas(_ bracket: Int, _ end: Int) -> Int {
        (bracket + 1..<max(bracket + 1, end)).count {
            enclosing[$0] == bracket && (isSymbol($0, ",") || isSymbol($0, ";"))
        }
    }

    private func item(of kind: Kind?, _ bracket: Int, _ index: Int) -> Kind? {
        switch kind {
        case .list(let element)?: return element
        case .options(let parameters)?:
            var position = commas(bracket, index)
            for parameter in parameters {
                if case .rest = parameter.place {
                    if case .list(let element) = parameter.kind { return element }
                    return parameter.kind
                }
                guard case .item = parameter.place else { continue }
                if position == 0 { return parameter.kind }
                position -= 1
            }
            return nil
        default: return nil
        }
    }

    /// The names that the table which opens with a token has already.
    func given(in table: Int) -> Set<String> {
        Set(
            tokens.indices.filter {
                enclosing[$0] == table && tokens[$0].kind == .name && isSymbol($0 + 1, "=")
            }.map { tokens[$0].text })
    }
}
