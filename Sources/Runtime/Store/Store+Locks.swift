import Foundation
import RuntimeSupport

extension Store {
    var lockFolder: String { "\(folder)/locks" }

    /// Waits until no other process trains towards the state, and keeps others out while the lock lives.
    public func lock(_ key: Digest, stop: ShouldStop) throws -> FileLock {
        try FileLock("\(lockFolder)/\(key.hex)", stop: stop)
    }

    /// Takes a piece of a study's work, known by the state it ends in; `nil` while another process has it.
    package func claim(_ key: Digest) throws -> FileLock? {
        try FileLock.attempt("\(lockFolder)/arm-\(key.hex)")
    }

    /// Held while the run that ends in a state is trained, by every process that does: its checkpoints stay.
    package func activity(_ run: Digest, stop: ShouldStop) throws -> FileLock {
        try FileLock(activityPath(run), .shared, stop: stop)
    }

    /// Whether some process trains the run that ends in a state.
    public func isActive(_ run: Digest) -> Bool {
        guard FileManager.default.fileExists(atPath: activityPath(run)) else { return false }
        return (try? FileLock.attempt(activityPath(run))) == nil
    }

    private func activityPath(_ run: Digest) -> String { "\(lockFolder)/run-\(run.hex)" }

    /// Whether some process trains anything in this store.
    var hasActivity: Bool {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: lockFolder)) ?? []
        return names.contains { name in
            guard name.hasPrefix("run-") else { return false }
            return Digest(hex: String(name.dropFirst(4))).map(isActive) ?? false
        }
    }

    /// Keeps garbage from being collected (`.shared`, while a run says what it needs), or runs from beginning meanwhile.
    package func gate(_ mode: FileLock.Mode, stop: ShouldStop) throws -> FileLock {
        try FileLock("\(lockFolder)/gate", mode, stop: stop)
    }
}
