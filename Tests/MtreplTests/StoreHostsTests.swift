import Foundation
import RuntimeStore
import TestSupport
import Testing

/// A file system that several machines mount: `Tests/Network/network.c`, loaded before the C library.
private struct Network {
    let library: String

    /// Compiles it; `nil` where there is no compiler.
    init?(_ scratch: Scratch) throws {
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Network/network.c").path
        library = scratch.path + "/network.so"
        let outcome = try? Program.run(
            other: "/usr/bin/env",
            ["clang", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"])
        guard outcome?.code == 0 else { return nil }
    }
}

/// A machine that shares a store: it has a name and process numbers of its own, an index of its own, a clock of its own, and
/// kernels of its own if asked.
private struct Host {
    let name: String
    let index: String
    /// Seconds that its clock is wrong.
    var clock = 0
    var network: Network?

    /// Starts the program on this machine; what it says goes to a file.
    func start(_ arguments: [String], store: String, errors: String) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
        process.arguments =
            [
                "--uts", "--pid", "--fork", "--mount-proc", "--kill-child", "/bin/sh", "-c",
                "hostname \(name); exec \"$0\" \"$@\"", Program.path, "--index", index,
            ] + arguments
        var environment = ProcessInfo.processInfo.environment
        environment["MTREPL_CLAIM_SECONDS"] = "1"
        if let network {
            environment["LD_PRELOAD"] = network.library
            environment["NETWORK_ROOT"] = store
            environment["NETWORK_LATE"] = "300"
            environment["NETWORK_CLOCK"] = "\(clock)"
        }
        process.environment = environment
        process.standardOutput = FileHandle.nullDevice
        _ = FileManager.default.createFile(atPath: errors, contents: nil)
        process.standardError = FileHandle(forWritingAtPath: errors)
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
    /// Steps, measures, studies and removals that journals hold now.
    private func recorded(_ store: String) -> Set<[UInt8]> {
        var found: Set<[UInt8]> = []
        let folder = store + "/journals"
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        where name.hasSuffix(".journal") {
            // One that is merged into another meanwhile is gone.
            guard var reader = try? JournalReader("\(folder)/\(name)") else { continue }
            try? reader.forEach { header, _, content in
                let kind = JournalForm.Kind(rawValue: header.kind)
                if [.steps, .evaluation, .study, .removal].contains(kind) {
                    found.insert([UInt8(header.kind)] + content)
                }
            }
        }
        return found
    }

    @Test(
        "two machines that are killed at random, on a file system without locks where names appear late, finish a study with the numbers of one that was not"
    )
    func kills() throws {
        guard Host.isPossible else {
            print("NOT CHECKED: two machines on one store, as namespaces cannot be made here")
            return
        }
        let study = try StudyScript()
        let expected = try study.expected()
        let network = try Network(study.scratch)
        if network == nil { print("NOT CHECKED: names that appear late, as there is no clang") }
        var random = Draws(seed: Long.isOn ? .random(in: 0 ... .max) : 11)
        let wanted = Long.count(4, long: 500)
        var (kills, rounds, collections, records) = (0, 0, 0, 0)
        var failures = 0
        while kills < wanted, failures == 0 {
            rounds += 1
            let store = study.store("shared\(rounds)")
            // Their clocks differ by minutes.
            let hosts = [("one", -200), ("two", 170), ("three", 0)].map { name, clock in
                Host(
                    name: name, index: "\(study.scratch.path)/\(rounds)-\(name).sqlite",
                    clock: clock, network: network)
            }
            func errors(_ index: Int) -> String { "\(study.scratch.path)/errors-\(index)" }
            var processes: [Process?] = [nil, nil]
            var isDone = [false, false]
            var known: Set<[UInt8]> = []
            var deadline = Date(timeIntervalSinceNow: 240)
            while !(isDone[0] && isDone[1]) {
                guard Date() < deadline else {
                    Issue.record("round \(rounds) has not ended")
                    failures += 1
                    break
                }
                for index in 0..<2 where !isDone[index] && processes[index]?.isRunning != true {
                    if let ended = processes[index], ended.terminationReason == .exit {
                        isDone[index] = ended.terminationStatus == 0
                        if ended.terminationStatus == 1 {
                            let said = try String(contentsOfFile: errors(index), encoding: .utf8)
                            Issue.record(
                                "round \(rounds), seed \(random.seed): \(hosts[index].name) failed: \(said.suffix(500))"
                            )
                            failures += 1
                            isDone[index] = true
                        }
                    }
                    guard !isDone[index] else { continue }
                    processes[index] = try hosts[index].start(
                        study.arguments(store, csv: "\(rounds)-\(hosts[index].name)"),
                        store: store, errors: errors(index))
                }
                usleep(UInt32.random(in: 100_000...900_000, using: &random))
                let victim = Int.random(in: 0...1, using: &random)
                // Most rounds end only where somebody is left alone.
                if let process = processes[victim], process.isRunning, kills < wanted,
                    UInt8.random(in: 0..<8, using: &random) > 0
                {
                    kill(process.processIdentifier, SIGKILL)
                    process.waitUntilExit()
                    kills += 1
                    deadline = max(deadline, Date(timeIntervalSinceNow: 120))
                    known.formUnion(recorded(store))
                    // Somebody tidies up meanwhile.
                    if UInt8.random(in: 0..<6, using: &random) == 0 {
                        let tidy = try hosts[2].start(
                            ["runs", "gc", "--store", store], store: store, errors: errors(2))
                        collections += 1
                        tidy.waitUntilExit()
                        if tidy.terminationStatus != 0 {
                            let said = try String(contentsOfFile: errors(2), encoding: .utf8)
                            Issue.record("round \(rounds), seed \(random.seed): gc failed: \(said)")
                        }
                    }
                }
            }
            for process in processes.compactMap({ $0 }) where process.isRunning {
                kill(process.processIdentifier, SIGKILL)
                process.waitUntilExit()
            }
            for host in hosts[..<2] {
                #expect(
                    study.csv("\(rounds)-\(host.name)") == expected,
                    "round \(rounds), \(host.name), seed \(random.seed)")
            }
            #expect(recorded(store).isSuperset(of: known), "round \(rounds), seed \(random.seed)")
            records += known.count
            let check = try Program.run(["store", "check", "--store", store])
            #expect(check.code == 0, "\(check.output)")
            #expect(!check.output.contains("versions"), "\(check.output)")
            let again = try Program.run(study.arguments(store, csv: "\(rounds)-again"))
            #expect(StudyScript.steps(again).trained == 0, "round \(rounds)")
            #expect(study.csv("\(rounds)-again") == expected)
            try FileManager.default.removeItem(atPath: store)
        }
        print(
            "\(kills) kills in \(rounds) rounds over two machines, \(collections) times gc meanwhile, \(records) records that were there at a kill, seed \(random.seed)"
        )
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

    @Test("of two processors' stores, merged, a study's rows are each of one of them")
    func rows() throws {
        let study = try StudyScript()
        func rows(_ store: String, _ kernels: String) throws -> [Substring] {
            let outcome = try Program.run(
                other: Program.path, study.arguments(study.store(store), csv: store),
                environment: ["MTREPL_KERNELS": kernels])
            #expect(outcome.code == 0, "\(outcome.errors)")
            return try #require(study.csv(store)).split(separator: "\n")
        }
        let (wide, portable) = (try rows("wide", ""), try rows("portable", "portable"))
        guard wide != portable else {
            print(
                "NOT CHECKED: versions of two processors, as both kernels give the same bits here")
            return
        }
        let merge = try Program.run([
            "store", "merge", study.store("portable"), "--store", study.store("wide"),
        ])
        #expect(merge.code == 0, "\(merge.errors)")
        let merged = try rows("wide", "")
        #expect(merged.count == wide.count)
        for (index, row) in merged.enumerated() {
            #expect(row == wide[index] || row == portable[index], "\(row)")
        }
    }
}
