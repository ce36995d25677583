import Foundation
import TestSupport
import Testing

@Suite("Limits of the process", .serialized) struct ProcessLimitTests {
    /// Kilobytes, as `ulimit -v` takes them.
    static let limits =
        Long.isOn
        ? Array(stride(from: 50_000, through: 1_000_000, by: 10_000))
        : [60_000, 120_000, 160_000, 180_000, 200_000, 220_000, 260_000, 300_000, 380_000, 600_000]

    @Test(
        "under any limit a product is right, or the program ends with an error, and never without end"
    )
    func product() throws {
        let code = """
            local a = mt.ones { 300, 200 }
            local ok, error = pcall(function() return a:matmul(mt.ones { 200, 100 }):sum():item() end)
            print(ok and ("%.0f"):format(error) or "error: " .. error)
            """
        for kernels in ["", "portable"] {
            var right = 0
            for limit in Self.limits {
                // A wait without end takes processor time: the limit turns it into a signal.
                let outcome = try Program.start(
                    ["-e", code],
                    shell: "ulimit -v \(limit); ulimit -t 60; export MTREPL_KERNELS=\(kernels)"
                ).wait()
                let place =
                    "\(limit) kB, kernels '\(kernels)': \(outcome.code) \(outcome.output)\(outcome.errors)"
                if outcome.code == 0 {
                    #expect(
                        outcome.output == "6000000\n"
                            || outcome.output.hasPrefix("error: out of memory"),
                        "\(place)")
                    if outcome.output == "6000000\n" { right += 1 }
                } else {
                    #expect(!outcome.errors.isEmpty, "\(place)")
                    // By a signal only if a library ends the process before the program begins.
                    #expect(
                        outcome.code < 128 || outcome.errors.contains("pthread_create failed"),
                        "\(place)")
                }
            }
            #expect(right > 0)
        }
    }

    @Test("a script that has used all memory, and caught the error, goes on")
    func lua() throws {
        let code = """
            local ok, e = pcall(function() local t = {} for i = 1, 1e9 do t[i] = { i } end end)
            print(ok, e, mt.tensor({ 1, 2 }):sum():item() == 3)
            """
        for limit in Self.limits where limit >= 220_000 {
            let outcome = try Program.start(["-e", code], shell: "ulimit -v \(limit)").wait()
            #expect(outcome.code < 128, "\(limit) kB: \(outcome)")
            if outcome.code == 0 {
                #expect(outcome.output == "false\tnot enough memory\ttrue\n", "\(limit) kB")
            }
        }
    }

    @Test("too few open files are an error at the start, and a low soft limit is raised")
    func files() throws {
        for limit in [10, 40] {
            let outcome = try Program.start(["-e", "print(1)"], shell: "ulimit -n \(limit)").wait()
            #expect(outcome.code == 1 && outcome.errors.contains("expected at least 64"))
        }
        let outcome = try Program.start(["-e", "print(1)"], shell: "ulimit -S -n 10").wait()
        #expect(outcome.output == "1\n", "\(outcome)")
    }
}
