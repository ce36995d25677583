import Bindings
import Foundation

/// Sends what comes of cells to a kernel's clients.
final class KernelOutput: CellObserver {
    /// Seconds between two states of a progress display.
    private static let pause = 0.15

    /// The text of the values of the last cell.
    private(set) var values: String?
    /// What the last cell wants to be read.
    private(set) var pages: [String] = []

    let isRich = true
    private let server: KernelServer
    private let children: ChildOutput
    private var number = 0
    private var silent = false
    /// The names of displays that clients know.
    private var known: Set<String> = []
    private var progress: (id: String, shown: String, latest: String, at: Date)?
    private var progressCount = 0

    init(_ server: KernelServer) throws {
        self.server = server
        children = try ChildOutput()
        children.start { server.write($0, to: $1) }
    }

    /// A cell with a number begins.
    func begin(_ number: Int, silent: Bool) {
        (self.number, self.silent) = (number, silent)
        (values, pages) = (nil, [])
    }

    /// It ended: what its processes wrote is part of it, and its progress display is complete.
    func end() {
        children.drain()
        finishProgress()
    }

    func receive(_ event: CellEvent) {
        switch event {
        case .output(let text): server.write(text, to: "stdout")
        case .error(let text): server.write(text, to: "stderr")
        case .status(let text): text.isEmpty ? finishProgress() : show(progress: text)
        case .display(let output): show(output)
        case .clear(let wait):
            server.publish("clear_output", ["wait": .boolean(wait)])
        case .page(let text): pages.append(text)
        case .value(let output):
            values = (values.map { $0 + "\n" } ?? "") + output.text
            guard !silent else { return }
            server.publish(
                "execute_result",
                [
                    "execution_count": .integer(number), "data": Self.bundle(output),
                    "metadata": output.pageMetadata,
                ])
        }
    }

    private func show(_ output: RichOutput) {
        show(Self.bundle(output), id: output.id, metadata: output.pageMetadata)
    }

    /// Shows something, or replaces what was shown under the same name.
    private func show(_ data: JSON, id: String?, metadata: JSON = [:]) {
        let transient: JSON = id.map { ["display_id": .string($0)] } ?? [:]
        let isNew = id.map { known.insert($0).inserted } ?? true
        server.publish(
            isNew ? "display_data" : "update_display_data",
            ["data": data, "metadata": metadata, "transient": transient])
    }

    /// All forms of an output by their media types.
    private static func bundle(_ output: RichOutput) -> JSON {
        var data: [(String, JSON)] = [("text/plain", .string(output.text))]
        if let html = output.html { data.append(("text/html", .string(html))) }
        if let svg = output.svg { data.append(("image/svg+xml", .string(svg))) }
        if let png = output.png {
            data.append(("image/png", .string(png.base64EncodedString())))
        }
        return .object(data)
    }

    // MARK: - Progress

    /// Shows the state of long work in one place; the last state stays, as a record of the work.
    private func show(progress text: String) {
        let now = Date()
        if let last = progress, now.timeIntervalSince(last.at) < Self.pause {
            progress?.latest = text
            return
        }
        if progress == nil { progressCount += 1 }
        let id = progress?.id ?? "progress-\(progressCount)"
        progress = (id, text, text, now)
        showProgress(text, id)
    }

    private func showProgress(_ text: String, _ id: String) {
        // Front ends keep the metadata in the notebook, where replay finds it.
        show(["text/plain": .string(text)], id: id, metadata: ["mtrepl": ["aside": true]])
    }

    private func finishProgress() {
        guard let last = progress else { return }
        if last.latest != last.shown { showProgress(last.latest, last.id) }
        progress = nil
    }
}
