import RuntimeStore
import RuntimeSupport

/// What looks at every step of a run, and ends it by an error.
public protocol StepAlert {
    /// Throws what is to end the run.
    ///
    /// - Parameter earlier: The records of at most `StepWatch.length` steps before it.
    func check(_ record: StepRecord, after earlier: [StepRecord]) throws
}

/// The latest steps of a run, shown to an alert one after the other.
public struct StepWatch {
    /// How many earlier steps an alert sees.
    public static let length = 100

    private let alert: any StepAlert
    private var recent: [StepRecord] = []

    /// Begins after some steps.
    ///
    /// The last of them is looked at again, so that a run that was ended does not go on when it is
    /// asked to once more.
    ///
    /// - Throws: what the alert throws.
    init(_ alert: any StepAlert, _ records: [StepRecord]) throws {
        self.alert = alert
        recent = records.suffix(Self.length + 1).dropLast()
        if let last = records.last { try check(last) }
    }

    mutating func check(_ record: StepRecord) throws {
        defer {
            if recent.count == Self.length { recent.removeFirst() }
            recent.append(record)
        }
        try alert.check(record, after: recent)
    }
}
