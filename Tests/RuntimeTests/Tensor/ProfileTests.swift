import Runtime
import Testing

@Suite("Profile", .serialized)
struct ProfileTests {
    private func multiply(_ size: Int) throws {
        let x = try Tensor.uniform([size, size], seed: 1)
        _ = try x.matmul(x)
    }

    @Test("counts calls, operations and bytes of a kernel, and only while it listens")
    func counts() throws {
        try multiply(37)
        let (_, lines) = try Profile.measure { for _ in 0..<3 { try multiply(37) } }
        let line = try #require(
            lines.first { $0.kernel.hasPrefix("matmul") && $0.shape.contains("37 x 37 x 37") })
        #expect(line.calls == 3)
        #expect(line.operations == 3 * 2 * 37 * 37 * 37)
        #expect(line.bytes == 3 * 4 * 3 * 37 * 37)
        #expect(line.seconds > 0)
    }

    @Test("a measurement inside another counts in both")
    func nested() throws {
        let (inner, outer) = try Profile.measure {
            try multiply(41)
            return try Profile.measure { try multiply(43) }.1
        }
        func calls(_ lines: [Profile.Line], _ size: String) -> Int {
            lines.filter { $0.kernel.hasPrefix("matmul") && $0.shape.contains(size) }
                .reduce(0) { $0 + $1.calls }
        }
        #expect(calls(inner, "43 x 43 x 43") == 1 && calls(inner, "41 x 41 x 41") == 0)
        #expect(calls(outer, "43 x 43 x 43") == 1 && calls(outer, "41 x 41 x 41") == 1)
    }
}
