import Bindings
import Glibc
import Runtime

/// Shows cells on the program's own standard output and error; progress is a line that is rewritten in place on a terminal.
final class TerminalView: CellObserver {
    /// Whether errors are those of a prompt, rather than of the program.
    var isAtPrompt = false

    /// Whether a text of the last cell was read in a pager, which took what time it took.
    private(set) var hasPaged = false

    let isRich = false
    private var status = ""

    func begin(_ source: String) { hasPaged = false }

    func receive(_ event: CellEvent) {
        switch event {
        case .output, .error: clear()  // it is on its way to the terminal
        case .status(let text):
            clear()
            status = text
            Interpreter.Report.hideTyping(!text.isEmpty)
            Interpreter.Report.put(text.singleLine, to: 2)
        case .display(let output), .value(let output):
            clear()
            Interpreter.Report.put(output.text + "\n", to: 1)
        case .clear: break  // a terminal keeps what it has shown
        case .page(let text):
            clear()
            if isAtPrompt, Pager.show(text) { return hasPaged = true }
            Interpreter.Report.put(text + "\n", to: 1)
        }
    }

    func end(_ result: CellResult) {
        clear()
        Interpreter.Report.hideTyping(false)
        if let failure = result.failure { show(failure) }
    }

    private func show(_ failure: CellFailure) {
        var head = (isAtPrompt ? "" : "mtrepl: ") + failure.message
        if Screen.colours(2) {
            head = head.split(separator: "\n", omittingEmptySubsequences: false).map {
                "\u{1b}[1;31m\($0)\u{1b}[0m"
            }.joined(separator: "\n")
        }
        Interpreter.Report.put(
            ([head] + failure.traceback).joined(separator: "\n") + "\n", to: 2)
    }

    /// Removes the progress line.
    private func clear() {
        if !status.isEmpty { Interpreter.Report.put("\r\u{1b}[K", to: 2, moves: true) }
        status = ""
    }
}
