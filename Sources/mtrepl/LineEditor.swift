import Bindings
import CReadline
import Glibc

/// Reads edited lines from the terminal, through readline's callback interface, so that Ctrl-C never jumps over Swift.
final class LineEditor {
    enum Input {
        case line(String)
        case interrupted
        case end
        /// The process was asked to end, or its terminal is gone.
        case terminated
    }

    /// What readline's handler leaves for `read`; readline has one handler for the process.
    nonisolated(unsafe) private static var received: Input?

    private let history: String?
    private let isInterrupted: () -> Bool
    private let isTerminated: () -> Bool
    private let news: News
    /// Columns of the terminal when the line was drawn.
    private var width = 80

    /// Something that may be announced while a line is edited.
    struct News {
        /// Readable when there is something; -1 for never.
        let descriptor: () -> Int32
        /// Prints it.
        let announce: () -> Void
        /// Whether the prompt tells something that changes with time.
        let isUnderWay: () -> Bool
    }

    /// The lines before the one that is edited, for completion.
    var before: String {
        get { Completing.before }
        set { Completing.before = newValue }
    }

    /// An editor with a history file; `complete` finds what may stand at the end of a text, `isInterrupted` tells and forgets
    /// that Ctrl-C came, `isTerminated` tells that the process is to end.
    init(
        history: String?, complete: @escaping (String) -> Completion,
        isInterrupted: @escaping () -> Bool, isTerminated: @escaping () -> Bool, news: News
    ) {
        self.history = history
        self.isInterrupted = isInterrupted
        self.isTerminated = isTerminated
        self.news = news
        Completing.start(complete)
        mt_rl_name("mtrepl")
        mt_rl_hear_resizing()
        using_history()
        stifle_history(10_000)
        if let history { read_history(history) }
    }

    /// Reads a line; Ctrl-C gives `interrupted`, Ctrl-D on an empty line `end`.
    ///
    /// The prompt is asked for again every second while something is under way.
    func read(_ prompt: () -> String) -> Input {
        // Signals are let through only inside mt_rl_wait, so that none can come between a test and the wait.
        var blocked = sigset_t()
        var before = sigset_t()
        sigemptyset(&blocked)
        for signal in [SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU, SIGWINCH] {
            sigaddset(&blocked, signal)
        }
        pthread_sigmask(SIG_BLOCK, &blocked, &before)
        let stops = mt_rl_jobs()
        defer {
            mt_rl_jobs_end()
            pthread_sigmask(SIG_SETMASK, &before, nil)
        }
        Self.received = nil
        width = Screen.width
        mt_rl_begin(prompt()) { text in
            LineEditor.received = text.map { .line(String(cString: $0)) } ?? .end
            free(text)
            rl_callback_handler_remove()
        }
        while true {
            if let input = Self.received { return input }
            if isTerminated() {
                mt_rl_abandon()
                return .terminated
            }
            if isInterrupted() {
                mt_rl_abandon()
                return .interrupted
            }
            switch mt_rl_wait(&before, news.descriptor(), stops, news.isUnderWay() ? 1 : 0) {
            case 0:
                guard !isTerminated() else { break }
                drawAgain(prompt())
                mt_rl_prompt(prompt())
            case 1: mt_rl_read()
            case 3:
                mt_rl_abandon()
                return .terminated
            case 4: mt_rl_stop(stops)
            default:
                mt_rl_hide()
                news.announce()
                mt_rl_show()
                mt_rl_prompt(prompt())
            }
        }
    }

    /// Draws the line again if the terminal has another width now.
    private func drawAgain(_ prompt: String) {
        guard Screen.isLive, Screen.width != width else { return }
        width = Screen.width
        let line = String(cString: mt_rl_buffer()).utf8.prefix(Int(mt_rl_point()))
        let shown = prompt.replacing(#/\u{1}[^\u{2}]*\u{2}/#, with: "")
        let text = PlainText.of(shown) + String(decoding: Array(line), as: UTF8.self)
        let rows = text.split(separator: "\n", omittingEmptySubsequences: false).map(\.columns)
        let above = rows.dropLast().reduce(0) { $0 + max(1, ($1 + width - 1) / width) }
        mt_rl_resized(Int32(above + (rows.last ?? 0) / width))
    }

    /// Adds an entry to the history and its file.
    func remember(_ text: String) {
        add_history(text)
        if let history { _ = append(history) }
    }

    private func append(_ path: String) -> Bool {
        if access(path, F_OK) != 0 {
            let descriptor = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { return false }
            close(descriptor)
        }
        return append_history(1, path) == 0
    }
}
