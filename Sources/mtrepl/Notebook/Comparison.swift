import Bindings

/// What of a cell's outputs must be the same when it is run again.
struct Comparison {
    private var printed = ""
    private var values: [String] = []
    private var pictures: [String?] = []
    private var error = ""
    /// Nil if nobody recorded them.
    private var runs: [String]?

    init(_ outputs: [Notebook.Output], _ runs: [ReachedState]?) {
        self.runs = runs?.map { "run \($0.name) at step \($0.step), state \($0.key)" }
        for output in outputs {
            switch output {
            case .stream(let isError, let text): if !isError { printed += text }
            case .value(let value): values.append(value.text)
            case .display(let value):
                values.append(value.text)
                pictures.append(value.svg)
            case .aside: break
            case .error(_, let message, _): error = message
            }
        }
    }

    /// What differs, as lines; empty if nothing does.
    static func differences(_ old: Comparison, _ new: Comparison) -> [String] {
        var lines: [String] = []
        func compare(_ what: String, _ old: String, _ new: String) {
            let (a, b) = (normal(old), normal(new))
            guard a != b else { return }
            let start = zip(a, b).prefix { $0 == $1 }.count
            func part(_ text: [String]) -> String {
                start < text.count ? text[start] : "nothing more"
            }
            lines += ["\(what) differs:", "  was  \(part(a))", "  is   \(part(b))"]
        }
        compare("what was printed", old.printed, new.printed)
        for index in 0..<max(old.values.count, new.values.count) {
            compare(
                "the value", index < old.values.count ? old.values[index] : "",
                index < new.values.count ? new.values[index] : "")
        }
        for (a, b) in zip(old.pictures, new.pictures) where a != nil && b != nil && a != b {
            lines.append("the picture differs")
        }
        compare("the error", old.error, new.error)
        if let a = old.runs, let b = new.runs {
            compare("what was trained", a.joined(separator: "\n"), b.joined(separator: "\n"))
        }
        return lines
    }

    /// Lines with single spaces and without timings.
    private static func normal(_ text: String) -> [String] {
        withoutTimings(PlainText.of(text)).map { line in
            line.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }.filter { !$0.isEmpty }
    }

    private static let timings: Set<String> = [
        "seconds", "tokens_per_second", "seconds_left", "elapsed", "milliseconds",
    ]

    /// Lines in which the columns and fields that hold timings are blank.
    private static func withoutTimings(_ text: String) -> [String] {
        var columns: [Int] = []
        var width = 0
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let cells = line.split(separator: #/\s{2,}/#).map(String.init)
            let named = cells.indices.filter { timings.contains(cells[$0]) }
            if !named.isEmpty, cells.count > 1 {
                (columns, width) = (named, cells.count)
            } else if cells.count == width, width > 0 {
                var cells = cells
                for column in columns { cells[column] = "…" }
                return cells.joined(separator: "  ")
            }
            // Where something lies in memory is different in every process.
            let line = String(line).replacing(#/0x[0-9a-f]{6,}/#, with: "0x…")
            return line.replacing(
                #/\b(seconds|tokens_per_second|seconds_left|elapsed|milliseconds) = [^,}\s]+/#
            ) { "\($0.1) = …" }
        }
    }
}
