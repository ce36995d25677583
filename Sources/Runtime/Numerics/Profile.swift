import Synchronization

/// Where the time of a computation goes, kernel by kernel.
public enum Profile {
    /// What one kernel did at one shape.
    public struct Line: Sendable {
        /// The kernel, such as `matmul`.
        public let kernel: String
        /// What it worked on, such as `4096 x 512 x 128`.
        public let shape: String
        /// How often it ran.
        public internal(set) var calls = 0
        /// Wall-clock seconds in all.
        public internal(set) var seconds = 0.0
        /// Floating-point operations of products in all; 0 where memory is what counts.
        public internal(set) var operations = 0.0
        /// Bytes of operands and results in all, each counted once a call.
        public internal(set) var bytes = 0.0

        package static func + (left: Line, right: Line) -> Line {
            var sum = left
            sum.calls += right.calls
            sum.seconds += right.seconds
            sum.operations += right.operations
            sum.bytes += right.bytes
            return sum
        }
    }

    private struct Key: Hashable {
        let kernel: String
        let shape: String
    }

    private static let listening = Atomic<Bool>(false)
    private static let lines = Mutex<[Key: Line]>([:])

    /// Whether kernels are being timed.
    static var isListening: Bool { listening.load(ordering: .relaxed) }

    /// Runs `body` with every kernel timed, which costs well under a microsecond a call.
    ///
    /// - Returns: its result, and a line for each kernel and shape, the longest first. Kernels that
    ///   other threads run meanwhile count too; a measurement inside another counts in both.
    public static func measure<Result>(_ body: () throws -> Result) rethrows -> (Result, [Line]) {
        let outer = lines.withLock { lines in
            defer { lines = [:] }
            return lines
        }
        let wasListening = listening.exchange(true, ordering: .relaxed)
        defer {
            listening.store(wasListening, ordering: .relaxed)
            lines.withLock { lines in
                lines = wasListening ? lines.merging(outer) { $0 + $1 } : [:]
            }
        }
        let result = try body()
        return (result, lines.withLock { $0.values.sorted { $0.seconds > $1.seconds } })
    }

    package static func add(
        _ kernel: String, _ shape: String, seconds: Double, operations: Double, bytes: Double
    ) {
        var line = Line(kernel: kernel, shape: shape)
        line.calls = 1
        line.seconds = seconds
        line.operations = operations
        line.bytes = bytes
        lines.withLock { [line] in $0.merge([Key(kernel: kernel, shape: shape): line]) { $0 + $1 } }
    }
}

extension Kernels {
    /// Runs a kernel whose tensors `held` must stay alive, timed if somebody profiles.
    ///
    /// - Parameters:
    ///   - shape: what it works on, as people read it.
    ///   - operations: floating-point operations, for products.
    ///   - numbers: 32-bit numbers read and written.
    @inline(__always)
    package static func run<Held, Result>(
        _ kernel: String, _ held: Held, _ shape: @autoclosure () -> String,
        operations: @autoclosure () -> Int = 0, numbers: @autoclosure () -> Int,
        _ body: () throws -> Result
    ) rethrows -> Result {
        guard Profile.isListening else {
            return try withExtendedLifetime(held) { try body() }
        }
        let started = ContinuousClock.now
        let result = try withExtendedLifetime(held) { try body() }
        Profile.add(
            kernel, shape(), seconds: started.duration(to: .now) / .seconds(1),
            operations: Double(operations()), bytes: 4 * Double(numbers()))
        return result
    }
}
