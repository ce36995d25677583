import Foundation
import Runtime

/// Progress of long work as reports to the host: one live line on a terminal, a plain line now and then elsewhere.
package final class Progress {
    private let report: (Interpreter.Report) -> Void
    private let width: () -> Int
    private let live: Bool
    private let interval: Double
    private var last = 0.0
    private var rate = 0.0
    private var heading = ""
    private var activity = ""
    private var losses = LossHistory()
    /// Tokens that a study has to train yet; nil for a single run.
    private var studyTokens: Int?

    init(_ report: @escaping (Interpreter.Report) -> Void, _ display: Display) {
        self.report = report
        width = display.width
        live = display.isLive
        interval = live ? 0.1 : 10
    }

    package func work(_ progress: WorkProgress) {
        if let notice = progress.notice { return line("warning: \(notice)") }
        if progress.activity != activity {
            (activity, last) = (progress.activity, live ? 0 : Self.now())
        }
        let done = progress.total.map { progress.done >= $0 } ?? false
        guard due() || (done && live) else { return }
        var text = "\(progress.activity): \(Self.amount(progress.done, progress.unit))"
        if let total = progress.total, total > 0 {
            let part = Double(progress.done) / Double(total)
            text += " of \(Self.amount(total, progress.unit)) (\(Int(100 * part))%)"
            if live, room - text.columns > 16 {
                text += "  " + ProgressLine.bar(part, min(30, room - text.columns - 3))
            }
        }
        show(live ? text.cut(toColumns: room) : text)
    }

    /// Columns of the live line; the terminal may write ^C after it.
    private var room: Int { max(1, width() - 3) }

    /// Shows what happened to a run that trains to a step, by default its last.
    package func run(_ event: RunEvent, _ trajectory: Trajectory, to target: Int? = nil) {
        switch event {
        case .step(let record, let phase):
            let speed = Double(record.tokens) / max(record.seconds, 1e-9)
            rate = rate == 0 ? speed : 0.9 * rate + 0.1 * speed
            losses.add(record.loss)
            studyTokens = studyTokens.map { max(0, $0 - record.tokens) }
            let steps = target ?? trajectory.steps
            guard due() || record.step == steps else { return }
            let line = ProgressLine(
                heading: heading, phase: phase, step: record.step, steps: steps, loss: record.loss,
                mixture: trajectory.mixtureText(record.step - 1),
                learningRate: record.learningRate, tokensPerSecond: rate,
                seconds: Double(steps - record.step) * Double(record.tokens) / rate,
                studySeconds: studyTokens.map { Double($0) / rate })
            show(live ? line.live(losses, width: room) : line.plain)
        case .evaluated(let corpus, let split, let evaluation, let step):
            line(
                "step \(step): \(corpus) \(split.rawValue) loss \(Self.decimals(evaluation.loss, 4)) "
                    + "(\(Self.decimals(evaluation.bitsPerByte, 4)) bits/byte)")
        case .warning(let text): line("warning: \(text)")
        case .restored(let step): if heading.isEmpty { line("going on from step \(step)") }
        case .saved: break
        }
    }

    package func study(_ event: StudyEvent) {
        switch event {
        case .began(let missingTokens): studyTokens = missingTokens
        case .arm(let number, let count, let label, let task):
            heading = "[\(number)/\(count)] \(label): \(task), "
            (rate, losses) = (0, LossHistory())
            if !live { line("[\(number)/\(count)] \(label): \(task)") }
        case .run(let event, let trajectory): run(event, trajectory)
        case .failed(let label, let reason): line("failed: \(label): \(reason)")
        }
    }

    /// The work is over, one way or another.
    package func end() {
        if live { report(.status("")) }
        (heading, rate, activity, last, losses) = ("", 0, "", 0, LossHistory())
        studyTokens = nil
    }

    // MARK: - Writing

    private static func now() -> Double { Date().timeIntervalSinceReferenceDate }

    private func due() -> Bool {
        let now = Self.now()
        guard now - last >= interval else { return false }
        last = now
        return true
    }

    private func show(_ text: String) { report(live ? .status(text) : .line(text)) }

    private func line(_ text: String) { report(.line(text)) }

    // MARK: - Numbers

    package static func decimals(_ value: Double, _ count: Int) -> String {
        String(format: "%.\(count)f", value)
    }

    package static func count(_ value: Double) -> String {
        value >= 10_000 ? "\(decimals(value / 1000, 1))k" : decimals(value, 0)
    }

    static func amount(_ value: Int, _ unit: String) -> String {
        unit == "bytes" ? Amount.bytes(value) : "\(value) \(unit)"
    }
}
