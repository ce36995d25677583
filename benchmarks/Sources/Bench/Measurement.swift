import Foundation
import Runtime

/// What one kernel did at one shape.
struct KernelTime: Encodable {
    let kernel, shape: String
    let calls: Int
    let seconds, operations, bytes: Double

    init(_ line: Profile.Line) {
        (kernel, shape, calls) = (line.kernel, line.shape, line.calls)
        (seconds, operations, bytes) = (line.seconds, line.operations, line.bytes)
    }
}

/// One line of output.
struct Measurement: Encodable {
    /// Seconds of each repetition, warm-up left out.
    var seconds: [Double]
    /// Floating-point operations of one repetition, by the formula of `docs/performance.md`.
    var operations: Double?
    /// Tokens of one repetition.
    var tokens: Int?
    /// Bytes of one repetition.
    var bytes: Int?
    /// The loss after the last repetition, to see that both sides do the same work.
    var loss: Double?
    /// A number that both sides must agree on.
    var check: Int?
    /// What each kernel did in all repetitions together.
    var kernels: [KernelTime]?
    /// The largest resident memory of this process, in KiB.
    var peak = Measurement.peakMemory

    func write() throws { print(try CanonicalJSON.text(self)) }

    /// Times `body`, after `warmup` runs that do not count.
    static func time(warmup: Int, repeats: Int, _ body: () throws -> Void) rethrows -> [Double] {
        for _ in 0..<warmup { try body() }
        return try (0..<repeats).map { _ in
            let started = ContinuousClock.now
            try body()
            return started.duration(to: .now) / .seconds(1)
        }
    }

    private static var peakMemory: Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return Int(line?.split(whereSeparator: \.isWhitespace).dropFirst().first ?? "") ?? 0
    }
}
