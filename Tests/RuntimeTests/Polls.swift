import Synchronization

/// Counts how often a test's callback was asked, on whatever thread.
final class Polls: Sendable {
    private let number = Atomic(0)

    /// Starts at none.
    init() {}

    /// How often it was asked so far.
    var count: Int { number.load(ordering: .sequentiallyConsistent) }

    /// Counts one more, and says whether there were more than `limit`.
    @discardableResult func next(after limit: Int = .max) -> Bool {
        number.add(1, ordering: .sequentiallyConsistent).newValue > limit
    }
}
