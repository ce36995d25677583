import Foundation

extension Tensor: CustomStringConvertible {
    /// The numbers, shortened in the middle where there are many, and the shape.
    public var description: String { text() }

    /// The numbers, shortened in the middle where there are more than a screen takes, and the shape.
    ///
    /// Vectors print as a row, matrices as rows, and higher axes as a matrix for each leading
    /// position, counted from 1 as in Lua.
    ///
    /// - Parameters:
    ///   - width: Columns of the screen.
    ///   - isDetailed: Whether the type of the numbers is named and, if some are left out, what is known of all.
    public func text(width: Int = 80, isDetailed: Bool = false) -> String {
        var kind = "tensor[\(shape.map(String.init).joined(separator: ", "))]"
        if isDetailed { kind += " float32" }
        if requiresGradient { kind += isDetailed ? ", requires gradient" : " requires gradient" }
        guard count > 0 else { return kind }
        if rank == 0 {
            return "\(Tensor.number(withExtendedLifetime(self) { pointer.pointee }))  \(kind)"
        }
        var lines: [String] = []
        var isWhole = true
        let matrices = shape.dropLast(2).reduce(1, *)
        for matrix in Tensor.shown(matrices, edge: 2) {
            guard let matrix else {
                lines.append("…")
                isWhole = false
                continue
            }
            var index = Array(repeating: 0, count: max(0, rank - 2))
            var rest = matrix
            for axis in index.indices.reversed() {
                index[axis] = rest % shape[axis]
                rest /= shape[axis]
            }
            if rank > 2 {
                lines.append("[\(index.map { String($0 + 1) }.joined(separator: ", ")), :, :]")
            }
            let rows = rowLines(index, width)
            lines += rows.lines
            isWhole = isWhole && rows.isWhole
        }
        if isDetailed, !isWhole { kind += "  " + summary }
        return (lines + [kind]).joined(separator: "\n")
    }

    /// The lines of one matrix, its columns aligned, and whether they hold all of it.
    private func rowLines(_ index: [Int], _ width: Int) -> (lines: [String], isWhole: Bool) {
        let rows = Tensor.shown(rank == 1 ? 1 : shape[rank - 2], edge: 5)
        let base = index.enumerated().reduce(0) { $0 + $1.element * strides[$1.offset] }
        // As many columns as fit; how wide they are is known when they are there.
        for edge in [5, 4, 3, 2, 1] {
            let columns = Tensor.shown(shape[rank - 1], edge: edge)
            let cells: [[String]?] = rows.map { row in
                guard let row else { return nil }
                let start = base + (rank == 1 ? 0 : row * strides[rank - 2])
                return withExtendedLifetime(self) {
                    columns.map { column in
                        column.map { Tensor.number(pointer[start + $0 * strides[rank - 1]]) } ?? "…"
                    }
                }
            }
            let lines = Tensor.aligned(cells)
            if edge == 1 || lines.allSatisfy({ $0.columns <= width }) {
                return (lines, !rows.contains(nil) && !columns.contains(nil))
            }
        }
        return ([], true)
    }

    private static func aligned(_ cells: [[String]?]) -> [String] {
        let widths = (cells.compactMap { $0 }.first ?? []).indices.map { column in
            cells.compactMap { $0?[column].count }.max() ?? 0
        }
        // Numbers stand under each other at one width, as far as they are of a kind.
        let width = widths.max() ?? 0
        return cells.map { row in
            guard let row else { return "  …" }
            return row.map { cell in
                String(repeating: " ", count: (cell == "…" ? 1 : width) - cell.count + 2) + cell
            }.joined()
        }
    }

    /// What is known of all numbers together; nothing of so many that a reader would have to wait.
    private var summary: String {
        guard count <= 1 << 26, let source = try? packed() else { return "" }
        return withExtendedLifetime(source) {
            Tensor.summary(UnsafeBufferPointer(start: source.pointer, count: source.count))
        }
    }

    private static func summary(_ numbers: UnsafeBufferPointer<Float>) -> String {
        var (low, high) = (Float.infinity, -Float.infinity)
        var (sum, finite) = (0.0, 0)
        for value in numbers where value.isFinite {
            (low, high) = (min(low, value), max(high, value))
            sum += Double(value)
            finite += 1
        }
        let others = finite < numbers.count ? ["\(numbers.count - finite) not finite"] : []
        guard finite > 0 else { return others.joined() }
        let mean = sum / Double(finite)
        var squares = 0.0
        for value in numbers where value.isFinite {
            squares += (Double(value) - mean) * (Double(value) - mean)
        }
        let deviation = (squares / Double(max(1, finite - 1))).squareRoot()
        let parts: [(String, Float)] = [
            ("min", low), ("mean", Float(mean)), ("max", high), ("std", Float(deviation)),
        ]
        return (parts.map { "\($0.0) \(number($0.1))" } + others).joined(separator: ", ")
    }

    /// All positions, or the first and last few with `nil` between.
    private static func shown(_ count: Int, edge: Int) -> [Int?] {
        count <= 2 * edge + 1
            ? Array(0..<count) : Array(0..<edge) + [nil] + Array(count - edge..<count)
    }

    private static func number(_ value: Float) -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        if value == value.rounded() && abs(value) < 1e6 { return String(Int(value)) }
        let size = abs(value)
        return String(format: size >= 1e-3 && size < 1e5 ? "%.4f" : "%.3e", Double(value))
    }
}
