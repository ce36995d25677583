import Bindings
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
        /// Its name in the file, if that is not the one that follows from its place.
        var id: String?
        /// What other programs say of it, such as tags.
        var metadata: JSON = [:]
        /// Pictures that a text shows, by name.
        var attachments: JSON?

        var isCode: Bool { kind == .code }

        /// Whether it is tagged so.
        func isTagged(_ tag: String) -> Bool {
            guard case .array(let tags)? = metadata["tags"] else { return false }
            return tags.contains(.string(tag))
        }
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
    /// What the file says of the whole; `nil` where it says nothing, and what we say is written.
    var metadata: JSON?
    var cells: [Cell] = []

    /// The columns that the kernel shows values in.
    static let kernelWidth = 100

    /// Whether two notebooks have the same cells, outputs aside, and say the same of them.
    func hasSameCells(as other: Notebook) -> Bool {
        cells.count == other.cells.count
            && zip(cells, other.cells).allSatisfy { a, b in
                a.kind == b.kind && a.source.utf8.elementsEqual(b.source.utf8)
                    && a.metadata == b.metadata && a.attachments == b.attachments
            }
    }
}

/// A notebook that cannot be read.
struct NotebookError: RuntimeError {
    let message: String

    init(_ path: String, _ reason: String) { message = "\(path): \(reason)" }
}

extension Notebook {
    /// What results depend on, as it stands in files.
    var settings: JSON {
        [
            "seed": Int(exactly: seed).map { .integer($0) } ?? .number("\(seed)"),
            "strict": .boolean(strict), "version": .string(Version.text), "width": .integer(width),
        ]
    }

    /// What is said of the whole in a file.
    var allMetadata: JSON {
        metadata ?? [
            "kernelspec": ["display_name": "mtrepl", "language": "lua", "name": "mtrepl"],
            "language_info": [
                "file_extension": ".lua", "mimetype": "text/x-lua", "name": "lua",
                "version": "5.4",
            ], "mtrepl": settings,
        ]
    }

    /// Takes over what a file says of the whole, with the settings in it; what is missing has its default.
    mutating func take(_ field: JSONField) throws {
        metadata = try field.object()
        // A log writes its own; of a kernel's, front ends keep what it says of its language.
        let own =
            try field.optional("mtrepl") ?? field.optional("language_info")?.optional("mtrepl")
        let name = try field.optional("kernelspec")?.optional("name")?.string()
        width = name == "mtrepl" ? Self.kernelWidth : 80
        if let own { try take(settings: own) }
    }

    /// Takes over settings.
    mutating func take(settings own: JSONField) throws {
        if let field = try own.optional("seed") {
            guard let number = UInt64(field.value.text) else {
                throw field.expected("an integer in 0 ... \(UInt64.max)")
            }
            seed = number
        }
        strict = try own.optional("strict")?.boolean() ?? strict
        width = try own.optional("width")?.integer(1...100_000) ?? width
    }
}

extension Notebook.Record {
    /// As it stands in files.
    var fields: JSON {
        var fields: JSON = [:]
        if let input { fields["input"] = .integer(input) }
        if isInterrupted { fields["interrupted"] = true }
        if !runs.isEmpty {
            fields["runs"] = .array(
                runs.map {
                    [
                        "key": .string($0.key), "name": .string($0.name),
                        "step": .integer($0.step),
                    ]
                })
        }
        let rounded = (seconds * 1e6).rounded() / 1e6
        fields["seconds"] =
            Int(exactly: rounded).map { .integer($0) } ?? .number("\(rounded)")
        fields["width"] = .integer(width)
        return fields
    }

    /// Reads what a file has.
    init(_ field: JSONField) throws {
        seconds = try field.optional("seconds")?.number(0...1e12) ?? 0
        width = try field.optional("width")?.integer(1...100_000) ?? 80
        input = try field.optional("input")?.integer(0...(1 << 53))
        isInterrupted = try field.optional("interrupted")?.boolean() ?? false
        for run in try field.optional("runs")?.elements() ?? [] {
            runs.append(
                ReachedState(
                    name: try run.required("name").string(),
                    step: try run.required("step").integer(0...(1 << 53)),
                    key: try run.required("key").string()))
        }
    }
}
