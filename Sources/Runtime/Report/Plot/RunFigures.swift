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

    /// Every value replaced by the mean of up to `window` values that end with it.
    static func smoothed(_ points: [LinePlot.Point], window: Int) -> [LinePlot.Point] {
        guard window > 1 else { return points }
        var sum = 0.0
        return points.indices.map { index in
            sum += points[index].y.value
            if index >= window { sum -= points[index - window].y.value }
            return LinePlot.Point(
                x: points[index].x, y: Interval(sum / Double(min(window, index + 1))))
        }
    }

    private static func marks(_ phases: [Phase], last: Int) -> [LinePlot.Mark] {
        phases.filter { $0.start > 0 && $0.start < last }.map {
            LinePlot.Mark(x: Double($0.start), label: $0.name)
        }
    }

    /// The recorded losses of corpora over the steps of some runs, one line for each run, corpus and split.
    ///
    /// - Parameters:
    ///   - runs: Name and recorded losses of each.
    ///   - smooth: As for `curves`.
    public static func evaluations(
        _ runs: [(name: String, evaluations: [NamedEvaluation])], smooth: Int = 1,
        phases: [Phase] = [], title: String
    ) -> Plot {
        let splits = Set(runs.flatMap(\.evaluations).map(\.split))
        var series: [LinePlot.Series] = []
        for run in runs {
            var order: [String] = []
            var points: [String: [LinePlot.Point]] = [:]
            for item in run.evaluations {
                var name = splits.count > 1 ? "\(item.name) \(item.split)" : item.name
                if runs.count > 1 { name = "\(run.name): \(name)" }
                if points[name] == nil { order.append(name) }
                points[name, default: []].append(
                    LinePlot.Point(x: Double(item.step), y: Interval(item.evaluation.loss)))
            }
            series += order.map {
                LinePlot.Series(
                    name: $0, points: binned(smoothed(points[$0] ?? [], window: smooth), most: 200))
            }
        }
        let last = runs.flatMap(\.evaluations).map(\.step).max() ?? 0
        let split = splits.count == 1 ? (splits.first ?? "") + " " : ""
        return Plot(
            title: title,
            LinePlot(
                series: series, x: PlotAxis("step"), y: PlotAxis("\(split)loss, nats a token"),
                marks: marks(phases, last: last)))
    }

    /// The course of one measure over the steps of some runs, with the phases of the first one marked.
    ///
    /// - Parameters:
    ///   - runs: Name and records of each.
    ///   - smooth: Steps that each value is the mean of, ending with its own.
    public static func curves(
        _ runs: [(name: String, records: [StepRecord])], _ measure: Measure, smooth: Int = 1,
        phases: [Phase] = [], title: String
    ) -> Plot {
        let series = runs.map { run in
            LinePlot.Series(
                name: runs.count > 1 ? run.name : "",
                points: binned(
                    smoothed(
                        run.records.map {
                            LinePlot.Point(x: Double($0.step), y: Interval(measure.value($0)))
                        }, window: smooth), most: 200))
        }
        let last = runs.flatMap(\.records).map(\.step).max() ?? 0
        let label = measure.label + (smooth > 1 ? ", mean of \(smooth) steps" : "")
        return Plot(
            title: title,
            LinePlot(
                series: series, x: PlotAxis("step"), y: PlotAxis(label),
                marks: marks(phases, last: last)))
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
