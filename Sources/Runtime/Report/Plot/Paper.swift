import RuntimeSupport

/// The width that a page leaves for a figure, whose letters are then of 8 points unless its content is too wide.
public struct Paper: Hashable, Sendable {
    /// Inches of one column of a page in two columns, unless another width is given.
    public static let standardColumn = 3.25
    /// Inches between columns.
    static let gap = 0.25
    /// Pixels of a figure on an inch of paper: letters of 14 pixels are then of 8 points.
    static let pixelsPerInch = 126.0

    /// The whole width in inches.
    public let inches: Double

    /// The width of some columns and what is between them.
    ///
    /// - Throws: `InvalidValue` for fewer than 1 or more than 4 columns, and for columns of less than 1 or more than 20 inches.
    public init(columns: Int, inches column: Double = standardColumn) throws {
        guard (1...4).contains(columns) else {
            throw InvalidValue("columns", expected: "an integer in 1 ... 4", found: columns)
        }
        guard (1...20).contains(column) else {
            throw InvalidValue("column_width", expected: "inches in 1 ... 20", found: column)
        }
        inches = Double(columns) * column + Double(columns - 1) * Self.gap
    }

    /// The pixels that are as wide.
    var pixels: Int { max(240, Int((inches * Self.pixelsPerInch).rounded())) }
}
