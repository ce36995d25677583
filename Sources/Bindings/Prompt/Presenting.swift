import Runtime

extension Interpreter {
    /// How the printer of the prelude hands over a value: its text, its HTML or nil, and the object it is, if it is one.
    package static var present: Function {
        Function("present", "") { call in
            let interpreter = call.interpreter
            var output = RichOutput(text: try text(call.argument(1)) ?? "")
            output.html = try text(call.argument(2))
            if case .object(let reference) = try call.argument(3),
                let rich = try interpreter.library.types.first(where: {
                    $0.name == reference.typeName
                })?.present(reference, interpreter.settings.display)
            {
                output = rich
            }
            interpreter.settings.report(.value(output))
        }.with(.metamethod("_G"))
    }

    /// How values are shown now, for the prelude: columns, colours, HTML.
    static var displayed: Function {
        Function("display", "") { call in
            let display = call.interpreter.settings.display
            try call.returns(display.width(), display.colours, display.html())
        }.with(.metamethod("_G"))
    }

    /// How many columns of a terminal a text takes, for the prelude.
    package static var columns: Function {
        Function("columns", "") { call in
            try call.returns((try text(call.argument(1)) ?? "").columns)
        }.with(.metamethod("_G"))
    }

    /// A text in at most so many columns, for the prelude.
    package static var cut: Function {
        Function("cut", "") { call in
            let room = try call.argument(2).integerValue ?? 0
            try call.returns((try text(call.argument(1)) ?? "").cut(toColumns: room))
        }.with(.metamethod("_G"))
    }

    /// A text as standard output gets it where it is not the script's own, for the prelude.
    package static var shown: Function {
        Function("shown", "") { call in
            try call.returns(TerminalText.shown(try text(call.argument(1)) ?? "", on: 1))
        }.with(.metamethod("_G"))
    }

    private static func text(_ value: Value) -> String? {
        switch value {
        case .string(let text): text
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        default: nil
        }
    }
}

/// A few facts about an object, under a title.
struct Card {
    /// The first line: what it is.
    let title: String
    /// Its facts by name.
    let rows: [(name: String, value: String)]

    /// Creates a card; facts without a value are left out.
    init(_ title: String, _ rows: [(String, String?)]) {
        self.title = title
        self.rows = rows.compactMap { name, value in value.map { (name, $0) } }
    }

    /// As text no wider than the display, and as an HTML table.
    func output(_ display: Display) -> RichOutput {
        let column = (rows.map(\.name.columns).max() ?? 0) + 2
        let room = max(20, display.width() - column - 2)
        var lines = [display.bold(title)]
        for row in rows {
            for (index, part) in Self.wrap(row.value, room).enumerated() {
                let name = index == 0 ? row.name : ""
                let space = String(repeating: " ", count: column - name.columns)
                lines.append("  " + display.faint(name) + space + part)
            }
        }
        let cells = rows.map {
            "<tr><th style=\"text-align: left\">\(Markup.html($0.name))</th>"
                + "<td style=\"text-align: left\">\(Markup.html($0.value))</td></tr>"
        }
        return RichOutput(
            text: lines.joined(separator: "\n"),
            html:
                "<table><caption style=\"text-align: left\"><b>\(Markup.html(title))</b></caption><tbody>"
                + cells.joined() + "</tbody></table>")
    }

    private static func wrap(_ text: String, _ room: Int) -> [String] {
        var lines = [""]
        for word in text.split(separator: " ") {
            let last = lines[lines.count - 1]
            if !last.isEmpty, last.columns + 1 + word.columns > room {
                lines.append(String(word))
            } else {
                lines[lines.count - 1] = last.isEmpty ? String(word) : last + " " + word
            }
        }
        return lines
    }
}

extension Display {
    /// Text that stands back, where there are colours.
    func faint(_ text: String) -> String {
        colours && !text.isEmpty ? "\u{1b}[2m\(text)\u{1b}[0m" : text
    }
}
