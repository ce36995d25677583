import Glibc
import Synchronization

/// A request for tensor memory that was refused.
public struct OutOfMemory: RuntimeError {
    /// Bytes asked for.
    public let requested: Int
    /// Bytes held by tensors at that moment.
    public let live: Int
    /// The most that tensors may hold together.
    public let limit: Int

    package init(requested: Int, live: Int, limit: Int) {
        (self.requested, self.live, self.limit) = (requested, live, limit)
    }

    /// Says what was asked for, what is held and what is allowed.
    public var message: String {
        "out of memory: \(Amount.bytes(requested)) asked for, \(Amount.bytes(live)) in use by tensors, "
            + "\(Amount.bytes(limit)) allowed"
    }
}

/// Memory of tensors: counted, limited, and kept for reuse by size class.
///
/// Pages fresh from the system cost more than the arithmetic on them, so freed buffers are kept, up
/// to a quarter of the limit.
public enum Memory {
    private struct State {
        var limit: Int
        var cached = 0
        var live = 0
        var peak = 0
        var free: [Int: [UInt]] = [:]
    }

    private static let state = Mutex(State(limit: min(physicalBytes / 8 * 7, mappableBytes)))
    private static let liveCounter = Atomic<Int>(0)

    /// Bytes now held by tensors, buffers kept for reuse not counted.
    public static var liveBytes: Int { liveCounter.load(ordering: .relaxed) }

    /// The most bytes that tensors have held at once since the start or `resetPeak()`.
    public static var peakBytes: Int { state.withLock { $0.peak } }

    /// Starts `peakBytes` again from what is held now.
    public static func resetPeak() { state.withLock { $0.peak = $0.live } }

    /// The most bytes that tensors may hold; at first seven eighths of the memory of the machine or
    /// container, as a process that takes all of it is killed, or what a limit of the process leaves.
    public static var limit: Int {
        get { state.withLock { $0.limit } }
        set { state.withLock { $0.limit = max(0, newValue) } }
    }

    /// The memory of the machine, or of the container if that is less, in bytes.
    public static var physicalBytes: Int {
        let machine = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
        guard let text = try? FileReader.text("/sys/fs/cgroup/memory.max"),
            let container = Int(text.filter(\.isNumber))
        else { return machine }
        return min(machine, container)
    }

    /// What the limits of the process (`ulimit -v` and `-d`) leave for tensors beside what is mapped now.
    ///
    /// A reserve stays for threads and libraries: some of them wait for ever where the system gives them none.
    private static var mappableBytes: Int {
        let reserve = 64 << 20
        let pages = ((try? FileReader.text("/proc/self/statm")) ?? "").split(separator: " ").map {
            Int($0) ?? 0
        }
        guard pages.count > 5 else { return .max }
        let left = [(RLIMIT_AS, pages[0]), (RLIMIT_DATA, pages[5])].map { kind, used in
            var limit = rlimit()
            guard getrlimit(__rlimit_resource_t(kind.rawValue), &limit) == 0,
                let most = Int(exactly: limit.rlim_cur)
            else { return Int.max }
            return max(0, most - used * sysconf(Int32(_SC_PAGESIZE)) - reserve)
        }
        return left.min() ?? .max
    }

    /// Four classes to a doubling, so that at most a fifth of a buffer is unused; none below 64
    /// bytes.
    package static func sizeClass(_ bytes: Int) -> Int {
        guard bytes > 64 else { return 64 }
        let power = 1 << (Int.bitWidth - 1 - (bytes - 1).leadingZeroBitCount)
        let step = max(64, power / 4)
        return (bytes + step - 1) / step * step
    }

    package static func allocate(_ bytes: Int) throws -> UnsafeMutableRawPointer {
        let size = sizeClass(bytes)
        let address: UInt = try state.withLock { state in
            guard size <= state.limit - state.live else {
                throw OutOfMemory(requested: bytes, live: state.live, limit: state.limit)
            }
            if let address = state.free[size]?.popLast() {
                state.cached -= size
                state.live += size
                state.peak = max(state.peak, state.live)
                return address
            }
            if state.live + state.cached + size > state.limit { release(&state) }
            guard let address = fresh(size) else {
                throw OutOfMemory(requested: bytes, live: state.live, limit: state.limit)
            }
            state.live += size
            state.peak = max(state.peak, state.live)
            return address
        }
        liveCounter.add(size, ordering: .relaxed)
        guard let pointer = UnsafeMutableRawPointer(bitPattern: address) else {
            throw OutOfMemory(requested: bytes, live: liveBytes, limit: limit)
        }
        return pointer
    }

    package static func deallocate(_ pointer: UnsafeMutableRawPointer, bytes: Int) {
        let size = sizeClass(bytes)
        let address = UInt(bitPattern: pointer)
        state.withLock { state in
            state.live -= size
            if state.cached + size <= state.limit / 4 {
                state.cached += size
                state.free[size, default: []].append(address)
            } else {
                free(UnsafeMutableRawPointer(bitPattern: address))
            }
        }
        liveCounter.subtract(size, ordering: .relaxed)
    }

    private static func release(_ state: inout State) {
        for address in state.free.values.joined() {
            free(UnsafeMutableRawPointer(bitPattern: address))
        }
        state.free.removeAll()
        state.cached = 0
    }

    /// Large buffers ask for large pages, which cost one fault for 2 MiB.
    private static func fresh(_ size: Int) -> UInt? {
        var pointer: UnsafeMutableRawPointer?
        let large = size >= 4 << 20
        guard posix_memalign(&pointer, large ? 2 << 20 : 64, size) == 0, let pointer else {
            return nil
        }
        if large { madvise(pointer, size, MADV_HUGEPAGE) }
        return UInt(bitPattern: pointer)
    }
}
