import Foundation
import Glibc
import TestSupport
import Testing

@Suite("--safe") struct SafeTests {
    private let scratch: Scratch
    private var work: String { scratch.path + "/project" }

    init() throws {
        scratch = try Scratch()
        for folder in ["/project/sub", "/outside/deep"] {
            try FileManager.default.createDirectory(
                atPath: scratch.path + folder, withIntermediateDirectories: true)
        }
        for folder in ["", "/outside", "/outside/deep"] {
            try write(folder + "/secret.jsonl", "{\"text\": \"SECRET\"}\n")
            try write(folder + "/secret.lua", "return 'SECRET'")
        }
        try write("/project/own.jsonl", "{\"text\": \"own\"}\n")
        try write("/project/own.lua", "return 'own'")
        try write("/project/sub/more.jsonl", "{\"text\": \"more\"}\n")
        try link("/project/out", "../outside")
        try link("/project/absolute", scratch.path + "/outside")
        try link("/project/file.jsonl", "../secret.jsonl")
        try link("/project/sub/up", "../..")
        try link("/project/fd", "/proc/self/cwd/..")
    }

    private func write(_ name: String, _ text: String) throws {
        try text.write(toFile: scratch.path + name, atomically: false, encoding: .utf8)
    }

    private func link(_ name: String, _ target: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: scratch.path + name, withDestinationPath: target)
    }

    private func run(_ script: String, _ options: [String] = []) throws -> Program.Outcome {
        try Program.run(["--safe"] + options + ["-e", script], in: work)
    }

    @Test("no pattern, link or name reads a file outside")
    func reading() throws {
        let names = [
            ".*", ".?", ".[.]", "./..", "../*.jsonl", "../**/*.jsonl", "sub/../../*.jsonl", "out",
            "out/*.jsonl", "o*/*.jsonl", "**/secret.jsonl", "*/deep/*.jsonl", "absolute/*",
            "[a]bsolute", "file.jsonl", "f*.jsonl", "sub/u*/*.jsonl", "sub/up/secret.jsonl",
            "/proc/self/cwd/../secret.jsonl", "fd/secret.jsonl", "f?/secret.jsonl",
            scratch.path + "/secret.jsonl", scratch.path + "/project/../secret.jsonl",
            scratch.path + "/*.jsonl", "/dev/fd/0", "/proc/self/fd/*",
        ]
        let script = """
            for _, name in ipairs { \(names.map { "[==[\($0)]==]" }.joined(separator: ", ")) } do
              for _, key in ipairs { "files", "test" } do
                local corpus = { "c", embedded = key == "test" and "prose" or nil, valid_fraction = 0, test_fraction = 0 }
                corpus[key] = name
                if key == "test" then corpus.embedded = nil corpus.files = "own.jsonl" end
                local ok, found = pcall(function() return mt.corpus(corpus):documents(9, key == "test" and "test" or "train") end)
                local text = ok and table.concat(found) or tostring(found)
                assert(not text:find "SECRET", name .. " reads " .. text)
                assert(not ok or text == "" , name .. " gives " .. text)
              end
              for _, read in ipairs { io.open, io.lines, io.input, loadfile, dofile, mt.pretrained,
                                      function(n) return mt.tokenizer { file = n } end } do
                local ok, found = pcall(read, name)
                assert(not ok or not found, name .. " is opened")
              end
            end
            print "done"
            """
        let outcome = try run(script)
        #expect(outcome.output == "done\n" && outcome.code == 0, "\(outcome.errors)")
    }

    @Test("what is inside is read, however it is named")
    func inside() throws {
        try link("/project/near", "sub")
        try link("/project/again", scratch.path + "/project/sub")
        let outcome = try run(
            """
            for _, name in ipairs { "own.jsonl", "./own.jsonl", "sub/../own.jsonl", "near/../own.jsonl", "ow?.jsonl",
                                    "\(work)/own.jsonl", "\(scratch.path)/project/own.jsonl" } do
              local corpus = mt.corpus { "c", files = name, valid_fraction = 0, test_fraction = 0 }
              assert(corpus:documents(9)[1] == "own", name)
              if not name:find "[?]" then assert(io.open(name):read "a" ~= "") end
            end
            for _, name in ipairs { "sub/*.jsonl", "n*/*.jsonl", "again/*.jsonl", "again/more.jsonl", "s*/more.jsonl" } do
              local corpus = mt.corpus { "c", files = name, valid_fraction = 0, test_fraction = 0 }
              assert(corpus:documents(9)[1] == "more", name)
            end
            for line in io.lines "again/more.jsonl" do print(line) end
            for word in io.lines("sub/more.jsonl", 5) do io.write(word, "|") end
            print(io.input "own.lua" ~= nil, io.read "a", require "own", dofile "own.lua", loadfile "own.lua"())
            print(io.open "nothing")
            print((pcall(io.open, "own.lua", "x")))
            print(io.type(io.open "own.lua"), io.open("own.lua"):close())
            """)
        #expect(
            outcome.output == """
                {"text": "more"}
                {"tex|t": "|more"|}
                |true\treturn 'own'\town\town\town
                nil\tnothing: No such file or directory\t2
                false
                file\ttrue

                """, "\(outcome.output)")
        #expect(outcome.code == 0, "\(outcome.errors)")
    }

    @Test("nothing is written, made, renamed or removed outside")
    func writing() throws {
        let places = [
            "../new", "out/new", "absolute/new", "sub/up/new", scratch.path + "/new", "fd/new",
            "sub/../../new", "out/deep/../new", "/proc/self/cwd/../new",
        ]
        let outcome = try run(
            """
            for _, name in ipairs { \(places.map { "[==[\($0)]==]" }.joined(separator: ", ")) } do
              for index, write in ipairs {
                function(n) return io.open(n, "w") end, function(n) return io.open(n, "a+") end, io.output,
                function(n) return os.rename("own.lua", n) end, function(n) return os.remove((n:gsub("new", "secret.lua"))) end,
                function(n) mt.write_csv(n .. ".csv", { "a" }, { { a = 1 } }) end,
                function(n) mt.write_csv(n .. "/deep/a.csv", { "a" }, { { a = 1 } }) end,
                function(n) mt.log(n .. ".md") end,
                function(n) mt.corpus { "p", embedded = "prose", bytes = 20000 }:write_tokens {
                  n .. ".bin", tokenizer = mt.tokenizer { train_on = { mt.corpus { "p", embedded = "prose", bytes = 20000 } }, vocabulary = 300 } } end,
              } do
                local ok, result = pcall(write, name)
                assert(not ok, name .. " by " .. index .. ": " .. tostring(result))
              end
            end
            assert(os.remove "file.jsonl")
            assert(os.rename("out", "renamed") and not pcall(io.open, "renamed/secret.lua"))
            mt.write_csv("new/deeper/a.csv", { "a" }, { { a = 1 } })
            assert(io.open("new/deeper/a.csv"):read "a" == "a\\n1\\n")
            """)
        #expect(outcome.code == 0, "\(outcome.errors)")
        let names = try FileManager.default.contentsOfDirectory(atPath: scratch.path)
        #expect(names.sorted() == ["outside", "project", "secret.jsonl", "secret.lua"])
        let outside = try FileManager.default.contentsOfDirectory(
            atPath: scratch.path + "/outside")
        #expect(outside.sorted() == ["deep", "secret.jsonl", "secret.lua"])
    }

    @Test("links in a model's folder do not lead out, nor does the source of a function")
    func folders() throws {
        try write("/outside/config.json", "{\"SECRET\": 1}")
        try FileManager.default.createDirectory(
            atPath: work + "/model", withIntermediateDirectories: true)
        try link("/project/model/config.json", "../../outside/config.json")
        try write("/outside/source", "one SECRET\n")
        let outcome = try run(
            """
            print(pcall(mt.pretrained, "model"))
            error(load("\\nerror 'x'", "@../outside/source"))
            """)
        #expect(outcome.output.contains("--safe") && !outcome.output.contains("SECRET"))
        #expect(!outcome.errors.contains("SECRET"), "\(outcome.errors)")
    }

    @Test("the store, the log and the script of the command line may lie outside")
    func commandLine() throws {
        let store = scratch.path + "/far/store"
        try write(
            "/outside/script.lua",
            "print(mt.corpus { 'p', embedded = 'prose', bytes = 3000 }:summary().train.documents > 0)"
        )
        let outcome = try Program.run(
            ["--safe", "--store", store, "--log", "../outside/day", "../outside/script.lua"],
            in: work)
        #expect(outcome.output == "true\n" && outcome.code == 0, "\(outcome.errors)")
        #expect(FileManager.default.fileExists(atPath: scratch.path + "/outside/day.ipynb"))
        #expect(FileManager.default.fileExists(atPath: store + "/corpora"))
        let reading = try run(
            "print(pcall(mt.corpus, { 'c', files = '\(store)/../../secret.jsonl' }))",
            ["--store", store])
        #expect(reading.output.contains("--safe"), "\(reading.output)")
        try link("/project/.mtrepl", "../outside")
        let linked = try run(
            "print(pcall(mt.corpus, { 'c', files = '.mtrepl/*.jsonl' })) print(pcall(io.open, '.mtrepl/secret.lua'))"
        )
        #expect(!linked.output.contains("true"), "\(linked.output)")
    }

    @Test("a folder that is swapped for a link while it is used leads nowhere")
    func swapped() throws {
        for (name, text) in [("/project/a", "inside"), ("/outside/b", "SECRET")] {
            try FileManager.default.createDirectory(
                atPath: scratch.path + name, withIntermediateDirectories: true)
            try write(name + "/x.jsonl", "{\"text\": \"\(text)\"}\n")
        }
        try link("/project/b", "../outside/b")
        // Two names that exchange what they stand for, as fast as the system can.
        let swapper = Process()
        swapper.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        swapper.arguments = [
            "python3", "-c",
            """
            import ctypes, os, sys
            os.chdir(sys.argv[1])
            libc = ctypes.CDLL(None)
            print("ready", flush=True)
            while os.getppid() != 1: libc.renameat2(-100, b"a", -100, b"b", 2)
            """, work,
        ]
        let ready = Pipe()
        swapper.standardOutput = ready
        try swapper.run()
        // SIGTERM could be blocked, as it is on the threads of a pool that starts a process.
        defer { kill(swapper.processIdentifier, SIGKILL) }
        #expect(!ready.fileHandleForReading.availableData.isEmpty)
        let outcome = try run(
            """
            for attempt = 1, 100 do
              local file = select(2, pcall(io.open, "a/x.jsonl"))
              local text = io.type(file) and file:read "a" or ""
              if io.type(file) then file:close() end
              assert(not text:find "SECRET")
              local ok, found = pcall(function()
                return mt.corpus({ "c", files = "a/*.jsonl", valid_fraction = 0, test_fraction = 0 }):documents(1)[1] end)
              assert(not ok or found == "inside", found)
              if attempt % 10 == 0 then pcall(mt.write_csv, "a/new.csv", { "a" }, { { a = 1 } }) end
            end
            """)
        #expect(outcome.code == 0, "\(outcome.errors)")
        kill(swapper.processIdentifier, SIGKILL)
        swapper.waitUntilExit()
        let outside = try FileManager.default.contentsOfDirectory(
            atPath: scratch.path + "/outside/b")
        #expect(outside == ["x.jsonl"])
    }

    @Test("names that are not UTF-8 are refused before another file is made")
    func bytes() throws {
        let program = Program.path
        for (before, arguments) in [
            ("", "--store $(printf 'st\\377re') -e 'mt.runs()'"),
            ("MTREPL_STORE=$(printf 'st\\377re') ", "-e 'mt.runs()'"),
            ("", "$(printf 'a\\377.lua')"),
        ] {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", "\(before)exec \(program) \(arguments)"]
            process.environment = ProcessInfo.processInfo.environment
            process.currentDirectoryURL = URL(fileURLWithPath: work)
            let errors = Pipe()
            process.standardError = errors
            try process.run()
            let text = String(
                decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            #expect(text.contains("is not UTF-8 text") && text.contains("\\xff"), "\(text)")
            #expect(process.terminationStatus == 2 || text.contains("exec"), "\(text)")
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: work)
        #expect(!names.contains { $0.hasPrefix("st") })
    }
}
