/// Text of others inside HTML and Markdown.
package enum Markup {
    /// Whether a character has no place in HTML, SVG or gnuplot's scripts: control characters, and code points that Unicode
    /// keeps from being characters.
    static func isExcluded(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7f..<0xa0, 0xfdd0...0xfdef: true
        case let value: value & 0xfffe == 0xfffe
        }
    }

    /// Text for HTML, between tags or in a quoted attribute.
    package static func html(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\n", "\t": result.unicodeScalars.append(character)
            case _ where isExcluded(character): result += "\u{fffd}"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }

    /// Text for a paragraph or a cell of Markdown: nothing in it is markup.
    ///
    /// - Parameter beginsLine: Whether it stands where lists, rules and underlines of headings may begin.
    package static func markdown(_ text: String, beginsLine: Bool = false) -> String {
        var result = String.UnicodeScalarView()
        let marker = beginsLine ? lineMarker(text) : nil
        for (index, scalar) in text.unicodeScalars.enumerated() {
            switch scalar {
            case "\\", "`", "*", "_", "[", "]", "<", ">", "|", "#", "&", "~", "$":
                result.append("\\")
                result.append(scalar)
            case _ where index == marker:
                result.append("\\")
                result.append(scalar)
            case " " where index == 0 && beginsLine:
                result.append(contentsOf: "&#32;".unicodeScalars)
            case "\n", "\r", "\t", "\u{85}", "\u{2028}", "\u{2029}": result.append(" ")
            case _ where isExcluded(scalar): result.append("\u{fffd}")
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    /// Where a text has the sign that makes a list, a rule or an underline of its line.
    private static func lineMarker(_ text: String) -> Int? {
        if text.prefixMatch(of: /[-+](?:\s|$)|[-=]+\s*$|-\s*-\s*-[-\s]*$/) != nil { return 0 }
        return text.prefixMatch(of: /(\d{1,9})[.)](?:\s|$)/).map { $0.1.count }
    }
}
