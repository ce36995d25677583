import Runtime
import Testing

@Suite("Tensor memory", .serialized)
struct MemoryTests {
    @Test("a request beyond the limit is refused with the sums, and nothing is lost")
    func limit() throws {
        let before = Memory.limit
        let error = #expect(throws: OutOfMemory.self) { try Tensor.zeros([1 << 20, 1 << 20]) }
        #expect(error?.limit == before)
        #expect(error?.message.contains("out of memory") == true)
        #expect(try Tensor.ones([3]).sum().item() == 3)
    }

    @Test("size classes cover requests and waste at most a fifth")
    func classes() {
        for bytes in [1, 64, 65, 100, 4097, 1_000_000, 12_345_678, (1 << 30) + 1] {
            let size = Memory.sizeClass(bytes)
            #expect(size >= bytes)
            #expect(bytes < 1000 || Double(size) <= 1.25 * Double(bytes) + 64)
            #expect(Memory.sizeClass(size) == size)
        }
    }

    @Test("freed buffers are counted out and used again")
    func reuse() throws {
        // Other suites allocate at the same time, so a size of its own is watched.
        let count = 77_777_777
        func take() throws -> UnsafeMutablePointer<Float> {
            let tensor = try Tensor(uninitialized: [count])
            return withExtendedLifetime(tensor) {
                #expect(Memory.liveBytes >= count * 4)
                return tensor.pointer
            }
        }
        let address = try take()
        #expect(try take() == address)
    }
}
