import Bindings
import Runtime

/// Notebooks as Markdown: code in fences marked `lua`, what came of it in fences marked `output`, `value` and `error`.
extension Notebook {
    /// The whole text.
    var markdown: String {
        cells.map { $0.isCode ? MarkdownFormat.code($0) : $0.source + "\n" }
            .joined(separator: "\n")
    }

    /// Reads Markdown; what is in no fence of ours is a text cell.
    init(markdown text: String) {
        var prose: [Substring] = []
        func flush(_ cells: inout [Cell]) {
            // The line of timing and states under a cell is no text of the author's.
            let footer = #/\*[0-9.e-]+ s(; run .*)?\*/#
            let text = prose.filter { $0.wholeMatch(of: footer) == nil }
                .joined(separator: "\n").trimmed
            prose = []
            guard !text.isEmpty else { return }
            cells.append(Cell(isCode: false, source: text))
        }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
        while let line = lines.popFirst() {
            guard let fence = line.wholeMatch(of: #/(```+)(lua|output|value|error)\s*/#) else {
                prose.append(line)
                continue
            }
            var inside: [Substring] = []
            while let next = lines.popFirst(), next.trimmed != fence.1 { inside.append(next) }
            let body = inside.joined(separator: "\n")
            let isAfterCode = prose.allSatisfy { $0.trimmed.isEmpty } && cells.last?.isCode == true
            if fence.2 == "lua" || !isAfterCode {
                flush(&cells)
                cells.append(Cell(source: body))
                continue
            }
            prose = []
            let output: Output =
                switch fence.2 {
                case "output": .stream(isError: false, text: body + "\n")
                case "value": .value(RichOutput(text: body))
                default:
                    .error(
                        name: "Error", message: String(inside.first ?? ""),
                        traceback: inside.dropFirst().map(String.init))
                }
            cells[cells.count - 1].outputs.append(output)
            cells[cells.count - 1].count = cells.count { $0.isCode }
        }
        flush(&cells)
    }
}

enum MarkdownFormat {
    static func code(_ cell: Notebook.Cell) -> String {
        var text = source(cell.source)
        for output in cell.outputs {
            switch output {
            case .stream(_, let body):
                text += open("output") + safe(body, atStart: true) + close(body)
            case .value(let value), .display(let value): text += fenced("value", value.text)
            case .error(_, let message, let traceback):
                text += fenced("error", ([message] + traceback).joined(separator: "\n"))
            }
        }
        if let record = cell.record { text += "\n" + footer(record) }
        return text
    }

    /// Code in a fence that is longer than any in it.
    static func source(_ code: String) -> String {
        var fence = "```"
        while code.contains(fence) { fence += "`" }
        return "\(fence)lua\n\(code)\n\(fence)\n"
    }

    static func open(_ kind: String) -> String { "\n```\(kind)\n" }

    /// The end of a fence after text that may have ended its line.
    static func close(_ body: String) -> String { body.hasSuffix("\n") ? "```\n" : "\n```\n" }

    static func fenced(_ kind: String, _ body: String) -> String {
        open(kind) + safe(body, atStart: true) + close(body)
    }

    /// Text in which no line ends the fence.
    static func safe(_ text: String, atStart: Bool) -> String {
        guard text.contains("```") else { return text }
        let inner = text.replacing("\n```", with: "\n ```")
        return atStart && inner.hasPrefix("```") ? " " + inner : inner
    }

    static func footer(_ record: Notebook.Record) -> String {
        let runs = record.runs.map { "; run \($0.name) at step \($0.step), state \($0.key)" }
        return "*\((record.seconds * 1000).rounded() / 1000) s\(runs.joined())*\n"
    }
}

extension StringProtocol {
    /// The text without white space at its ends.
    var trimmed: String {
        var part = self[...]
        while let first = part.first, first.isWhitespace { part.removeFirst() }
        while let last = part.last, last.isWhitespace { part.removeLast() }
        return String(part)
    }
}
