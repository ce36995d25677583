import Foundation
import TestSupport
import Testing

@Suite("Crashes", .serialized) struct CrashTests {
    @Test("a study that is killed again and again ends with the same bytes")
    func killed() throws {
        let study = try StudyScript()
        let expected = try study.expected()
        var draws = Draws(seed: 4)
        var delays: [UInt32] = []
        var kills = 0
        let store = study.store("killed")
        for round in 0..<8 {
            let program = try Program.start(study.arguments(store, csv: "killed"))
            // Any moment will do; on a busy machine the program is only less far.
            let delay = UInt32.random(
                in: 30_000...(round < 2 ? 900_000 : 350_000), using: &draws)
            delays.append(delay)
            usleep(delay)
            if program.isRunning { kills += 1 }
            program.signal(SIGKILL)
            if try program.wait().code == 0 { break }
        }
        let last = try Program.run(study.arguments(store, csv: "killed"))
        #expect(last.code == 0, "\(last.errors)")
        #expect(study.csv("killed") == expected, "killed after \(delays) microseconds")
        #expect(kills > 0)
        // What the dead left is garbage, and the runs lose nothing by it.
        let garbage = try Program.run(["runs", "gc", "--store", store])
        #expect(garbage.code == 0, "\(garbage.errors)")
        let left = try FileManager.default.subpathsOfDirectory(atPath: store)
        #expect(left.filter { $0.hasSuffix(".tmp") } == [])
        let again = try Program.run(study.arguments(store, csv: "again"))
        #expect(StudyScript.steps(again).trained == 0)
        #expect(study.csv("again") == expected)
    }

    @Test("two processes share a study: the same bytes twice, and no step trained twice")
    func together() throws {
        let study = try StudyScript()
        let expected = try study.expected()
        let store = study.store("shared")
        let first = try Program.start(study.arguments(store, csv: "first"))
        let second = try Program.start(study.arguments(store, csv: "second"))
        let outcomes = [try first.wait(), try second.wait()]
        for outcome in outcomes { #expect(outcome.code == 0, "\(outcome.errors)") }
        #expect(study.csv("first") == expected)
        #expect(study.csv("second") == expected)
        let steps = outcomes.map(StudyScript.steps)
        #expect(steps[0].trained + steps[1].trained == steps[0].distinct, "\(steps)")
        print("steps trained by each: \(steps[0].trained) and \(steps[1].trained)")
    }

    @Test("Ctrl-C leaves a script with 130, and running it again gives the same bytes")
    func interrupted() throws {
        let study = try StudyScript(before: "print('begins') io.stdout:flush()")
        let expected = try study.expected()
        let store = study.store("interrupted")
        for delay in [50_000, 200_000, 400_000] as [UInt32] {
            let program = try Program.start(study.arguments(store, csv: "interrupted"))
            // Before that the signal would end the program by default, without a word.
            #expect(program.waitUntil { program.output.hasPrefix("begins\n") })
            usleep(delay)
            guard program.isRunning else { break }
            program.signal(SIGINT)
            let outcome = try program.wait()
            #expect(outcome.code == 130 || outcome.code == 0, "\(outcome.errors)")
            if outcome.code == 130 { #expect(!outcome.errors.isEmpty) }
        }
        let last = try Program.run(study.arguments(store, csv: "interrupted"))
        #expect(last.code == 0, "\(last.errors)")
        #expect(study.csv("interrupted") == expected)
    }
}
