import Bindings
import CReadline
import Glibc
import Runtime

/// Shows what is longer than the screen in the pager that the environment names.
enum Pager {
    /// Shows a text; false if it fits, or if there is no pager or no terminal, and nothing was shown.
    static func show(_ text: String) -> Bool {
        guard isatty(0) != 0, isatty(1) != 0, !["", "dumb"].contains(Screen.variable("TERM")),
            let command
        else { return false }
        let width = Screen.width
        let rows = text.split(separator: "\n", omittingEmptySubsequences: false).reduce(0) {
            $0 + max(1, (PlainText.of(String($1)).columns + width - 1) / width)
        }
        guard rows + 2 > Screen.height else { return false }
        fflush(nil)
        return mt_page(command, TerminalText.shown(text, on: 1) + "\n")
    }

    /// `PAGER`, else less; none if that is empty or would not stop.
    private static var command: String? {
        guard let chosen = getenv("PAGER").map({ String(cString: $0) }) else {
            return access("/usr/bin/less", X_OK) == 0 ? "LESS=${LESS--R} /usr/bin/less" : nil
        }
        return chosen.isEmpty || chosen == "cat" ? nil : "LESS=${LESS--R} \(chosen)"
    }
}
