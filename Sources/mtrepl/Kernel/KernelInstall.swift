import ArgumentParser
import Foundation
import Runtime

/// `mtrepl kernel`.
struct KernelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernel", _superCommandName: "mtrepl",
        abstract: "Run as a Jupyter kernel, or tell Jupyter how to.",
        subcommands: [KernelInstall.self, KernelRun.self])
}

/// Options of the interpreter that a kernel has; `install` writes them into the specification.
struct KernelOptions: ParsableArguments {
    @Option(help: "Threads to use (default: all). It changes speed, never results.")
    var threads: Int?

    @Option(help: "The folder of runs, checkpoints and token stores (default: .mtrepl).")
    var store: String?

    @Option(help: "The seed of whatever a cell does not seed itself.")
    var seed: UInt64 = 0

    @Flag(help: "Withhold files outside the working folder, processes and the network from cells.")
    var safe = false

    @Flag(
        name: .customLong("no-strict"),
        help: "Let a global that nobody has set be nil, as in plain Lua.")
    var noStrict = false

    func validate() throws {
        try CommandLineParser.check(threads: threads)
        if let store, store.isEmpty {
            throw ValidationError("--store: a folder expected, got nothing")
        }
    }

    /// The same options as arguments.
    var arguments: [String] {
        (threads.map { ["--threads", "\($0)"] } ?? []) + (store.map { ["--store", $0] } ?? [])
            + (seed == 0 ? [] : ["--seed", "\(seed)"]) + (safe ? ["--safe"] : [])
            + (noStrict ? ["--no-strict"] : [])
    }
}

/// `mtrepl kernel install`: the specification that Jupyter starts the kernel by.
struct KernelInstall: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "install", abstract: "Write the kernel specification for Jupyter.",
        discussion: """
            By default for this user (--user). The specification names this program by its full path: install again after \
            moving it.
            """)

    @Flag(help: "For this user: JUPYTER_DATA_DIR, or ~/.local/share/jupyter.")
    var user = false

    @Flag(
        name: .customLong("sys-prefix"),
        help: "For the active Python environment: VIRTUAL_ENV, CONDA_PREFIX, or python3's.")
    var systemPrefix = false

    @Option(help: ArgumentHelp("For the environment in a folder.", valueName: "folder"))
    var prefix: String?

    @Option(help: "The name of the kernel.")
    var name = "mtrepl"

    @Option(
        name: .customLong("display-name"),
        help: ArgumentHelp("What notebooks show.", valueName: "text"))
    var displayName = "Lua (mtrepl)"

    @OptionGroup var options: KernelOptions

    func validate() throws {
        if [user, systemPrefix, prefix != nil].filter({ $0 }).count > 1 {
            throw ValidationError("--user, --sys-prefix and --prefix: give one of them")
        }
        if name.wholeMatch(of: /[A-Za-z0-9._-]+/) == nil {
            throw ValidationError(
                "--name: letters, digits, '.', '_' and '-' expected, got '\(name)'")
        }
    }

    func run() throws {
        guard let program = realpath("/proc/self/exe", nil) else {
            throw FileError("find", "/proc/self/exe", errno: errno)
        }
        defer { free(program) }
        let arguments =
            [String(cString: program), "kernel", "run"] + options.arguments
            + ["{connection_file}"]
        let specification: JSON = [
            "argv": .array(arguments.map { .string($0) }), "display_name": .string(displayName),
            "language": "lua", "interrupt_mode": "message",
            "kernel_protocol_version": .string(KernelSession.version),
            "metadata": ["debugger": false],
        ]
        let folder = try base() + "/kernels/\(name)"
        try AtomicFile.write(
            folder + "/kernel.json",
            text: String(decoding: specification.bytes, as: UTF8.self) + "\n")
        try AtomicFile.write(folder + "/logo-svg.svg", text: Self.logo)
        print(folder)
    }

    private func base() throws -> String {
        if let prefix { return prefix + "/share/jupyter" }
        let environment = ProcessInfo.processInfo.environment
        if systemPrefix {
            guard let found = environment["VIRTUAL_ENV"] ?? environment["CONDA_PREFIX"] ?? python()
            else {
                throw ValidationError(
                    "--sys-prefix: there is no VIRTUAL_ENV, no CONDA_PREFIX and no python3")
            }
            return found + "/share/jupyter"
        }
        if let folder = environment["JUPYTER_DATA_DIR"], !folder.isEmpty { return folder }
        let data = environment["XDG_DATA_HOME"].flatMap { $0.isEmpty ? nil : $0 }
        let home = environment["HOME"] ?? NSHomeDirectory()
        return (data ?? home + "/.local/share") + "/jupyter"
    }

    /// `sys.prefix` of the Python on the path.
    private func python() -> String? {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", "import sys; print(sys.prefix)"]
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .newlines)
        return process.terminationStatus == 0 && !text.isEmpty ? text : nil
    }

    /// Two corpora that meet in one curve of the loss.
    private static let logo = """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">
          <rect x="2" y="2" width="60" height="60" rx="12" fill="#1d3557"/>
          <path d="M12 14 C16 40 26 38 32 38" fill="none" stroke="#a8dadc" stroke-width="5" stroke-linecap="round"/>
          <path d="M32 38 C40 38 42 50 53 51" fill="none" stroke="#f4a261" stroke-width="5" stroke-linecap="round"/>
          <circle cx="32" cy="38" r="5" fill="#f1faee"/>
        </svg>

        """
}
