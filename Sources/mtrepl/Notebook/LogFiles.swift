import Bindings
import Glibc
import Runtime

/// A notebook file that is whole at every moment: each change writes it anew under another name and renames it.
///
/// Completed cells stay in memory as text. A cell that is under way is shown too, but only so often that writing takes a
/// small part of the time.
final class NotebookFile {
    private let path: String
    private var text: String
    private var count = 0
    private var nextShow = ContinuousClock.now

    init(_ path: String, _ empty: Notebook) throws {
        self.path = path
        text = empty.head
        try write(text, synced: true)
    }

    /// Adds a completed cell.
    func add(_ cell: Notebook.Cell) throws {
        text += entry(cell)
        count += 1
        try write(text, synced: true)
    }

    /// Shows a cell that is under way.
    func show(_ cell: Notebook.Cell) throws { try write(text + entry(cell), synced: false) }

    /// The same, unless it was done a short while ago.
    func showSoon(_ cell: @autoclosure () -> Notebook.Cell?) throws {
        let started = ContinuousClock.now
        guard started >= nextShow, let cell = cell() else { return }
        try show(cell)
        let ended = ContinuousClock.now
        nextShow = ended.advanced(by: max(.seconds(2), (ended - started) * 20))
    }

    private func entry(_ cell: Notebook.Cell) -> String {
        (count > 0 ? ",\n" : "") + cell.json("cell-\(count + 1)")
    }

    private func write(_ text: String, synced: Bool) throws {
        try AtomicFile.write(path, synced: synced) { writer in
            try writer.write(text)
            try writer.write(Notebook.tail)
        }
    }
}

/// A Markdown file that grows as things happen; pictures lie in a folder beside it.
final class MarkdownFile {
    private let path: String
    private let descriptor: Int32
    private var pictures = 0
    /// The fence of the stream that is open, empty if none is; whether it is that of errors; its line that has not ended.
    private var fence = ""
    private var isError = false
    private var rest = ""

    init(_ path: String, _ empty: Notebook) throws {
        self.path = path
        try AtomicFile.makeFolder(PathName.parent(path))
        descriptor = try FileAccess.open(
            path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, action: "log to")
        try write(MarkdownFormat.head(empty))
    }

    deinit { close(descriptor) }

    func begin(_ cell: Notebook.Cell) throws { try write(MarkdownFormat.begin(cell)) }

    func add(_ output: Notebook.Output) throws {
        switch output {
        case .stream(let isError, let text):
            if isError != self.isError { try endStream() }
            self.isError = isError
            rest += text
            guard text.utf8.contains(10), let newline = rest.utf8.lastIndex(of: 10) else { return }
            let next = rest.utf8.index(after: newline)
            try write(lines: String(rest[..<next]))
            rest = String(rest[next...])
        case .value(let value), .display(let value):
            try endStream()
            if let picture = try picture(value) {
                return try write("\n![\(value.text.prefix { $0 != "\n" }.trimmed)](\(picture))\n")
            }
            try write(MarkdownFormat.output(output))
        case .aside, .error:
            try endStream()
            try write(MarkdownFormat.output(output))
        }
    }

    func end(_ cell: Notebook.Cell) throws {
        try endStream()
        try write(MarkdownFormat.end(cell))
    }

    func note(_ cell: Notebook.Cell) throws { try write(MarkdownFormat.text(cell)) }

    /// Writes whole lines of the stream, in a fence that none of them can end: a longer one follows where one is too short.
    private func write(lines: String) throws {
        let needed = MarkdownFormat.fence(around: lines)
        if needed.count > fence.count {
            if !fence.isEmpty { try write(fence + "\n") }
            fence = needed
            try write(MarkdownFormat.open(isError ? "messages" : "output", fence))
        }
        try write(lines)
    }

    private func endStream() throws {
        let isUnended = !rest.isEmpty
        if isUnended { try write(lines: rest + "\n") }
        if !fence.isEmpty { try write(fence + "\n") }
        if isUnended { try write(MarkdownFormat.unended) }
        (fence, rest) = ("", "")
    }

    /// Writes the picture of an output, if it has one; its path from the file's folder.
    private func picture(_ output: RichOutput) throws -> String? {
        guard output.svg != nil || output.png != nil else { return nil }
        pictures += 1
        let folder = PathName.stem(path) + "-files"
        let name = "\(pictures).\(output.svg == nil ? "png" : "svg")"
        if let svg = output.svg {
            try AtomicFile.write("\(folder)/\(name)", text: svg)
        } else if let png = output.png {
            try AtomicFile.write("\(folder)/\(name)") { writer in
                try png.withUnsafeBytes { try writer.write($0) }
            }
        }
        return "\(PathName.last(folder))/\(name)"
    }

    private func write(_ text: String) throws {
        var text = text
        try text.withUTF8 { bytes in
            var left = bytes[...]
            while !left.isEmpty {
                let count = Glibc.write(
                    descriptor,
                    UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: left)).baseAddress,
                    left.count)
                if count < 0 {
                    if errno == EINTR { continue }
                    throw FileError("write", path, errno: errno)
                }
                left = left.dropFirst(count)
            }
        }
    }
}
