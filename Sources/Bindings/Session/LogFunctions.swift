import Runtime

/// Who keeps the log of a session: the program around the interpreter.
public protocol SessionLogging: AnyObject {
    /// Begins a log with the next cell.
    ///
    /// - Throws: `FileError` if it cannot; an error if there is one already.
    func startLog(_ path: String) throws
    /// Ends the log, if there is one.
    func stopLog()
    /// Adds a text to the log, if there is one.
    func noteInLog(_ text: String)
}

extension Library {
    /// `mt.log`.
    static var logs: Library {
        Library(functions: [
            Function(
                "log.start",
                "Logs the session from the next input on: inputs, what is printed, values, errors, plots, timings and the keys of trained states. A path without an ending makes a notebook (.ipynb) and a Markdown page (.md).",
                [.path("path", "Where to; a file that is there is an error.")],
                example: "mt.log.start \"day\"\nmt.log.stop()"
            ) { call in
                guard let logging = call.interpreter.logging else {
                    throw Mistake("there is no session to log here")
                }
                try logging.startLog(try call.string("path"))
            },
            Function(
                "log.stop", "Ends the log of the session, if there is one.",
                example: "mt.log.stop()"
            ) { $0.interpreter.logging?.stopLog() },
            Function(
                "log.note",
                "Adds a text, in Markdown, to the log of the session, after the input that is running.",
                [.string("text", "The text.")],
                example: "mt.log.note \"## The trunk\\nThree seeds, one learning rate.\""
            ) { call in
                call.interpreter.logging?.noteInLog(try call.string("text"))
            },
        ])
    }
}
