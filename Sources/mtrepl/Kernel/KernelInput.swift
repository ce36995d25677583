import Bindings

/// Standard input of cells, asked of the client.
final class KernelInput {
    /// Whether the client of the cell that runs can be asked.
    var isAllowed = false
    /// Whether the cell is to stop.
    var stop: () -> Bool = { false }

    private let server: KernelServer

    init(_ server: KernelServer) {
        self.server = server
        Interpreter.Report.readInput { [self] in line() }
    }

    private func line() -> String? {
        guard isAllowed else {
            Interpreter.Report.toStandardError(
                "there is nobody to ask for input: the client does not allow it\n")
            return nil
        }
        return server.askForInput(stop: stop).map { $0 + "\n" }
    }
}
