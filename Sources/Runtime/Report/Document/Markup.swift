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
                if character.value >= 32, character.value != 127 {
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
        var result = ""
        for character in text {
            switch character {
            case "\\", "`", "*", "_", "[", "]", "<", ">", "|", "#", "&", "~", "$":
                result += "\\" + String(character)
            case _ where character.isNewline: result += " "
            default: result.append(character)
            }
        }
        return result
    }
}
