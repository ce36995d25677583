import Foundation
import TestSupport
import Testing

/// A small file system in memory, which only root can mount; unmounted with its last reference.
private final class SmallDisk {
    let path: String
    private let scratch: Scratch

    init?(megabytes: Int) {
        guard geteuid() == 0, let scratch = try? Scratch() else { return nil }
        self.scratch = scratch
        path = scratch.path + "/disk"
        guard mkdir(path, 0o755) == 0,
            Self.tool("mount", ["-t", "tmpfs", "-o", "size=\(megabytes)m", "tmpfs", path])
        else { return nil }
    }

    deinit { _ = Self.tool("umount", ["-l", path]) }

    private static func tool(_ name: String, _ arguments: [String]) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [name] + arguments
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }

    static let isPermitted = SmallDisk(megabytes: 1) != nil
}

@Suite("Full disk", .serialized) struct FullDiskTests {
    /// A trunk whose ninth step fills the disk if a path is given.
    static let filling = """
        local filler = arg[2]
        base:run { name = "trunk", keep = { 6 }, on_step = function(step)
          if not filler or step.step < 9 then return end
          local file = io.open(filler, "wb")
          if file then
            file:setvbuf("no")
            for size = 16, 0, -1 do
              local block = ("x"):rep(1 << size)
              while file:write(block) do end
            end
            file:close()
          end
          filler = nil
        end }
        """

    @Test(
        "a full disk ends the run with the file and the reason, and nothing finished is lost",
        .enabled(if: SmallDisk.isPermitted, "a file system in memory cannot be mounted here"))
    func full() throws {
        let study = try StudyScript(before: Self.filling)
        let expected = try study.expected()
        let disk = try #require(SmallDisk(megabytes: 40))
        let store = disk.path + "/store"
        let filler = disk.path + "/filler"
        let failed = try Program.run(study.arguments(store, csv: "full") + [filler])
        #expect(failed.code == 1)
        #expect(failed.errors.contains("No space left on device"), "\(failed.errors)")
        #expect(failed.errors.contains(store), "\(failed.errors)")
        #expect(study.csv("full") == nil)
        // Still full: an error again, not a crash, and nothing is lost by it.
        let still = try Program.run(study.arguments(store, csv: "full"))
        #expect(still.code == 1)
        #expect(
            still.errors.contains("No space left")
                || still.errors.contains("free on the file system"),
            "\(still.errors)")
        try FileManager.default.removeItem(atPath: filler)
        let kept = try Program.run(["runs", "show", "trunk", "--store", store])
        #expect(kept.output.contains("failed") || kept.output.contains("killed"), "\(kept.output)")
        let last = try Program.run(study.arguments(store, csv: "full"))
        #expect(last.code == 0, "\(last.errors)")
        #expect(study.csv("full") == expected)
        // The trunk's first six steps were safe.
        #expect(last.errors.contains("going on from step 6"), "\(last.errors)")
    }

    @Test(
        "a study whose checkpoints do not fit is refused before any step",
        .enabled(if: SmallDisk.isPermitted, "a file system in memory cannot be mounted here"))
    func refused() throws {
        let study = try StudyScript()
        let disk = try #require(SmallDisk(megabytes: 5))
        let outcome = try Program.run(study.arguments(disk.path + "/store", csv: "refused"))
        #expect(outcome.code == 1)
        #expect(outcome.errors.contains("of disk"), "\(outcome.errors)")
        #expect(outcome.errors.contains("free on the file system of"), "\(outcome.errors)")
        let runs = try Program.run(["runs", "--store", disk.path + "/store"])
        #expect(runs.output.contains("no runs"), "\(runs.output)")
    }

    @Test("a limit of the size of files ends the run the same way, without a signal")
    func limited() throws {
        let study = try StudyScript(before: Self.filling)
        let expected = try study.expected()
        let store = study.store("limited")
        // 512-byte blocks: the token files fit, the optimiser's moments do not.
        let failed = try Program.start(
            study.arguments(store, csv: "limited"), shell: "ulimit -f 700"
        ).wait()
        #expect(failed.code == 1, "\(failed.errors)")
        #expect(failed.errors.contains("cannot write \(store)/checkpoints/"), "\(failed.errors)")
        #expect(failed.errors.contains("File too large"), "\(failed.errors)")
        let last = try Program.run(study.arguments(store, csv: "limited"))
        #expect(last.code == 0, "\(last.errors)")
        #expect(study.csv("limited") == expected)
    }

    @Test("the first error is the one that is reported, also where the state cannot be saved")
    func first() throws {
        let scratch = try Scratch()
        let script = try scratch.write(
            "first.lua",
            StudyScript.prelude + """

                base:run { name = "trunk", on_step = function(record)
                  if record.step == 3 then error("the callback's own error") end
                end }
                """)
        let failed = try Program.start(
            ["--threads", "1", "--store", scratch.path + "/store", script], shell: "ulimit -f 700"
        ).wait()
        #expect(failed.code == 1)
        #expect(
            failed.errors.contains("first.lua:10: the callback's own error")
                && !failed.errors.contains("mtrepl: cannot write"), "\(failed.errors)")
        #expect(
            failed.errors.contains("warning: step 3 is not saved: cannot write"), "\(failed.errors)"
        )
    }
}
