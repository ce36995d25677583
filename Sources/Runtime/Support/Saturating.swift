// Costs are estimated before anything is asked for. An estimate that is too great for 64 bits stays at the greatest
// number there is, so that it refuses the work instead of ending the process.

extension Int {
    /// The sum of numbers of 0 or more; `Int.max` where it would pass that.
    public static func saturatingSum(_ parts: Int...) -> Int {
        parts.reduce(0) { sum, part in
            let (result, overflow) = sum.addingReportingOverflow(part)
            return overflow ? .max : result
        }
    }

    /// The product of numbers of 0 or more; `Int.max` where it would pass that.
    public static func saturatingProduct(_ factors: Int...) -> Int {
        if factors.contains(0) { return 0 }
        return factors.reduce(1) { product, factor in
            let (result, overflow) = product.multipliedReportingOverflow(by: factor)
            return overflow ? .max : result
        }
    }
}
