import RuntimeTraining

extension Halving.Line {
    /// The mean gain over repetitions with Student's interval; `nil` when the arm failed.
    public var gain: Interval? { gains.isEmpty ? nil : Interval(Estimate(gains)) }
    /// Repetitions.
    public var seeds: Int { gains.count }
}

extension Plasticity.Point {
    /// The mean gain over repetitions with Student's interval.
    public var gain: Interval { Interval(Estimate(gains)) }
    /// Repetitions.
    public var seeds: Int { gains.count }
}
