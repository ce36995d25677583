import Glibc

/// What could stand at the cursor.
public struct Completion: Equatable {
    /// Where the text begins that a candidate replaces, in bytes; it ends at the cursor.
    public var start: Int
    /// What may replace it, sorted.
    public var candidates: [String]
    /// Whether the cursor is inside a string.
    public var inString = false

    /// Candidates for what begins at `start`.
    public init(start: Int, candidates: [String], inString: Bool = false) {
        self.start = start
        self.candidates = candidates
        self.inString = inString
    }
}

extension Interpreter {
    /// What could stand at the end of a piece of Lua: names, fields, methods, options, choices, corpora, paths.
    ///
    /// Nothing is run: values are only looked at, and the library is known by its records.
    public func complete(_ text: String) -> Completion {
        let all = LuaTokens(text).tokens
        guard let last = all.last else { return globals("", text.utf8.count, []) }
        switch last.kind {
        case .openComment: return Completion(start: text.utf8.count, candidates: [])
        case .openString: return string(all, last)
        default: break
        }
        let isWord = (last.kind == .name || last.kind == .keyword) && last.end == text.utf8.count
        let tokens = isWord ? Array(all.dropLast()) : all
        let word = isWord ? last.text : ""
        let start = isWord ? last.start : text.utf8.count
        let expressions = Expressions(tokens, self)
        let end = tokens.count
        if expressions.isSymbol(end - 1, ".") || expressions.isSymbol(end - 1, ":") {
            let methods = expressions.isSymbol(end - 1, ":")
            let names = members(expressions.subject(before: end - 1), methods: methods)
            return Self.matching(word, names, start)
        }
        if let table = expressions.open, expressions.isSymbol(table, "{"),
            ["{", ",", ";"].contains(where: { expressions.isSymbol(end - 1, $0) })
        {
            let known = options(expressions.expected(at: table))
            let given = expressions.given(in: table)
            let free = known.filter { !given.contains($0) }.map { $0 + " = " }
            let found = Self.matching(word, free, start)
            if !found.candidates.isEmpty { return found }
        }
        var values: [String] = []
        if expressions.isSymbol(end - 1, "="), let kind = expressions.expected(at: end) {
            values = choices(kind).map { "\"\($0)\"" }
            if case .boolean = kind { values += ["false", "true"] }
            if word.isEmpty, !values.isEmpty { return Self.matching("", values, start) }
        }
        let local = zip(tokens, tokens.dropFirst()).filter { $0.0.text == "local" }.map(\.1.text)
        return globals(word, start, values + local)
    }

    private func globals(_ word: String, _ start: Int, _ more: [String]) -> Completion {
        let names = globalNames.filter { $0.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]*/) != nil }
        let keywords = word.isEmpty ? [] : Array(LuaTokens.keywords)
        return Self.matching(word, names + keywords + more, start)
    }

    private static func matching(_ word: String, _ names: [String], _ start: Int) -> Completion {
        Completion(start: start, candidates: Set(names.filter { $0.hasPrefix(word) }).sorted())
    }

    private func members(_ subject: Subject, methods: Bool) -> [String] {
        switch subject {
        case .object(let type):
            return type.members.filter {
                switch $0.form {
                case .method: methods
                case .field: !methods
                default: false
                }
            }.map(\.name)
        case .value(let path, .table):
            return names(path).filter { $0.value || !methods }.map(\.key)
                .filter { $0.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]*/) != nil }
        case .string: return methods ? Array(names([.name("string")]).keys) : []
        default: return []
        }
    }

    /// The names that a table of a kind may have.
    private func options(_ kind: Kind?) -> [String] {
        if kind?.mapped != nil { return session.corpusNames }
        return kind?.options.map(\.name) ?? []
    }

    private func choices(_ kind: Kind) -> [String] {
        switch kind {
        case .choice(let names): names
        case .name(.run): session.runNames
        case .name(.corpus): session.corpusNames
        case .list(let kind): choices(kind)
        case .either(let kinds): kinds.flatMap(choices)
        default: []
        }
    }

    // MARK: - Strings

    private func string(_ all: [LuaTokens.Token], _ last: LuaTokens.Token) -> Completion {
        let expressions = Expressions(all, self)
        let kind = expressions.expected(at: all.count - 1)
        let start = last.end - last.text.utf8.count
        var result = Completion(start: start, candidates: [], inString: true)
        if case .name? = kind {
            let names = kind.map(choices) ?? []
            result.candidates = names.filter { $0.hasPrefix(last.text) }
        } else if let names = kind.map(choices), !names.isEmpty {
            result.candidates = names.filter { $0.hasPrefix(last.text) }.sorted()
        } else if isHelp(expressions, all.count - 1) {
            let names = library.functions.map(\.name) + library.types.map(\.name)
            result.candidates = Set(names.filter { $0.hasPrefix(last.text) }).sorted()
        } else {
            result.candidates = Self.files(last.text).filter { (try? checkPath($0)) != nil }
        }
        return result
    }

    /// Whether a string is the argument of `help` or `mt.help`.
    private func isHelp(_ expressions: Expressions, _ index: Int) -> Bool {
        let before = expressions.isSymbol(index - 1, "(") ? index - 2 : index - 1
        return before >= 0 && expressions.tokens[before].text == "help"
    }

    /// Paths that begin with some text; folders end with a slash.
    private static func files(_ text: String) -> [String] {
        let cut = text.lastIndex(of: "/").map { text.index(after: $0) } ?? text.startIndex
        let (folder, beginning) = (String(text[..<cut]), text[cut...])
        let home = getenv("HOME").map { String(cString: $0) } ?? "~"
        let place = folder.hasPrefix("~/") ? home + folder.dropFirst() : folder
        guard let directory = opendir(place.isEmpty ? "." : place) else { return [] }
        defer { closedir(directory) }
        var result: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name.hasPrefix(beginning), name != ".", name != "..",
                !name.hasPrefix(".") || beginning.hasPrefix(".")
            else { continue }
            var status = stat()
            let isFolder =
                stat(place + name, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
            result.append(folder + name + (isFolder ? "/" : ""))
        }
        return result.sorted()
    }
}
