import Foundation
import TestSupport
import Testing

/// Machines that share a store: each has a name and process numbers of its own, an index of its own, and kernels of its own
/// if asked.
private struct Host {
    let name: String
    let index: String
    var kernels: String?

    /// Starts the program on this machine.
    func start(_ arguments: [String]) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
        process.arguments =
            [
                "--uts", "--pid", "--fork", "--mount-proc", "--kill-child", "/bin/sh", "-c",
                "hostname \(name); exec \"$0\" \"$@\"", Program.path, "--index", index,
            ] + arguments
        var environment = ProcessInfo.processInfo.environment
        environment["MTREPL_CLAIM_SECONDS"] = "1"
        environment["MTREPL_KERNELS"] = kernels
        process.environment = environment
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    /// Whether the system lets this process make namespaces.
    static let isPossible: Bool = {
        let probe = Process()
        probe.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
        probe.arguments = ["--uts", "--pid", "--fork", "--mount-proc", "/bin/true"]
        probe.standardError = FileHandle.nullDevice
        guard (try? probe.run()) != nil else { return false }
        probe.waitUntilExit()
        return probe.terminationStatus == 0
    }()
}

@Suite("Machines that share a store", .serialized) struct StoreHostsTests {
    @Test(
        "two machines that are killed at random finish a study with the numbers of one that was not"
    )
    func kills() throws {
        guard Host.isPossible else {
            print("NOT CHECKED: two machines on one store, as namespaces cannot be made here")
            return
        }
        let study = try StudyScript()
        let expected = try study.expected()
        var random = SystemRandomNumberGenerator()
        var (kills, rounds) = (0, 0)
        while kills < Long.pick(4, long: 500) {
            rounds += 1
            let store = study.store("shared\(rounds)")
            let hosts = ["one", "two"].map { name in
                Host(name: name, index: "\(study.scratch.path)/\(rounds)-\(name).sqlite")
            }
            var processes: [Process?] = [nil, nil]
            var isDone = [false, false]
            var deadline = Date(timeIntervalSinceNow: 240)
            while !(isDone[0] && isDone[1]) {
                guard Date() < deadline else {
                    Issue.record("round \(rounds) has not ended")
                    break
                }
                for index in hosts.indices
                where !isDone[index] && processes[index]?.isRunning != true {
                    if let ended = processes[index], ended.terminationReason == .exit {
                        isDone[index] = ended.terminationStatus == 0
                        if ended.terminationStatus == 1 {
                            Issue.record("round \(rounds): \(hosts[index].name) failed")
                            isDone[index] = true
                        }
                    }
                    guard !isDone[index] else { continue }
                    processes[index] = try hosts[index].start(
                        study.arguments(store, csv: "\(rounds)-\(hosts[index].name)"))
                }
                usleep(UInt32.random(in: 200_000...1_500_000, using: &random))
                let victim = Int.random(in: 0...1, using: &random)
                // Near the end of a round both may finish.
                if let process = processes[victim], process.isRunning, kills % 5 != 4 || rounds > 1
                {
                    kill(process.processIdentifier, SIGKILL)
                    process.waitUntilExit()
                    kills += 1
                    deadline = max(deadline, Date(timeIntervalSinceNow: 120))
                }
            }
            for process in processes.compactMap({ $0 }) where process.isRunning {
                kill(process.processIdentifier, SIGKILL)
                process.waitUntilExit()
            }
            for host in hosts {
                #expect(
                    study.csv("\(rounds)-\(host.name)") == expected, "round \(rounds), \(host.name)"
                )
            }
            let check = try Program.run(["store", "check", "--store", store])
            #expect(check.code == 0, "\(check.output)")
            #expect(!check.output.contains("versions"), "\(check.output)")
            try FileManager.default.removeItem(atPath: store)
        }
        print("\(kills) kills in \(rounds) rounds over two machines")
    }

    @Test(
        "two processors that gave one state two versions are merged: both stay, one is used, no run mixes them"
    )
    func processors() throws {
        let scratch = try Scratch()
        let script = try scratch.write(
            "run.lua",
            StudyScript.prelude + """

                local run = base:open { name = "trunk" }
                run:train { keep = { 6 } }
                for _, record in ipairs(run:records()) do print(("%.17g"):format(record.loss)) end
                print(("%.17g"):format(run:evaluate(prose, { limit = 3 }).loss), run.key)
                """)
        func run(_ store: String, _ kernels: String) throws -> String {
            let outcome = try Program.run(
                other: Program.path,
                ["--threads", "1", "--store", "\(scratch.path)/\(store)", script],
                environment: ["MTREPL_KERNELS": kernels])
            #expect(outcome.code == 0, "\(outcome.errors)")
            return outcome.output
        }
        let (wide, portable) = (try run("wide", ""), try run("portable", "portable"))
        guard wide != portable else {
            print(
                "NOT CHECKED: versions of two processors, as both kernels give the same bits here")
            return
        }
        var answers: Set<String> = []
        for (here, there) in [("wide", "portable"), ("portable", "wide")] {
            let store = "both-\(here)"
            let merged = "\(scratch.path)/\(store)"
            try FileManager.default.copyItem(atPath: "\(scratch.path)/\(here)", toPath: merged)
            let merge = try Program.run([
                "store", "merge", "\(scratch.path)/\(there)", "--store", merged,
            ])
            #expect(merge.code == 0, "\(merge.errors)")
            let answer = try run(store, "")
            // Whole, of one of the two.
            #expect([wide, portable].contains(answer))
            answers.insert(answer)
            let check = try Program.run(["store", "check", "--store", merged])
            #expect(check.code == 0 && check.output.contains("has 2 versions"), "\(check.output)")
            #expect(check.output.contains("OpenBLAS"), "\(check.output)")
            let last = try #require(answer.split(whereSeparator: \.isWhitespace).last)
            let versions = try FileManager.default.contentsOfDirectory(
                atPath: "\(merged)/checkpoints/\(last)")
            #expect(versions.count == 2)
        }
        #expect(answers.count == 1)
    }
}
