import Foundation
import Runtime
import Testing

@Suite("Support") struct SupportTests {
    @Test("a permutation visits every index once", arguments: [1, 2, 3, 7, 64, 1000, 4097])
    func permutation(count: Int) {
        for round in 0..<3 {
            let order = SeededPermutation(count: count, seed: 7, "order", round: round)
            #expect(Set((0..<count).map { order[$0] }) == Set(0..<count))
        }
    }

    @Test(
        "text takes the columns that a terminal gives it",
        arguments: [
            ("", 0), ("abc", 3), ("naïve", 5), ("e\u{301}", 1), ("日本語", 6), ("한국", 4), ("ｆｕｌｌ", 8),
            ("👍🏽", 2), ("👩‍👩‍👧", 2), ("☂\u{fe0f}", 2), ("a\u{200b}b", 10), ("█▁…", 3),
        ])
    func columns(text: String, expected: Int) {
        #expect(text.columns == expected)
        for room in 0...expected + 1 {
            let cut = text.cut(toColumns: room)
            #expect(cut.columns <= max(room, 0))
            if expected <= room { #expect(cut == text) }
        }
        #expect(text.padded(toColumns: 12).columns == 12)
    }

    @Test("normal numbers have mean 0 and variance 1")
    func normal() {
        let stream = RandomStream(seed: 1, "normal")
        let values = (0..<100_000).map { stream.normal(UInt64($0)) }
        let mean = values.reduce(0, +) / 100_000
        let variance = values.reduce(0) { $0 + $1 * $1 } / 100_000 - mean * mean
        #expect(abs(mean) < 0.01)
        #expect(abs(variance - 1) < 0.02)
    }

    @Test("every unit runs once, whatever the thread count", arguments: [1, 2, 3, 5, 2])
    func parallel(threads: Int) async throws {
        await #expect(processExitsWith: .success) { [threads] in
            _ = try onThreads(threads) {
                for units in [0, 1, 2, 100, 1000] {
                    let squares = try Parallel.map(units) { $0 * $0 }
                    #expect(squares == (0..<units).map { $0 * $0 })
                }
            }
        }
    }

    @Test(
        "thousands of short jobs in a row, also from several threads, each run their own units once"
    )
    func manyJobs() async {
        await #expect(processExitsWith: .success) { await Self.manyJobs() }
    }

    private static func manyJobs() async {
        @Sendable func job(_ generation: Int) -> Bool {
            var hits = [UInt8](repeating: 0, count: 1 + generation * 7919 % 97)
            hits.withUnsafeMutableBufferPointer { hits in
                let places = DisjointPlaces(hits)
                Parallel.forEach(hits.count) { unit in
                    places[unit] += 1
                    guard generation % 64 == 0 else { return }
                    let inner = try? Parallel.map(5) { $0 }
                    if inner != [0, 1, 2, 3, 4] { places[unit] += 100 }
                }
            }
            return hits.allSatisfy { $0 == 1 }
        }
        for threads in [1, 2, 8, 3] {
            #expect(onThreads(threads) { (0..<4000).allSatisfy(job) }.allSatisfy { $0 })
        }
        Parallel.threads = 8
        let good = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<3 { group.addTask { (0..<2000).allSatisfy(job) } }
            return await group.reduce(true) { $0 && $1 }
        }
        #expect(good)
    }

    @Test("digests keep fields apart")
    func digest() {
        var a = DigestBuilder("test")
        a.add("ab")
        a.add("c")
        var b = DigestBuilder("test")
        b.add("a")
        b.add("bc")
        #expect(a.finish() != b.finish())
        #expect(Digest(hex: a.finish().hex) == a.finish())
    }

    @Test("a failed write leaves the old file and no temporary one")
    func atomicWrite() throws {
        let folder = NSTemporaryDirectory() + "mtrepl-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/a/file.txt"
        try AtomicFile.write(path, text: "first")
        #expect(throws: InvalidValue.self) {
            try AtomicFile.write(path) { writer in
                try writer.write("second")
                throw InvalidValue("x", expected: "y", found: 1)
            }
        }
        #expect(try FileReader.text(path) == "first")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/a") == ["file.txt"])
    }

    @Test("links, permissions and devices survive being written to")
    func specialTargets() throws {
        let folder = NSTemporaryDirectory() + "mtrepl-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (path, link) = (folder + "/file.txt", folder + "/link.txt")
        try AtomicFile.write(path, text: "first")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "file.txt")
        try AtomicFile.write(link, text: "second")
        #expect(try FileReader.text(path) == "second")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "file.txt")
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
        #expect(mode as? Int == 0o600)
        try AtomicFile.write("/dev/null", text: "nothing")
        #expect(throws: FileError.self) { try AtomicFile.write("/dev/full", text: "too much") }
        #expect(throws: FileError.self) { try AtomicFile.write(folder, text: "a folder") }
        var status = stat()
        #expect(stat("/dev/full", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
    }

    @Test(
        "parts of a path, also of one character",
        arguments: [
            ("c", "", "c", "", "c"), ("/", "", "", "", "/"), ("", "", "", "", ""),
            ("a/b/c.txt", "a/b", "c.txt", "txt", "a/b/c"), ("/c", "/", "c", "", "/c"),
            ("a//b/", "a", "b", "", "a//b/"), (".c", "", ".c", "", ".c"),
            ("a.b/c", "a.b", "c", "", "a.b/c"),
        ])
    func pathNames(path: String, parent: String, last: String, type: String, stem: String) {
        #expect(PathName.parent(path) == parent)
        #expect(PathName.last(path) == last)
        #expect(PathName.type(path) == type)
        #expect(PathName.stem(path) == stem)
    }
}
