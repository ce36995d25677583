import Glibc
import Runtime

/// Text on its way to a standard stream.
public enum TerminalText {
    /// The text as it is where no terminal reads it; on a terminal with visible forms of what that would act on.
    ///
    /// Values, names, errors and help come from anywhere: none of them may move the cursor, change the title or reverse
    /// what stands there. What a script prints itself does not pass here.
    public static func shown(_ text: String, on descriptor: Int32) -> String {
        guard isatty(descriptor) != 0 else { return text }
        return text.visible(styles: hasColours(descriptor))
    }

    /// Whether a descriptor is a terminal that shows colours, and `NO_COLOR` is not set.
    public static func hasColours(_ descriptor: Int32) -> Bool {
        func variable(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }
        let term = variable("TERM")
        return isatty(descriptor) != 0 && variable("NO_COLOR").isEmpty && !term.isEmpty
            && term != "dumb"
    }
}
