import Testing

@testable import Runtime

@Suite("Profile", .serialized)
struct ProfileTests {
    private func multiply(_ size: Int) throws {
        let x = try Tensor.uniform([size, size], seed: 1)
        _ = try x.matmul(x)
    }

    @Test("counts calls, operations and bytes of a kernel, and only while it listens")
    func counts() throws {
        try multiply(17)
        let (_, lines) = try Profile.measure { for _ in 0..<3 { try multiply(17) } }
        let line = try #require(
            lines.first { $0.kernel.hasPrefix("matmul") && $0.shape.contains("17") })
        #expect(line.calls == 3)
        #expect(line.operations == 3 * 2 * 17 * 17 * 17)
        #expect(line.bytes == 3 * 4 * 3 * 17 * 17)
        #expect(line.seconds > 0)
    }

    @Test("a measurement inside another counts in both")
    func nested() throws {
        let (inner, outer) = try Profile.measure {
            try multiply(19)
            return try Profile.measure { try multiply(23) }.1
        }
        func calls(_ lines: [Profile.Line], _ size: String) -> Int {
            lines.filter { $0.kernel.hasPrefix("matmul") && $0.shape.contains(size) }
                .reduce(0) { $0 + $1.calls }
        }
        #expect(calls(inner, "23") == 1 && calls(inner, "19") == 0)
        #expect(calls(outer, "23") == 1 && calls(outer, "19") == 1)
    }
}
