import RuntimeSupport

/// A regular expression as a tree.
indirect enum ExpressionNode {
    enum Greed { case greedy, lazy, possessive }
    enum Assertion: Int32 {
        case lineStart, lineEnd, textStart, textEnd, lastLineEnd, wordEdge, noWordEdge
    }

    case set(CodePointSet)
    /// The UTF-8 of characters one after another.
    case literal([UInt8])
    case sequence([ExpressionNode])
    case choice([ExpressionNode])
    case repeated(ExpressionNode, min: Int, max: Int?, Greed)
    case atomic(ExpressionNode)
    case look(ExpressionNode, behind: Bool, negative: Bool)
    case assertion(Assertion)
}

/// What is wrong with a regular expression, or not supported.
package struct ExpressionError: Error {
    package let reason: String
}

/// Reads the syntax of Oniguruma, as the tokenizers library uses it.
///
/// What it does not know is refused by name: back references, absent operators, conditions, comments, names of groups,
/// and cases that would match several characters for one (`ss` and `ß`) where case does not matter.
struct ExpressionParser {
    private let source: [UnicodeScalar]
    private var index = 0
    private var depth = 0
    private var ignoresCase = false
    private var dotMatchesLines = false
    /// Classes met so far by their names, and how many sets were made: each takes some 140 kB.
    private var named: [String: CodePointSet] = [:]
    private var sets = 0
    private static let mostSets = 400

    private init(_ pattern: String) { source = Array(pattern.unicodeScalars) }

    /// - Throws: `ExpressionError`.
    static func parse(_ pattern: String) throws -> ExpressionNode {
        var parser = ExpressionParser(pattern)
        let node = try parser.choice()
        if parser.index < parser.source.count { throw parser.unsupported("an unmatched )") }
        return node
    }

    private func unsupported(_ what: String) -> ExpressionError {
        ExpressionError(reason: "\(what) at character \(index + 1) is not supported")
    }

    private var next: UnicodeScalar? { index < source.count ? source[index] : nil }

    private func follows(_ text: String) -> Bool {
        source[index...].starts(with: text.unicodeScalars)
    }

    private mutating func skip(_ text: String) -> Bool {
        guard follows(text) else { return false }
        index += text.unicodeScalars.count
        return true
    }

    // MARK: - Structure

    private mutating func choice() throws -> ExpressionNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= 100 else { throw unsupported("a group in more than 100 others") }
        let options = (ignoresCase, dotMatchesLines)
        defer { (ignoresCase, dotMatchesLines) = options }
        try openingOptions()
        var branches: [ExpressionNode] = []
        repeat { branches.append(try sequence()) } while skip("|")
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    /// Options such as `(?i)` that hold for the whole of a group.
    private mutating func openingOptions() throws {
        while follows("(?") {
            let start = index
            index += 2
            let before = (ignoresCase, dotMatchesLines)
            guard try options(), skip(")") else {
                index = start
                (ignoresCase, dotMatchesLines) = before
                return
            }
        }
    }

    /// Reads letters of options; `false` if there are none.
    private mutating func options() throws -> Bool {
        var isOn = true
        var any = false
        while let letter = next {
            switch letter {
            case "i": ignoresCase = isOn
            case "m": dotMatchesLines = isOn
            case "-": isOn = false
            default: return any
            }
            any = true
            index += 1
        }
        return any
    }

