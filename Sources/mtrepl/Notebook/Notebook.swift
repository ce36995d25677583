import Bindings
import Foundation
import Runtime

/// A session as cells: what Jupyter calls a notebook.
struct Notebook {
    /// One cell.
    struct Cell {
        var kind = Kind.code
        var source = ""
        var outputs: [Output] = []
        /// Its place among the cells that were run; `nil` if it was not run, or not to its end.
        var count: Int?
        var record: Record?

        var isCode: Bool { kind == .code }
    }

    enum Kind: String {
        case code, markdown, raw
    }

    /// Something that came of a code cell.
    enum Output {
        case stream(isError: Bool, text: String)
        case value(RichOutput)
        case display(RichOutput)
        /// What is shown beside the results: a page of help, progress.
        case aside(RichOutput)
        case error(name: String, message: String, traceback: [String])
    }

    /// What the format has no place for: the timing, the width values were shown at, the states that were reached.
    struct Record {
        var seconds = 0.0
        var width = 80
        /// The number that error messages name it by.
        var input: Int?
        var runs: [ReachedState] = []
        var isInterrupted = false
    }

    /// The settings that results depend on.
    var seed: UInt64 = 0
    var strict = true
    /// The width of cells without a record, which a kernel ran.
    var width = kernelWidth
    var cells: [Cell] = []

    /// The columns that the kernel shows values in.
    static let kernelWidth = 100
}

/// A notebook that cannot be read.
struct NotebookError: RuntimeError {
    let message: String

    init(_ path: String, _ reason: String) { message = "\(path): \(reason)" }
}

/// Notebooks as Jupyter's files: nbformat 4.5.
extension Notebook {
    /// The text before the cells.
    var head: String {
        let metadata: [String: Any] = [
            "kernelspec": ["display_name": "mtrepl", "language": "lua", "name": "mtrepl"],
            "language_info": [
                "file_extension": ".lua", "mimetype": "text/x-lua", "name": "lua", "version": "5.4",
            ],
            "mtrepl": settings,
        ]
        return """
            {
            "metadata": \(Self.text(metadata)),
            "nbformat": 4,
            "nbformat_minor": 5,
            "cells": [

            """
    }

    /// What results depend on, as it stands in files.
    var settings: [String: Any] {
        ["seed": seed, "strict": strict, "width": width, "version": Version.text]
    }

    /// Takes over settings from a file; what is missing has its default.
    mutating func take(settings: [String: Any]?, width standard: Int) {
        seed = (settings?["seed"] as? NSNumber)?.uint64Value ?? 0
        strict = settings?["strict"] as? Bool ?? true
        width = settings?["width"] as? Int ?? standard
    }

    /// The text after the cells.
    static let tail = "\n]\n}\n"

    /// The whole file.
    var jupyter: String {
        head + cells.enumerated().map { $1.json($0 + 1) }.joined(separator: ",\n") + Self.tail
    }

    static func text(_ value: Any) -> String {
        let options: JSONSerialization.WritingOptions = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? JSONSerialization.data(withJSONObject: value, options: options) else {
            return "null"
        }
        return String(decoding: data, as: UTF8.self)
    }

    /// Reads a file.
    ///
    /// - Throws: `NotebookError` naming what is wrong and where; `FileError`.
    init(jupyter path: String) throws {
        let bytes = try FileReader.bytes(path)
        guard let root = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
        else { throw NotebookError(path, "not a notebook: a JSON object expected") }
        guard root["nbformat"] as? Int == 4 else {
            throw NotebookError(
                path, "nbformat: 4 expected, got \(root["nbformat"].map { "\($0)" } ?? "nothing")")
        }
        guard let cells = root["cells"] as? [[String: Any]] else {
            throw NotebookError(path, "cells: a list of objects expected")
        }
        let metadata = root["metadata"] as? [String: Any]
        // A log writes its own; of a kernel's, front ends keep what it says of its language.
        let language = metadata?["language_info"] as? [String: Any]
        let own = metadata?["mtrepl"] ?? language?["mtrepl"]
        let kernel = (metadata?["kernelspec"] as? [String: Any])?["name"] as? String
        take(
            settings: own as? [String: Any], width: kernel == "mtrepl" ? Self.kernelWidth : 80)
        for (index, fields) in cells.enumerated() {
            guard let name = fields["cell_type"] as? String,
                let source = Self.lines(fields["source"])
            else { throw NotebookError(path, "cells[\(index)]: cell_type and source expected") }
            guard let kind = Kind(rawValue: name) else {
                throw NotebookError(
                    path, "cells[\(index)].cell_type: code, markdown or raw expected, got '\(name)'"
                )
            }
            var cell = Cell(kind: kind, source: source)
            cell.count = fields["execution_count"] as? Int
            for output in fields["outputs"] as? [[String: Any]] ?? [] {
                if let output = Output(output) { cell.outputs.append(output) }
            }
            cell.record = Record((fields["metadata"] as? [String: Any])?["mtrepl"])
            self.cells.append(cell)
        }
    }

