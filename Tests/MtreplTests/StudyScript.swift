import Foundation
import TestSupport
import Testing

/// A small experiment as a script: trunk, four branches, continued pretraining, finetuning; about 300 steps.
struct StudyScript {
    let scratch: Scratch
    let script: String

    /// Corpora, tokenizer and the recipe `base` of 24 steps.
    static let prelude = """
        local prose = mt.corpus { "prose", embedded = "prose", bytes = 200000, valid_fraction = 0.1, test_fraction = 0.1 }
        local code = mt.corpus { "code", embedded = "code", bytes = 80000, valid_fraction = 0.1, test_fraction = 0.1 }
        local tasks = mt.corpus { "tasks", embedded = "code-tasks", bytes = 8000, valid_fraction = 0.2, test_fraction = 0.2 }
        local tokens = mt.tokenizer { train_on = { prose, code }, vocabulary = 300 }
        local base = mt.recipe {
          model = mt.neox("micro-0.1m", { tokenizer = tokens, context = 128 }),
          steps = 24, batch = 4, seed = 1, mixture = { prose = 1 },
        }
        """

    static let study = """
        local study = mt.study {
          arms = mt.grid { start = { 6, 12 }, weight = { 0.25, 0.5 }, seed = { 1 } },
          recipe = function(arm)
            return base:with { seed = arm.seed }
              :midtrain { from = arm.start, mixture = { prose = 1 - arm.weight, code = arm.weight } }
          end,
          controls = { control = base, continued = base:midtrain { from = 18, mixture = { code = 1 } } },
          finetune = { tasks, epochs = 1, batch = 8, learning_rate = { 3e-4, 1e-3 } },
          evaluate = { prose, code, tasks }, limit = 4,
        }
        local result = study:run { checkpoint_seconds = 0.05 }
        result:csv(arg[1])
        print(result.trained_steps, result.distinct_steps)
        """

    init(before: String = "") throws {
        scratch = try Scratch()
        script = try scratch.write(
            "study.lua", [Self.prelude, before, Self.study].joined(separator: "\n"))
    }

    func store(_ name: String) -> String { "\(scratch.path)/\(name)" }

    func arguments(_ store: String, csv: String) -> [String] {
        ["--threads", "1", "--store", store, script, "\(scratch.path)/\(csv).csv"]
    }

    /// The bytes of a run's CSV; `nil` if there is none.
    func csv(_ name: String) -> String? {
        try? String(contentsOfFile: "\(scratch.path)/\(name).csv", encoding: .utf8)
    }

    /// Runs the script undisturbed in a store of its own.
    func expected() throws -> String {
        let outcome = try Program.run(arguments(store("whole"), csv: "whole"))
        #expect(outcome.code == 0, "\(outcome.errors)")
        return try #require(csv("whole"))
    }

    /// Steps trained and distinct steps, as the script prints them last.
    static func steps(_ outcome: Program.Outcome) -> (trained: Int, distinct: Int) {
        let numbers = (outcome.output.split(separator: "\n").last ?? "").split(separator: "\t")
            .compactMap { Int($0) }
        return numbers.count == 2 ? (numbers[0], numbers[1]) : (-1, -1)
    }
}
