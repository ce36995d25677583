import Bindings
import Glibc
import Runtime

/// The command line as bytes: as text, those that are not UTF-8 would silently become others, and name other files.
enum CommandLineText {
    /// Leaves with an error that shows an argument, or a variable that names a file, that is not UTF-8.
    static func check() {
        let count = Int(CommandLine.argc)
        for index in 0..<count {
            guard let start = CommandLine.unsafeArgv[index] else { continue }
            check("argument \(index)", start)
        }
        for name in ["MTREPL_STORE", "MTREPL_HISTORY", "MTREPL_KERNEL_HISTORY"] {
            if let start = getenv(name) { check(name, start) }
        }
    }

    private static func check(_ what: String, _ start: UnsafePointer<CChar>) {
        guard String(validatingCString: start) == nil else { return }
        let bytes = UnsafeRawBufferPointer(start: start, count: strlen(start))
        Interpreter.Report.toStandardError(
            "mtrepl: \(what) is not UTF-8 text: \"\(VisibleName.of(Array(bytes)))\"; "
                + "give the file or folder a name that is\n")
        CommandLineParser.finish(ExitStatus.usage)
    }
}
