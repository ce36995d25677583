import Foundation
import Runtime

/// What is known of training at one moment, as a line.
struct ProgressLine {
    /// What the run is part of, such as an arm of a study; may be empty.
    let heading: String
    let phase: String
    let step, steps: Int
    let loss: Double
    /// The weights of the sources.
    let mixture: String
    let learningRate: Double
    let tokensPerSecond: Double
    /// Seconds that are left of this run, and of the study it is part of.
    let seconds: Double
    let studySeconds: Double?

    /// For a file: everything, without pictures.
    var plain: String {
        "\(heading)\(phase) \(step)/\(steps)  loss \(lossText)  \(mixture)  rate \(rateText)  "
            + "\(Progress.count(tokensPerSecond)) tokens/s  ETA \(Amount.duration(seconds))"
            + (studySeconds.map { ", study \(Amount.duration($0))" } ?? "")
    }

    /// For a terminal: what fits, the bar and the course of the loss as long as there is room.
    func live(_ losses: LossHistory, width: Int) -> String {
        var eta = "ETA \(Amount.duration(seconds))"
        if let studySeconds { eta += ", study \(Amount.duration(studySeconds))" }
        let count = " \(step)/\(steps)"
        let fixed = "  loss \(lossText)"
        var left = width - count.count - fixed.count
        var name = heading + phase
        if name.columns > left / 2 { name = name.cut(toColumns: max(1, left / 2)) }
        left -= name.columns
        /// Takes room for a part, if enough stays for the others.
        func take(_ part: String, keeping rest: Int = 0) -> String {
            guard !part.isEmpty, left - part.columns - 2 >= rest else { return "" }
            left -= part.columns + 2
            return "  " + part
        }
        // What is trained comes first: the mixture in full only where all the rest has room too.
        let isWide = left >= mixture.columns + eta.columns + 64
        let weights = take((isWide ? mixture : shortMixture).cut(toColumns: max(12, left / 3)))
        let etaPart = take(eta)
        let rate = take("rate \(rateText)")
        let speed = take("\(Progress.count(tokensPerSecond)) tokens/s", keeping: 10)
        // Of what is left, three fifths for the loss.
        let spark = min(60, (left - 3) * 3 / 5)
        var curve = spark >= 4 ? " " + losses.sparkline(spark) : ""
        if spark >= 4 { curve += String(repeating: " ", count: spark + 1 - curve.count) }
        let bar = min(40, left - curve.count - 1)
        let bars = bar >= 4 ? " " + Self.bar(Double(step) / Double(max(1, steps)), bar) : ""
        let line = [name, count, bars, fixed, curve, weights, rate, speed, etaPart].joined()
        return line.cut(toColumns: max(1, width))
    }

    /// `web .8 code .2`: the largest weight first, as what has no room is cut.
    private var shortMixture: String {
        let parts = mixture.split(separator: ", ").map { part -> (text: String, weight: Double) in
            guard let space = part.lastIndex(of: " "),
                let weight = Double(part[part.index(after: space)...])
            else { return (String(part), 0) }
            if weight == 1 { return (String(part[..<space]), 1) }
            let digits = String(format: "%.2g", weight)
            let short = digits.hasPrefix("0.") ? digits.dropFirst() : digits[...]
            return ("\(part[..<space]) \(short)", weight)
        }
        return parts.sorted { $0.weight > $1.weight }.map(\.text).joined(separator: " ")
    }

    private var lossText: String { Progress.decimals(loss, 4) }

    private var rateText: String {
        guard learningRate > 0, learningRate.isFinite else { return "0" }
        var (digits, exponent) = (learningRate, 0)
        while digits < 1 { (digits, exponent) = (digits * 10, exponent - 1) }
        while digits >= 9.995 { (digits, exponent) = (digits / 10, exponent + 1) }
        return "\(Progress.decimals(digits, 2))e\(exponent)"
    }

    /// A part of a whole as a bar of some columns.
    static func bar(_ part: Double, _ columns: Int) -> String {
        let full = min(columns, max(0, Int((part * Double(columns)).rounded())))
        return String(repeating: "━", count: full) + String(repeating: "┄", count: columns - full)
    }
}

/// The losses of all steps so far, thinned out as they become many.
struct LossHistory {
    private var means: [Double] = []
    private var group = 1
    private var sum = 0.0
    private var count = 0

    mutating func add(_ loss: Double) {
        sum += loss
        count += 1
        guard count == group else { return }
        means.append(sum / Double(count))
        (sum, count) = (0, 0)
        guard means.count == 512 else { return }
        let pairs = stride(from: 0, to: means.count, by: 2)
        means = pairs.map { (index: Int) -> Double in (means[index] + means[index + 1]) / 2 }
        group *= 2
    }

    /// The course of the loss in at most some columns, from its lowest to its highest value.
    func sparkline(_ columns: Int) -> String {
        let marks = Array("▁▂▃▄▅▆▇█")
        let width = min(columns, means.count)
        guard width > 0 else { return "" }
        let values: [Double] = (0..<width).map { (column: Int) -> Double in
            let start = column * means.count / width
            let end = (column + 1) * means.count / width
            return means[start..<end].reduce(0.0, +) / Double(end - start)
        }
        guard let low = values.min(), let high = values.max(), high > low else {
            return String(repeating: "▄", count: width)
        }
        var text = ""
        for value in values {
            // Divided first: 8 over a very small difference would be infinite.
            let level = Int(min(7, (value - low) / (high - low) * 8))
            text.append(marks[max(0, level)])
        }
        return text
    }
}
