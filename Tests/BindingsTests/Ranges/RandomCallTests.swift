import Bindings
import Foundation
import TestSupport
import Testing

@Suite("Calls at random") struct RandomCallTests {
    /// How long each of two processes at a time calls, in seconds.
    private static let seconds =
        ProcessInfo.processInfo.environment["MTREPL_LONG"] == nil ? 30.0 : 600.0

    private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../../fuzz/library.lua").standardizedFileURL.path

    @Test("whatever the library is called with, it returns or raises", arguments: 0..<2)
    func calls(lane: Int) throws {
        let end = Date() + Self.seconds
        repeat {
            let seed = Int.random(in: 1...1_000_000_000)
            let scratch = try Scratch()
            try scratch.write("reference.md", Reference.markdown(.standard))
            let child = try Program.start(
                ["--safe", "--store", "store", Self.script, "reference.md", "\(seed)", "400"],
                in: scratch.path, shell: "ulimit -v 4000000")
            let hangs = Self.watch(child)
            let outcome = try child.wait()
            let actions = try String(contentsOfFile: scratch.path + "/actions", encoding: .utf8)
            let isRefusal =
                [0, 2, 130].contains(outcome.code)
                || (outcome.code == 1 && outcome.errors.contains("not enough memory"))
            #expect(
                isRefusal && !hangs,
                """
                status \(outcome.code)\(hangs ? ", hangs" : "") after \(actions.suffix(200))
                \(outcome.errors.suffix(1000))
                again: fuzz/lua 0 \(seed)
                """)
        } while Date() < end
    }

    /// Interrupts a process that takes long, once; whether it did not end then.
    private static func watch(_ child: Program.Running) -> Bool {
        let started = Date()
        var interrupted = false
        while child.isRunning {
            usleep(20_000)
            let waited = Date().timeIntervalSince(started)
            if waited > 180 {
                child.signal(SIGKILL)
                return true
            }
            if waited > 5, !interrupted {
                child.signal(SIGINT)
                interrupted = true
            }
        }
        return false
    }
}
