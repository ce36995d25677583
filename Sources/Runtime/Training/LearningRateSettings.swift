import RuntimeModel
import RuntimeSupport

/// A learning-rate schedule whose length is not known yet.
public struct LearningRateSettings: Codable, Hashable, Sendable {
    /// Shape of the schedule.
    public var kind: LearningRateSchedule.Kind
    /// Highest learning rate.
    public var peak: Double
    /// Learning rate at the end.
    public var minimum: Double
    /// Steps of warm-up; below 1, a fraction of all steps.
    public var warmup: Double
    /// Steps of the decay of a `wsd` schedule; below 1, a fraction of all steps.
    public var decay: Double
    /// Segments in place of `kind`, `minimum`, `warmup` and `decay`.
    public var segments: [RateSegment]?
    /// A rate for each step in place of everything else.
    public var sampled: SampledRates?

    /// Creates settings; see the properties.
    ///
    /// - Parameter minimum: By default a hundredth of `peak`.
    public init(
        kind: LearningRateSchedule.Kind = .cosine, peak: Double = 1e-3, minimum: Double? = nil,
        warmup: Double = 0.1, decay: Double = 0.1
    ) {
        self.kind = kind
        self.peak = peak
        self.minimum = minimum ?? Self.minimum(of: peak)
        self.warmup = warmup
        self.decay = decay
    }

    private static func minimum(of peak: Double) -> Double { peak / 100 }

    /// The same course with another highest rate, and a hundredth of it at the end.
    public func with(peak: Double) -> LearningRateSettings {
        var settings = self
        settings.peak = peak
        settings.minimum = Self.minimum(of: peak)
        return settings
    }

    private static func count(_ value: Double, of steps: Int) -> Int {
        Int((value < 1 ? value * Double(steps) : value).rounded())
    }

    /// The rates of `steps` steps.
    ///
    /// - Throws: `InvalidValue` naming the field that does not fit.
    public func rates(steps: Int) throws -> LearningRates {
        if let sampled { return try LearningRates(sampled: sampled.rates, steps: steps) }
        if let segments {
            // Training begins with a warm-up from 0 or at the highest rate.
            return try LearningRates(
                segments, steps: steps, peak: peak,
                before: segments.first?.shape == .warmup ? 0 : peak, time: 0)
        }
        for (name, value) in [("warmup", warmup), ("decay", decay)]
        where !(value >= 0 && value <= Double(steps)) {
            throw InvalidValue(
                name, expected: "steps in 0 ... \(steps), or a fraction below 1", found: value)
        }
        let schedule = LearningRateSchedule(
            kind: kind, peak: peak, minimum: minimum, warmupSteps: Self.count(warmup, of: steps),
            totalSteps: steps, decaySteps: Self.count(decay, of: steps))
        try schedule.validate()
        return LearningRates(schedule)
    }

    /// The course in a few words.
    public var brief: String {
        if let sampled { return "a function sampled at \(sampled.rates.count) steps" }
        if let segments {
            return "\(segments.map(\.description).joined(separator: ", ")), peak \(peak)"
        }
        return "\(kind.rawValue), peak \(peak), minimum \(minimum)"
    }
}

/// Rates of a function, recorded by their digest, as there may be millions.
public struct SampledRates: Codable, Hashable, Sendable {
    /// A rate for each step; empty when they were read from a record.
    public let rates: [Double]
    /// The digest of the rates.
    public let digest: Digest
    /// How many there are.
    public let steps: Int

    private enum Keys: String, CodingKey { case digest, steps }

    /// Takes a rate for each step.
    public init(_ rates: [Double]) {
        self.rates = rates
        steps = rates.count
        var builder = DigestBuilder("sampled rates")
        for rate in rates { builder.add(rate) }
        digest = builder.finish()
    }

    /// Reads what a record says.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Keys.self)
        digest = try values.decode(Digest.self, forKey: .digest)
        steps = try values.decode(Int.self, forKey: .steps)
        rates = []
    }

    /// Writes how many there are, and their digest.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Keys.self)
        try values.encode(digest, forKey: .digest)
        try values.encode(steps, forKey: .steps)
    }
}

