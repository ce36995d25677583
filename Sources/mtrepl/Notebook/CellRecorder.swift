import Bindings

/// Keeps what comes of the cell that is run.
final class CellRecorder: CellObserver {
    let isRich = true
    /// The columns that values are shown in.
    private(set) var width = 80
    /// Whether messages on standard error and pages of help are kept too.
    var keepsMessages = false
    private(set) var outputs: [Notebook.Output] = []
    private(set) var result: CellResult?
    private var clearing = OutputClearing()
    /// Whether a display takes the place of one of the same name, as in a notebook's front end.
    private var replacesDisplays = false
    private var places: [String: Int] = [:]

    func reset(width: Int, replacesDisplays: Bool) {
        (self.width, self.replacesDisplays) = (width, replacesDisplays)
        (result, clearing) = (nil, OutputClearing())
        clear()
    }

    private func clear() { (outputs, places) = ([], [:]) }

    /// Adds to the stream that is written to, or begins one.
    private func write(_ isError: Bool, _ text: String) {
        if case .stream(isError: isError, text: let before)? = outputs.last {
            outputs[outputs.count - 1] = .stream(isError: isError, text: before + text)
        } else {
            outputs.append(.stream(isError: isError, text: text))
        }
    }

    func receive(_ event: CellEvent) {
        if clearing.comes(with: event) { clear() }
        switch event {
        case .output(let text): write(false, text)
        case .value(let output): outputs.append(.value(output))
        case .display(let output):
            if replacesDisplays, let id = output.id {
                if let place = places[id] { return outputs[place] = .display(output) }
                places[id] = outputs.count
            }
            outputs.append(.display(output))
        case .error(let text): if keepsMessages { write(true, PlainText.of(text)) }
        case .page(let text):
            if keepsMessages { outputs.append(.aside(RichOutput(text: PlainText.of(text)))) }
        case .status, .clear: break
        }
    }

    func end(_ result: CellResult) {
        self.result = result
        if let failure = result.failure {
            outputs.append(
                .error(name: failure.name, message: failure.message, traceback: failure.traceback))
        }
    }
}
