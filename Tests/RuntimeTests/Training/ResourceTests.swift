import Foundation
import Runtime
import Testing

@Suite("Resources") struct ResourceTests {
    @Test(
        "the estimate is refused above the limit, with its parts; what is held already counts as there"
    )
    func memory() throws {
        let limit = Memory.limit
        let estimate = MemoryEstimate(
            parameters: limit, gradients: 1, moments: 2, activations: 3, temporary: 4)
        do {
            try Resources.check(estimate, "training")
            Issue.record("more than the memory was allowed")
        } catch let error as ResourceError {
            for part in [
                "training needs", "parameters", "gradients 1 bytes", "moments 2 bytes",
                "activations 3 bytes", "temporary 4 bytes", "available", "limit",
            ] { #expect(error.message.contains(part), "\(error.message)") }
        }
        try Resources.check(
            MemoryEstimate(parameters: 1, gradients: 1, moments: 2, activations: 3, temporary: 4),
            "training")
        try Resources.check(estimate, held: limit, "training")
    }

    @Test("checkpoints are refused above the free space of the file system")
    func disk() throws {
        let folder = NSTemporaryDirectory()
        let free = try #require(Machine.freeBytes(folder))
        #expect(free > 0)
        #expect(throws: ResourceError.self) {
            try Resources.check(kept: [free / 2, free / 2], rolling: free, in: folder, "training")
        }
        try Resources.check(kept: [1, 1], rolling: 1, in: folder, "training")
    }

    @Test(
        "a recipe's checkpoint has the predicted size, and a study's plan counts every state it keeps"
    )
    func checkpoint() throws {
        let laboratory = try Laboratory()
        let run = try laboratory.run(laboratory.base)
        try run.train()
        let bytes = laboratory.store.checkpointBytes(run.key)
        let predicted = laboratory.base.checkpointBytes
        #expect(bytes >= predicted && bytes < predicted + 20_000)
        let study = try Study(
            arms: [
                Arm(name: "control", parameters: [], recipe: laboratory.base, finetuning: []),
                Arm(
                    name: "midtrained", parameters: [], recipe: try laboratory.midtrained(),
                    finetuning: []),
            ], evaluate: [laboratory.prose], evaluationLimit: 2, store: laboratory.store)
        // The last states of both, and the state where they part.
        #expect(try study.plan(calibrate: false).checkpointBytes == 3 * predicted)
        #expect(try study.plan(calibrate: false).missingCheckpoints.count == 2)
        let resident = try #require(Machine.residentBytes)
        #expect(resident > 1 << 20)
    }
}
