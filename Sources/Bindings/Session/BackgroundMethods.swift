import Glibc
import Runtime

/// A run as Lua holds it, with the options of its last training for `resume`.
package final class RunBox: LuaObject {
    private let own: Run
    private var background: BackgroundRun?
    package var options: Options?

    init(_ run: Run) { own = run }

    /// The run in its present state; what training in the background made is taken over when that has ended.
    package var run: Run {
        if let result = background?.result {
            own.takeOver(result)
            background = nil
        }
        return own
    }

    /// The training in the background that is under way.
    var underWay: BackgroundRun? {
        _ = run
        return background
    }

    /// Hands the run to training in the background.
    package func start(_ background: BackgroundRun) { self.background = background }

    /// Refuses what would train while the background does.
    func checkIdle() throws {
        guard let now = underWay?.now else { return }
        throw Mistake(
            "run \(own.name) is being trained in the background (step \(now.step) of \(now.target)); "
                + "run:stop() ends that, run:wait() waits for its end")
    }
}

/// How training in the background ended, for its announcement.
struct BackgroundEnding {
    /// Messages of the training, and its end.
    let lines: [String]
    /// The state it led to.
    let state: ReachedState?

    /// `nil` while it is under way.
    init?(_ run: BackgroundRun) {
        let status = run.now
        guard let end = status.end else { return nil }
        var lines = run.takeLines().map { "\(run.name): \($0)" }
        switch end {
        case .finished:
            lines.append("run \(run.name) has reached step \(status.step) in the background")
        case .stopped:
            lines.append(
                "run \(run.name) was stopped in the background after step \(status.step) of "
                    + "\(status.target); run:resume() goes on from there")
        case .failed(let reason):
            lines.append("run \(run.name) failed in the background: \(reason)")
        }
        self.lines = lines
        state = run.result.map { ReachedState(name: $0.name, step: $0.step, key: $0.key.hex) }
    }
}

extension Session {
    /// Notes where training left a run.
    package func note(_ run: Run) {
        note(ReachedState(name: run.name, step: run.step, key: run.key.hex))
    }

    /// A descriptor that can be read when something happened in the background; -1 when there was none yet.
    public var backgroundDescriptor: Int32 { wake }

    /// Whether something is being trained in the background.
    public var isTrainingInBackground: Bool { backgrounds.contains { $0.now.end == nil } }

    /// How far training in the background is, in at most so many columns; empty if there is none.
    public func backgroundSummary(columns: Int) -> String {
        let all = backgrounds.map { (name: $0.name, now: $0.now) }.filter { $0.now.end == nil }
        guard !all.isEmpty else { return "" }
        let texts = all.map { name, now in
            var text = "\(name) \(now.step)/\(now.target)"
            if all.count == 1, let record = now.record {
                text += " loss \(Progress.decimals(record.loss, 3))"
            }
            return text
        }
        return "(\(texts.joined(separator: ", ").cut(toColumns: max(8, columns - 2))))"
    }

    /// What happened in the background since the last call, as lines for people.
    public func takeBackgroundNews() -> [String] {
        guard wake >= 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(wake, &bytes, bytes.count) > 0 {}
        releaseEnded()
        var news = endings.flatMap(\.lines)
        for ending in endings { if let state = ending.state { note(state) } }
        endings = []
        for run in backgrounds { news += run.takeLines().map { "\(run.name): \($0)" } }
        return news
    }

    /// Keeps of training that has ended what is to be said of it, and lets go of the run.
    private func releaseEnded() {
        for run in backgrounds {
            if let ending = BackgroundEnding(run) { endings.append(ending) }
        }
        backgrounds.removeAll { $0.now.end != nil }
    }

    /// Asks all training in the background to stop, and waits until the states are saved.
    public func endBackground() {
        for run in backgrounds { run.stop() }
        for run in backgrounds { while !run.wait(seconds: 1) {} }
    }

    fileprivate func begin(_ run: BackgroundRun) {
        releaseEnded()
        backgrounds.append(run)
    }

    /// The end of the pipe that training in the background writes to.
    fileprivate func bell() throws -> Int32 {
        if wake < 0 {
            var ends: [Int32] = [-1, -1]
            guard pipe(&ends) == 0 else { throw FileError("make", "a pipe", errno: errno) }
            for end in ends {
                _ = fcntl(end, F_SETFD, FD_CLOEXEC)
                _ = fcntl(end, F_SETFL, O_NONBLOCK)
            }
            (wake, ring) = (ends[0], ends[1])
        }
        return ring
    }
}

