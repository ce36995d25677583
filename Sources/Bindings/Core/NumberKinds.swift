/// Which integers a parameter accepts: a named kind with finite ends.
///
/// There is no other way to make one than to take a kind below or a part of it, so that a record cannot declare an open range.
/// The ends are chosen so that what the library computes from any of them fits into 64 bits or is refused with its cost.
public struct IntegerKind: Sendable {
    /// What the number is, for messages and the reference.
    public let noun: String
    /// The least and the greatest.
    public let range: ClosedRange<Int>

    private init(_ noun: String, _ range: ClosedRange<Int>) {
        self.noun = noun
        self.range = range
    }

    /// How many of something.
    public static let count = IntegerKind("count", 0...1 << 40)
    /// Steps of training, or one of them.
    public static let steps = IntegerKind("steps", 0...1 << 32)
    /// Tokens of text.
    public static let tokens = IntegerKind("tokens", 0...1 << 40)
    /// The number of a token in a vocabulary.
    public static let tokenID = IntegerKind("token id", 0...(1 << 31) - 1)
    /// Bytes of memory or text.
    public static let bytes = IntegerKind("bytes", 0...1 << 50)
    /// Where a sequence of random numbers starts: all that 63 bits hold.
    public static let seed = IntegerKind("seed", 0...0x7FFF_FFFF_FFFF_FFFF)
    /// The size of an axis, or of a part of a model.
    public static let size = IntegerKind("size", 0...1 << 40)
    /// The size of an axis; -1 for what is left.
    public static let sizeOrRest = IntegerKind("size or -1", -1...1 << 40)
    /// A place from 1, or from the end if negative.
    public static let position = IntegerKind("position", -(1 << 40)...1 << 40)
    /// An axis from 1, or from the end if negative.
    public static let axis = IntegerKind("axis", -64...64)
    /// Digits behind the decimal point.
    public static let decimals = IntegerKind("decimals", 0...9)
    /// Columns of a terminal.
    public static let columns = IntegerKind("columns", 1...10_000)

    /// The part of the kind that lies in a range.
    public func within(_ part: ClosedRange<Int>) -> IntegerKind {
        IntegerKind(noun, part.clamped(to: range))
    }

    /// The kind without 0 and what is below.
    public var positive: IntegerKind { within(1...range.upperBound) }

    /// In words: `integer in 1 ... 256 (count)`.
    public var name: String {
        "integer in \(Self.text(range.lowerBound)) ... \(Self.text(range.upperBound)) (\(noun))"
    }

    private static func text(_ value: Int) -> String {
        let magnitude = value.magnitude
        let sign = value < 0 ? "-" : ""
        if magnitude >= 1 << 20, magnitude & (magnitude - 1) == 0 {
            return "\(sign)2^\(magnitude.trailingZeroBitCount)"
        }
        if magnitude >= 1 << 20, magnitude & (magnitude + 1) == 0 {
            return "\(sign)2^\((magnitude + 1).trailingZeroBitCount) - 1"
        }
        return "\(value)"
    }
}

/// Which numbers a parameter accepts: a named kind with finite ends.
///
/// Like `IntegerKind`, it can only be taken from the list below.
public struct NumberKind: Sendable {
    /// What the number is, for messages and the reference; empty for elements of a tensor.
    public let noun: String
    /// The least and the greatest of the finite numbers that are accepted.
    public let range: ClosedRange<Double>
    /// Whether the lower end itself is left out.
    public let isOpenBelow: Bool
    /// Whether NaN and the infinities are accepted too.
    public let takesNonFinite: Bool

    private init(
        _ noun: String, _ range: ClosedRange<Double>, isOpenBelow: Bool = false,
        takesNonFinite: Bool = false
    ) {
        self.noun = noun
        self.range = range
        self.isOpenBelow = isOpenBelow
        self.takesNonFinite = takesNonFinite
    }

    private static let largest = Double.greatestFiniteMagnitude
    private static let largestFloat = Double(Float.greatestFiniteMagnitude)

    /// An element of a tensor: any number, NaN and the infinities too.
    public static let element = NumberKind("", -largest...largest, takesNonFinite: true)
    /// A finite element of a tensor, which keeps numbers in 32 bits.
    public static let finite = NumberKind("32 bits", -largestFloat...largestFloat)
    /// A number that is drawn in a figure; one that is not finite leaves a gap.
    public static let drawn = NumberKind("in a figure", -1e300...1e300, takesNonFinite: true)
    /// A place in a figure.
    public static let place = NumberKind("place", -1e300...1e300)
    /// A measured value, small enough for its square and sums of squares.
    public static let measured = NumberKind("value", -1e100...1e100)
    /// The confidence of an interval whose quantiles are numbers.
    public static let confidence = NumberKind("confidence", 1e-6...0.999999999999)
    /// A part of a whole.
    public static let fraction = NumberKind("fraction", 0...1)
    /// A learning rate.
    public static let rate = NumberKind("rate", 0...1e6)
    /// The coefficient of a weight decay.
    public static let decay = NumberKind("coefficient", 0...1e6)
    /// A weight among others.
    public static let weight = NumberKind("weight", 0...1e9)
    /// Steps, or below 1 a fraction of all steps.
    public static let stepsOrFraction = NumberKind("steps or fraction", 0...0x1p32)
    /// A duration.
    public static let seconds = NumberKind("seconds", 0...1e9)
    /// What is added so that a divisor is not 0: a number of 32 bits above 0.
    public static let epsilon = NumberKind("epsilon", 1e-30...1)
    /// What is raised to powers.
    public static let base = NumberKind("base", 1.000001...1e11)
    /// The width of a column of a page.
    public static let inches = NumberKind("inches", 1...20)
    /// The norm of a gradient.
    public static let norm = NumberKind("norm", 0...1e30)
    /// What divides logits.
    public static let temperature = NumberKind("temperature", 0...1e6)

    /// The kind without 0 and what is below.
    public var positive: NumberKind {
        NumberKind(
            noun, 0...range.upperBound, isOpenBelow: true, takesNonFinite: takesNonFinite)
    }

    /// The kind without what is below 0.
    public var nonNegative: NumberKind {
        NumberKind(noun, 0...range.upperBound, takesNonFinite: takesNonFinite)
    }

    package func contains(_ value: Double) -> Bool {
        guard value.isFinite else { return takesNonFinite }
        return range.contains(value) && !(isOpenBelow && value == range.lowerBound)
    }

    /// In words: `number in 0 ... 1 (fraction)`.
    public var name: String {
        if range.upperBound == Self.largest { return "number" }
        let meaning = " (\(noun))"
        if range.upperBound == Self.largestFloat {
            if range.lowerBound < 0 { return "finite number" + meaning }
            return (isOpenBelow ? "positive " : "non-negative ") + "finite number" + meaning
        }
        let high = Self.text(range.upperBound)
        let low = Self.text(range.lowerBound)
        return
            (isOpenBelow
            ? "number above \(low) and at most \(high)" : "number in \(low) ... \(high)")
            + meaning
    }

    private static func text(_ value: Double) -> String {
        if value == 0x1p32 { return "2^32" }
        if let small = Int(exactly: value), abs(small) < 1_000_000 { return "\(small)" }
        for exponent in 6...300 where abs(value) == Double("1e\(exponent)") {
            return (value < 0 ? "-" : "") + "1e\(exponent)"
        }
        return "\(value)"
    }
}
