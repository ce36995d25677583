import Glibc
import Synchronization

/// What asks a command to end that runs no Lua: it stops at its next safe point and leaves nothing half done.
enum StopSignals {
    private static let number = Atomic<Int32>(0)

    /// From now on SIGINT, SIGTERM and SIGHUP are noted instead of ending the process.
    static func catchAll() {
        // Made before a handler needs it.
        number.store(0, ordering: .relaxed)
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            Glibc.signal(signal) { StopSignals.number.store($0, ordering: .relaxed) }
        }
    }

    /// Whether one came.
    static var came: Bool { number.load(ordering: .relaxed) != 0 }

    /// What the process leaves with once one came.
    static var code: Int32 { 128 + number.load(ordering: .relaxed) }
}