extension Library {
    /// Training while the prompt stays live.
    static var backgroundMethods: [Method<RunBox>] {
        [
            Method(
                "background",
                "Trains as `train` does but without `on_step`, on a thread of its own, and returns at once. The run stays at its state until that ends; `progress` shows how far it is, `stop` ends it, `wait` waits. The end is announced at the prompt. Leaving the program stops it with the state saved.",
                [.options(trainOptions.filter { $0.name != "on_step" }).optional], returns: "run",
                example: """
                    local prose = mt.corpus { "prose", embedded = "prose", bytes = 200000 }
                    local tokens = mt.tokenizer { train_on = { prose }, vocabulary = 512 }
                    local run = mt.recipe {
                      model = mt.neox("micro-0.1m", { tokenizer = tokens, context = 32 }),
                      steps = 5, batch = 2, mixture = { prose = 1 },
                    }:open():background()
                    print(run:progress().status)
                    run:wait()
                    assert(run.finished)
                    """
            ) { box, call in
                try box.checkIdle()
                let options = try call.options()
                let session = call.interpreter.session
                let run = box.run
                let settings = try runOptions(options, session)
                try keepEarlier(run, settings, session)
                let bell = try session.bell()
                let background = try session.working {
                    try BackgroundRun(
                        run.trajectory.recipe, name: run.name,
                        storeFolder: try session.store().folder,
                        index: try session.store().indexPath,
                        to: try options.integer(ifPresent: "to"),
                        options: settings
                    ) {
                        var one: UInt8 = 1
                        _ = write(bell, &one, 1)
                    }
                }
                box.options = options
                box.start(background)
                session.begin(background)
                try call.returns(box)
            },
            Method(
                "progress", "How far training in the background is.",
                returns:
                    "table with status (\"running\" or \"idle\"), step, steps, and while it runs to, phase, loss, learning_rate, tokens_per_second, seconds_left"
            ) { box, call in
                let steps = box.run.trajectory.steps
                guard let now = box.underWay?.now else {
                    return try call.returns(
                        Record([("status", "idle"), ("step", box.run.step), ("steps", steps)]))
                }
                let left = now.record.map {
                    Double(now.target - now.step) * Double($0.tokens) / max(now.tokensPerSecond, 1)
                }
                try call.returns(
                    Record([
                        ("status", "running"), ("step", now.step), ("steps", steps),
                        ("to", now.target), ("phase", now.record == nil ? nil : now.phase),
                        ("loss", now.record?.loss), ("learning_rate", now.record?.learningRate),
                        ("tokens_per_second", now.record == nil ? nil : now.tokensPerSecond),
                        ("seconds_left", left),
                    ]))
            },
            Method(
                "stop",
                "Stops training in the background at its next step, with the state saved; nothing happens if there is none."
            ) { box, call in
                guard let background = box.underWay else { return }
                background.stop()
                try wait(background, seconds: .infinity, call)
            },
            Method(
                "wait", "Waits for the end of training in the background.",
                [
                    .number("seconds", "At most so long; default: to the end.", .seconds)
                        .optional
                ],
                returns: "whether it has ended"
            ) { box, call in
                guard let background = box.underWay else { return try call.returns(true) }
                let seconds = try call.number(ifPresent: "seconds") ?? .infinity
                let isOver = try wait(background, seconds: seconds, call)
                if isOver, case .failed(let reason)? = background.now.end {
                    throw Mistake("run \(background.name) failed in the background: \(reason)")
                }
                try call.returns(isOver)
            },
        ]
    }

    /// Waits in small pieces, since Ctrl-C may come.
    @discardableResult
    private static func wait(_ run: BackgroundRun, seconds: Double, _ call: Call) throws -> Bool {
        let started = ContinuousClock.now
        while true {
            let left = seconds - started.duration(to: .now) / .seconds(1)
            if run.wait(seconds: max(0, min(left, 0.05))) { return true }
            if left <= 0 { return false }
            if call.interpreter.session.stop() {
                throw Interrupted("interrupted; run \(run.name) goes on in the background")
            }
        }
    }
}
