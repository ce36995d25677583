import Runtime
import Testing

/// The results of some work on so many threads, done again until other threads have taken units of it: without that, "the
/// same bits on any number of threads" may have been seen on one.
///
/// To be called in a process of its own (`#expect(processExitsWith:)`): the number of threads is that of the process, and
/// work is done in place while another test has the pool.
func onThreads<Result>(_ threads: Int, _ work: () throws -> Result) rethrows -> [Result] {
    let before = Parallel.threads
    defer { Parallel.threads = before }
    Parallel.threads = threads
    var results: [Result] = []
    for _ in 0..<1000 {
        let taken = Parallel.unitsOfWorkers
        results.append(try work())
        let others = Parallel.unitsOfWorkers - taken
        if threads == 1 {
            #expect(others == 0)
            return results
        }
        if others > 0 { return results }
    }
    Issue.record("no other thread took a unit in \(results.count) tries on \(threads) threads")
    return results
}
