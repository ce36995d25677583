/// Text of others inside HTML and Markdown.
enum Markup {
    /// Text for HTML, between tags or in a quoted attribute.
    static func html(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\n", "\t": result.unicodeScalars.append(character)
            default:
                // Control characters are not allowed in HTML or SVG.
                if character.value >= 32, !(127..<160).contains(character.value) {
                    result.unicodeScalars.append(character)
                } else {
                    result += "\u{fffd}"
                }
            }
        }
        return result
    }

    /// Text for a paragraph or a cell of Markdown: nothing in it is markup.
    static func markdown(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var isNumber = true  // nothing but digits so far
        for (index, scalar) in text.unicodeScalars.enumerated() {
            switch scalar {
            case "\\", "`", "*", "_", "[", "]", "<", ">", "|", "#", "&", "~", "$", "^", "{", "}":
                result.append("\\")
                result.append(scalar)
            // At the beginning of a line: lists, rules, underlines of headings, code.
            case "-", "+", "=",
                ":" where index == 0, ".",
                ")" where index > 0 && isNumber:
                result.append("\\")
                result.append(scalar)
            case " " where index == 0: result.append(contentsOf: "&#32;".unicodeScalars)
            case "\n", "\r", "\t", "\u{85}", "\u{2028}", "\u{2029}": result.append(" ")
            case _ where scalar.value < 32 || (127..<160).contains(scalar.value):
                result.append("\u{fffd}")
            default: result.append(scalar)
            }
            isNumber = isNumber && ("0"..."9").contains(scalar)
        }
        return String(result)
    }
}
