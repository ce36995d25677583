#!/usr/bin/env python3
"""Compares every family of decoders with Hugging Face's transformers, in both directions.

    .build/venv/bin/python scripts/families.py                    # all families
    .build/venv/bin/python scripts/families.py llama qwen3

For each configuration below, transformers makes a folder with random weights (some in shards, in halves, or with the
fields of older versions). mtrepl reads it; its logits, the gradients of a loss for every parameter, and greedy text are
compared. What mtrepl exports is loaded by transformers without a warning and has the same logits and greedy text. Every
line says what was compared and the largest difference; the exit code is 1 if one is too large.
"""

import argparse
import json
import pathlib
import sys
import tempfile

from interop import ROOT, byte_alphabet, check, failures, listening, lua, read_logits, report, small_tokenizer

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer

VOCABULARY = 300
SMALL = dict(vocab_size=VOCABULARY, hidden_size=48, num_hidden_layers=3, num_attention_heads=4, intermediate_size=96,
             max_position_embeddings=64, bos_token_id=0, eos_token_id=0, pad_token_id=None)
LLAMA3 = {"rope_type": "llama3", "rope_theta": 50000.0, "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 32}
YARN = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 16}

# By model_type: what differs from SMALL, and how the folder is stored: options of save_pretrained, "dtype", or "older"
# for the fields of older versions of transformers.
CASES = {
    "llama": {
        "heads": (dict(num_key_value_heads=4), {}),
        "grouped-tied": (dict(num_key_value_heads=2, tie_word_embeddings=True), {"dtype": "bfloat16"}),
        "single-wide": (dict(num_key_value_heads=1, head_dim=24, attention_bias=True, mlp_bias=True), {"older": True}),
        "llama3": (dict(num_key_value_heads=2, rope_parameters=LLAMA3, rms_norm_eps=1e-5), {"shards": "60KB"}),
        "llama3-older": (dict(num_key_value_heads=2, rope_parameters=LLAMA3), {"older": True, "dtype": "float16"}),
        "linear": (dict(num_key_value_heads=2, rope_parameters={"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4}), {}),
        "yarn": (dict(num_key_value_heads=2, rope_parameters=YARN), {}),
        "dynamic": (dict(num_key_value_heads=4, rope_parameters={"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e4}), {}),
        "gelu": (dict(num_key_value_heads=4, hidden_act="gelu"), {}),
        "relu2": (dict(num_key_value_heads=4, hidden_act="relu2"), {}),
    },
    "mistral": {
        "window": (dict(num_key_value_heads=2, sliding_window=16), {}),
        "no-window": (dict(num_key_value_heads=2, sliding_window=None), {"shards": "60KB"}),
        "small-window-tied": (dict(num_key_value_heads=1, sliding_window=3, tie_word_embeddings=True), {"dtype": "bfloat16"}),
        "wide-heads": (dict(num_key_value_heads=4, head_dim=32, sliding_window=40), {"older": True}),
    },
    "qwen2": {
        "grouped": (dict(num_key_value_heads=2), {}),
        "tied": (dict(num_key_value_heads=2, tie_word_embeddings=True, rope_parameters={"rope_type": "default", "rope_theta": 1e6}), {"older": True}),
        "single": (dict(num_key_value_heads=1), {"dtype": "float16", "shards": "60KB"}),
        "yarn": (dict(num_key_value_heads=4, rope_parameters=YARN), {}),
    },
    "qwen3": {
        "grouped": (dict(num_key_value_heads=2, head_dim=16), {}),
        "tied": (dict(num_key_value_heads=4, head_dim=12, tie_word_embeddings=True, rope_parameters={"rope_type": "default", "rope_theta": 1e6}), {"older": True}),
        "single": (dict(num_key_value_heads=1, head_dim=32), {"dtype": "bfloat16", "shards": "60KB"}),
        "biases": (dict(num_key_value_heads=2, head_dim=16, attention_bias=True), {}),
    },
    "olmo": {
        "plain": (dict(num_key_value_heads=4), {}),
        "tied": (dict(num_key_value_heads=4, tie_word_embeddings=True), {"older": True}),
        "biases": (dict(num_key_value_heads=4, attention_bias=True), {"dtype": "float16"}),
        "grouped": (dict(num_key_value_heads=2), {"shards": "60KB"}),
    },
    "olmo2": {
        "plain": (dict(num_key_value_heads=4), {}),
        "grouped": (dict(num_key_value_heads=2, rope_parameters={"rope_type": "default", "rope_theta": 5e5}), {"older": True}),
        "tied": (dict(num_key_value_heads=4, tie_word_embeddings=True), {"dtype": "bfloat16"}),
        "biases": (dict(num_key_value_heads=1, attention_bias=True), {"shards": "60KB"}),
    },
    "gpt2": {
        "plain": (dict(), {}),
        "inner": (dict(n_inner=80), {"dtype": "bfloat16"}),
        "older": (dict(), {"older": True}),
        "untied": (dict(tie_word_embeddings=False, activation_function="gelu"), {"shards": "60KB"}),
    },
    "gemma2": {
        "plain": (dict(num_key_value_heads=2, head_dim=16, sliding_window=8, query_pre_attn_scalar=20), {}),
        "no-caps": (dict(num_key_value_heads=1, head_dim=24, sliding_window=100, attn_logit_softcapping=None, final_logit_softcapping=None), {"dtype": "bfloat16"}),
        "low-caps": (dict(num_key_value_heads=4, head_dim=12, sliding_window=5, attn_logit_softcapping=2.0, final_logit_softcapping=3.0), {"older": True}),
        "untied": (dict(num_key_value_heads=2, head_dim=16, sliding_window=16, tie_word_embeddings=False), {"shards": "60KB"}),
    },
    "gemma3_text": {
        "plain": (dict(num_key_value_heads=2, head_dim=16, sliding_window=8, sliding_window_pattern=2, query_pre_attn_scalar=20), {}),
        "stretched": (dict(num_key_value_heads=1, head_dim=24, sliding_window=8, sliding_window_pattern=3, rope_parameters={
            "sliding_attention": {"rope_type": "default", "rope_theta": 1e4},
            "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6}}), {}),
        "older": (dict(num_key_value_heads=1, head_dim=24, sliding_window=5, sliding_window_pattern=2), {"older": True, "dtype": "bfloat16"}),
        "untied": (dict(num_key_value_heads=4, head_dim=12, sliding_window=64, tie_word_embeddings=False), {"shards": "60KB"}),
    },
    "smollm3": {
        "plain": (dict(num_key_value_heads=2, no_rope_layer_interval=2), {}),
        "all-positions": (dict(num_key_value_heads=4, no_rope_layers=[1, 1, 1], tie_word_embeddings=False), {"dtype": "bfloat16"}),
        "older": (dict(num_key_value_heads=1, no_rope_layer_interval=3, attention_bias=True, mlp_bias=True), {"older": True}),
        "no-positions": (dict(num_key_value_heads=2, no_rope_layers=[0, 0, 0]), {"shards": "60KB"}),
    },
    "phi3": {
        "plain": (dict(num_key_value_heads=4), {}),
        "window": (dict(num_key_value_heads=2, sliding_window=7), {"older": True}),
        "part": (dict(num_key_value_heads=2, rope_parameters={"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.5}), {}),
        "tied": (dict(num_key_value_heads=1, tie_word_embeddings=True), {"dtype": "bfloat16", "shards": "60KB"}),
    },
}

SCRIPT = """
local function dump(path, values)
  local out = assert(io.open(path, "w"))
  for _, value in ipairs(values) do out:write(string.format("%.9g\\n", value)) end
  out:close()
end
for index = 1, #arg do
  local folder = arg[index]
  local model = mt.pretrained(folder)
  local network = model:initialise()
  local ids = {}
  for line in io.lines(folder .. "/ids.txt") do
    for id in line:gmatch("%d+") do ids[#ids + 1] = math.tointeger(tonumber(id)) end
  end
  local leaves = {}
  for _, name in ipairs(network:parameter_names()) do leaves[name] = network:parameter(name):requires_grad() end
  local logits = network:logits(ids, { replace = leaves })
  dump(folder .. "/ours.txt", logits:reshape { -1 }:table())
  local count = #ids
  logits:slice(1, -2):cross_entropy(mt.tensor(ids):slice(2)):backward()
  for name, leaf in pairs(leaves) do
    dump(folder .. "/" .. name .. ".grad", leaf.grad:reshape { -1 }:table())
  end
  local run = mt.recipe { model = model }:open { name = "run" .. index }
  for place, prompt in ipairs { "The ", "def f(" } do
    local out = assert(io.open(folder .. "/text" .. place, "wb"))
    out:write(prompt, "\\0", run:generate { prompt, tokens = 30, temperature = 0 })
    out:close()
  end
  network:export(folder .. "/again")
  network:export(folder .. "/half", { storage = "bfloat16" })
end
"""


def build(kind, changes, number):
    torch.manual_seed(number)
    fields = dict(SMALL)
    if kind == "gpt2":
        fields = dict(vocab_size=VOCABULARY, n_embd=48, n_layer=3, n_head=4, n_positions=64, bos_token_id=0, eos_token_id=0)
    if kind.startswith("gemma"):
        fields["pad_token_id"] = 0
    config = transformers.CONFIG_MAPPING[kind](**{**fields, **changes})
    config._attn_implementation = "eager"
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").float().eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn_like(parameter) * 0.15
            gain = ("norm" in name or ".ln_" in name) and name.endswith("weight") and not kind.startswith("gemma")
            parameter.copy_(noise + 1 if gain else noise)
    return model


def age(kind, folder):
    """Rewrites a configuration as transformers 4 wrote it."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    rope = config.pop("rope_parameters", None) or {}
    if "full_attention" in rope:
        config["rope_theta"] = rope["full_attention"].pop("rope_theta")
        config["rope_local_base_freq"] = rope["sliding_attention"]["rope_theta"]
        config["sliding_window_pattern"] = config.pop("_sliding_window_pattern", None) or 6
        config.pop("layer_types", None)
        rope = rope["full_attention"]
    if "rope_theta" in rope:
        config["rope_theta"] = rope.pop("rope_theta")
    if "partial_rotary_factor" in rope:
        config["partial_rotary_factor"] = rope.pop("partial_rotary_factor")
    if rope:
        config["rope_scaling"] = None if rope.get("rope_type") == "default" else rope
    config.pop("layer_types", None)
    config["torch_dtype"] = config.pop("dtype", "float32")
    path.write_text(json.dumps(config))
    if kind == "gpt2":
        import safetensors.torch
        weights = folder / "model.safetensors"
        tensors = safetensors.torch.load_file(weights)
        renamed = {name.removeprefix("transformer."): tensor for name, tensor in tensors.items()}
        for layer in range(config["n_layer"]):
            renamed[f"h.{layer}.attn.bias"] = torch.ones(1, 1, 8, 8).tril()
            renamed[f"h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)
        safetensors.torch.save_file(renamed, weights, metadata={"format": "pt"})


def greedy(model, start, count):
    with torch.no_grad():
        return model.generate(
            torch.tensor([start]), attention_mask=torch.ones(1, len(start), dtype=torch.long), max_new_tokens=count,
            do_sample=False, pad_token_id=0, eos_token_id=0)[0].tolist()[len(start):]


def load(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


def compare(program, work, kinds):
    places = {}
    for kind in kinds:
        for number, (name, (changes, storage)) in enumerate(CASES[kind].items()):
            folder = work / f"{kind}-{name}"
            model = build(kind, changes, number)
            options = {"max_shard_size": storage["shards"]} if "shards" in storage else {}
            model.to(getattr(torch, storage.get("dtype", "float32"))).save_pretrained(folder, **options)
            if storage.get("older"):
                age(kind, folder)
            small_tokenizer(folder / "tokenizer.json", VOCABULARY)
            torch.manual_seed(1000 + number)
            ids = torch.randint(1, VOCABULARY, (1, 45))
            (folder / "ids.txt").write_text(" ".join(map(str, ids[0].tolist())))
            places[folder] = (kind, ids)
    lua(program, work, SCRIPT, *places)
    alphabet = byte_alphabet()
    worst = {}
    for folder, (kind, ids) in places.items():
        model = load(folder)
        name = folder.name
        logits = model(ids).logits
        size = max(1.0, logits.abs().max().item())
        ours = read_logits(folder / "ours.txt", logits[0].shape)
        difference = (ours - logits[0]).abs().max().item() / size
        report(f"logits {name}, relative", difference, 5e-6, f"largest {size:.2f}")
        loss = torch.nn.functional.cross_entropy(logits[0, :-1], ids[0, 1:])
        loss.backward()
        largest = 0.0
        # What is 0 but for rounding, such as that of keys' biases without positions, is compared with the others.
        floor = 1e-4 * max(parameter.grad.norm() for parameter in model.parameters())
        for key, parameter in model.named_parameters():
            # GPT-2 keeps matrices as [inputs, outputs].
            turned = kind == "gpt2" and ".c_" in key and parameter.ndim == 2
            mine = read_logits(folder / f"{key}.grad", parameter.shape[::-1] if turned else parameter.shape)
            mine = mine.T if turned else mine
            largest = max(largest, ((mine - parameter.grad).norm() / (parameter.grad.norm() + floor)).item())
        report(f"gradients {name}, relative", largest, 1e-4, f"{sum(1 for _ in model.parameters())} parameters")
        tokenizer = AutoTokenizer.from_pretrained(folder / "again")
        for place in [1, 2]:
            prompt, generated = (folder / f"text{place}").read_bytes().split(b"\0", 1)
            start = [0] + tokenizer.encode(prompt.decode(), add_special_tokens=False)
            out = greedy(model, start, 30)
            tokens = tokenizer.convert_ids_to_tokens([i for i in out if i != 0])
            theirs = bytes(alphabet[character] for token in tokens for character in token)
            check(f"greedy text {name} after {prompt!r}", theirs == generated, f"{theirs[:30]!r}")
        for kind_of in ["again", "half"]:
            with listening() as heard:
                again, info = AutoModelForCausalLM.from_pretrained(
                    folder / kind_of, dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
            clean = not heard and not any(info[key] for key in ["missing_keys", "unexpected_keys", "mismatched_keys"])
            check(f"{kind_of} of {name} loads without warnings", clean, str(heard or ""))
            check(f"{kind_of} of {name} is the same class", type(again) is type(model), type(again).__name__)
            if kind_of == "again":
                with torch.no_grad():
                    same = (again.eval()(ids).logits - logits).abs().max().item()
                report(f"logits of the export of {name}", same / size, 1e-6)
                check(f"greedy text of the export of {name}", greedy(again, start, 30) == out)
                check(f"count of {name}", again.num_parameters() == model.num_parameters())
            else:
                rounded = all(torch.equal(value, model.state_dict()[key].bfloat16().float())
                              for key, value in again.state_dict().items() if value.is_floating_point())
                check(f"{kind_of} of {name} rounds every weight as torch does", rounded)
        worst[name] = (difference, largest)
    print("\n| configuration | logits | gradients |\n|---|---|---|")
    for name, (difference, largest) in worst.items():
        print(f"| {name} | {difference:.1e} | {largest:.1e} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", default=list(CASES), help=", ".join(CASES))
    parser.add_argument("--program", default=str(ROOT / ".build" / "release" / "mtrepl"))
    arguments = parser.parse_args()
    if unknown := set(arguments.kinds) - set(CASES):
        parser.error(f"unknown family {', '.join(sorted(unknown))}")
    torch.set_num_threads(1)
    transformers.logging.disable_progress_bar()
    print(f"torch {torch.__version__}, transformers {transformers.__version__}")
    with tempfile.TemporaryDirectory() as place:
        compare(arguments.program, pathlib.Path(place), arguments.kinds)
    print("all agree" if not failures else f"{len(failures)} differ: {', '.join(failures)}")
    sys.exit(1 if failures else 0)
