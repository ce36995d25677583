/// A table of text with aligned columns.
public struct TextTable: Sendable {
    /// The heads of the columns.
    public let columns: [String]
    /// Rows of cells, each as long as `columns`.
    public private(set) var rows: [[String]] = []
    /// What cells say that have no value; it may stand among numbers.
    package var missing: String?

    /// A table without rows.
    public init(_ columns: [String]) { self.columns = columns }

    /// Appends a row; missing cells are empty, further ones are dropped.
    public mutating func append(_ cells: [String]) {
        let missing = max(0, columns.count - cells.count)
        rows.append(Array((cells + Array(repeating: "", count: missing)).prefix(columns.count)))
    }

    /// Whether a spreadsheet may take a text for a formula; also in the wide forms of East Asian text.
    private static func isFormula(_ cell: String) -> Bool {
        guard let first = cell.unicodeScalars.first, "=+-@\t\r＝＋－＠".unicodeScalars.contains(first)
        else { return false }
        return Double(cell) == nil
    }

    private static func isNumber(_ cell: String) -> Bool {
        guard let first = cell.first else { return true }
        return first.isNumber
            || (("+-−.".contains(first)) && cell.dropFirst().first?.isNumber == true)
    }

    /// Which columns hold nothing but numbers, so that they stand to the right.
    public var numericColumns: [Bool] {
        columns.indices.map { column in
            rows.allSatisfy { Self.isNumber($0[column]) || $0[column] == missing }
                && rows.contains { $0[column] != missing }
        }
    }

    /// The table as text: numbers to the right, words to the left, two spaces between columns, no trailing newline.
    ///
    /// A cell is one line, whatever is in it.
    public func text() -> String {
        let (columns, rows) = (columns.map(\.singleLine), rows.map { $0.map(\.singleLine) })
        let widths = columns.indices.map { column in
            ([columns[column]] + rows.map { $0[column] }).map(\.columns).max() ?? 0
        }
        let right = numericColumns
        func line(_ cells: [String]) -> String {
            let padded = cells.enumerated().map { column, cell in
                cell.padded(toColumns: widths[column], right: right[column])
            }
            let joined = padded.joined(separator: "  ")
            return String(joined.reversed().drop { $0 == " " }.reversed())
        }
        let rule = widths.map { String(repeating: "─", count: $0) }.joined(separator: "  ")
        return ([line(columns), rule] + rows.map(line)).joined(separator: "\n")
    }

    /// The table as CSV with a header line (RFC 4180), lines ending in a newline.
    ///
    /// Spreadsheets take a text that begins as a formula does for one, and run it: an apostrophe before it makes it text.
    /// Numbers stay as they are.
    ///
    /// - Parameter raw: Whether such texts are written as they are.
    public func csv(raw: Bool = false) -> String { csvLines(raw: raw).joined() }

    /// The lines of `csv(raw:)`, made one by one.
    public func csvLines(raw: Bool = false) -> some Sequence<String> {
        @Sendable func quoted(_ cell: String) -> String {
            let cell = !raw && Self.isFormula(cell) ? "'" + cell : cell
            guard cell.unicodeScalars.contains(where: { ",\"\n\r".unicodeScalars.contains($0) })
            else { return cell }
            return "\"" + cell.replacing("\"", with: "\"\"") + "\""
        }
        return ([columns] + rows).lazy.map { $0.map(quoted).joined(separator: ",") + "\n" }
    }
}
