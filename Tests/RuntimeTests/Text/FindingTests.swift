import Foundation
import Runtime
import Testing

@Suite("Finding files") struct FindingTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func link(_ name: String, _ target: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: scratch.path + "/" + name, withDestinationPath: target)
    }

    /// What the files that `patterns` name hold, or why they are refused.
    private func find(_ patterns: String...) -> String {
        do {
            let files = try CorpusFiles.expand(patterns.map { scratch.path + "/" + $0 })
            return files.map { String($0.dropFirst(scratch.path.count + 1)) }.joined(separator: " ")
        } catch { return "\(error)" }
    }

    @Test("dates that no count of nanoseconds holds are dates", arguments: [1 << 34, -(1 << 34)])
    func dates(seconds: Int) throws {
        let file = try scratch.lines("old.jsonl", ["o"])
        let before = try FileStamp(file)
        let times = [timespec(tv_sec: seconds, tv_nsec: 1), timespec(tv_sec: seconds, tv_nsec: 1)]
        try #require(utimensat(AT_FDCWD, file, times, 0) == 0)
        #expect(try FileStamp(file).modified != before.modified)
        #expect(find("old.jsonl") == "old.jsonl")
    }

    @Test(
        "names that differ in their normal form only are two files",
        arguments: ["d", "d/*.jsonl", "d/**/*.jsonl"])
    func normalForms(pattern: String) throws {
        try scratch.lines("d/caf\u{e9}.jsonl", ["c"])
        try scratch.lines("d/cafe\u{301}.jsonl", ["d"])
        #expect(find(pattern).split(separator: " ").count == 2)
    }

    @Test(
        "a folder with text in a form that is not read is refused",
        arguments: [".zstd", ".br", ".gz.gz", ".zst.gz"])
    func packed(ending: String) throws {
        try scratch.lines("d/a.jsonl", ["a"])
        try scratch.lines("d/b.jsonl" + ending, ["b"])
        #expect(find("d").contains("b.jsonl\(ending): it is a file compressed"))
        #expect(find("d/b.jsonl\(ending)").contains("which is not read: unpack it"))
        #expect(find("d/*.jsonl") == "d/a.jsonl")
    }

    @Test("links to files and folders are followed, and loops end")
    func links() throws {
        try scratch.lines("real/r.jsonl", ["r"])
        try scratch.lines("real/sub/s.jsonl", ["s"])
        try scratch.lines("own/o.jsonl", ["o"])
        try scratch.lines("files/f.jsonl", ["f"])
        try link("link", "real")
        try link("own/linked", "../real")
        try link("own/one.jsonl", "../files/f.jsonl")
        try link("own/around", ".")
        try link("own/linked/up", "..")
        #expect(
            find("link")
                == "link/r.jsonl link/sub/s.jsonl link/up/files/f.jsonl link/up/own/o.jsonl"
                || find("link").contains("the same f"))
        try FileManager.default.removeItem(atPath: scratch.path + "/real/up")
        #expect(find("link") == "link/r.jsonl link/sub/s.jsonl")
        #expect(
            find("own")
                == "own/linked/r.jsonl own/linked/sub/s.jsonl own/o.jsonl own/one.jsonl")
        #expect(find("l*/*.jsonl") == "link/r.jsonl")
        #expect(find("own/**/*.jsonl") == find("own"))
    }

    @Test("a file or folder that is found by two names is an error that says both")
    func twice() throws {
        let path = scratch.path
        try scratch.lines("a/a.jsonl", ["a"])
        try link("a/b.jsonl", "a.jsonl")
        #expect(find("a").contains("a/b.jsonl: it is the same file as \(path)/a/a.jsonl"))
        #expect(find("a/*.jsonl").contains("is the same file as"))
        try scratch.lines("h/a.jsonl", ["a"])
        try FileManager.default.linkItem(atPath: path + "/h/a.jsonl", toPath: path + "/h/b.jsonl")
        #expect(find("h").contains("is the same file as"))
        #expect(find("h/a.jsonl", "./h/a.jsonl").contains("is the same file as"))
        #expect(find("h/a.jsonl", "h/[a]*").contains("named twice"))
        try scratch.lines("c/x/a.jsonl", ["a"])
        try link("c/y", "x")
        #expect(find("c").contains("c/y: it is the same folder as \(path)/c/x"))
        // Folders without files may be found as often as they are.
        for name in ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"] {
            try AtomicFile.makeFolder("\(path)/d/\(name)")
            for other in ["p", "q"] { try link("d/\(name)/\(other)", "../\((Int(name) ?? 0) + 1)") }
        }
        try scratch.lines("d/10/x.txt", [])
        #expect(find("d").contains("the same folder"))
    }

    @Test("** is folders at any depth, none included")
    func deep() throws {
        for name in ["t", "a/a", "a/b/b", ".hidden/h", "a/.b/h"] {
            try scratch.lines("tree/\(name).jsonl", [name])
        }
        try scratch.write("tree/a/notes.md", "")
        let all = "tree/a/a.jsonl tree/a/b/b.jsonl tree/t.jsonl"
        #expect(find("tree/**/*.jsonl") == all)
        #expect(find("**/*.jsonl") == all)
        #expect(find("tree/**/**/*.jsonl") == all)
        #expect(find("tree/**/b/*.jsonl") == "tree/a/b/b.jsonl")
        #expect(find("tree/*/*.jsonl") == "tree/a/a.jsonl")
        #expect(find("tree/**.jsonl") == "tree/t.jsonl")
        #expect(find("tree/.*/*.jsonl") == "tree/.hidden/h.jsonl")
        #expect(find("tree/**/x*").contains("matches no file"))
        #expect(find("tree/**").contains("notes.md"))
        // Dots do not lead out of the folder.
        #expect(find("tree/a/.*").contains("h.jsonl"))
        #expect(!find("tree/a/.*").contains("t.jsonl"))
        #expect(find("tree/.?").contains("matches no file"))
    }

    @Test("names: any case, newlines, brackets; those that are not UTF-8 are refused as they are")
    func names() throws {
        for name in ["A.JSONL", "b.Ndjson", "c\nd.jsonl", "e[1].jsonl"] {
            try scratch.lines("n/" + name, [name])
        }
        try scratch.write("n/F.TXT.GZ", bytes: Packed.gzip(Array("f".utf8)))
        #expect(find("n") == "n/A.JSONL n/F.TXT.GZ n/b.Ndjson n/c\nd.jsonl n/e[1].jsonl")
        #expect(try scratch.corpus(scratch.path + "/n").texts().count == 5)
        #expect(find("n/e[1].jsonl") == "n/e[1].jsonl")
        let folder = scratch.path + "/o"
        try scratch.lines("o/x.jsonl", ["x"])
        func make(_ name: [UInt8]) {
            let path = Array(folder.utf8) + [0x2f] + name + [0]
            path.withUnsafeBytes { bytes in
                guard let start = bytes.assumingMemoryBound(to: CChar.self).baseAddress else {
                    return
                }
                let descriptor = open(start, O_CREAT | O_WRONLY, 0o644)
                #expect(descriptor >= 0)
                close(descriptor)
            }
        }
        make(Array("caf".utf8) + [0xe9] + Array(".pdf".utf8))
        #expect(find("o") == "o/x.jsonl")
        make(Array("caf".utf8) + [0xe9] + Array(".jsonl".utf8))
        #expect(find("o").contains("o/caf\\xe9.jsonl: its name is not UTF-8"))
        #expect(find("o/*.jsonl").contains("its name is not UTF-8"))
        #expect(find("o/x*") == "o/x.jsonl")
    }

    @Test("what is not read is refused by the name of its format")
    func unread() throws {
        for (name, format) in [
            ("a.jsonl.bz2", "bzip2"), ("a.txt.xz", "xz"), ("a.csv.lz4", "LZ4"), ("a.zip", "ZIP"),
            ("a.7z", "7z"), ("a.tar.gz", "tar"), ("a.TGZ", "tar"),
            ("a.parquet", "parquet_to_jsonl"),
            ("a.arrow", "Arrow"),
        ] {
            try scratch.write("u/" + name, "x")
            try scratch.lines("u/a.jsonl", ["x"])
            #expect(find("u/" + name).contains(format), "\(name)")
            #expect(find("u").contains("u/\(name): ") && find("u").contains(format), "\(name)")
            try FileManager.default.removeItem(atPath: scratch.path + "/u/" + name)
        }
        try link("u/gone", "nowhere")
        #expect(find("u").contains("u/gone: it is a link to what is not there"))
        #expect(find("u/gone").contains("it is a link to what is not there"))
    }
}
