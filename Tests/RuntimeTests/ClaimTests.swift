import Foundation
import RuntimeSupport
import Testing

import Runtime

@Suite("Claims", .serialized) struct ClaimTests {
    /// A claim as a process of another machine makes it.
    private func write(
        _ path: String, machine: String = "other boot pid:[1]", process: Int32 = 1, renewed: Int = 0
    )
        throws
    {
        let text = "mtrepl claim 1\n\(machine)\n\(process)\n77\n12345\n\(renewed)\n"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    /// The machine and the start of this process, as claims name them.
    private func own() throws -> (machine: String, started: String) {
        let scratch = try Scratch()
        let claim = try Claim(scratch.path + "/claim")
        defer { withExtendedLifetime(claim) {} }
        let lines = try String(contentsOfFile: scratch.path + "/claim", encoding: .utf8).split(
            separator: "\n")
        return (String(lines[1]), String(lines[3]))
    }

    @Test("a claim keeps others out until its last reference is gone")
    func exclusive() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/claims/one"
        var first: Claim? = try Claim(path)
        #expect(Claim.isHeld(path))
        #expect(try Claim.attempt(path) == nil)
        #expect(!Claim.clear(path))
        // Waiting for one's own would never end.
        #expect(throws: FileError.self) { _ = try Claim(path) }
        withExtendedLifetime(first) {}
        first = nil
        #expect(!Claim.isHeld(path) && !FileAccess.exists(path))
        let second = try Claim.attempt(path)
        #expect(second != nil)
        withExtendedLifetime(second) {}
    }

    @Test("of many who want a claim at once one gets it")
    func race() throws {
        let scratch = try Scratch()
        for round in 0..<20 {
            let path = "\(scratch.path)/\(round)"
            // Half of the rounds begin with a claim of a process that is no more.
            if round % 2 == 0 { try write(path, machine: own().machine, process: 1 << 22 - 1) }
            let claims = UnsafeMutablePointer<Claim?>.allocate(capacity: 8)
            claims.initialize(repeating: nil, count: 8)
            nonisolated(unsafe) let found = claims
            DispatchQueue.concurrentPerform(iterations: 8) { found[$0] = try? Claim.attempt(path) }
            #expect((0..<8).count { claims[$0] != nil } == 1)
            claims.deinitialize(count: 8)
            claims.deallocate()
        }
    }

    @Test("a claim of a process of this machine that is no more is free at once")
    func dead() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/claim"
        let own = try own()
        try write(path, machine: own.machine, process: 1 << 22 - 1)
        #expect(!Claim.isHeld(path))
        // The number is alive, but it is another process.
        try write(path, machine: own.machine, process: getpid())
        let claim = try Claim.attempt(path)
        #expect(claim != nil)
        withExtendedLifetime(claim) {}
    }

    @Test("a claim of another machine stands while it changes, whatever its date says")
    func elsewhere() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/claim"
        for minutes in [-10, 0, 10] {
            try write(path, renewed: minutes)
            // The clock of the other machine is behind or ahead.
            let seconds = Int(Date().timeIntervalSince1970) + minutes * 60
            var times = [timespec(tv_sec: seconds, tv_nsec: 0)]
            times.append(times[0])
            #expect(utimensat(AT_FDCWD, path, times, 0) == 0)
            #expect(Claim.isHeld(path))
            #expect(try Claim.attempt(path) == nil)
        }
        // Nobody has looked at it for hours.
        var times = [timespec(tv_sec: Int(Date().timeIntervalSince1970) - 86_400, tv_nsec: 0)]
        times.append(times[0])
        #expect(utimensat(AT_FDCWD, path, times, 0) == 0)
        #expect(!Claim.isHeld(path))
    }
}
