import Bindings
import Foundation

/// Writing Jupyter's files: nbformat 4.5.
extension Notebook {
    /// The text before the cells.
    var head: String {
        """
        {
        "metadata": \(allMetadata.text),
        "nbformat": 4,
        "nbformat_minor": 5,
        "cells": [

        """
    }

    /// The text after the cells.
    static let tail = "\n]\n}\n"

    /// The whole file.
    var jupyter: String {
        var used = Set(cells.compactMap(\.id))
        let texts = cells.enumerated().map { index, cell in
            var name = cell.id ?? "cell-\(index + 1)"
            while cell.id == nil, !used.insert(name).inserted { name += "-" }
            return cell.json(name)
        }
        return head + texts.joined(separator: ",\n") + Self.tail
    }
}

extension Notebook.Cell {
    /// The cell as JSON under a name.
    func json(_ name: String) -> String {
        var metadata = metadata
        if let record { metadata["mtrepl"] = record.fields }
        var fields: JSON = [:]
        fields["attachments"] = attachments
        fields["cell_type"] = .string(kind.rawValue)
        if isCode { fields["execution_count"] = count.map { .integer($0) } ?? .null }
        fields["id"] = .string(name)
        fields["metadata"] = metadata
        if isCode { fields["outputs"] = .array(outputs.map { $0.json(count) }) }
        fields["source"] = Self.split(source)
        return fields.text
    }

    fileprivate static func split(_ text: String) -> JSON {
        var lines = text.unixLines.map { $0 + "\n" }
        if let last = lines.popLast(), last.utf8.count > 1 {
            lines.append(String(decoding: last.utf8.dropLast(), as: UTF8.self))
        }
        return .array(lines.map { .string($0) })
    }
}

extension Notebook.Output {
    fileprivate func json(_ count: Int?) -> JSON {
        switch self {
        case .stream(let isError, let text):
            [
                "name": isError ? "stderr" : "stdout", "output_type": "stream",
                "text": Notebook.Cell.split(text),
            ]
        case .value(let output):
            [
                "data": Self.data(output),
                "execution_count": count.map { .integer($0) } ?? .null,
                "metadata": output.pageMetadata, "output_type": "execute_result",
            ]
        case .display(let output):
            [
                "data": Self.data(output), "metadata": output.pageMetadata,
                "output_type": "display_data",
            ]
        case .aside(let output):
            [
                "data": Self.data(output), "metadata": ["mtrepl": ["aside": true]],
                "output_type": "display_data",
            ]
        case .error(let name, let message, let traceback):
            [
                "ename": .string(name), "evalue": .string(message), "output_type": "error",
                "traceback": .array(traceback.map { .string($0) }),
            ]
        }
    }

    private static func data(_ output: RichOutput) -> JSON {
        var data: JSON = [:]
        if let png = output.png {
            data["image/png"] = .string(png.base64EncodedString() + "\n")
        }
        if let svg = output.svg { data["image/svg+xml"] = Notebook.Cell.split(svg) }
        if let html = output.html { data["text/html"] = Notebook.Cell.split(html) }
        data["text/plain"] = Notebook.Cell.split(output.text)
        return data
    }
}

extension RichOutput {
    /// What front ends must know of it: the size of a picture that is finer than a page.
    var pageMetadata: JSON {
        guard let size = pngSize else { return [:] }
        return ["image/png": ["height": .integer(size.height), "width": .integer(size.width)]]
    }
}
