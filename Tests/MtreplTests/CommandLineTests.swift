import Foundation
import TestSupport
import Testing

@Suite("Command line") struct CommandLineTests {
    @Test("code, scripts and standard input run in order, with their arguments")
    func run() throws {
        let scratch = try Scratch()
        let script = try scratch.write(
            "a.lua",
            "#!/usr/bin/env mtrepl\nprint(arg[0] == ..., #arg, select('#', ...), arg[1], ...)\n")
        #expect(try Program.run(["-e", "x = 1", "-e", "print(x + 1)"]).output == "2\n")
        #expect(
            try Program.run([script, "-e", "--help"]).output == "false\t2\t2\t-e\t-e\t--help\n")
        #expect(try Program.run(["-", "a"], input: "print(..., arg[0])").output == "a\t-\n")
        #expect(try Program.run(["-e", "y = 5", script]).code == 0)
        #expect(
            try Program.run(["--seed", "3", "-e", "print(math.random())"]).output
                == Program.run(["--seed", "3", "-e", "print(math.random())"]).output)
        #expect(try Program.run(["--threads", "1", "-e", "print(mt.threads())"]).output == "1\n")
        #expect(try Program.run(["--version"]).output.hasPrefix("mtrepl "))
        let help = try Program.run(["--help"])
        #expect(help.code == 0)
        for word in ["-e", "-i", "--threads", "--store", "--seed", "--safe", "doc"] {
            #expect(help.output.contains(word))
        }
    }

    @Test("--profile names every kernel that ran")
    func profile() throws {
        let code =
            "local a = mt.uniform({ 64, 32 }) print(a:matmul(a:transpose()):sum():item() > 0)"
        let outcome = try Program.run(["--profile", "-e", code])
        #expect(outcome.output == "true\n" && outcome.code == 0)
        for word in ["kernel", "GF/s", "64 x 64 x 32", "reduce", "between kernels"] {
            #expect(outcome.errors.contains(word), "\(word) in \(outcome.errors)")
        }
        #expect(!(try Program.run(["-e", code]).errors.contains("kernel")))
    }

    @Test("output that cannot be written is a failure")
    func lostOutput() throws {
        for command in ["-e 'for i = 1, 1e5 do print(i) end'", "doc", "-e 'print(1)'"] {
            let process = Process()
            let errors = Pipe()
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", "'\(Program.path)' \(command) > /dev/full"]
            process.standardError = errors
            try process.run()
            process.waitUntilExit()
            let text = String(
                decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            #expect(process.terminationStatus == 1, "\(command): \(text)")
            #expect(text.contains("standard output could not be written"), "\(text)")
        }
    }

    @Test("a script runs through its first line")
    func shebang() throws {
        let scratch = try Scratch()
        let script = try scratch.write("s", "#!\(Program.path)\nprint('ran', ...)\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script)
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: script)
        process.arguments = ["x"]
        process.standardOutput = pipe
        try process.run()
        process.waitUntilExit()
        #expect(
            String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                == "ran\tx\n")
    }

    static let cases: [(arguments: [String], code: Int32)] = [
        (["-e", ""], 0), (["-e", "error('x')"], 1), (["-e", "x ="], 1), (["no-such.lua"], 1),
        (["--bogus"], 2), (["--threads", "0"], 2), (["--threads", "-1"], 2), (["--threads"], 2),
        (["--seed", "x"], 2),
        (["-e", "os.exit(7)"], 7), (["-e", "os.exit(true)"], 0), (["-e", "os.exit(false)"], 1),
        (["doc", "nothing"], 2), (["doc", "options"], 0),
        (["-e", "mt.options({ { 'a' } })", "-", "--b"], 2),
        (["-e", "mt.options({ { 'a' } })", "-", "--help"], 0),
    ]

    @Test(
        "exit codes tell success, script errors, wrong command lines and os.exit apart",
        arguments: cases.indices)
    func codes(index: Int) throws {
        let (arguments, code) = Self.cases[index]
        let outcome = try Program.run(arguments)
        #expect(outcome.code == code, "\(arguments): \(outcome.errors)")
        let asked = arguments.joined().contains("os.exit")
        if code != 0, !asked { #expect(!outcome.errors.isEmpty) }
    }

    @Test("bounds of a script's options hold for a number and for every number of a list")
    func bounds() throws {
        let scratch = try Scratch()
        let script = try scratch.write(
            "bounded.lua",
            """
            local o = mt.options { { "seeds", default = 2, least = 1 },
              { "weights", default = { 0.5 }, least = 0, most = 1 } }
            print(o.seeds, #o.weights)
            """)
        #expect(try Program.run([script, "--seeds", "1", "--weights", "0,1"]).output == "1\t2\n")
        for (arguments, text) in [
            (["--seeds", "0"], "--seeds: at least 1 expected, got 0"),
            (["--weights", "0.5,2"], "--weights: 0 to 1 expected, got 2"),
        ] {
            let outcome = try Program.run([script] + arguments)
            #expect(outcome.code == 2 && outcome.errors.contains(text), "\(outcome)")
        }
    }

    @Test("an error shows script, line and traceback on standard error")
    func traceback() throws {
        let scratch = try Scratch()
        let script = try scratch.write(
            "deep.lua", "local function f()\n  error('broken')\nend\nf()\n")
        let outcome = try Program.run([script])
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors.contains("deep.lua:2: broken"))
        #expect(outcome.errors.contains("stack traceback:"))
        #expect(outcome.errors.contains("deep.lua:4: in main chunk"))
        #expect(
            try Program.run([
                "-e", "error(setmetatable({}, { __tostring = function() return 'mine' end }))",
            ]).errors.contains("mine"))
    }

    @Test("lines from a pipe are run as at the prompt, without echo")
    func lines() throws {
        let outcome = try Program.run(
            [],
            input: "1 + 1\nfor i = 1, 2 do\nprint(i)\nend\n= 'a'\n{ 3, b = { 'x' } }\nx = 4\nx\n")
        #expect(outcome.output == "2\n1\n2\na\n{ 3, b = { \"x\" } }\n4\n")
        #expect(outcome.code == 0)
        #expect(try Program.run([], input: "error('x')\nprint(1)\n").output == "1\n")
        #expect(try Program.run([], input: "error('x')\n").code == 1)
        #expect(try Program.run([], input: "for i =").code == 1)
    }

    @Test("--safe keeps scripts inside the working folder")
    func safe() throws {
        let scratch = try Scratch()
        try FileManager.default.createDirectory(
            atPath: scratch.path + "/project/sub", withIntermediateDirectories: true)
        try scratch.write("secret.txt", "secret")
        try scratch.write("project/own.lua", "return 'own'")
        try FileManager.default.createSymbolicLink(
            atPath: scratch.path + "/project/link", withDestinationPath: scratch.path)
        try FileManager.default.createSymbolicLink(
            atPath: scratch.path + "/project/dangling",
            withDestinationPath: scratch.path + "/new.txt")
        let refused = [
            "io.open('../secret.txt')", "io.open('link/secret.txt')", "io.open('dangling', 'w')",
            "io.lines('sub/../../secret.txt')",
            "io.open('/etc/passwd')", "io.input('../secret.txt')", "io.output('../x')",
            "os.remove('../secret.txt')",
            "os.rename('own.lua', '../own.lua')", "os.execute('true')", "io.popen('true')",
            "os.tmpname()", "io.tmpfile()",
            "loadfile('../secret.txt')", "dofile('../secret.txt')", "io.open('link/new.txt', 'w')",
            "io.open('..')",
        ]
        for code in refused {
            let outcome = try Program.run(["--safe", "-e", code], in: scratch.path + "/project")
            #expect(outcome.code == 1, "\(code)")
            #expect(outcome.errors.contains("--safe"), "\(code): \(outcome.errors)")
        }
        let allowed = try Program.run(
            [
                "--safe", "-e",
                """
                local f = assert(io.open("sub/new.txt", "w")) f:write("x") f:close()
                assert(os.rename("sub/new.txt", "sub/../b.txt")) assert(os.remove("b.txt"))
                print(require "own", dofile("./own.lua"))
                package.path = "../?.txt" print(pcall(require, "secret") == false)
                """,
            ], in: scratch.path + "/project")
        #expect(
            allowed.output == "own\t./own.lua\town\ntrue\n" || allowed.output == "own\town\ntrue\n",
            "\(allowed.errors)")
    }

    @Test("--store may stand before a subcommand, and a seed that is none says what was expected")
    func options() throws {
        let scratch = try Scratch()
        let store = scratch.path + "/store"
        for arguments in [["--store", store, "runs"], ["--store=" + store, "runs", "list"]] {
            let outcome = try Program.run(arguments)
            #expect(outcome.code == 1 && outcome.errors.contains("there is no store here"))
        }
        let threads = try Program.run(["--threads", "1", "doc", "corpus"])
        #expect(threads.code == 2 && threads.errors.contains("Unknown option '--threads'"))
        let seed = try Program.run(["--seed", "-1", "-e", ""])
        #expect(
            seed.code == 2
                && seed.errors.contains(
                    "an integer in 0 ... 18446744073709551615 expected, got '-1'")
        )
    }

    @Test("doc --luals and doc NAME")
    func doc() throws {
        let all = try Program.run(["doc", "--luals"])
        #expect(all.code == 0 && all.output.hasPrefix("---@meta\n"))
        let help = try Program.run(["doc", "--help"]).output
        #expect(help.contains("USAGE: mtrepl doc [") && help.contains("corpus:summary"))
        #expect(try Program.run(["doc", "corpus:summary"]).code == 0)
        let one = try Program.run(["doc", "run:background"])
        #expect(one.code == 0 && one.output.hasPrefix("run:background([{…}])"))
        #expect(one.output.split(separator: "\n").allSatisfy { $0.count <= 88 })
    }
}
