import Bindings
import Runtime

/// Something that comes of a cell while it runs, in order.
enum CellEvent {
    /// A piece of standard output as it was written: a part of a line, a line, or many.
    case output(String)
    /// A piece of standard error: messages, warnings.
    case error(String)
    /// The line that tells progress; it replaces the one before and is empty when there is no more.
    case status(String)
    /// A plot, or what else is shown beside the value.
    case display(RichOutput)
    /// What was shown so far is to go, at once or with the next output.
    case clear(wait: Bool)
    /// The help or the source that `?name` and `??name` ask for.
    case page(String)
    /// The value of an expression.
    case value(RichOutput)

    /// Whether it is the line of progress, which is not output.
    var isStatus: Bool { if case .status = self { true } else { false } }
}

/// How a cell ended.
struct CellResult {
    enum Outcome {
        case success
        case failed(CellFailure)
        /// Ctrl-C stopped it.
        case interrupted(CellFailure)
        /// It called `os.exit`, or the process was asked to end.
        case exit(Int32)
    }

    let outcome: Outcome
    /// Wall-clock time.
    let seconds: Double
    /// The states that training in it reached.
    let runs: [ReachedState]

    /// The error or interrupt, if it ended in one.
    var failure: CellFailure? {
        switch outcome {
        case .success, .exit: nil
        case .failed(let failure), .interrupted(let failure): failure
        }
    }

    /// The exit code it would have as a script.
    var code: Int32 {
        switch outcome {
        case .success: ExitStatus.success
        case .failed: ExitStatus.failure
        case .interrupted: ExitStatus.interrupted
        case .exit(let code): code
        }
    }
}

/// An error as it is shown.
struct CellFailure {
    /// What kind, such as `SyntaxError`.
    let name: String
    /// The message, with the input or file and the line.
    let message: String
    /// The line of source that the message names, and the traceback.
    let traceback: [String]

    init(_ error: any RuntimeError, _ interpreter: Interpreter) {
        var lines = error.message.split(separator: "\n", omittingEmptySubsequences: false).map(
            String.init)
        while lines.count > 1, lines.last == "\t[C]: in ?" { lines.removeLast() }
        let end = lines.firstIndex(of: "stack traceback:") ?? lines.count
        var traceback = Self.withoutPrelude(lines[end...])
        if let source = interpreter.sourceLine(error) {
            traceback.insert("  \(source.number) | \(source.text)", at: 0)
        }
        var message = lines[..<end].joined(separator: "\n")
        if error is Interrupted {
            // Where Ctrl-C came is of no interest; what can be done now is.
            traceback = []
            if let place = message.firstMatch(of: #/^input \d+:\d+: /#) {
                message.removeSubrange(place.range)
            }
        }
        // Where the error came is said and shown already, unless functions were under way.
        let frames = traceback.filter { $0.hasPrefix("\t") && !$0.hasPrefix("\t[C]: ") }
        if frames.count == 1, frames[0].wholeMatch(of: #/\tinput \d+:\d+: in main chunk/#) != nil {
            traceback.removeAll { $0 == "stack traceback:" || $0.hasPrefix("\t") }
        }
        self.message = message
        self.traceback = traceback
        name =
            switch error {
            case is LuaError: "Error"
            case is LuaSyntaxError: "SyntaxError"
            default: "\(type(of: error))"
            }
    }
}

extension CellFailure {
    /// A traceback without the frames of the prelude, and without those of built-in functions that it called: what shows a
    /// value is nothing that the researcher wrote.
    fileprivate static func withoutPrelude(_ lines: ArraySlice<String>) -> [String] {
        var kept: [String] = []
        for line in lines {
            guard line.hasPrefix("\tprelude:") else {
                kept.append(line)
                continue
            }
            while kept.last?.hasPrefix("\t[C]: ") == true { kept.removeLast() }
        }
        return kept
    }
}

/// Hears what cells are and what comes of them: a terminal, a session log, a notebook's front end.
protocol CellObserver: AnyObject {
    /// Whether it shows HTML and pictures.
    var isRich: Bool { get }
    /// A cell begins.
    func begin(_ source: String)
    /// Something came of it; also between cells, where a finalizer may print.
    func receive(_ event: CellEvent)
    /// The cell ended.
    func end(_ result: CellResult)
}

extension CellObserver {
    func begin(_ source: String) {}
    func end(_ result: CellResult) {}
}
