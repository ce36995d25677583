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
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
        let scratch = try Scratch()
        let files = ["in", "out", "err"].map { scratch.path + "/" + $0 }
        try input.write(toFile: files[0], atomically: false, encoding: .utf8)
        for file in files[1...] { try "".write(toFile: file, atomically: false, encoding: .utf8) }
        process.standardInput = FileHandle(forReadingAtPath: files[0])
        process.standardOutput = FileHandle(forWritingAtPath: files[1])
        process.standardError = FileHandle(forWritingAtPath: files[2])
        try process.run()
        process.waitUntilExit()
        let code =
            process.terminationStatus + (process.terminationReason == .uncaughtSignal ? 128 : 0)
        return Outcome(
            output: try String(contentsOfFile: files[1], encoding: .utf8),
            errors: try String(contentsOfFile: files[2], encoding: .utf8), code: code)
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
