import RuntimeSupport

extension TextTable {
    /// The table in LaTeX, with the rules of the package booktabs; numbers to the right.
    ///
    /// - Parameters:
    ///   - caption: Makes it a floating `table` with this caption.
    ///   - label: What `\ref` calls that.
    public func latex(caption: String? = nil, label: String? = nil) -> String {
        func line(_ cells: [String]) -> String {
            cells.map(LaTeX.text).joined(separator: " & ") + " \\\\"
        }
        let form = numericColumns.map { $0 ? "r" : "l" }.joined()
        let tabular =
            ["\\begin{tabular}{\(form)}", "\\toprule", line(columns), "\\midrule"] + rows.map(line)
            + ["\\bottomrule", "\\end{tabular}"]
        guard caption != nil || label != nil else { return tabular.joined(separator: "\n") + "\n" }
        let head =
            ["\\begin{table}", "\\centering"]
            + (caption.map { ["\\caption{\(LaTeX.text($0))}"] } ?? [])
            + (label.map { ["\\label{\($0)}"] } ?? [])
        return (head + tabular + ["\\end{table}"]).joined(separator: "\n") + "\n"
    }
}

/// Text for LaTeX.
package enum LaTeX {
    private static let special: [Character: String] = [
        "\\": "\\textbackslash{}", "&": "\\&", "%": "\\%", "$": "\\$", "#": "\\#", "_": "\\_",
        "{": "\\{", "}": "\\}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}",
        "<": "\\textless{}", ">": "\\textgreater{}", "|": "\\textbar{}", "\"": "''",
        "±": "$\\pm$", "×": "$\\times$", "Δ": "$\\Delta$", "≤": "$\\leq$", "≥": "$\\geq$",
        "−": "$-$", "–": "--", "…": "\\dots{}", "→": "$\\to$", "≈": "$\\approx$", "²": "$^2$",
    ]

    /// A text in which nothing is a command, on one line; a number's sign is a minus.
    package static func text(_ text: String) -> String {
        let isNegative =
            text.utf8.first == UInt8(ascii: "-")
            && text.utf8.dropFirst().first.map { $0 == 0x2e || (0x30...0x39).contains($0) } == true
        let rest = isNegative ? text.dropFirst() : text[...]
        let isPlain = rest.utf8.allSatisfy { byte in
            byte == 0x20 || byte == 0x2e || (0x30...0x39).contains(byte)
                || (0x61...0x7a).contains(byte | 0x20)
        }
        return (isNegative ? "$-$" : "")
            + (isPlain
                ? String(rest)
                : String(rest).singleLine.map { special[$0] ?? String($0) }.joined())
    }
}
