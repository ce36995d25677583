import Bindings

/// Whether the outputs of a cell so far are cleared: at once, or before the next one, as `mt.clear_output` asks.
struct OutputClearing {
    private var waits = false

    /// Whether the outputs so far are cleared before this event is shown.
    mutating func comes(with event: CellEvent) -> Bool {
        if case .clear(let wait) = event {
            waits = wait
            return !wait
        }
        guard waits, !event.isStatus else { return false }
        waits = false
        return true
    }
}
