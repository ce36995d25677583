import Foundation

/// The built program, which lies beside the test bundle.
public enum Program {
    /// Its path.
    public static let path: String = {
        let bundle =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
            ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent(
            "mtrepl"
        ).path
    }()

    /// What a run left behind.
    public struct Outcome: Sendable {
        /// Standard output.
        public let output: String
        /// Standard error.
        public let errors: String
        /// The exit code, or 128 + the signal that ended it.
        public let code: Int32
    }

    /// Runs the program to its end.
    ///
    /// - Parameters:
    ///   - arguments: Its command line.
    ///   - input: Its standard input.
    ///   - folder: Its working folder.
    public static func run(_ arguments: [String], input: String = "", in folder: String? = nil)
        throws -> Outcome
    {
        try Running(path, arguments, input: input, in: folder).wait()
    }

    /// Runs another program to its end, such as a Python of `Python.path`.
    ///
    /// - Parameter environment: Entries added to this process's.
    public static func run(
        other: String, _ arguments: [String], input: String = "", in folder: String? = nil,
        environment: [String: String] = [:]
    ) throws -> Outcome {
        try Running(other, arguments, input: input, in: folder, environment: environment).wait()
    }

    /// Starts the program; `shell` runs first, such as `ulimit -f 100`.
    public static func start(_ arguments: [String], in folder: String? = nil, shell: String? = nil)
        throws -> Running
    {
        guard let shell else { return try Running(path, arguments, input: "", in: folder) }
        return try Running(
            "/bin/sh", ["-c", "\(shell); exec \"$0\" \"$@\"", path] + arguments, input: "",
            in: folder)
    }

    /// A program under way.
    public final class Running {
        private let process = Process()
        private let scratch: Scratch

        fileprivate init(
            _ program: String, _ arguments: [String], input: String, in folder: String?,
            environment: [String: String] = [:]
        ) throws {
            scratch = try Scratch()
            process.executableURL = URL(fileURLWithPath: program)
            process.arguments = arguments
            process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
            if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
            let files = ["in", "out", "err"].map { scratch.path + "/" + $0 }
            try input.write(toFile: files[0], atomically: false, encoding: .utf8)
            for file in files[1...] {
                try "".write(toFile: file, atomically: false, encoding: .utf8)
            }
            process.standardInput = FileHandle(forReadingAtPath: files[0])
            process.standardOutput = FileHandle(forWritingAtPath: files[1])
            process.standardError = FileHandle(forWritingAtPath: files[2])
            try process.run()
        }

        /// Whether it has not ended.
        public var isRunning: Bool { process.isRunning }

        /// Sends a signal, if it has not ended.
        public func signal(_ number: Int32) {
            if process.isRunning { kill(process.processIdentifier, number) }
        }

        /// What it has written to standard output so far.
        public var output: String {
            (try? String(contentsOfFile: scratch.path + "/out", encoding: .utf8)) ?? ""
        }

        /// Waits until something holds, such as that some output has come; whether it did before the program ended.
        public func waitUntil(_ condition: () -> Bool) -> Bool {
            while !condition() {
                guard process.isRunning else { return condition() }
                usleep(5000)
            }
            return true
        }

        /// Waits for the end.
        public func wait() throws -> Outcome {
            process.waitUntilExit()
            let signalled = process.terminationReason == .uncaughtSignal
            return Outcome(
                output: output,
                errors: try String(contentsOfFile: scratch.path + "/err", encoding: .utf8),
                code: process.terminationStatus + (signalled ? 128 : 0))
        }
    }
}

/// A folder that is removed with its last reference.
public final class Scratch {
    /// Its path, without symbolic links.
    public let path: String

    /// Makes an empty folder.
    public init() throws {
        let base = URL(fileURLWithPath: NSTemporaryDirectory()).resolvingSymlinksInPath().path
        path = base + "/mtrepl-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file in it and returns its path.
    @discardableResult
    public func write(_ name: String, _ text: String) throws -> String {
        let file = path + "/" + name
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        return file
    }
}
