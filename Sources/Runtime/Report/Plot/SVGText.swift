import Foundation

/// gnuplot's SVG without what shows nothing: about half of its bytes.
///
/// The same for the same plot, whatever gnuplot's version says about itself. Attributes that nearly all groups repeat go to
/// the group around all of them, symbols that no point has are dropped, and so are the names of data blocks, which a
/// browser would show beside the pointer.
enum SVGText {
    private static let common = [
        "fill=\"none\"", "color=\"black\"", "stroke=\"currentColor\"", "stroke-width=\"1.00\"",
        "stroke-linecap=\"butt\"", "stroke-linejoin=\"miter\"",
    ]
    private static let font =
        "font-family=\"DejaVu Sans, Helvetica, Arial, sans-serif\""

    /// A code point that is assigned to no character and never will be, so that no name has it.
    static let gap = String(decoding: [0xef, 0xb7, 0x90], as: UTF8.self)
    /// The same, for a space that stays.
    private static let space = String(decoding: [0xef, 0xb7, 0x91], as: UTF8.self)

    static func compact(_ svg: String, title: String) -> String {
        // Names keep their spaces.
        var text = svg.replacing("\r\n", with: "\n").replacing(
            /(<text xml:space="preserve">)([^<]*)(<\/text>)/
        ) { $0.1 + $0.2.replacing(" ", with: space) + $0.3 }
        .replacing("font-family=\"DejaVu Sans\"", with: font)
        // XML keeps these three for the end of CDATA, which no figure has.
        .replacing("]]>", with: "]]&gt;")
        if let prologue = text.firstRange(of: "<svg") {
            text.removeSubrange(..<prologue.lowerBound)
        }
        text.replace(/<desc>[^<]*<\/desc>\n*/, with: "")
        text.replace(
            "<title>plot</title>", with: "<title>\(Markup.html(title))</title>", maxReplacements: 1)
        text.replace(/<title>\$[^<]*<\/title>/, with: "")
        text.replace(/<filter id='\w+box'[^>]*>.*?<\/filter>/.dotMatchesNewlines(), with: "")
        text.replace(/<path stroke='[^']*'  d='M[\d.]+,[\d.]+ *'\/>/, with: "")
        text.replace(/<g fill="none"[^>]*>\s*<\/g>\n?/, with: "")
        text.replace(/rgb\( *(\d+), *(\d+), *(\d+)\)/) { match in
            "#"
                + [match.1, match.2, match.3].map { String(format: "%02x", Int($0) ?? 0) }
                .joined()
        }
        // The groups that gnuplot opens stand in no other that sets these.
        text.replace(/<g fill="none"[^>]*>/) { match in
            common.reduce(String(match.0)) { $0.replacing(" " + $1, with: "") }
        }
        text.replace(" " + font, with: "")
        text.replace(" font-size=\"14.00\"", with: "")
        text.replace(
            "<g id=\"gnuplot_canvas\">",
            with:
                "<g id=\"gnuplot_canvas\" \(common.joined(separator: " ")) \(font) font-size=\"14.00\">"
        )
        text.replace("fill=\"#ffffff\"/>", with: "fill=\"#ffffff\" stroke=\"none\"/>")
        text.replace(" class=\"gridline\"", with: "")
        // A tenth of a pixel is enough.
        text.replace(/(?: d|points|transform) ?= ?['"][^'"]*['"]/) { match in
            String(match.0).replacing(/(\d+)\.(\d)\d+/) { number in
                number.2 == "0" ? "\(number.1)" : "\(number.1).\(number.2)"
            }
        }
        // A text carries what its own group says of it.
        text.replace(
            /<g (transform="translate[^>]*)>\s*<text( xml:space="preserve")?>([^<]*)<\/text>\s*<\/g>/
        ) { "<text \($0.1)\($0.2 ?? "")>\($0.3)</text>" }
        return withoutBareGroups(withoutIdleSymbols(text)).replacing(/[ \t]+/, with: " ").replacing(
            /\n[ \n]*/, with: "\n"
        ).replacing(space, with: " ")
    }

    /// Drops groups that say nothing about what is in them.
    private static func withoutBareGroups(_ svg: String) -> String {
        var result = ""
        var kept: [Bool] = []
        var rest = svg.startIndex
        for match in svg.matches(of: /<g\b([^>]*)>|<\/g>/) {
            result += svg[rest..<match.range.lowerBound]
            rest = match.range.upperBound
            if let attributes = match.1 {
                kept.append(attributes.contains { !$0.isWhitespace })
                if kept.last == true { result += match.0 }
            } else if kept.popLast() ?? true {
                result += match.0
            }
        }
        return result + svg[rest...]
    }

    /// Drops the symbols of points that nothing refers to, until none is left.
    private static func withoutIdleSymbols(_ svg: String) -> String {
        var lines = svg.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
        while true {
            let text = lines.joined(separator: "\n")
            let kept = lines.filter { line in
                guard let match = line.firstMatch(of: /^\s*<\w+[^>]* id='(gp\w+)'/) else {
                    return true
                }
                return text.contains("'#\(match.1)'")
            }
            if kept.count == lines.count { return text + "\n" }
            lines = kept
        }
    }
}
