import Bindings
import Runtime

/// The log of the session.
extension Host: SessionLogging {
    func startLog(_ path: String) throws {
        if let log {
            throw LuaError(
                "the session is logged to \(log.files[0]) already; mt.log.stop() ends that")
        }
        let started = try SessionLog(path, interpreter.settings)
        started.input = { [unowned self] in inputs }
        log = started
        add(started)
        Interpreter.Report.toStandardError(
            "the session is logged to \(started.files.joined(separator: " and "))\n")
    }

    func stopLog() {
        guard let ended = log else { return }
        log = nil
        ended.stop { [unowned self] in remove(ended) }
    }

    func noteInLog(_ text: String) { log?.note(text) }
}
