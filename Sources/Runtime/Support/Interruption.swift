import Foundation

/// Whom long work asks where nobody hands it a `ShouldStop`, such as for the text of an object.
public enum Interruption {
    private static let name = "mtrepl.stop"

    private final class Box {
        let stop: ShouldStop
        init(_ stop: @escaping ShouldStop) { self.stop = stop }
    }

    /// Whether to stop, for work of this thread; never, unless `asking` says whom to ask.
    public static var stop: ShouldStop {
        guard let box = Thread.current.threadDictionary[name] as? Box else { return { false } }
        return box.stop
    }

    /// Runs something on this thread that asks `stop`.
    public static func asking<Result>(
        _ stop: @escaping ShouldStop, _ body: () throws -> Result
    ) rethrows -> Result {
        let known = Thread.current.threadDictionary
        let before = known[name]
        known[name] = Box(stop)
        defer { known[name] = before }
        return try body()
    }
}
