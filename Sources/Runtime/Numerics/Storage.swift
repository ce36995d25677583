import RuntimeSupport

/// The numbers behind one or more tensors.
package final class Storage {
    package let pointer: UnsafeMutablePointer<Float>
    package let count: Int

    /// Uninitialised storage for `count` numbers.
    ///
    /// - Throws: `OutOfMemory`; `InvalidValue` where `MTREPL_KERNELS` is wrong.
    package init(_ count: Int) throws {
        try Numerics.checkLevel()
        guard count <= Int.max / 8 else {
            throw OutOfMemory(requested: Int.max, live: Memory.liveBytes, limit: Memory.limit)
        }
        pointer = try Memory.allocate(count * 4).bindMemory(to: Float.self, capacity: count)
        self.count = count
    }

    deinit { Memory.deallocate(UnsafeMutableRawPointer(pointer), bytes: count * 4) }
}

/// The matrix library got no memory for its buffers or its code.
public struct LibraryOutOfMemory: RuntimeError {
    /// Says what may be the cause.
    public var message: String {
        "out of memory: the matrix library gets none for its buffers, \(Amount.bytes(Memory.liveBytes)) are in use "
            + "by tensors; a limit such as `ulimit -v` may be too low"
    }
}
