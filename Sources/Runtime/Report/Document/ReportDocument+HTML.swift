extension ReportDocument {
    private static let style = """
        body { font: 16px/1.5 system-ui, "DejaVu Sans", Helvetica, Arial, sans-serif; color: #222; background: #fff;
          max-width: 56rem; margin: 2rem auto; padding: 0 1rem; }
        h1 { font-size: 1.7rem; line-height: 1.25; } h2 { font-size: 1.25rem; margin-top: 2.2rem; border-bottom: 1px solid #ccc; }
        h3 { font-size: 1.05rem; }
        .scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: 0.85rem; margin: 0.4rem 0 1rem; }
        caption { text-align: left; color: #444; padding-bottom: 0.3rem; }
        th { border-bottom: 1.5px solid #444; text-align: left; vertical-align: bottom; }
        th, td { padding: 0.15rem 0.8rem 0.15rem 0; } tbody tr:nth-child(even) { background: #f5f5f5; }
        .n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
        figure { margin: 1.2rem 0; } figure svg { max-width: 100%; height: auto; } figcaption, .note { color: #444; font-size: 0.88rem; }
        pre { background: #f5f5f5; padding: 0.6rem 0.8rem; overflow-x: auto; font-size: 0.85rem; }
        """

    package func html(_ figures: [Drawn]) -> String {
        var body: [String] = ["<h1>\(Markup.html(title))</h1>"]
        var drawn = 0
        var tables = 0
        for block in blocks {
            switch block {
            case .heading(let text, let level):
                let tag = "h\(min(6, max(2, level + 1)))"
                body.append("<\(tag)>\(Markup.html(text))</\(tag)>")
            case .paragraph(let text): body.append("<p>\(Markup.html(text))</p>")
            case .list(let items):
                body.append(
                    "<ul>\n" + items.map { "<li>\(Markup.html($0))</li>\n" }.joined() + "</ul>")
            case .code(let text): body.append("<pre>\(Markup.html(text))</pre>")
            case .table(let table, let caption):
                tables += 1
                body.append(Self.table(table, "Table \(tables). \(caption)"))
            case .figure(_, let caption):
                drawn += 1
                let words = "Figure \(drawn). \(caption)"
                switch figures[drawn - 1] {
                case .svg(let svg):
                    body.append(
                        "<figure>\n\(Self.inline(svg, drawn))\n<figcaption>\(Markup.html(words))</figcaption>\n</figure>"
                    )
                case .numbers(let reason, let table):
                    body.append(Self.table(table, words))
                    body.append("<p class=\"note\">Not drawn: \(Markup.html(reason)).</p>")
                }
            }
        }
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(Markup.html(title))</title>
            <style>
            \(Self.style)
            </style>
            </head>
            <body>
            \(body.joined(separator: "\n"))
            </body>
            </html>

            """
    }

    private static func table(_ table: TextTable, _ caption: String) -> String {
        let right = table.numericColumns
        func row(_ tag: String, _ cells: [String]) -> String {
            "<tr>"
                + zip(cells, right).map { cell, right in
                    "<\(tag)\(right ? " class=\"n\"" : "")>\(Markup.html(cell))</\(tag)>"
                }.joined() + "</tr>"
        }
        return "<div class=\"scroll\"><table>\n<caption>\(Markup.html(caption))</caption>\n<thead>"
            + row("th", table.columns) + "</thead>\n<tbody>\n"
            + table.rows.map { row("td", $0) + "\n" }.joined() + "</tbody></table></div>"
    }

    /// An SVG document as a part of a page: no prologue, and ids of its own.
    private static func inline(_ svg: String, _ number: Int) -> String {
        var text = String(svg[(svg.firstRange(of: "<svg")?.lowerBound ?? svg.startIndex)...])
        while text.last?.isWhitespace == true { text.removeLast() }
        return text.replacing(/\bid=(['"])/) { "id=\($0.1)f\(number)-" }
            .replacing(/(href=['"]|url\()#/) { "\($0.1)#f\(number)-" }
    }
}
