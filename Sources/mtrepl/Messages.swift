import Bindings
import Glibc

/// Messages and progress on standard error: a line that is rewritten in place on a terminal, plain lines elsewhere.
final class Messages {
    /// Seconds between progress lines when they are not rewritten in place.
    private static let pause = 10.0

    private let terminal = isatty(2) != 0
    private var status = ""
    private var shownAt: Double?

    /// Shows a report of the interpreter.
    func show(_ report: Interpreter.Report) {
        switch report {
        case .line(let text):
            clear()
            Interpreter.Report.toStandardError(text + "\n")
        case .output(let output):
            clear()
            Interpreter.Report.toStandardOutput(output.text + "\n")
        case .status(let text) where terminal:
            clear()
            status = Self.cut(text)
            Interpreter.Report.toStandardError(status)
        case .status(let text):
            guard !text.isEmpty else { return }
            let now = Self.seconds()
            if let shownAt, now - shownAt < Self.pause { return }
            shownAt = now
            Interpreter.Report.toStandardError(text + "\n")
        }
    }

    /// Removes the progress line.
    func clear() {
        if !status.isEmpty { Interpreter.Report.toStandardError("\r\u{1b}[K") }
        status = ""
    }

    /// At most as wide as the terminal, since a wrapped line could not be rewritten.
    private static func cut(_ text: String) -> String {
        var size = winsize()
        guard ioctl(2, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 1 else { return text }
        return String(text.prefix(Int(size.ws_col) - 1))
    }

    private static func seconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
