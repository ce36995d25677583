import RuntimeData
import RuntimeSupport
import RuntimeTraining

/// A batch as people read it: where each row is from, where documents begin, and which tokens count in the loss.
public struct BatchText: Sendable {
    /// One row.
    public struct Row: Sendable {
        /// The corpus that it is from, and what is said of its place there.
        public let source: String
        /// Its tokens in order: the first input, then what follows each input.
        public let tokens: [Int32]
        /// Whether the loss counts the token.
        public let counts: [Bool]
        /// Whether a document begins with the token.
        public let begins: [Bool]
        /// Positions at the end that hold nothing.
        public let padding: Int
    }

    /// What batch it is, in a few words.
    public let title: String
    /// The rows.
    public let rows: [Row]
    private let tokenizer: Tokenizer

    /// Takes a batch apart.
    ///
    /// - Parameters:
    ///   - title: what it is, in a few words.
    ///   - batches: its parts, whose rows follow each other.
    ///   - sources: of each row where it is from.
    ///   - tokenizer: what its ids stand for; a document begins behind its end-of-text.
    public init(
        _ title: String, _ batches: [TokenBatch], sources: [String], _ tokenizer: Tokenizer
    ) {
        self.title = title
        self.tokenizer = tokenizer
        var rows: [Row] = []
        for batch in batches {
            for row in 0..<batch.rows {
                let places = row * batch.columns..<(row + 1) * batch.columns
                let source = rows.count < sources.count ? sources[rows.count] : ""
                rows.append(
                    Self.row(
                        source, batch.inputs[places], batch.targets[places], tokenizer.endOfText))
            }
        }
        self.rows = rows
    }

    private static func row(
        _ source: String, _ inputs: ArraySlice<Int32>, _ targets: ArraySlice<Int32>, _ end: Int32
    ) -> Row {
        let inputs = Array(inputs)
        let targets = Array(targets)
        // What follows an input is its target, or where that does not count the next input.
        var tokens = Array(inputs.prefix(1))
        for index in targets.indices {
            if targets[index] >= 0 {
                tokens.append(targets[index])
            } else if index + 1 < inputs.count {
                tokens.append(inputs[index + 1])
            }
        }
        var counts = [false] + targets.map { $0 >= 0 }
        counts.removeLast(counts.count - tokens.count)
        // Ends of text behind the last token that counts are no text.
        var length = tokens.count
        while length > 1, tokens[length - 1] == end, !counts[length - 1] { length -= 1 }
        let padding = tokens.count - length
        let begins = (0..<length).map { $0 > 0 && tokens[$0 - 1] == end }
        return Row(
            source: source, tokens: Array(tokens[..<length]), counts: Array(counts[..<length]),
            begins: begins, padding: padding)
    }

    /// Tokens that count in the loss.
    public var counted: Int { rows.reduce(0) { $0 + $1.counts.count { $0 } } }

    private static let mark = "¶"

    /// The rows as text; where documents begin stands ¶, and control characters have visible forms.
    ///
    /// - Parameters:
    ///   - rows: how many rows at most.
    ///   - styled: tokens that count in green and others dim, by escape sequences; else others stand in ⟦ ⟧.
    public func text(rows limit: Int = .max, styled: Bool = false) -> String {
        let width = "\(rows.count)".count
        var lines = [
            "\(title): \(rows.count) rows, \(counted) tokens count in the loss"
                + (styled ? "" : "; others stand in ⟦ ⟧") + "; \(Self.mark) begins a document"
        ]
        for (index, row) in rows.prefix(limit).enumerated() {
            let number = "\(index + 1)"
            let counted = row.counts.count { $0 }
            lines.append("")
            lines.append(
                String(repeating: " ", count: width - number.count) + number + "  \(row.source), "
                    + "\(row.tokens.count) tokens, \(counted) count"
                    + (row.padding > 0 ? ", \(row.padding) positions are empty" : ""))
            lines.append(text(row, styled))
        }
        if limit < rows.count { lines += ["", "and \(rows.count - limit) more rows"] }
        return lines.joined(separator: "\n")
    }

    private func text(_ row: Row, _ styled: Bool) -> String {
        var result = ""
        var start = 0
        while start < row.tokens.count {
            // Tokens may end within a character, so that those alike are read together.
            var end = start + 1
            while end < row.tokens.count, row.counts[end] == row.counts[start], !row.begins[end] {
                end += 1
            }
            if row.begins[start] {
                result += styled ? "\u{1b}[1;36m\(Self.mark)\u{1b}[0m" : Self.mark
            }
            let shown = shown(row.tokens[start..<end])
            switch (styled, row.counts[start]) {
            case (true, let counts): result += "\u{1b}[\(counts ? 32 : 2)m\(shown)\u{1b}[0m"
            case (false, true): result += shown
            case (false, false): result += "⟦\(shown)⟧"
            }
            start = end
        }
        return result
    }

    /// Text with visible forms of what is not shown; a line feed also ends the line.
    private func shown(_ tokens: ArraySlice<Int32>) -> String {
        let bytes = (try? tokenizer.decode(tokens)) ?? []
        return String(decoding: bytes, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false
        ).map { String($0).visible() }.joined(separator: "\\n\n")
    }
}

extension BatchText {
    /// The batch of a step of a recipe, counted from 0.
    ///
    /// - Throws: errors of reading tokens.
    package init(_ trajectory: Trajectory, step: Int) throws {
        let batches = try trajectory.batches(step)
        let sources = trajectory.rowTexts(step, batches)
        self.init(
            "step \(step), \(trajectory.phaseName(step))", batches, sources: sources,
            trajectory.recipe.tokenizer)
    }
}