/// What a phase changes about the learning rate from its first step on.
public struct RateChange: Codable, Hashable, Sendable {
    /// The highest rate; `nil` for the rate that the step before would have led to.
    public var peak: RateValue?
    /// The rate at the end; `nil` for the recipe's.
    public var minimum: RateValue?
    /// The course; `nil` for the recipe's.
    public var kind: LearningRateSchedule.Kind?
    /// Steps of a straight rise from the rate before to the highest; below 1, a fraction.
    public var warmup = 0.0
    /// Steps of the decay of a `wsd` schedule; below 1, a fraction; `nil` for the recipe's.
    public var decay: Double?
    /// Segments in place of all of these.
    public var segments: [RateSegment]?
    /// A rate for each step in place of all of these.
    public var sampled: SampledRates?

    /// No change but a new beginning of the recipe's course.
    public init() {}

    /// The rates of `steps` steps.
    ///
    /// - Parameters:
    ///   - recipe: The settings of the whole recipe.
    ///   - before: The rate that the first step would have without the change.
    ///   - time: The step of the recipe at which it begins.
    /// - Throws: `InvalidValue` naming the field that does not fit.
    func rates(
        steps: Int, recipe: LearningRateSettings, before: Double, time: Int
    ) throws -> LearningRates {
        if let sampled { return try LearningRates(sampled: sampled.rates, steps: steps) }
        if let segments {
            return try LearningRates(
                segments, steps: steps, peak: recipe.peak, before: before, time: time)
        }
        let top = peak?.rate(peak: recipe.peak) ?? before
        let bottom = minimum?.rate(peak: recipe.peak) ?? min(top, recipe.minimum)
        let kind = kind ?? recipe.kind
        guard kind == .constant || bottom <= top else {
            throw InvalidValue(
                "minimum", expected: "a number from 0 to the phase's highest rate \(top)",
                found: bottom)
        }
        let low = RateValue(bottom)
        var segments: [RateSegment] = []
        if warmup > 0 { segments.append(RateSegment(.warmup, steps: warmup, to: RateValue(top))) }
        switch kind {
        case .constant: segments.append(RateSegment(.constant, from: RateValue(top)))
        case .cosine: segments.append(RateSegment(.cosine, from: RateValue(top), to: low))
        case .linear: segments.append(RateSegment(.linear, from: RateValue(top), to: low))
        case .inverse_sqrt:
            segments.append(RateSegment(.inverse_sqrt, from: RateValue(top), to: low))
        case .one_minus_sqrt:
            segments.append(RateSegment(.one_minus_sqrt, from: RateValue(top), to: low))
        case .wsd:
            segments.append(RateSegment(.constant, from: RateValue(top)))
            segments.append(
                RateSegment(.linear, steps: decay ?? recipe.decay, from: RateValue(top), to: low))
        }
        return try LearningRates(
            segments, steps: steps, peak: recipe.peak, before: before, time: time)
    }

    /// The change in a few words.
    public func brief(_ recipe: LearningRateSettings) -> String {
        if let sampled { return "rate: a function sampled at \(sampled.steps) steps" }
        if let segments {
            return "rate: \(segments.map(\.description).joined(separator: ", "))"
        }
        var text = "rate: \((kind ?? recipe.kind).rawValue)"
        if let peak {
            text += peak.isOfPeak ? " from \(peak.value) of peak" : " from"
            text +=
                peak.isOfPeak
                ? " (\(peak.rate(peak: recipe.peak)))" : " \(peak.rate(peak: recipe.peak))"
        }
        if let minimum {
            text += minimum.isOfPeak ? " to \(minimum.value) of peak" : " to"
            text +=
                minimum.isOfPeak
                ? " (\(minimum.rate(peak: recipe.peak)))" : " \(minimum.rate(peak: recipe.peak))"
        }
        return text
    }
}
