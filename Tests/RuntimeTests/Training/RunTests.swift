import Foundation
import Runtime
import TestSupport
import Testing

@Suite("Runs", .serialized) struct RunTests {
    @Test(
        "one, two and three threads give the same bits", arguments: [Precision.float32, .bfloat16])
    func threads(precision: Precision) async {
        await #expect(processExitsWith: .success) { [precision] in
            var found: Set<Digest> = []
            for threads in [1, 2, 3] {
                let bits = try onThreads(threads) {
                    let laboratory = try Laboratory()
                    var recipe = try laboratory.midtrained()
                    recipe.precision = precision
                    let run = try laboratory.run(try recipe.finetuned(laboratory.finetuning()))
                    try run.train()
                    return try run.bits()
                }
                found.formUnion(bits)
            }
            #expect(found.count == 1)
        }
    }

    @Test("another package can train and measure with the public interface alone")
    func publicInterface() throws {
        let scratch = try Scratch()
        let (steps, loss) = try PublicClient.train(in: scratch.path)
        #expect(steps == 6 && loss > 1 && loss < 10)
    }

    @Test(
        "stopped at any step and resumed is the same as never stopped",
        arguments: ["adamw", "sgd", "muon"])
    func resume(optimizer: String) throws {
        func recipe(_ laboratory: Laboratory) throws -> Recipe {
            var finetuning = laboratory.finetuning()
            var base = try laboratory.midtrained()
            base.optimizer = try Optimizers.named(optimizer)
            finetuning.optimizer = base.optimizer
            return try base.finetuned(finetuning)
        }
        let whole = try Laboratory()
        let never = try whole.run(recipe(whole))
        try never.train()
        for stop in optimizer == "adamw" ? [1, 5, 9, 12, 13] : [5, 13] {
            let laboratory = try Laboratory()
            let recipe = try recipe(laboratory)
            var options = RunOptions()
            options.onEvent = { event in
                if case .step(let record, _) = event { return record.step < stop }
                return true
            }
            let first = try laboratory.run(recipe)
            #expect(throws: Interrupted.self) { try first.train(options: options) }
            #expect(first.step == stop)
            let second = try laboratory.run(recipe)
            #expect(second.step == stop)
            try second.train()
            #expect(second.trained == second.trajectory.steps - stop)
            #expect(second.key == never.key)
            #expect(try second.bits() == never.bits())
            #expect(try second.records().map(\.loss) == never.records().map(\.loss))
        }
    }

    @Test("another optimizer, or another setting of it, is another state from its first step on")
    func optimizers() throws {
        let laboratory = try Laboratory()
        var keys: Set<Digest> = []
        for kind in Optimizers.all.map(\.kind) {
            for decay in [0.1, 0.2] {
                var recipe = laboratory.base
                recipe.optimizer = try Optimizers.named(kind)
                recipe.optimizer.weightDecay = decay
                let trajectory = try Trajectory(recipe, store: laboratory.store)
                #expect(keys.insert(trajectory.keys[1]).inserted)
                #expect(trajectory.keys[0].hex == (try laboratory.run(laboratory.base)).key.hex)
            }
        }
    }

    @Test("finetuning by another optimizer than the recipe's starts from buffers of zeros")
    func otherOptimizer() throws {
        let laboratory = try Laboratory()
        var finetuning = laboratory.finetuning()
        finetuning.optimizer = SGD()
        let run = try laboratory.run(try laboratory.base.finetuned(finetuning))
        try run.train()
        let manifest = try #require(try laboratory.store.manifest(run.key))
        #expect(manifest.optimizerSteps == run.trajectory.steps - 12)
    }

    @Test("a branch from a trunk is the same as a run that was never a branch")
    func branch() throws {
        let trunk = try Laboratory()
        var options = RunOptions()
        options.keep = [5]
        try trunk.run(trunk.base).train(options: options)
        let branch = try trunk.run(trunk.midtrained())
        try branch.train()
        #expect(branch.trained == 7)
        let alone = try Laboratory()
        let straight = try alone.run(alone.midtrained())
        try straight.train()
        #expect(straight.trained == 12)
        #expect(branch.key == straight.key)
        #expect(try branch.bits() == straight.bits())
    }

    @Test("changing one weight leaves the order of every source as it was")
    func order() throws {
        let laboratory = try Laboratory()
        func prose(_ weight: Double) throws -> [Int] {
            let trajectory = try Trajectory(
                try laboratory.midtrained(weight: weight), store: laboratory.store)
            return (0..<trajectory.steps).flatMap { trajectory.rows($0) }
                .filter { $0.source.name == "prose" }.map {
                    $0.source.pieces($0.position)[0].lowerBound
                }
        }
        let (low, high) = (try prose(0.25), try prose(0.5))
        #expect(low.count > high.count)
        #expect(Array(low.prefix(high.count)) == high)
    }

    @Test(
        "a damaged checkpoint is set aside with a warning, and the result is the same",
        arguments: [0, 100, -1])
    func damaged(length: Int) throws {
        let laboratory = try Laboratory()
        let recipe = laboratory.base
        let run = try laboratory.run(recipe)
        var options = RunOptions()
        options.keep = [4]
        try run.train(options: options)
        let bits = try run.bits()
        let path = laboratory.store.checkpointFolder(run.key) + "/model.safetensors"
        var bytes = try FileReader.bytes(path)
        if length >= 0 { bytes = Array(bytes.prefix(length)) } else { bytes[bytes.count - 1] ^= 1 }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        var warnings: [String] = []
        options.onEvent = { event in
            if case .warning(let text) = event { warnings.append(text) }
            return true
        }
        let again = try laboratory.run(recipe)
        try again.train(options: options)
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains("model.safetensors") == true)
        #expect(again.trained == 8)
        #expect(try again.bits() == bits)
    }

    @Test("numbers that are not finite stop the run and keep the last good state")
    func notFinite() throws {
        let laboratory = try Laboratory()
        var recipe = laboratory.base
        recipe.learningRate.peak = 1e30
        recipe.learningRate.minimum = 1e28
        recipe.optimizer.clip = 0
        let run = try laboratory.run(recipe)
        let error = #expect(throws: NotFiniteError.self) { try run.train() }
        #expect(run.step >= 1)
        #expect(run.step < 12)
        #expect(error?.step == run.step + 1)
        #expect(try laboratory.store.manifest(run.key)?.step == run.step)
    }

    @Test("a source that would repeat is refused with its figures, and allowed when asked")
    func repeats() throws {
        let laboratory = try Laboratory()
        var recipe = laboratory.base
        recipe.batch = 400
        do {
            _ = try Trajectory(recipe, store: laboratory.store)
            Issue.record("a source repeated without leave")
        } catch let error as MixtureError {
            #expect(error.message.contains("prose"))
            #expect(error.message.contains("repeat"))
        }
        recipe.mayRepeat = ["prose"]
        #expect(
            try Trajectory(recipe, store: laboratory.store).exposure(at: 12).total["prose"].epochs
                > 1)
    }
}
