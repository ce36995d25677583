import CPool

/// The thread pool: fork-join over units of work fixed by the data.
public enum Parallel {
    /// Threads in use, from 1 to 256; it changes speed, never results.
    public static var threads: Int {
        get { Int(cp_threads()) }
        set { cp_set_threads(Int32(clamping: newValue)) }
    }

    /// Makes all threads allocate from one arena, for a process with little address space.
    public static func useOneArena() { cp_use_one_arena() }

    /// How many units of the calls that this thread made were run by other threads so far.
    package static var unitsOfWorkers: Int { cp_units_of_workers() }

    /// Runs `body(0 ..< units)`, in any order and on any thread, and returns when all are done.
    ///
    /// Units that write into one buffer do so through `DisjointPlaces`. A call from inside a unit runs in place.
    public static func forEach(_ units: Int, _ body: @Sendable (Int) -> Void) {
        withoutActuallyEscaping(body) { body in
            var body = body
            withUnsafeMutablePointer(to: &body) { pointer in
                cp_parallel(
                    units,
                    { context, unit in
                        context?.assumingMemoryBound(to: (@Sendable (Int) -> Void).self).pointee(
                            unit)
                    }, pointer)
            }
        }
    }

    /// Runs something whose results are dropped when `stop` says so: work of this thread is then left out.
    ///
    /// For results that nothing else sees, such as those of operations on tensors.
    ///
    /// - Throws: `Interrupted` with `message`, and the errors of `body`.
    public static func stoppable<Result>(
        _ stop: @escaping ShouldStop, _ message: @autoclosure () -> String,
        _ body: () throws -> Result
    ) throws -> Result {
        var stop = stop
        let result = try withUnsafeMutablePointer(to: &stop) { pointer in
            cp_leave_out_when(
                { context in
                    context?.assumingMemoryBound(to: ShouldStop.self).pointee() ?? false
                }, pointer)
            defer { cp_leave_out_when(nil, nil) }
            return try body()
        }
        if stop() { throw Interrupted(message()) }
        return result
    }

    /// The results of `body(0 ..< units)` in order.
    ///
    /// - Throws: the error of the lowest unit that threw; `Interrupted` within `stoppable`.
    public static func map<Result: Sendable>(
        _ units: Int, _ body: @Sendable (Int) throws -> Result
    ) throws -> [Result] {
        var slots: [Swift.Result<Result, any Error>?] = Array(repeating: nil, count: units)
        slots.withUnsafeMutableBufferPointer { buffer in
            let places = DisjointPlaces(buffer)
            forEach(units) { unit in places[unit] = Swift.Result { try body(unit) } }
        }
        return try slots.map { slot in
            guard let slot else { throw Interrupted("interrupted") }
            return try slot.get()
        }
    }
}
