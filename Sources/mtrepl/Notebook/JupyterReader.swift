import Bindings
import Foundation
import Runtime

/// Reading Jupyter's files: nbformat 4.
extension Notebook {
    /// Reads a file.
    ///
    /// - Throws: `NotebookError` naming what is wrong and where; `FileError`.
    init(jupyter path: String) throws {
        let root = try JSONField(file: path)
        let format = try root.required("nbformat")
        guard format.value == .integer(4) else {
            throw NotebookError(
                path,
                "nbformat: 4 expected, got \(format.value.words); jupyter nbconvert --to notebook makes it newer"
            )
        }
        _ = try root.optional("nbformat_minor")?.integer(0...1000)
        if let metadata = try root.optional("metadata") { try take(metadata) }
        var names: Set<String> = []
        for (index, field) in try root.required("cells").elements().enumerated() {
            var cell = try Cell(field)
            // Names are for front ends; one that appears twice says nothing.
            if cell.id == "cell-\(index + 1)" || cell.id.map({ !names.insert($0).inserted }) == true
            {
                cell.id = nil
            }
            cells.append(cell)
        }
    }
}

extension Notebook.Cell {
    init(_ field: JSONField) throws {
        let type = try field.required("cell_type")
        guard let kind = Notebook.Kind(rawValue: try type.string()) else {
            throw type.expected("code, markdown or raw")
        }
        self.init(kind: kind, source: try field.required("source").lines())
        if let name = try field.optional("id") {
            guard try name.string().wholeMatch(of: /[A-Za-z0-9_-]{1,64}/) != nil else {
                throw name.expected("1 to 64 letters, digits, - and _")
            }
            id = try name.string()
        }
        if let metadata = try field.optional("metadata") {
            self.metadata = try metadata.object()
            if let own = try metadata.optional("mtrepl"), kind == .code {
                record = try Notebook.Record(own)
                self.metadata["mtrepl"] = nil
            }
        }
        attachments = try field.optional("attachments")?.object()
        guard kind == .code else { return }
        count = try field.optional("execution_count")?.integer(0...(1 << 53))
        for output in try field.optional("outputs")?.elements() ?? [] {
            outputs.append(try Notebook.Output(output))
        }
    }
}

extension Notebook.Output {
    fileprivate init(_ field: JSONField) throws {
        let type = try field.required("output_type")
        switch try type.string() {
        case "stream":
            let name = try field.required("name")
            guard ["stdout", "stderr"].contains(try name.string()) else {
                throw name.expected("stdout or stderr")
            }
            self = .stream(
                isError: try name.string() == "stderr", text: try field.required("text").lines())
        case "execute_result": self = .value(try Self.output(field))
        case "display_data":
            let own = try field.optional("metadata")?.optional("mtrepl")
            let output = try Self.output(field)
            self = try own?.optional("aside")?.boolean() == true ? .aside(output) : .display(output)
        case "error":
            self = .error(
                name: try field.required("ename").string(),
                message: try field.required("evalue").string(),
                traceback: try field.required("traceback").elements().map { try $0.string() })
        default: throw type.expected("stream, execute_result, display_data or error")
        }
    }

    private static func output(_ field: JSONField) throws -> RichOutput {
        let data = try field.required("data")
        var output = RichOutput(text: try data.optional("text/plain")?.lines() ?? "")
        output.html = try data.optional("text/html")?.lines()
        output.svg = try data.optional("image/svg+xml")?.lines()
        guard let png = try data.optional("image/png") else { return output }
        guard
            let bytes = Data(base64Encoded: try png.lines(), options: .ignoreUnknownCharacters)
        else { throw png.expected("base64") }
        output.png = bytes
        // A width on the page that is a part of that of the file is a density.
        if let size = try field.optional("metadata")?.optional("image/png"),
            let width = try size.optional("width")?.integer(1...1_000_000),
            let pixels = output.pngPixels, pixels.width % width == 0
        {
            output.pngScale = pixels.width / width
        }
        return output
    }
}
