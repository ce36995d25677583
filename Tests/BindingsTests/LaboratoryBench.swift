import Bindings
import Foundation
import TestSupport

/// An interpreter with a store, two corpora, a finetuning set, a tokenizer and the recipe `base` of 12 steps.
struct LaboratoryBench {
    let scratch: Scratch
    let bench: Bench

    init(setup: Bool = true) throws {
        scratch = try Scratch()
        var settings = Interpreter.Settings()
        settings.store = scratch.path + "/store"
        settings.report = { _ in }
        bench = try Bench(settings)
        guard setup else { return }
        try bench.interpreter.run(
            """
            prose = mt.corpus { "prose", embedded = "prose", bytes = 120000, valid_fraction = 0.1 }
            code = mt.corpus { "code", embedded = "code", bytes = 60000, valid_fraction = 0.1 }
            tasks = mt.corpus { "tasks", embedded = "code-tasks", bytes = 8000, valid_fraction = 0.2, test_fraction = 0.2 }
            tokens = mt.tokenizer { train_on = { prose, code }, vocabulary = 300 }
            base = mt.recipe {
              model = mt.neox("micro-0.1m", { tokenizer = tokens, context = 32, layers = 1, width = 16, heads = 2 }),
              steps = 12, batch = 5, seed = 1, mixture = { prose = 1 },
            }
            function total(recipe, source)
              local sum = 0
              for _, entry in ipairs(recipe:exposure()) do
                if entry.source == source then sum = sum + entry.tokens end
              end
              return sum
            end
            """, name: "=setup")
    }
}