    /// A text that may be a list of lines.
    static func lines(_ value: Any?) -> String? {
        (value as? String) ?? (value as? [String])?.joined()
    }
}

extension Notebook.Cell {
    /// The cell as JSON; `number` makes its identifier.
    func json(_ number: Int) -> String {
        var fields: [String: Any] = [
            "cell_type": kind.rawValue, "id": "cell-\(number)",
            "metadata": record.map { ["mtrepl": $0.fields] } ?? [:], "source": Self.split(source),
        ]
        if isCode {
            fields["execution_count"] = count.map { $0 as Any } ?? NSNull()
            fields["outputs"] = outputs.map { $0.fields(count) }
        }
        return Notebook.text(fields)
    }

    fileprivate static func split(_ text: String) -> [String] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map {
            String($0) + "\n"
        }
        if let last = lines.popLast()?.dropLast(), !last.isEmpty { lines.append(String(last)) }
        return lines
    }
}

extension Notebook.Output {
    fileprivate func fields(_ count: Int?) -> [String: Any] {
        switch self {
        case .stream(let isError, let text):
            [
                "output_type": "stream", "name": isError ? "stderr" : "stdout",
                "text": Notebook.Cell.split(text),
            ]
        case .value(let output):
            [
                "output_type": "execute_result", "data": Self.data(output),
                "metadata": [:] as [String: Any],
                "execution_count": count.map { $0 as Any } ?? NSNull(),
            ]
        case .display(let output):
            [
                "output_type": "display_data", "data": Self.data(output),
                "metadata": [:] as [String: Any],
            ]
        case .aside(let output):
            [
                "output_type": "display_data", "data": Self.data(output),
                "metadata": ["mtrepl": ["aside": true]],
            ]
        case .error(let name, let message, let traceback):
            ["output_type": "error", "ename": name, "evalue": message, "traceback": traceback]
        }
    }

    private static func data(_ output: RichOutput) -> [String: Any] {
        var data: [String: Any] = ["text/plain": Notebook.Cell.split(output.text)]
        if let html = output.html { data["text/html"] = Notebook.Cell.split(html) }
        if let svg = output.svg { data["image/svg+xml"] = Notebook.Cell.split(svg) }
        if let png = output.png { data["image/png"] = png.base64EncodedString() + "\n" }
        return data
    }

    fileprivate init?(_ fields: [String: Any]) {
        switch fields["output_type"] as? String {
        case "stream":
            self = .stream(
                isError: fields["name"] as? String == "stderr",
                text: Notebook.lines(fields["text"]) ?? "")
        case "execute_result": self = .value(Self.output(fields["data"]))
        case "display_data":
            let own = (fields["metadata"] as? [String: Any])?["mtrepl"] as? [String: Any]
            let output = Self.output(fields["data"])
            self = own?["aside"] as? Bool == true ? .aside(output) : .display(output)
        case "error":
            self = .error(
                name: fields["ename"] as? String ?? "", message: fields["evalue"] as? String ?? "",
                traceback: fields["traceback"] as? [String] ?? [])
        default: return nil
        }
    }

    private static func output(_ value: Any?) -> RichOutput {
        let data = value as? [String: Any] ?? [:]
        return RichOutput(
            text: Notebook.lines(data["text/plain"]) ?? "", html: Notebook.lines(data["text/html"]),
            svg: Notebook.lines(data["image/svg+xml"]),
            png: Notebook.lines(data["image/png"]).flatMap {
                Data(base64Encoded: $0, options: .ignoreUnknownCharacters)
            })
    }
}

extension Notebook.Record {
    /// As it stands in files.
    var fields: [String: Any] {
        var fields: [String: Any] = ["seconds": (seconds * 1e6).rounded() / 1e6, "width": width]
        if let input { fields["input"] = input }
        if isInterrupted { fields["interrupted"] = true }
        if !runs.isEmpty {
            fields["runs"] = runs.map {
                ["name": $0.name, "step": $0.step, "key": $0.key] as [String: Any]
            }
        }
        return fields
    }

    init?(_ value: Any?) {
        guard let fields = value as? [String: Any] else { return nil }
        seconds = (fields["seconds"] as? NSNumber)?.doubleValue ?? 0
        width = fields["width"] as? Int ?? 80
        input = fields["input"] as? Int
        isInterrupted = fields["interrupted"] as? Bool ?? false
        for run in fields["runs"] as? [[String: Any]] ?? [] {
            guard let name = run["name"] as? String, let step = run["step"] as? Int,
                let key = run["key"] as? String
            else { continue }
            runs.append(ReachedState(name: name, step: step, key: key))
        }
    }
}
