-- Real corpora for scripts/paper.lua: NAME.train.jsonl.gz in the folder that --folder names. Change names and templates to
-- those of your own data; scripts/data/embedded.lua says what the parts mean.
-- As in the paper, prompts do not count where the answer is short (mathematics, science), and count elsewhere. Large sets
-- keep a few hundred examples for training, so that finetuning stays small beside pretraining; the rest is valid and test.
return function(folder)
  local function of(...)
    local files = {}
    for index, name in ipairs { ... } do files[index] = folder .. "/" .. name .. ".train.jsonl.gz" end
    return files
  end
  local answered, instructed = "{question}\n{answer}", "{instruction}\n{input}\n{output}"
  return {
    general = { "general", files = of("general") },
    mixes = {
      { "code", files = of("code_python") },
      { "math", files = of("math_cot", "math_deepmind", "asdiv"), text = answered },
      { "flan", files = of("flan_p3"), text = instructed },
      { "knowledge", files = of("knowledge_qa", "open_trivia"), text = answered },
    },
    targets = {
      { "pycode", files = of("code_sft_docstring"), text = instructed, match = "code",
        valid_fraction = 0.46, test_fraction = 0.46 },
      { "gsm8k", files = of("gsm8k"), prompt = "{question}\n", response = "{answer}", match = "math",
        valid_fraction = 0.46, test_fraction = 0.47 },
      { "lima", files = of("lima"), text = instructed, match = "flan", valid_fraction = 0.2, test_fraction = 0.25 },
      { "sciq", files = of("sciq"), prompt = "{question}\n", response = "{correct_answer}", match = "knowledge",
        valid_fraction = 0.2, test_fraction = 0.2 },
    },
  }
end
