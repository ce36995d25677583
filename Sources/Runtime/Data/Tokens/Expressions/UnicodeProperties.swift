/// The properties of characters that regular expressions name, by Unicode 16, which Oniguruma and the tokenizers library
/// follow here.
package enum UnicodeProperties {
    /// Two letters for each general category, in the order of their codes in `categories`.
    private static let names = [
        "cn", "lu", "ll", "lt", "lm", "lo", "mn", "mc", "me", "nd", "nl", "no", "pc", "pd", "ps",
        "pe", "pi", "pf", "po", "sm", "sc", "sk", "so", "zs", "zl", "zp", "cc", "cf", "cs", "co",
    ]

    private static let longNames = [
        "letter": "l", "uppercaseletter": "lu", "lowercaseletter": "ll", "titlecaseletter": "lt",
        "modifierletter": "lm", "otherletter": "lo", "mark": "m", "nonspacingmark": "mn",
        "spacingmark": "mc", "enclosingmark": "me", "number": "n", "decimalnumber": "nd",
        "letternumber": "nl", "othernumber": "no", "punctuation": "p", "connectorpunctuation": "pc",
        "dashpunctuation": "pd", "openpunctuation": "ps", "closepunctuation": "pe",
        "initialpunctuation": "pi", "finalpunctuation": "pf", "otherpunctuation": "po",
        "symbol": "s", "mathsymbol": "sm", "currencysymbol": "sc", "modifiersymbol": "sk",
        "othersymbol": "so", "separator": "z", "spaceseparator": "zs", "lineseparator": "zl",
        "paragraphseparator": "zp", "other": "c", "control": "cc", "format": "cf",
        "surrogate": "cs", "privateuse": "co", "unassigned": "cn", "digit": "nd", "punct": "p",
        "cntrl": "cc",
    ]

    /// The code of the general category of each code point; made on first use in some tens of milliseconds.
    package static let categories: [UInt8] = {
        var codes = [UInt8](repeating: 0, count: 0x110000)
        for value in UInt32(0)..<0x110000 {
            switch value {
            case 0xe000...0xf8ff, 0xf0000...0xffffd, 0x100000...0x10fffd:
                codes[Int(value)] = code("co")
            case 0xd800...0xdfff: codes[Int(value)] = code("cs")
            case 0x40000..<0xe0000, 0xe1000..<0xf0000: break
            default:
                if let scalar = UnicodeScalar(value), CharacterClasses.isKnown(scalar) {
                    codes[Int(value)] = code(name(scalar.properties.generalCategory))
                }
            }
        }
        // Another letter from Unicode 17 on.
        codes[changedLetter] = code("ll")
        return codes
    }()

    private static let changedLetter = 0x295

    private static func code(_ name: String) -> UInt8 { UInt8(names.firstIndex(of: name) ?? 0) }

    private static func name(_ category: Unicode.GeneralCategory) -> String {
        switch category {
        case .uppercaseLetter: "lu"
        case .lowercaseLetter: "ll"
        case .titlecaseLetter: "lt"
        case .modifierLetter: "lm"
        case .otherLetter: "lo"
        case .nonspacingMark: "mn"
        case .spacingMark: "mc"
        case .enclosingMark: "me"
        case .decimalNumber: "nd"
        case .letterNumber: "nl"
        case .otherNumber: "no"
        case .connectorPunctuation: "pc"
        case .dashPunctuation: "pd"
        case .openPunctuation: "ps"
        case .closePunctuation: "pe"
        case .initialPunctuation: "pi"
        case .finalPunctuation: "pf"
        case .otherPunctuation: "po"
        case .mathSymbol: "sm"
        case .currencySymbol: "sc"
        case .modifierSymbol: "sk"
        case .otherSymbol: "so"
        case .spaceSeparator: "zs"
        case .lineSeparator: "zl"
        case .paragraphSeparator: "zp"
        case .control: "cc"
        case .format: "cf"
        case .surrogate: "cs"
        case .privateUse: "co"
        case .unassigned: "cn"
        @unknown default: "cn"
        }
    }

    /// The characters of the general categories whose two letters begin so, such as `l` and `lu`.
    package static func category(_ prefix: String) -> CodePointSet {
        let codes = Set(names.indices.filter { names[$0].hasPrefix(prefix) }.map { UInt8($0) })
        var set = CodePointSet()
        for (value, code) in categories.enumerated() where codes.contains(code) {
            set.insert(UInt32(value))
        }
        return set
    }

    /// The characters that have a property; `nil` for a name that is not known here.
    ///
    /// Case, spaces, hyphens and underscores in names do not matter.
    package static func named(_ name: String) -> CodePointSet? {
        let plain = name.lowercased().filter { !" -_".contains($0) }
        let category = longNames[plain] ?? plain
        if names.contains(where: { $0.hasPrefix(category) }), category.count <= 2, !category.isEmpty
        {
            return self.category(category)
        }
        switch plain {
        case "any": return CodePointSet(0...0x10ffff)
        case "alpha", "alphabetic": return having { $0.isAlphabetic }
        case "upper", "uppercase": return having { $0.isUppercase }
        case "lower", "lowercase":
            return union(having { $0.isLowercase }, CodePointSet([UInt32(changedLetter)]))
        case "space", "whitespace": return having { $0.isWhitespace }
        case "alnum": return union(named("alpha"), named("nd"))
        // Oniguruma has these six of Latin-1 here, and not where `\w` stands in brackets.
        case "word": return union(word, CodePointSet([0xb2, 0xb3, 0xb9, 0xbc, 0xbd, 0xbe]))
        default:
            return scripts[plain].map { ranges in
                var set = CodePointSet()
                for range in ranges { set.insert(range) }
                return set
            }
        }
    }

    /// The characters of words, as `[\w]` has them.
    package static var word: CodePointSet {
        union(named("alpha"), named("m"), named("nd"), named("pc"))
    }

    /// The characters that the brackets of POSIX name, such as `alpha` of `[[:alpha:]]`.
    package static func posix(_ name: String) -> CodePointSet? {
        switch name {
        case "alpha", "upper", "lower", "alnum", "space", "digit", "cntrl": return named(name)
        case "word": return word
        case "punct": return union(named("p"), named("s"))
        case "blank": return union(named("zs"), CodePointSet([9]))
        case "ascii": return CodePointSet(0...0x7f)
        case "xdigit": return hexadecimal
        default: return nil
        }
    }

    /// `0-9a-fA-F`.
    package static let hexadecimal = CodePointSet(
        Array(0x30...0x39) + Array(0x41...0x46) + Array(0x61...0x66))

    private static func union(_ sets: CodePointSet?...) -> CodePointSet {
        var result = CodePointSet()
        for case let set? in sets { result.formUnion(set) }
        return result
    }

    private static func having(_ property: (UnicodeScalar.Properties) -> Bool) -> CodePointSet {
        var set = CodePointSet()
        for value in UInt32(0)..<0x40000 {
            guard let scalar = UnicodeScalar(value), property(scalar.properties),
                CharacterClasses.isKnown(scalar)
            else { continue }
            set.insert(value)
        }
        return set
    }

    /// Scripts that patterns of published tokenizers name, by Unicode 16.
    private static let scripts: [String: [ClosedRange<UInt32>]] = [
        "han": [
            0x2e80...0x2e99, 0x2e9b...0x2ef3, 0x2f00...0x2fd5, 0x3005...0x3005, 0x3007...0x3007,
            0x3021...0x3029, 0x3038...0x303b, 0x3400...0x4dbf, 0x4e00...0x9fff, 0xf900...0xfa6d,
            0xfa70...0xfad9, 0x16fe2...0x16fe3, 0x16ff0...0x16ff1, 0x20000...0x2a6df,
            0x2a700...0x2b739, 0x2b740...0x2b81d, 0x2b820...0x2cea1, 0x2ceb0...0x2ebe0,
            0x2ebf0...0x2ee5d, 0x2f800...0x2fa1d, 0x30000...0x3134a, 0x31350...0x323af,
        ],
        "hiragana": [
            0x3041...0x3096, 0x309d...0x309f, 0x1b001...0x1b11f, 0x1b132...0x1b132,
            0x1b150...0x1b152, 0x1f200...0x1f200,
        ],
        "katakana": [
            0x30a1...0x30fa, 0x30fd...0x30ff, 0x31f0...0x31ff, 0x32d0...0x32fe, 0x3300...0x3357,
            0xff66...0xff6f, 0xff71...0xff9d, 0x1aff0...0x1aff3, 0x1aff5...0x1affb,
            0x1affd...0x1affe, 0x1b000...0x1b000, 0x1b120...0x1b122, 0x1b155...0x1b155,
            0x1b164...0x1b167,
        ],
        "hangul": [
            0x1100...0x11ff, 0x302e...0x302f, 0x3131...0x318e, 0x3200...0x321e, 0x3260...0x327e,
            0xa960...0xa97c, 0xac00...0xd7a3, 0xd7b0...0xd7c6, 0xd7cb...0xd7fb, 0xffa0...0xffbe,
            0xffc2...0xffc7, 0xffca...0xffcf, 0xffd2...0xffd7, 0xffda...0xffdc,
        ],
        "thai": [0xe01...0xe3a, 0xe40...0xe5b],
    ]
}
