-- The corpora of scripts/paper.lua that need no files.
-- A data file returns a function of a folder that gives, as options of mt.corpus: the general text, the specialised texts in
-- order (`weight` and `start`, a fraction of the steps, may be set for each), and the finetuning sets in order, with
-- `match`, the specialised text made for them.
return function()
  return {
    general = { "prose", embedded = "prose" },
    mixes = {
      { "code", embedded = "code" },
      { "arithmetic", embedded = "arithmetic" },
      { "questions", embedded = "questions" },
    },
    targets = {
      { "code-tasks", embedded = "code-tasks", match = "code", bytes = 60000, valid_fraction = 0.25, test_fraction = 0.25 },
      { "arithmetic-tasks", embedded = "arithmetic-tasks", match = "arithmetic", bytes = 60000, valid_fraction = 0.25,
        test_fraction = 0.25 },
      { "question-tasks", embedded = "question-tasks", match = "questions", bytes = 40000, valid_fraction = 0.25,
        test_fraction = 0.25 },
    },
  }
end
