import Foundation
import TestSupport

/// Makes notebooks of random cells: whatever tells cells apart in some form of them stands within cells too.
struct NotebookMaker {
    var draws: Draws

    /// Pieces of texts that are not Lua.
    private static let pieces = [
        "", " ", "\n", "\n\n", "\r\n", "\r", "\t", "-- %%", "-- %% [markdown]", "%%", "%% x",
        "--%%", "-- ---", "---",
        "<!-- mtrepl code -->", "\\<!-- mtrepl text -->", "<!-- mtrepl end {\"count\":1} -->",
        "```lua", "```", "````",
        "```output", "text", "-- text", "--", "-", "# Title", "é", "e\u{301}", "\u{301}", "漢字",
        "\u{1F600}", "\u{feff}",
        "\u{2028}", "\u{85}", "\u{0}", "\u{1b}[1m", "[[", "]]", "![p](x.svg)", "*1.5 s*",
        "-- %% a=[1] b", "=", "{", "\"",
        "$x$", "do", "end", "mt.show(", ")", "?mt.grid", "$ true",
    ]

    /// Lua that runs, alone and with what stands before it.
    static let code = [
        "x = 5", "x = 5\nx + 1", "1 + 1", "print('z')", "print 'z' -- note", "-- only a comment",
        "", "\n", "x = 1\n\n",
        "\n\ny = 2", "local a = 3\na * 2", "local s = [[\n-- %% not a cell\n]]\nprint(#s)",
        "return 7", "if x then return x end",
        "x = 1;", "1 + 2;", "1 + 2; -- quiet", "1, 2, nil", "nil", "mt.ones({3})", "mt.show(4)",
        "do\nlocal x = 2\nend",
        "(print or error)('p')", "for i = 1, 2 do print(i) end", "{ { a = 1 }, { a = 2 } }",
        "'text'", "f = function(...) return ... end",
        "f(1)", "f(1);", "goto done\n::done::", "x = 3 return x + 1", "x = 4 return x;",
        "print(1), print(2)", "#'abc'",
        "a=1\r\nb=2\r\na + b", "x = 5 -- é\nx", "mt.show(x\n)", "do local _ = 1 end",
        "function g() return 1, 2 end\ng()",
        "-- %% [markdown]\nx = 1", "not true", "(function() return 9 end)()",
        "local t <const> = 1\nt", "x = [[é\n]]  \n  x  ",
    ]

    mutating func text() -> String {
        (0..<Int.random(in: 0...8, using: &draws)).map { _ in
            Self.pieces[Int.random(in: 0..<Self.pieces.count, using: &draws)]
                + (Bool.random(using: &draws) ? "\n" : "")
        }.joined()
    }

    mutating func value(_ depth: Int = 2) -> Any {
        switch Int.random(in: 0...(depth > 0 ? 8 : 5), using: &draws) {
        case 0: return text()
        case 1: return Int.random(in: -1000...1000, using: &draws)
        case 2: return Int.max
        case 3: return Bool.random(using: &draws)
        case 4: return NSNull()
        case 5: return 0.1
        case 6: return (0..<Int.random(in: 0...3, using: &draws)).map { _ in value(depth - 1) }
        default: return object(depth - 1)
        }
    }

    mutating func object(_ depth: Int = 2) -> [String: Any] {
        let names = [
            "tags", "name", "title", "slideshow", "cell_depth", "region_name", "odd key", "é",
            "a.b", "x=y", "", "collapsed",
        ]
        var fields: [String: Any] = [:]
        for _ in 0..<Int.random(in: 0...3, using: &draws) {
            fields[names[Int.random(in: 0..<names.count, using: &draws)]] = value(depth)
        }
        return fields
    }

    mutating func cell() -> [String: Any] {
        var cell: [String: Any] = ["metadata": Bool.random(using: &draws) ? [:] : object()]
        switch Int.random(in: 0...5, using: &draws) {
        case 0, 1:
            cell["cell_type"] = "code"
            cell["source"] = Self.code[Int.random(in: 0..<Self.code.count, using: &draws)]
        case 2:
            cell["cell_type"] = "code"
            cell["source"] = text()
        case 3:
            cell["cell_type"] = "raw"
            cell["source"] = text()
        default:
            cell["cell_type"] = "markdown"
            cell["source"] = text()
            if Int.random(in: 0...4, using: &draws) == 0 {
                cell["attachments"] = ["a.png": ["image/png": "AAAA"]]
            }
        }
        if cell["cell_type"] as? String == "code" {
            cell["execution_count"] = NSNull()
            cell["outputs"] = [Any]()
        }
        return cell
    }

    mutating func notebook(cells count: Int) throws -> Data {
        try JSONSerialization.data(withJSONObject: [
            "nbformat": 4, "nbformat_minor": 5,
            "metadata": ["kernelspec": ["name": "mtrepl"], "authors": [object()]],
            "cells": (0..<count).map { index in
                var cell = cell()
                cell["id"] = "c\(index)"
                return cell
            },
        ])
    }
}

/// A notebook as a test looks at it.
struct ReadNotebook {
    let cells: [[String: Any]]
    let metadata: [String: Any]

    init(_ path: String) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        let root = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
        cells = root["cells"] as? [[String: Any]] ?? []
        metadata = root["metadata"] as? [String: Any] ?? [:]
    }

    /// The text of a field that may be a list of lines.
    static func text(_ value: Any?) -> String {
        (value as? String) ?? (value as? [String])?.joined() ?? ""
    }

    /// Kind, source, metadata and attachments of every cell, byte by byte.
    var contents: [[UInt8]] {
        cells.map { cell in
            var parts: [UInt8] = []
            for part in [cell["cell_type"] as? String ?? "", Self.text(cell["source"])] {
                parts += Array(part.utf8) + [255]
            }
            for name in ["metadata", "attachments"] {
                let json = try? JSONSerialization.data(
                    withJSONObject: cell[name] ?? NSNull(),
                    options: [.sortedKeys, .fragmentsAllowed])
                parts += Array(json ?? Data()) + [255]
            }
            return parts
        }
    }

    /// What was printed and shown, as a script would print it.
    var shown: String {
        cells.flatMap { $0["outputs"] as? [[String: Any]] ?? [] }.map { output in
            switch output["output_type"] as? String {
            case "stream": output["name"] as? String == "stdout" ? Self.text(output["text"]) : ""
            case "execute_result", "display_data":
                Self.text((output["data"] as? [String: Any])?["text/plain"]) + "\n"
            default: ""
            }
        }.joined()
    }
}
