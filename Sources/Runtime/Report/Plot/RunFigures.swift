import RuntimeAnalysis
import RuntimeStore
import RuntimeSupport
import RuntimeTraining

/// Plots of what runs measured.
public enum RunFigures {
    /// Points in at most `most` groups of equal length, each the mean of its values over the mean place.
    ///
    /// The band of a group is that of its points, averaged; a group of points without a band has its lowest and highest.
    static func binned(_ points: [LinePlot.Point], most: Int) -> [LinePlot.Point] {
        guard points.count > most else { return points }
        let size = (points.count + most - 1) / most
        return stride(from: 0, to: points.count, by: size).map { start in
            let group = points[start..<min(points.count, start + size)]
            let values = group.map(\.y.value)
            let (lows, highs) = (group.compactMap(\.y.low), group.compactMap(\.y.high))
            let banded = lows.count == group.count
            return LinePlot.Point(
                x: Samples.mean(group.map(\.x)),
                y: Interval(
                    Samples.mean(values), low: banded ? Samples.mean(lows) : values.min(),
                    high: banded ? Samples.mean(highs) : values.max()))
        }
    }

    /// What of a step's record is drawn.
    public enum Measure: String, CaseIterable, Sendable {
        /// The training loss.
        case loss
        /// The learning rate.
        case learningRate = "learning_rate"
        /// The norm of the gradient before clipping.
        case gradientNorm = "gradient_norm"

        package var label: String {
            switch self {
            case .loss: "training loss, nats a token"
            case .learningRate: "learning rate"
            case .gradientNorm: "gradient norm"
            }
        }

        package func value(_ record: StepRecord) -> Double {
            switch self {
            case .loss: record.loss
            case .learningRate: record.learningRate
            case .gradientNorm: record.gradientNorm
            }
        }
    }

    /// The course of one measure over the steps of some runs, with the phases of the first one marked.
    ///
    /// - Parameter runs: Name and records of each.
    public static func curves(
        _ runs: [(name: String, records: [StepRecord])], _ measure: Measure, phases: [Phase] = [],
        title: String
    ) -> Plot {
        let series = runs.map { run in
            LinePlot.Series(
                name: runs.count > 1 ? run.name : "",
                points: binned(
                    run.records.map {
                        LinePlot.Point(x: Double($0.step), y: Interval(measure.value($0)))
                    }, most: 200))
        }
        let last = runs.flatMap(\.records).map(\.step).max() ?? 0
        let marks = phases.filter { $0.start > 0 && $0.start < last }.map {
            LinePlot.Mark(x: Double($0.start), label: $0.name)
        }
        return Plot(
            title: title,
            LinePlot(
                series: series, x: PlotAxis("step"), y: PlotAxis(measure.label), marks: marks))
    }
}

extension Similarity {
    /// The matrix as a plot.
    ///
    /// - Throws: `Interrupted`.
    public func plot(title: String? = nil, stop: ShouldStop = { false }) throws -> Plot {
        let distance = settings.metric.isDistance
        return Plot(
            title: title ?? "Similarity of corpora",
            try HeatMap(
                rows: names, columns: names, values: try matrix(stop: stop),
                x: distance ? "model of" : "", y: distance ? "text of" : "",
                label: settings.metric.label + (distance ? ", lower is closer" : ""), decimals: 3))
    }
}