    private mutating func sequence() throws -> ExpressionNode {
        var parts: [ExpressionNode] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            let start = index
            let atom = try atom()
            let part = try quantified(atom, from: start)
            if ignoresCase { try checkCase(parts.last, part) }
            parts.append(part)
        }
        return parts.count == 1 ? parts[0] : .sequence(Self.joined(parts))
    }

    /// With literals that follow each other as one.
    private static func joined(_ parts: [ExpressionNode]) -> [ExpressionNode] {
        var result: [ExpressionNode] = []
        for part in parts {
            if case .literal(let bytes) = part, case .literal(let before)? = result.last {
                result[result.count - 1] = .literal(before + bytes)
            } else {
                result.append(part)
            }
        }
        return result
    }

    private mutating func atom() throws -> ExpressionNode {
        guard let scalar = next else { return .sequence([]) }
        if ignoresCase || "[\\.".unicodeScalars.contains(scalar) {
            sets += 1
            guard sets <= Self.mostSets else {
                throw unsupported("more than \(Self.mostSets) classes")
            }
        }
        index += 1
        switch scalar {
        case "(": return try group()
        case "[": return .set(try brackets())
        case ".":
            let line = CodePointSet([0x0a])
            return .set(dotMatchesLines ? CodePointSet().complement : line.complement)
        case "^": return .assertion(.lineStart)
        case "$": return .assertion(.lineEnd)
        case "\\": return try escape()
        case "*", "+", "?":
            index -= 1
            throw unsupported("a quantifier of nothing")
        default: return try character(scalar)
        }
    }

    private func character(_ scalar: UnicodeScalar) throws -> ExpressionNode {
        let set = CodePointSet([scalar.value])
        if ignoresCase, scalar.properties.isCased || !scalar.isASCII {
            return .set(try folded(set))
        }
        return .literal(Array(String(scalar).utf8))
    }

    private mutating func group() throws -> ExpressionNode {
        var wrap: (ExpressionNode) -> ExpressionNode = { $0 }
        let options = (ignoresCase, dotMatchesLines)
        defer { (ignoresCase, dotMatchesLines) = options }
        if skip("?") {
            if skip(":") {
            } else if skip("=") {
                wrap = { .look($0, behind: false, negative: false) }
            } else if skip("!") {
                wrap = { .look($0, behind: false, negative: true) }
            } else if skip(">") {
                wrap = { .atomic($0) }
            } else if skip("<=") {
                wrap = { .look($0, behind: true, negative: false) }
            } else if skip("<!") {
                wrap = { .look($0, behind: true, negative: true) }
            } else {
                guard try self.options(), skip(":") else {
                    throw unsupported("this kind of group, \"(?\(next.map { String($0) } ?? "")\",")
                }
            }
        } else if follows("*") {
            throw unsupported("a group of the kind \"(*\"")
        }
        let inner = try choice()
        guard skip(")") else { throw ExpressionError(reason: "a group has no closing )") }
        return wrap(inner)
    }

    // MARK: - Quantifiers

    private mutating func quantified(
        _ atom: ExpressionNode, from start: Int
    ) throws -> ExpressionNode {
        guard let (least, most, isInterval) = try quantifier() else { return atom }
        if case .assertion = atom { throw unsupported("a quantifier of an assertion") }
        if case .look = atom { throw unsupported("a quantifier of an assertion") }
        var greed = ExpressionNode.Greed.greedy
        var isRepeated = false
        if skip("?") {
            if isInterval, least == most { throw unsupported("a lazy quantifier of a fixed count") }
            greed = .lazy
        } else if skip("+") {
            if isInterval { isRepeated = true } else { greed = .possessive }
        }
        if let scalar = next, "*+?".unicodeScalars.contains(scalar) {
            throw unsupported("a quantifier of a quantifier")
        }
        if follows("{"), try quantifier() != nil {
            throw unsupported("a quantifier of a quantifier")
        }
        // `{1,3}+` is not possessive there, but repeats what was repeated.
        if isRepeated, case .set = atom, least <= 1 {
            return .repeated(atom, min: least, max: nil, .greedy)
        }
        let inner = ExpressionNode.repeated(atom, min: least, max: most, greed)
        return isRepeated ? .repeated(inner, min: 1, max: nil, .greedy) : inner
    }

    private mutating func quantifier() throws -> (least: Int, most: Int?, isInterval: Bool)? {
        if skip("*") { return (0, nil, false) }
        if skip("+") { return (1, nil, false) }
        if skip("?") { return (0, 1, false) }
        guard follows("{") else { return nil }
        let start = index
        index += 1
        let least = number()
        let hasComma = skip(",")
        let most = hasComma ? number() : least
        guard least != nil || (hasComma && most != nil), skip("}") else {
            // Other braces are text.
            index = start
            return nil
        }
        guard max(least ?? 0, most ?? 0) <= 1000 else { throw unsupported("a count above 1000") }
        if let most, most < least ?? 0 { throw unsupported("a count that goes down") }
        return (least ?? 0, most, true)
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let digit = next, ("0"..."9").contains(digit) {
            value = min((value ?? 0) * 10 + Int(digit.value - 0x30), 1 << 20)
            index += 1
        }
        return value
    }

    // MARK: - Escapes

    /// A character or a set, in brackets or outside.
    private enum Escape {
        case character(UnicodeScalar)
        case set(CodePointSet)
    }

    private mutating func escape() throws -> ExpressionNode {
        guard let scalar = next else { throw ExpressionError(reason: "it ends with \\") }
        let assertions: [UnicodeScalar: ExpressionNode.Assertion] = [
            "A": .textStart, "z": .textEnd, "Z": .lastLineEnd, "b": .wordEdge, "B": .noWordEdge,
        ]
        if let assertion = assertions[scalar] {
            index += 1
            return .assertion(assertion)
        }
        switch try escaped(inBrackets: false) {
        case .character(let scalar): return try character(scalar)
        case .set(let set): return .set(try folded(set))
        }
    }

    private mutating func escaped(inBrackets: Bool) throws -> Escape {
        guard let scalar = next else { throw ExpressionError(reason: "it ends with \\") }
        index += 1
        switch scalar {
        case "s": return .set(try set("space"))
        case "S": return .set(try set("space").complement)
        case "d": return .set(try set("digit"))
        case "D": return .set(try set("digit").complement)
        case "w": return .set(try set(inBrackets ? "[word]" : "word"))
        case "W": return .set(try set(inBrackets ? "[word]" : "word").complement)
        case "h": return .set(UnicodeProperties.hexadecimal)
        case "H": return .set(UnicodeProperties.hexadecimal.complement)
        case "p", "P": return .set(try property(isPositive: scalar == "p"))
        case "n": return .character("\n")
        case "r": return .character("\r")
        case "t": return .character("\t")
        case "f": return .character("\u{0c}")
        case "v": return .character("\u{0b}")
        case "a": return .character("\u{07}")
        case "e": return .character("\u{1b}")
        case "x", "u": return .character(try codePoint(scalar))
        default:
            let isLetter = scalar.isASCII && scalar.properties.isAlphabetic
            if isLetter || ("0"..."9").contains(scalar) {
                index -= 1
                throw unsupported("\\\(scalar)")
            }
            return .character(scalar)
        }
    }

    /// The set of a name, made once.
    private mutating func set(_ name: String) throws -> CodePointSet {
        if let known = named[name] { return known }
        let made = name == "[word]" ? UnicodeProperties.word : UnicodeProperties.named(name)
        guard let made else { throw unsupported("the property \"\(name)\"") }
        named[name] = made
        return made
    }

    private mutating func property(isPositive: Bool) throws -> CodePointSet {
        guard skip("{") else { throw unsupported("a property without braces") }
        var isPositive = isPositive
        if skip("^") { isPositive.toggle() }
        var name = String.UnicodeScalarView()
        while let scalar = next, scalar != "}" {
            name.append(scalar)
            index += 1
        }
        guard skip("}") else { throw ExpressionError(reason: "a property has no closing }") }
        let set = try set(String(name))
        return isPositive ? set : set.complement
    }

    private mutating func codePoint(_ kind: UnicodeScalar) throws -> UnicodeScalar {
        let isBraced = kind == "x" && skip("{")
        var value: UInt32 = 0
        var digits = 0
        let most = isBraced ? 8 : kind == "x" ? 2 : 4
        while digits < most, let scalar = next, let digit = Character(scalar).hexDigitValue,
            scalar.isASCII
        {
            value = value << 4 | UInt32(digit)
            digits += 1
            index += 1
        }
        let isWhole = isBraced ? skip("}") && digits > 0 : digits == most
        guard isWhole, let scalar = UnicodeScalar(value), isBraced || kind == "u" || value < 0x80
        else { throw unsupported("\\\(kind) with this number") }
        return scalar
    }

    // MARK: - Brackets

    private mutating func brackets() throws -> CodePointSet {
        depth += 1
        defer { depth -= 1 }
        guard depth <= 100 else { throw unsupported("brackets in more than 100 others") }
        let isNegative = skip("^")
        if follows("]") { throw unsupported("] as the first of brackets") }
        var whole: CodePointSet?
        var set = CodePointSet()
        while true {
            guard next != nil else { throw ExpressionError(reason: "brackets have no closing ]") }
            if skip("]") { break }
            if skip("&&") {
                set = Self.intersection(whole, set)
                whole = set
                set = CodePointSet()
                continue
            }
            try addMember(to: &set)
        }
        set = Self.intersection(whole, set)
        let all = try folded(set)
        return isNegative ? all.complement : all
    }

    private static func intersection(_ one: CodePointSet?, _ two: CodePointSet) -> CodePointSet {
        guard var one else { return two }
        one.formIntersection(two)
        return one
    }

    private mutating func addMember(to set: inout CodePointSet) throws {
        if follows("[:"), let posix = try posixClass() { return set.formUnion(posix) }
        if skip("[") { return set.formUnion(try brackets()) }
        guard case .character(let low) = try member(&set) else {
            if follows("-"), !follows("-]") {
                throw unsupported("a range that begins with a class")
            }
            return
        }
        guard follows("-"), !follows("-]"), !follows("-&&") else { return set.insert(low.value) }
        index += 1
        if follows("[") { throw unsupported("a range that ends with a class") }
        guard case .character(let high) = try member(&set) else {
            throw unsupported("a range that ends with a class")
        }
        guard low <= high else { throw unsupported("a range that goes down") }
        set.insert(low.value...high.value)
        // A hyphen behind a range is itself.
        if follows("-"), !follows("-]") {
            index += 1
            set.insert(0x2d)
        }
    }

    /// A character, or a set that is put into `set`.
    private mutating func member(_ set: inout CodePointSet) throws -> Escape {
        guard let scalar = next else { throw ExpressionError(reason: "brackets have no closing ]") }
        index += 1
        guard scalar == "\\" else { return .character(scalar) }
        if follows("b") { throw unsupported("\\b in brackets") }
        let escape = try escaped(inBrackets: true)
        if case .set(let inner) = escape { set.formUnion(inner) }
        return escape
    }

    private mutating func posixClass() throws -> CodePointSet? {
        let start = index
        index += 2
        let isNegative = skip("^")
        var name = String.UnicodeScalarView()
        while let scalar = next, scalar.isASCII, scalar.properties.isAlphabetic {
            name.append(scalar)
            index += 1
        }
        guard skip(":]") else {
            index = start
            return nil
        }
        guard let set = UnicodeProperties.posix(String(name)) else {
            throw unsupported("[:\(String(name)):]")
        }
        return isNegative ? set.complement : set
    }

    // MARK: - Case

    /// With the characters that differ in case alone, where case does not matter.
    private func folded(_ set: CodePointSet) throws -> CodePointSet {
        guard ignoresCase else { return set }
        guard set.isASCII else {
            throw unsupported("a character beyond ASCII where case does not matter")
        }
        var result = set
        for lower in UInt32(0x61)...0x7a {
            guard set.contains(lower) || set.contains(lower - 0x20) else { continue }
            result.insert(lower)
            result.insert(lower - 0x20)
            if lower == 0x6b { result.insert(0x212a) }
            if lower == 0x73 { result.insert(0x17f) }
        }
        return result
    }

    /// Refuses neighbours that one character stands for where case does not matter, such as `ß` for `ss`.
    private func checkCase(_ one: ExpressionNode?, _ two: ExpressionNode) throws {
        guard case .set(let first)? = one, case .set(let second) = two else { return }
        let pairs: [(UInt32, UInt32)] = [
            (0x73, 0x73), (0x73, 0x74), (0x66, 0x66), (0x66, 0x69), (0x66, 0x6c),
        ]
        for (a, b) in pairs where first.contains(a) && second.contains(b) {
            throw unsupported("letters that one character stands for, where case does not matter,")
        }
    }
}
