import Foundation

extension Tensor: CustomStringConvertible {
    /// The numbers, shortened in the middle where there are many, and the shape.
    ///
    /// Vectors print as a row, matrices as rows, and higher axes as a matrix for each leading
    /// position, counted from 1 as in Lua.
    public var description: String {
        let kind =
            "tensor[\(shape.map(String.init).joined(separator: ", "))]"
            + (requiresGradient ? " requires gradient" : "")
        guard count > 0 else { return kind }
        if rank == 0 {
            return "\(Tensor.number(withExtendedLifetime(self) { pointer.pointee }))  \(kind)"
        }
        var lines: [String] = []
        let matrices = shape.dropLast(2).reduce(1, *)
        for matrix in Tensor.shown(matrices, edge: 2) {
            guard let matrix else {
                lines.append("…")
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
            lines += rowLines(index)
        }
        return (lines + [kind]).joined(separator: "\n")
    }

    /// The lines of one matrix, its columns aligned.
    private func rowLines(_ index: [Int]) -> [String] {
        let rows = rank == 1 ? 1 : shape[rank - 2]
        let base = index.enumerated().reduce(0) { $0 + $1.element * strides[$1.offset] }
        let cells: [[String]?] = Tensor.shown(rows, edge: 5).map { row in
            guard let row else { return nil }
            let start = base + (rank == 1 ? 0 : row * strides[rank - 2])
            return withExtendedLifetime(self) {
                Tensor.shown(shape[rank - 1], edge: 5).map { column in
                    column.map { Tensor.number(pointer[start + $0 * strides[rank - 1]]) } ?? "…"
                }
            }
        }
        let width = cells.compactMap { $0 }.joined().map(\.count).max() ?? 0
        return cells.map { row in
            guard let row else { return "  …" }
            return row.map { String(repeating: " ", count: width - $0.count + 2) + $0 }.joined()
        }
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
