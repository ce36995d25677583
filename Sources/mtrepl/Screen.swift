import Bindings
import Glibc

/// Writes text to standard output; a terminal gets it visible, whatever names are in it.
func say(_ text: String, end: String = "\n") { Interpreter.Report.toStandardOutput(text + end) }

/// What the terminal can show.
enum Screen {
    /// The display of the interpreter: the width of the terminal, and colours where they are wanted.
    static var display: Display {
        var display = Display()
        display.width = { Screen.width }
        display.colours = colours(1)
        display.isLive = isLive
        return display
    }

    /// Whether a line can be rewritten in place.
    static var isLive: Bool { isatty(2) != 0 && !["", "dumb"].contains(variable("TERM")) }

    /// Columns of the terminal; 80 where there is none.
    static var width: Int {
        var size = winsize()
        for descriptor: Int32 in [1, 2, 0]
        where ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 1 {
            return Int(size.ws_col)
        }
        return 80
    }

    /// Rows of the terminal; 24 where there is none.
    static var height: Int {
        var size = winsize()
        return ioctl(1, UInt(TIOCGWINSZ), &size) == 0 && size.ws_row > 1 ? Int(size.ws_row) : 24
    }

    /// Whether a descriptor is a terminal that shows colours, and `NO_COLOR` is not set.
    static func colours(_ descriptor: Int32) -> Bool {
        TerminalText.hasColours(descriptor)
    }

    /// An environment variable, empty if it is not set.
    static func variable(_ name: String) -> String {
        getenv(name).map { String(cString: $0) } ?? ""
    }
}
