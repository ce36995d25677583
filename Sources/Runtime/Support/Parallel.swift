import CKernels

/// The thread pool: fork-join over units of work fixed by the data.
public enum Parallel {
    /// Threads in use, from 1 to 256; it changes speed, never results.
    public static var threads: Int {
        get { Int(ck_threads()) }
        set { ck_set_threads(Int32(clamping: newValue)) }
    }

    /// Runs `body(0 ..< units)`, in any order and on any thread, and returns when all are done.
    ///
    /// Units must write to disjoint places. A call from inside a unit runs in place.
    public static func forEach(_ units: Int, _ body: (Int) -> Void) {
        withoutActuallyEscaping(body) { body in
            var body = body
            withUnsafeMutablePointer(to: &body) { pointer in
                ck_parallel(
                    units,
                    { context, unit in
                        context?.assumingMemoryBound(to: ((Int) -> Void).self).pointee(unit)
                    }, pointer)
            }
        }
    }

    /// The results of `body(0 ..< units)` in order.
    ///
    /// - Throws: the error of the lowest unit that threw.
    public static func map<Result>(_ units: Int, _ body: (Int) throws -> Result) throws -> [Result]
    {
        var slots: [Swift.Result<Result, any Error>?] = Array(repeating: nil, count: units)
        slots.withUnsafeMutableBufferPointer { buffer in
            nonisolated(unsafe) let buffer = buffer
            forEach(units) { unit in buffer[unit] = Swift.Result { try body(unit) } }
        }
        return try slots.map { slot in
            guard let slot else { fatalError("a unit of work did not run") }
            return try slot.get()
        }
    }
}
