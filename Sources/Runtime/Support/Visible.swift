extension StringProtocol {
    /// The text with what a terminal would act on, or not show, as Lua writes it in a string: `\27`, `\r`, `\u{202e}`.
    ///
    /// Line feeds and tabs stay.
    ///
    /// - Parameter styles: Whether the colours and weights that this program itself writes stay too.
    public func visible(styles: Bool = false) -> String {
        if utf8.allSatisfy({ ($0 >= 0x20 && $0 < 0x7f) || $0 == 0x0a || $0 == 0x09 }) {
            return String(self)
        }
        var result = String.UnicodeScalarView()
        var rest = Substring(self).unicodeScalars
        while let scalar = rest.popFirst() {
            if let form = scalar.visibleForm, scalar != "\n", scalar != "\t" {
                if styles, scalar == "\u{1b}",
                    let style = ownStyles.first(where: { rest.starts(with: $0.unicodeScalars) })
                {
                    result.append(scalar)
                    result.append(contentsOf: style.unicodeScalars)
                    rest.removeFirst(style.unicodeScalars.count)
                } else {
                    result.append(contentsOf: form.unicodeScalars)
                }
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }

    /// The text in one line: `\n`, `\t` and other ends of lines as Lua writes them in a string.
    ///
    /// What else a terminal would act on stays.
    public var singleLine: String {
        guard unicodeScalars.contains(where: \.isLayout) else { return String(self) }
        var result = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            if scalar.isLayout, let form = scalar.visibleForm {
                result.append(contentsOf: form.unicodeScalars)
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }

    /// Whether a terminal shows all of it as it is.
    public var isVisible: Bool { unicodeScalars.allSatisfy { $0.visibleForm == nil } }
}

/// What follows the escape character in the styles that help, values and errors are written in.
private let ownStyles = ["0", "1", "2", "32", "33", "36", "1;31", "1;36"].map { "[\($0)m" }

extension Unicode.Scalar {
    /// How Lua writes the character in a string, if a terminal would act on it or not show it; `nil` for all others.
    var visibleForm: String? {
        switch value {
        case 0x09: "\\t"
        case 0x0a: "\\n"
        case 0x0d: "\\r"
        case 0..<0x20, 0x7f: "\\\(value)"
        // Joiners, soft hyphens and the signs that Arabic, Syriac and Kaithi put before numbers shape text.
        case 0xad, 0x200c, 0x200d, 0x600...0x605, 0x6dd, 0x70f, 0x890, 0x891, 0x8e2, 0x110bd,
            0x110cd:
            nil
        case _ where value < 0x80: nil
        default:
            switch properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                "\\u{\(String(value, radix: 16))}"
            default: nil
            }
        }
    }

    /// Whether it moves to another line or column.
    fileprivate var isLayout: Bool {
        (0x09...0x0d).contains(value) || [0x85, 0x2028, 0x2029].contains(value)
    }
}
