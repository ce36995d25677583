import Foundation
import TestSupport
import Testing

/// The kernel against Jupyter's own clients, in the environment that `scripts/venv` makes.
@Suite("Jupyter kernel", .serialized)
struct KernelTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()

    /// Installs the kernel in an empty folder and runs a Python file with it; returns its last lines.
    private func check(_ file: String) throws -> (code: Int32, text: String) {
        let scratch = try Scratch()
        let installed = try Program.run(["kernel", "install", "--prefix", scratch.path])
        #expect(installed.code == 0)
        #expect(installed.output.hasSuffix("/share/jupyter/kernels/mtrepl\n"))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Python.path))
        process.arguments = [Self.folder.appendingPathComponent("Kernel/\(file)").path]
        process.currentDirectoryURL = URL(fileURLWithPath: scratch.path)
        var environment = ProcessInfo.processInfo.environment
        environment["JUPYTER_PATH"] = scratch.path + "/share/jupyter"
        environment["JUPYTER_DATA_DIR"] = scratch.path + "/data"
        environment["JUPYTER_RUNTIME_DIR"] = scratch.path + "/runtime"
        environment["IPYTHONDIR"] = scratch.path
        environment["MTREPL_KERNEL_HISTORY"] = scratch.path + "/history.jsonl"
        process.environment = environment
        let log = try scratch.write("log", "")
        process.standardOutput = FileHandle(forWritingAtPath: log)
        process.standardError = process.standardOutput
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return (process.terminationStatus, try String(contentsOfFile: log, encoding: .utf8))
    }

    @Test(
        "passes the whole of jupyter_kernel_test",
        .enabled(if: Python.path != nil, "it needs the Python packages of scripts/venv"))
    func conformance() throws {
        let (code, text) = try check("conformance.py")
        #expect(code == 0 && !text.contains("skipped"), "\(text.suffix(6000))")
    }

    @Test(
        "answers while a cell runs, refuses forgeries, and survives what no client sends",
        .enabled(if: Python.path != nil, "it needs the Python packages of scripts/venv"))
    func conduct() throws {
        let (code, text) = try check("protocol.py")
        #expect(code == 0, "\(text.suffix(6000))")
    }

    @Test("a connection file that would let others in is refused")
    func connection() throws {
        let scratch = try Scratch()
        func run(_ changes: [String: Any]) throws -> Program.Outcome {
            var fields: [String: Any] = [
                "transport": "tcp", "ip": "127.0.0.1", "key": "k", "shell_port": 1,
                "signature_scheme": "hmac-sha256", "iopub_port": 2, "stdin_port": 3,
                "control_port": 4, "hb_port": 5,
            ]
            fields.merge(changes) { $1 }
            let file = try scratch.write(
                "connection.json",
                String(decoding: try JSONSerialization.data(withJSONObject: fields), as: UTF8.self))
            return try Program.run(["kernel", "run", file])
        }
        for (changes, word) in [
            (["key": ""], "key: it is empty"), (["ip": "0.0.0.0"], "not a loopback address"),
            (["ip": "127.0.0.1.example.org"], "not a loopback address"),
            (["signature_scheme": "none"], "hmac-sha256 expected"),
            (["transport": "udp"], "tcp or ipc expected"), (["hb_port": 70000], "hb_port: a port"),
            (["hb_port": "x"], "hb_port: Int expected"),
        ] as [([String: Any], String)] {
            let outcome = try run(changes)
            #expect(outcome.code == 1)
            #expect(outcome.errors.contains(word), "\(outcome.errors)")
        }
        #expect(try Program.run(["kernel", "run", scratch.path + "/none"]).code == 1)
    }
}
