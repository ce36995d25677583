import RuntimeNumerics
import RuntimeSupport

extension DecoderShape {
    /// Checks every field, alone and together.
    ///
    /// - Throws: `InvalidValue` naming the field.
    func validate() throws {
        try whole("vocabulary", vocabulary, atMost: 1 << 24)
        try whole("context", context, atMost: 1 << 20)
        try whole("layers", layers, atMost: 4096)
        try whole("width", width, atMost: 1 << 17)
        try whole("heads", heads, atMost: 1 << 12)
        try whole("key_value_heads", groups, atMost: heads)
        try whole("feed_forward", feedForward, atMost: 1 << 20)
        guard headSize != nil || width % heads == 0 else {
            throw InvalidValue(
                "heads", expected: "a divisor of the width \(width), or a head_size", found: heads)
        }
        guard heads % groups == 0 else {
            throw InvalidValue(
                "key_value_heads", expected: "a divisor of the \(heads) heads", found: groups)
        }
        try whole("head_size", size, atMost: Kernels.AttentionShape.largestHead)
        try number("norm_epsilon", normEpsilon, above: 0, below: 1)
        try validatePositions()
        try validateAttention()
    }

    private func validatePositions() throws {
        if let positionRows {
            guard positionRows >= context else {
                throw InvalidValue(
                    "context", expected: "at most the \(positionRows) learned positions",
                    found: context)
            }
            try whole("positions", positionRows, atMost: 1 << 20)
            return
        }
        let fraction = rotaryFraction ?? 1
        guard fraction >= 0, fraction <= 1, rotated % 2 == 0 else {
            throw InvalidValue(
                "rotary",
                expected: "0 … 1, turning an even part of the \(size) numbers of a head",
                found: fraction)
        }
        try number("rotary_base", rotaryBase, above: 1, below: 1e12)
        if let windowRotaryBase {
            try number("window_rotary_base", windowRotaryBase, above: 1, below: 1e12)
        }
        try rotaryScaling?.validate(context: context)
    }

    private func validateAttention() throws {
        if let window { try whole("window", window, atMost: 1 << 24) }
        for (name, value) in [
            ("full_attention_every", fullAttentionEvery),
            ("without_positions_every", withoutPositionsEvery),
        ] {
            if let value { try whole(name, value, atMost: 8192) }
        }
        for (name, value) in [
            ("attention_cap", attentionCap), ("logit_cap", logitCap), ("query_scalar", queryScalar),
        ] {
            if let value { try number(name, value, above: 0, below: 1e9) }
        }
    }

    private func whole(_ name: String, _ value: Int, atMost limit: Int) throws {
        guard value > 0, value <= limit else {
            throw InvalidValue(name, expected: "a whole number from 1 to \(limit)", found: value)
        }
    }

    private func number(_ name: String, _ value: Double, above low: Double, below high: Double)
        throws
    {
        guard value.isFinite, value > low, value < high else {
            throw InvalidValue(
                name, expected: "a number above \(low) and below \(high)", found: value)
        }
    }
}
