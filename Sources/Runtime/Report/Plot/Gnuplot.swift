import Foundation
import RuntimeSupport

/// There is no gnuplot to draw with.
public struct MissingGnuplot: RuntimeError {
    /// Files that hold what would have been drawn.
    public var written: [String] = []

    /// Says what to install, and where the data is.
    public var message: String {
        "plots are drawn by gnuplot, which is not on the PATH; install the package gnuplot-nox (or gnuplot)"
            + (written.isEmpty
                ? "" : "; its data and script are in \(written.joined(separator: " and "))")
    }
}

/// The program that draws.
public enum Gnuplot {
    /// Seconds that one plot may take.
    package static let limit = 60.0

    /// What gnuplot calls itself, such as `gnuplot 6.0 patchlevel 0`; `nil` when there is none.
    public static func version(stop: ShouldStop) -> String? {
        guard let path = ChildProcess.find("gnuplot"),
            let output = try? ChildProcess.run(
                path, ["--version"], environment: ["LC_ALL": "C.UTF-8"], input: "", seconds: limit,
                stop: stop)
        else { return nil }
        return String(decoding: output, as: UTF8.self).trimmingCharacters(
            in: .whitespacesAndNewlines)
    }

    /// Runs a script that writes to standard output.
    ///
    /// - Throws: `MissingGnuplot`; `ProcessError` with gnuplot's message; `Interrupted`.
    package static func run(_ script: String, stop: ShouldStop) throws -> [UInt8] {
        guard let path = ChildProcess.find("gnuplot") else { throw MissingGnuplot() }
        var environment = ["LC_ALL": "C.UTF-8"]
        for name in ["PATH", "HOME", "FONTCONFIG_PATH", "FONTCONFIG_FILE", "GDFONTPATH"] {
            environment[name] = getenv(name).map { String(cString: $0) }
        }
        // -d: a start-up file of the researcher's must not change figures.
        let output = try ChildProcess.run(
            path, ["-d", "-"], environment: environment, input: script, seconds: limit, stop: stop)
        guard !output.isEmpty else {
            throw ProcessError(program: "gnuplot", reason: "drew nothing")
        }
        return output
    }
}
