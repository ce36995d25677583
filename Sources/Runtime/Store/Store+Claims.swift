import Foundation
import RuntimeSupport

extension Store {
    var claimFolder: String { "\(folder)/claims" }

    /// Waits until no other process trains towards the state, and keeps others out while the claim lives.
    package func claim(state key: Digest, stop: ShouldStop) throws -> Claim {
        let claim = try Claim("\(claimFolder)/\(key.hex)", stop: stop)
        try registry.refresh()
        return claim
    }

    /// Takes a piece of a study's work, known by the state it ends in; `nil` while another process has it.
    package func claim(arm key: Digest) throws -> Claim? {
        guard let claim = try Claim.attempt("\(claimFolder)/arm-\(key.hex)") else { return nil }
        try registry.refresh()
        return claim
    }

    /// Held while the run that ends in a state is trained, by every process that does: its checkpoints stay.
    ///
    /// Waits while garbage is collected, which must see all runs or none of what they need.
    package func activity(_ run: Digest, stop: ShouldStop) throws -> Claim {
        while true {
            let name = "run-\(run.hex).\(getpid()).\(UInt64.random(in: 0 ... .max))"
            let claim = try Claim("\(claimFolder)/\(name)", stop: stop)
            if !Claim.isHeld(gatePath) { return claim }
            if stop() { throw Interrupted("interrupted while garbage is collected in \(folder)") }
            usleep(20_000)
        }
    }

    /// Whether some process trains the run that ends in a state.
    public func isActive(_ run: Digest) -> Bool {
        activities.contains(run)
    }

    /// The runs that some process trains.
    var activities: Set<Digest> {
        let names = (try? FileAccess.names(in: claimFolder)) ?? []
        return Set(
            names.compactMap { name in
                guard name.hasPrefix("run-"), !name.hasSuffix(".tmp"),
                    let key = Digest(hex: String(name.dropFirst(4).prefix(64)))
                else { return nil }
                return Claim.isHeld("\(claimFolder)/\(name)") ? key : nil
            })
    }

    private var gatePath: String { "\(claimFolder)/gate" }

    /// Keeps runs from beginning while garbage is collected.
    package func gate(stop: ShouldStop) throws -> Claim { try Claim(gatePath, stop: stop) }
}
