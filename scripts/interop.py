#!/usr/bin/env python3
"""Compares models and tokenizers with Hugging Face's transformers and tokenizers, in both directions.

    scripts/test makes a virtual environment with what this needs; or
    python3 -m venv .venv && .venv/bin/pip install torch transformers tokenizers safetensors tensorboard pyarrow lm_eval accelerate
    .venv/bin/python scripts/interop.py                     # models and exports
    .venv/bin/python scripts/interop.py metrics data        # event files, files of tokens, Parquet
    .venv/bin/python scripts/interop.py losses              # bits a byte of two tokenizers
    .venv/bin/python scripts/interop.py harness --questions sciq.valid.jsonl.gz --problems gsm8k.valid.jsonl.gz
    .venv/bin/python scripts/interop.py tokenizers --tokenizer-file T.json --corpora FOLDER --megabytes 50
    .venv/bin/python scripts/interop.py golden              # makes Tests/RuntimeTests/Reference/huggingface again

`models` makes small random GPTNeoXForCausalLM folders and compares logits. `export` trains a small model with mtrepl,
exports it, and checks that transformers loads it without a warning and gives the same logits and greedy tokens.
`metrics` reads event files with tensorboard, `data` reads files of tokens with numpy and converts Parquet with pyarrow,
`losses` computes evaluations again with transformers, `harness` compares multiple choice (log-likelihoods, accuracies) and
exact match (generated texts, accuracies, the study's table) with lm_eval on exported models.
`tokenizers` compares ids and decoded text over the strings of a folder of .jsonl.gz files and over made-up text. Every
line says what was compared and the largest difference; the exit code is 1 if one is too large.
"""

import argparse
import contextlib
import gzip
import json
import logging
import math
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import unicodedata
import warnings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import safetensors.torch
import tokenizers
import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer, GPTNeoXConfig, GPTNeoXForCausalLM

ROOT = pathlib.Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "Tests" / "RuntimeTests" / "Reference" / "huggingface"
END = "<|endoftext|>"
# Largest difference of logits of about unit size: float32 rounding through a few layers.
LIMIT = 2e-5

# name, parallel residual, rotary fraction, tied, activation, stored as, vocabulary, shard size, attention's biases
CASES = [
    ("parallel", True, 0.25, False, "gelu", "float32", 300, None, True),
    ("sequential", False, 1.0, False, "gelu_new", "float32", 300, None, True),
    ("tied", True, 1.0, True, "gelu", "float32", 300, None, True),
    ("tied-sequential", False, 0.25, True, "gelu_fast", "float32", 300, None, True),
    ("padded-bfloat16", True, 0.25, False, "gelu", "bfloat16", 384, None, True),
    ("float16", False, 1.0, False, "gelu_pytorch_tanh", "float16", 300, None, True),
    ("sharded", True, 0.25, False, "gelu", "float32", 320, "100KB", True),
    ("sharded-tied-bfloat16", False, 0.25, True, "gelu_new", "bfloat16", 320, "60KB", True),
    ("older-names", True, 0.25, False, "gelu", "float32", 300, None, True),
    ("no-biases", True, 0.25, False, "gelu", "float32", 300, None, False),
    ("no-biases-sequential-tied", False, 1.0, True, "gelu_new", "float32", 300, None, False),
]

failures = []


def report(what, difference, limit, detail=""):
    good = difference <= limit
    print(f"{'ok ' if good else 'BAD'} {what}: max diff {difference:.3g} (limit {limit:.3g}) {detail}".rstrip())
    if not good:
        failures.append(what)


def check(what, condition, detail=""):
    print(f"{'ok ' if condition else 'BAD'} {what} {detail}".rstrip())
    if not condition:
        failures.append(what)


def lua(program, folder, script, *arguments):
    """Runs a Lua script in a folder; its standard output."""
    path = pathlib.Path(folder) / "script.lua"
    path.write_text(script)
    command = [program, "--store", str(pathlib.Path(folder) / "store"), str(path), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


@contextlib.contextmanager
def listening():
    """Collects what transformers logs from warnings on, and Python's warnings."""
    heard = []

    class Handler(logging.Handler):
        def emit(self, record):
            heard.append(record.getMessage())

    handler = Handler(level=logging.WARNING)
    logger = logging.getLogger("transformers")
    logger.addHandler(handler)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield heard
    logger.removeHandler(handler)
    heard.extend(str(w.message) for w in caught)


# Models of theirs


def small_tokenizer(path, size, prefix=False, normal=False):
    """A byte-level BPE tokenizer of `size` tokens, trained on this file."""
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    if normal:
        tokenizer.normalizer = tokenizers.normalizers.NFC()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=prefix)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=size, special_tokens=[END], show_progress=False,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator([pathlib.Path(__file__).read_text()], trainer)
    tokenizer.save(str(path))


def random_model(parallel, rotary, tied, activation, vocabulary, biases=True, width=48, heads=3, layers=3, feed=96, context=64):
    config = GPTNeoXConfig(
        vocab_size=vocabulary, hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads,
        intermediate_size=feed, max_position_embeddings=context, hidden_act=activation,
        use_parallel_residual=parallel, attention_bias=biases, tie_word_embeddings=tied, layer_norm_eps=1e-5, bos_token_id=0, eos_token_id=0,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": rotary})
    config._attn_implementation = "eager"
    model = GPTNeoXForCausalLM(config).float().eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn_like(parameter) * 0.15
            parameter.copy_(noise + 1 if "norm" in name and name.endswith("weight") else noise)
    return model


def save(model, folder, stored, shard):
    model.to(getattr(torch, stored))
    options = {"max_shard_size": shard} if shard else {}
    model.save_pretrained(folder, **options)
    return GPTNeoXForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


def age(folder):
    """Rewrites a folder as older versions of transformers wrote it: other names, and buffers among the tensors."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    rope = config.pop("rope_parameters")
    config.update(rotary_pct=rope["partial_rotary_factor"], rotary_emb_base=10000, torch_dtype="float32")
    config.pop("dtype", None)
    path.write_text(json.dumps(config))
    path = folder / "model.safetensors"
    tensors = safetensors.torch.load_file(path)
    renamed = {name.replace("lm_head", "embed_out"): tensor for name, tensor in tensors.items()}
    for layer in range(config["num_hidden_layers"]):
        prefix = f"gpt_neox.layers.{layer}.attention."
        renamed[prefix + "bias"] = torch.ones(1, 1, 8, 8, dtype=torch.bool).tril()
        renamed[prefix + "masked_bias"] = torch.tensor(-1e9)
        renamed[prefix + "rotary_emb.inv_freq"] = torch.ones(2)
    safetensors.torch.save_file(renamed, path, metadata={"format": "pt"})


LOGITS = """
for index = 2, #arg do
  local model = mt.pretrained(arg[index])
  local network = model:initialise({ precision = arg[1] })
  local ids = {}
  for line in io.lines(arg[index] .. "/ids.txt") do
    local row = {}
    for id in line:gmatch("%d+") do row[#row + 1] = math.tointeger(tonumber(id)) end
    ids[#ids + 1] = row
  end
  local out = assert(io.open(arg[index] .. "/ours.txt", "w"))
  for _, row in ipairs(network:logits(ids):table()) do
    for _, column in ipairs(row) do
      for _, value in ipairs(column) do out:write(string.format("%.9g\\n", value)) end
    end
  end
  out:close()
end
"""


def read_logits(path, shape):
    return torch.tensor([float(line) for line in path.read_text().split()]).reshape(shape)


def models(program, work):
    print("# Logits of folders that transformers wrote")
    expected = {}
    halves = {}
    for number, (name, parallel, rotary, tied, activation, stored, vocabulary, shard, biases) in enumerate(CASES):
        torch.manual_seed(number)
        folder = work / name
        model = save(random_model(parallel, rotary, tied, activation, vocabulary, biases), folder, stored, shard)
        if name == "older-names":
            age(folder)
        small_tokenizer(folder / "tokenizer.json", 300)
        ids = torch.randint(0, vocabulary, (3, 50))
        (folder / "ids.txt").write_text("\n".join(" ".join(map(str, row)) for row in ids.tolist()) + "\n")
        with torch.no_grad():
            expected[name] = model(ids).logits
            halves[name] = model.bfloat16()(ids).logits.float()
    lua(program, work, LOGITS, "float32", *[work / name for name in expected])
    for name, logits in expected.items():
        ours = read_logits(work / name / "ours.txt", logits.shape)
        report(f"logits {name}", (ours - logits).abs().max().item(), LIMIT, f"largest logit {logits.abs().max():.2f}")
    print("# The same in bfloat16: theirs rounds everything, ours the operands of products")
    lua(program, work, LOGITS, "bfloat16", *[work / name for name in expected])
    for name, logits in expected.items():
        ours = read_logits(work / name / "ours.txt", logits.shape)
        rounding = (halves[name] - logits).abs()
        difference = (ours - halves[name]).abs()
        report(f"bfloat16 logits {name}, from theirs", difference.max().item(), 2 * rounding.max().item(),
               f"mean {difference.mean():.3g}")
        error = (ours - logits).abs()
        report(f"bfloat16 logits {name}, from float32", error.max().item(), rounding.max().item(),
               f"mean {error.mean():.3g}; theirs {rounding.max():.3g}, mean {rounding.mean():.3g}")
    print("# Exports of the same models, read by transformers")
    broken = work / "broken"
    shutil.copytree(work / "parallel", broken)
    tensors = safetensors.torch.load_file(broken / "model.safetensors")
    tensors.popitem()
    safetensors.torch.save_file(tensors, broken / "model.safetensors", metadata={"format": "pt"})
    with listening() as heard:
        GPTNeoXForCausalLM.from_pretrained(broken)
    check("a folder with a missing tensor is heard of", bool(heard))
    script = """
        for index = 2, #arg do
          mt.pretrained(arg[index]):initialise():export(arg[index] .. "/again")
          mt.pretrained(arg[index]):initialise():export(arg[index] .. "/rounded", { storage = "bfloat16" })
        end
        """
    lua(program, work, script, "-", *[work / name for name in expected])
    for name, logits in expected.items():
        for kind in ["again", "rounded"]:
            with listening() as heard:
                model, info = GPTNeoXForCausalLM.from_pretrained(
                    work / name / kind, dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
            clean = not heard and not any(info[key] for key in ["missing_keys", "unexpected_keys", "mismatched_keys"])
            check(f"{kind} {name} loads without warnings", clean, str(heard or ""))
            ids = [list(map(int, line.split())) for line in (work / name / "ids.txt").read_text().splitlines()]
            with torch.no_grad():
                theirs = model.eval()(torch.tensor(ids)).logits
            if kind == "again":
                report(f"logits of the export of {name}", (theirs - logits).abs().max().item(), LIMIT)
            else:
                original = GPTNeoXForCausalLM.from_pretrained(work / name, dtype=torch.float32).state_dict()
                same = all(
                    torch.equal(value, original[key].bfloat16().float()) for key, value in model.state_dict().items())
                check(f"bfloat16 export of {name} rounds every weight as torch does", same)


# Exports of ours

TRAIN = """
local prose = mt.corpus { "prose", embedded = "prose", bytes = 800000 }
local code = mt.corpus { "code", embedded = "code", bytes = 400000 }
local tokens = mt.tokenizer { train_on = { prose, code }, vocabulary = 600 }
local shape = mt.neox("micro-0.4m", { tokenizer = tokens, context = 64, vocabulary = 640 })
local run = mt.recipe { model = shape, steps = 400, batch = 8, seed = 3, mixture = { prose = 1 } }
  :midtrain { from = 200, mixture = { prose = 0.5, code = 0.5 } }:open { name = "trunk" }
run:train { keep = { 40 } }
run:export(arg[1])
local function dump(network, prefix)
  local ids = tokens:encode("The old house stood by the river")
  local out = assert(io.open(prefix .. ".logits", "w"))
  for _, row in ipairs(network:logits(ids):table()) do
    for _, value in ipairs(row) do out:write(string.format("%.9g\\n", value)) end
  end
  out:close()
  out = assert(io.open(prefix .. ".ids", "w"))
  out:write(table.concat(ids, " "))
  out:close()
end
dump(run:model(), arg[1] .. ".ours")
for index, prompt in ipairs { "The ", "def f(", "", "12 +" } do
  local out = assert(io.open(arg[1] .. ".text" .. index, "wb"))
  out:write(prompt, "\\0", run:generate { prompt, tokens = 40, temperature = 0 })
  out:close()
end
-- Training goes on from the export as from any published model.
local again = mt.pretrained(arg[1])
local more = mt.recipe { model = again, steps = 4, batch = 8, seed = 9, mixture = { code = 1 } }
local start = more:open { name = "start" }
dump(start:model(), arg[1] .. ".start")
assert(more:keys({ 0 })[1] == more:with({ seed = 10 }):keys({ 0 })[1])
assert(more:keys({ 0 })[1] ~= mt.recipe { model = shape, steps = 4, batch = 8, seed = 9, mixture = { code = 1 } }
  :keys({ 0 })[1])
start:train()
start:export(arg[1] .. ".more", { storage = "bfloat16" })
"""


def byte_alphabet():
    """The character that stands for each byte in byte-level vocabularies."""
    table, extra = {}, 0
    for byte in range(256):
        if 0x21 <= byte <= 0x7E or 0xA1 <= byte <= 0xAC or 0xAE <= byte <= 0xFF:
            table[chr(byte)] = byte
        else:
            table[chr(256 + extra)] = byte
            extra += 1
    return table


def export(program, work):
    print("# A model trained here, read by transformers")
    folder = work / "export"
    lua(program, work, TRAIN, folder)
    done = subprocess.run(
        [program, "export", "trunk@40", str(work / "step40"), "--store", str(work / "store")],
        capture_output=True, text=True)
    check("mtrepl export trunk@40", done.returncode == 0, done.stderr)
    done = subprocess.run(
        [program, "export", "trunk@41", str(work / "step41"), "--store", str(work / "store")],
        capture_output=True, text=True)
    check("mtrepl export of a state without checkpoint is an error", done.returncode == 1, done.stderr.strip())
    shards = work / "shards"
    done = subprocess.run(
        [program, "export", "trunk", str(shards), "--store", str(work / "store"), "--max-shard-size", "500KB",
         "--storage", "float16"], capture_output=True, text=True)
    check("mtrepl export in shards of float16", done.returncode == 0, done.stderr)
    for place in [folder, work / "step40", work / "export.more", shards]:
        with listening() as heard:
            model, info = AutoModelForCausalLM.from_pretrained(
                place, dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
            tokenizer = AutoTokenizer.from_pretrained(place)
        clean = not heard and not any(info[key] for key in ["missing_keys", "unexpected_keys", "mismatched_keys"])
        check(f"{place.name} loads without warnings", clean, str(heard or ""))
        check(f"{place.name} has its special tokens", tokenizer.eos_token == END and tokenizer.eos_token_id is not None)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    # As transformers divides and rounds it.
    model.half().save_pretrained(work / "theirs", max_shard_size="500KB")
    index = "model.safetensors.index.json"
    ours, theirs = (json.loads((place / index).read_text()) for place in [shards, work / "theirs"])
    check("metadata of the index", ours["metadata"] == theirs["metadata"], f"{ours['metadata']}, {theirs['metadata']}")
    check("files of the index", set(ours["weight_map"].values()) == {p.name for p in shards.glob("model-*.safetensors")})
    check("shards hold at most 500 KB", all(p.stat().st_size < 510e3 for p in shards.glob("model-*.safetensors")))
    half = AutoModelForCausalLM.from_pretrained(shards, dtype=torch.float16).state_dict()
    check("float16 weights", all(torch.equal(half[name], value) for name, value in model.state_dict().items()))
    model.float()
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    text = "The old house stood by the river"
    ids = list(map(int, (work / "export.ours.ids").read_text().split()))
    check("ids of the export", tokenizer.encode(text, add_special_tokens=False) == ids)
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0]
    for name in ["ours", "start"]:
        ours = read_logits(work / f"export.{name}.logits", logits.shape)
        report(f"logits of the trained model ({name})", (ours - logits).abs().max().item(), LIMIT)
    alphabet = byte_alphabet()
    for index in range(1, 5):
        prompt, generated = (work / f"export.text{index}").read_bytes().split(b"\0", 1)
        start = [tokenizer.eos_token_id] + tokenizer.encode(prompt.decode(), add_special_tokens=False)
        with listening() as heard, torch.no_grad():
            out = model.generate(
                torch.tensor([start]), attention_mask=torch.ones(1, len(start), dtype=torch.long), max_new_tokens=40,
                do_sample=False, pad_token_id=tokenizer.eos_token_id)[0].tolist()[len(start):]
        tokens = tokenizer.convert_ids_to_tokens([i for i in out if i != tokenizer.eos_token_id])
        theirs = bytes(alphabet[character] for token in tokens for character in token)
        check(f"greedy text after {prompt!r}", theirs == generated and not heard, f"{theirs[:40]!r} {heard or ''}")


# Tokenizers

ENCODE = """
local tokenizer
if arg[4] then tokenizer = mt.tokenizer { file = arg[3], merges = arg[4] }
else tokenizer = mt.tokenizer { file = arg[3] } end
local input = assert(io.open(arg[1], "rb"))
local ids = assert(io.open(arg[2] .. ".ids", "wb"))
local texts = assert(io.open(arg[2] .. ".texts", "wb"))
while true do
  local length = input:read("l")
  if not length then break end
  local text = input:read(tonumber(length)) or ""
  local encoded = tokenizer:encode(text)
  ids:write(table.concat(encoded, " "), "\\n")
  local decoded = tokenizer:decode(encoded)
  texts:write(#decoded, "\\n", decoded)
end
ids:close()
texts:close()
tokenizer:save(arg[2] .. ".json")
"""


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from strings(part)


def corpus_texts(folder, megabytes):
    """Strings of the .jsonl.gz files of a folder, an equal part of each; large files make up for small ones."""
    files = sorted(pathlib.Path(folder).glob("*.jsonl.gz"), key=lambda path: path.stat().st_size)
    left = megabytes * 1_000_000
    for index, path in enumerate(files):
        budget = left / (len(files) - index)
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                for text in strings(json.loads(line)):
                    if budget > 0 and text:
                        size = len(text.encode())
                        budget -= size
                        left -= size
                        yield text
                if budget <= 0:
                    break


def made_up_texts(count):
    """Other scripts, emoji, controls, combining marks in several orders, runs of white space, broken contractions."""
    draw = random.Random(5)
    ranges = [
        (0x20, 0x7E), (0x00, 0x1F), (0x7F, 0xA0), (0xA0, 0x24F), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x4FF),
        (0x590, 0x5FF), (0x600, 0x6FF), (0x900, 0x97F), (0xE00, 0xE7F), (0x1100, 0x11FF), (0x1E00, 0x1EFF),
        (0x2000, 0x206F), (0x2150, 0x218F), (0x2460, 0x24FF), (0x3000, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3),
        (0xF900, 0xFAFF), (0xFE00, 0xFE0F), (0x10330, 0x1034F), (0x1D400, 0x1D7FF), (0x1F300, 0x1FAFF), (0x20000, 0x2A6DF),
    ]
    pieces = [" ", "  ", "   ", "\n", "\n\n", "\t", "\r\n", "\u00a0", "\u3000", "'s", "'LL", "'ll", "' re", "n't", "123", "e\u0301",
              "\u0301e", "\u1112\u1161\u11ab", "\U0001f469\u200d\U0001f52c", "\U0001f1e9\U0001f1ea", END, "<|padding|>", "\ufeff", "\u180e"]
    for _ in range(count):
        parts = []
        for _ in range(draw.randrange(1, 40)):
            if draw.random() < 0.4:
                parts.append(draw.choice(pieces))
            else:
                low, high = draw.choice(ranges)
                parts.append("".join(chr(draw.randint(low, high)) for _ in range(draw.randrange(1, 8))))
        yield "".join(parts)


def read_blob(path):
    data = path.read_bytes()
    position = 0
    while position < len(data):
        end = data.index(b"\n", position)
        length = int(data[position:end])
        yield data[end + 1:end + 1 + length]
        position = end + 1 + length


def compare_ids(what, program, work, tokenizer, texts, files, normal=lambda text: text):
    tokenizer.encode_special_tokens = True
    blob, out = work / "texts.bin", work / "tokens"
    with open(blob, "wb") as stream:
        for text in texts:
            data = text.encode()
            stream.write(b"%d\n" % len(data) + data)
    lua(program, work, ENCODE, blob, out, *files)
    differ = undecoded = tokens = size = 0
    example = ""
    with open(work / "tokens.ids") as lines:
        decoded = read_blob(work / "tokens.texts")
        for start in range(0, len(texts), 512):
            batch = texts[start:start + 512]
            for text, encoding in zip(batch, tokenizer.encode_batch(batch, add_special_tokens=False)):
                ours = list(map(int, next(lines).split()))
                tokens += len(ours)
                size += len(text.encode())
                if ours != encoding.ids:
                    differ += 1
                    example = example or f"{text[:60]!r}: ours {ours[:12]}, theirs {encoding.ids[:12]}"
                back = next(decoded)
                if (normal and back != normal(text).encode()) or back.decode() != tokenizer.decode(encoding.ids, skip_special_tokens=False):
                    undecoded += 1
                    example = example or f"{text[:60]!r}: decoded {back[:60]!r}"
    check(f"{what}: {len(texts)} texts, {size / 1e6:.1f} MB, {tokens} tokens: "
          f"{differ} differ in ids, {undecoded} in text", differ + undecoded == 0, example)


def compare_tokenizers(program, work, arguments):
    print("# Tokenizers")
    made_up = list(made_up_texts(arguments.made_up))
    texts = made_up + (list(corpus_texts(arguments.corpora, arguments.megabytes)) if arguments.corpora else [])
    some = texts[:: max(1, len(texts) // 60000)]
    nfc = lambda text: unicodedata.normalize("NFC", text)
    if arguments.tokenizer_file:
        path = arguments.tokenizer_file
        compare_ids("tokenizer.json", program, work, tokenizers.Tokenizer.from_file(path), texts, [path], nfc)
        saved = str(work / "tokens.json")
        os.replace(saved, saved + ".kept")
        compare_ids("what save made of it, read by tokenizers", program, work,
                    tokenizers.Tokenizer.from_file(saved + ".kept"), some, [path], nfc)
        changed = json.loads(pathlib.Path(path).read_text())
        changed["pre_tokenizer"]["add_prefix_space"] = True
        path = work / "prefixed.json"
        path.write_text(json.dumps(changed))
        compare_ids("the same with add_prefix_space", program, work, tokenizers.Tokenizer.from_file(str(path)), some,
                    [str(path)], None)
    if arguments.vocabulary and arguments.merges:
        files = [arguments.vocabulary, arguments.merges]
        theirs = tokenizers.Tokenizer(tokenizers.models.BPE.from_file(*files))
        theirs.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
        theirs.decoder = tokenizers.decoders.ByteLevel()
        compare_ids("vocab.json and merges.txt", program, work, theirs, texts, files)
        saved = str(work / "tokens.json")
        os.replace(saved, saved + ".kept")
        compare_ids("what save made of them, read by tokenizers", program, work,
                    tokenizers.Tokenizer.from_file(saved + ".kept"), some, files)
    path = work / "small.json"
    small_tokenizer(path, 700)
    compare_ids("a tokenizer trained by tokenizers", program, work, tokenizers.Tokenizer.from_file(str(path)),
                some, [str(path)])
    for normal in [False, True]:
        small_tokenizer(path, 700, prefix=True, normal=normal)
        what = "one with add_prefix_space" + (" and NFC" if normal else "")
        compare_ids(what, program, work, tokenizers.Tokenizer.from_file(str(path)), some, [str(path)], None)
        saved = str(work / "tokens.json")
        os.replace(saved, saved + ".kept")
        compare_ids(what + ", as save writes it", program, work, tokenizers.Tokenizer.from_file(saved + ".kept"), some,
                    [str(path)], None)
    script = """
        local prose = mt.corpus { "prose", embedded = "prose", bytes = 400000 }
        local code = mt.corpus { "code", embedded = "code", bytes = 400000 }
        mt.tokenizer { train_on = { prose, code }, vocabulary = 2000 }:save(arg[1])
        """
    path = work / "trained.json"
    lua(program, work, script, path)
    compare_ids("a tokenizer trained here, read by tokenizers", program, work,
                tokenizers.Tokenizer.from_file(str(path)), some, [str(path)])


# Metrics

METRICS = """
local prose = mt.corpus { "prose", embedded = "prose", bytes = 200000, valid_fraction = 0.1 }
local tokens = mt.tokenizer { train_on = { prose }, vocabulary = 300 }
local run = mt.recipe { model = mt.neox("micro-0.1m", { tokenizer = tokens, context = 32 }),
  steps = 30, batch = 4, seed = 1, mixture = { prose = 1 } }:open { name = "measured" }
run:train { evaluate = { prose }, evaluate_every = 10, limit = 3 }
run:export_metrics(arg[1], { format = "tensorboard" })
run:export_metrics(arg[1], { format = "jsonl" })
"""


def metrics(program, work):
    print("# Metrics, read by tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder = work / "out"
    lua(program, work, METRICS, folder)
    again = work / "again"
    done = subprocess.run(
        [program, "runs", "export", "measured", str(again), "--format", "tensorboard", "--store", str(work / "store")],
        capture_output=True, text=True)
    check("mtrepl runs export", done.returncode == 0, done.stderr)
    steps = [json.loads(line) for line in (folder / "steps.jsonl").read_text().splitlines()]
    losses = [json.loads(line) for line in (folder / "evaluations.jsonl").read_text().splitlines()]
    for place in [folder, again]:
        events = EventAccumulator(str(place), size_guidance={"scalars": 0})
        events.Reload()
        expected = {f"train/{key}": [(row["step"], row[key]) for row in steps]
                    for key in ["loss", "learning_rate", "gradient_norm"]}
        expected["train/tokens_per_second"] = [(row["step"], row["tokens"] / row["seconds"]) for row in steps]
        for key in ["loss", "bits_per_byte"]:
            expected[f"prose/valid/{key}"] = [(row["step"], row[key]) for row in losses]
        check(f"{place.name}: curves", sorted(events.Tags()["scalars"]) == sorted(expected))
        for tag, points in expected.items():
            found = [(event.step, event.value) for event in events.Scalars(tag)]
            same = [step for step, _ in found] == [step for step, _ in points]
            difference = max(abs(a - b) / max(abs(b), 1e-9) for (_, a), (_, b) in zip(found, points, strict=True))
            check(f"{place.name}: steps of {tag}", same)
            report(f"{place.name}: values of {tag}, relative", difference, 1e-6, f"{len(points)} points")


    # A loader that has the folder open sees what a later export adds, and no point twice.
    growing = work / "growing"
    lua(program, work, GROWING, growing, 10)
    events = EventAccumulator(str(growing), size_guidance={"scalars": 0})
    events.Reload()
    check("growing: the first export", [event.step for event in events.Scalars("train/loss")] == list(range(1, 11)))
    for _ in range(2):
        lua(program, work, GROWING, growing, 24)
        events.Reload()
        anew = EventAccumulator(str(growing), size_guidance={"scalars": 0})
        anew.Reload()
        for what, loader in [("open since the first", events), ("opened now", anew)]:
            found = [event.step for event in loader.Scalars("train/loss")]
            check(f"growing: steps for a loader {what}", found == list(range(1, 25)), f"{found}")
    check("growing: one file", len(list(growing.iterdir())) == 1)


GROWING = """
local prose = mt.corpus { "prose", embedded = "prose", bytes = 100000 }
local tokens = mt.tokenizer { train_on = { prose }, vocabulary = 300 }
local run = mt.recipe { model = mt.neox("micro-0.1m", { tokenizer = tokens, context = 32 }),
  steps = 24, batch = 2, seed = 4, mixture = { prose = 1 } }:open { name = "growing" }
run:train { to = math.tointeger(tonumber(arg[2])) }
run:export_metrics(arg[1], { format = "tensorboard" })
"""


# Data

TOKENS = """
local prose = mt.corpus { "prose", embedded = "prose", bytes = 60000, valid_fraction = 0, test_fraction = 0 }
local tokens = mt.tokenizer { train_on = { prose }, vocabulary = 400 }
for _, format in ipairs { "nanogpt", "megatron" } do
  local path = arg[1] .. "/" .. format .. ".bin"
  prose:write_tokens { path, tokenizer = tokens, format = format }
  local again = mt.corpus { format, files = path, tokenizer = tokens, valid_fraction = 0, test_fraction = 0 }
  assert(again:summary().train.bytes == prose:summary().train.bytes)
end
tokens:save(arg[1] .. "/tokenizer.json")
local out = assert(io.open(arg[1] .. "/documents.txt", "w"))
for _, text in ipairs(prose:documents(100000)) do out:write(table.concat(tokens:encode(text), " "), "\\n") end
out:close()
local theirs = mt.corpus { "theirs", files = arg[1] .. "/theirs.bin", tokenizer = tokens, valid_fraction = 0, test_fraction = 0 }
local texts = theirs:documents(10)
assert(#texts == 3 and texts[1] == "a b" and texts[2] == "c" and texts[3] == "d e")
local table_ = mt.corpus { "table", files = arg[1] .. "/table.jsonl", chat = "messages", valid_fraction = 0, test_fraction = 0 }
assert(table_:documents(3)[2] == "User: two\\nAssistant: 2\\n")
"""


def conversions(folder):
    """What parquet_to_jsonl.py does with columns that JSON has no form for."""
    import pyarrow
    import pyarrow.parquet

    def convert(*arguments):
        done = subprocess.run(
            [sys.executable, str(ROOT / "scripts" / "parquet_to_jsonl.py"), *map(str, arguments)],
            capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr.strip()

    table = pyarrow.table({
        "x": [1.5, float("nan"), float("-inf")], "deep": [[{"y": float("inf")}], [], None],
        "text": [b"a", "\u00e9".encode(), b"c"], "raw": [b"\xff", b"a", b"b"]})
    pyarrow.parquet.write_table(table, folder / "odd.parquet")
    with pyarrow.ipc.new_file(folder / "odd.arrow", table.schema) as out:
        out.write(table)
    expected = [{"x": 1.5, "deep": [{"y": None}], "text": "a"}, {"x": None, "deep": [], "text": "\u00e9"},
                {"x": None, "deep": None, "text": "c"}]
    for name in ["odd.parquet", "odd.arrow"]:
        code, out, errors = convert(folder / name, "--columns", "x", "deep", "text")
        check(f"{name}: NaN and infinity are null, bytes are text",
              code == 0 and [json.loads(line) for line in out.splitlines()] == expected, errors)
        check(f"{name}: they are counted", "3 numbers that are NaN or infinite became null" in errors, errors)
        code, _, errors = convert(folder / name, "--columns", "texts")
        check(f"{name}: an unknown column", code == 1 and errors.count("\n") == 0 and "x, deep, text, raw" in errors, errors)
        code, _, errors = convert(folder / name, "--columns", "raw")
        check(f"{name}: bytes that are no text", code == 1 and "column raw" in errors and "\n" not in errors, errors)
    for ending in [".gz", ".zst"]:
        path = folder / f"odd.jsonl{ending}"
        code, _, errors = convert(folder / "odd.parquet", "--columns", "x", "deep", "text", "--output", path)
        with pyarrow.input_stream(str(path), compression="gzip" if ending == ".gz" else "zstd") as file:
            found = [json.loads(line) for line in file.read().splitlines()]
        check(f"output {ending}", code == 0 and found == expected, errors)
    for path in [folder / "odd.jsonl.bz2", folder / "nowhere" / "a.jsonl"]:
        code, _, errors = convert(folder / "odd.parquet", "--columns", "text", "--output", path)
        check(f"output {path.name} is an error", code == 1 and errors.count("\n") == 0 and str(path) in errors, errors)


def data(program, work):
    print("# Files of tokens and tables")
    import struct

    import numpy

    folder = work / "files"
    folder.mkdir()
    # Bytes of ASCII have the ids of their place among the printable characters in every byte-level tokenizer of ours.
    script = """
        local prose = mt.corpus { "prose", embedded = "prose", bytes = 60000, valid_fraction = 0, test_fraction = 0 }
        local tokens = mt.tokenizer { train_on = { prose }, vocabulary = 400 }
        for _, text in ipairs { "a b", "c", "d e" } do print(table.concat(tokens:encode(text), " ")) end
        """
    texts = [list(map(int, line.split())) for line in lua(program, work, script).splitlines()]
    # An index with two sequences in the first document, of 32-bit ids, and no end-of-text.
    sequences = [texts[0][:1], texts[0][1:], texts[1], texts[2]]
    numpy.concatenate([numpy.array(ids, numpy.int32) for ids in sequences]).tofile(folder / "theirs.bin")
    with open(folder / "theirs.idx", "wb") as out:
        lengths = numpy.array([len(ids) for ids in sequences], numpy.int32)
        out.write(b"MMIDIDX\0\0" + struct.pack("<QBQQ", 1, 4, 4, 4))
        out.write(lengths.tobytes())
        out.write((numpy.cumsum(lengths) - lengths).astype(numpy.int64).__mul__(4).tobytes())
        out.write(numpy.array([0, 2, 3, 4], numpy.int64).tobytes())
    import pyarrow
    import pyarrow.parquet
    rows = [{"messages": [{"role": "user", "content": q}, {"role": "assistant", "content": a}], "n": n}
            for n, (q, a) in enumerate([("one", "1"), ("two", "2"), ("drei é\U0001F600", "3")])]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), folder / "table.parquet")
    with pyarrow.ipc.new_file(folder / "table.arrow", pyarrow.Table.from_pylist(rows).schema) as out:
        out.write(pyarrow.Table.from_pylist(rows))
    for name in ["table.arrow", "table.parquet"]:
        done = subprocess.run(
            [sys.executable, str(ROOT / "scripts" / "parquet_to_jsonl.py"), str(folder / name),
             "--columns", "messages", "--output", str(folder / "table.jsonl")], capture_output=True, text=True)
        check(f"conversion of {name}", done.returncode == 0, done.stderr.strip())
        found = [json.loads(line) for line in (folder / "table.jsonl").read_text().splitlines()]
        check(f"rows of {name}", found == [{"messages": row["messages"]} for row in rows])
    conversions(folder)
    lua(program, work, TOKENS, folder)
    documents = [list(map(int, line.split())) for line in (folder / "documents.txt").read_text().splitlines()]
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    end = tokenizer.token_to_id(END)
    flat = [i for ids in documents for i in ids + [end]]
    for name in ["nanogpt", "megatron"]:
        ids = numpy.fromfile(folder / f"{name}.bin", numpy.uint16)
        check(f"ids of {name}.bin", ids.tolist() == flat, f"{len(flat)} ids")
    index = (folder / "megatron.idx").read_bytes()
    version, code, count, places = struct.unpack_from("<QBQQ", index, 9)
    lengths = numpy.frombuffer(index, numpy.int32, count, 34)
    pointers = numpy.frombuffer(index, numpy.int64, count, 34 + 4 * count)
    table = numpy.frombuffer(index, numpy.int64, places, 34 + 12 * count)
    good = (index[:9] == b"MMIDIDX\0\0" and (version, code, count) == (1, 8, len(documents))
            and lengths.tolist() == [len(ids) + 1 for ids in documents]
            and pointers.tolist() == (2 * (numpy.cumsum(lengths) - lengths)).tolist()
            and table.tolist() == list(range(count + 1)) and len(index) == 34 + 12 * count + 8 * places)
    check("megatron.idx", good, f"{count} documents")


# Losses

LOSSES = """
local text = mt.corpus { "text", files = arg[1] .. "/train.jsonl", valid = arg[1] .. "/valid.jsonl" }
for index, name in ipairs { "theirs", "ours" } do
  local tokens = index == 1 and mt.tokenizer { file = arg[1] .. "/theirs.json" }
    or mt.tokenizer { train_on = { text }, vocabulary = 300 }
  local run = mt.recipe { model = mt.neox("micro-0.1m", { tokenizer = tokens, context = 48 }), steps = 40, batch = 8,
    seed = 1, optimizer = { learning_rate = 3e-3 }, mixture = { text = 1 } }:run()
  run:export(arg[1] .. "/" .. name)
  local found = run:evaluate(text, { split = "valid" })
  print(string.format("%.17g %d %d %.17g", found.loss * found.tokens, found.tokens, found.bytes, found.bits_per_byte))
end
"""


def losses(program, work):
    print("# Evaluations of models with two tokenizers, computed again with transformers")
    folder = work / "losses"
    folder.mkdir()
    draw = random.Random(9)
    words = "the a river mill old stone light é e\u0301 ü \u4e2d\u6587 walks, stands. 12 7 (so) \n".split(" ")
    texts = [" ".join(draw.choice(words) for _ in range(draw.randrange(5, 120))) for _ in range(400)]
    parts = {"train": texts[:340], "valid": texts[340:]}
    for name, part in parts.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in part))
    small_tokenizer(folder / "theirs.json", 320, prefix=True, normal=True)
    for name, line in zip(["theirs", "ours"], lua(program, work, LOSSES, folder).splitlines(), strict=True):
        nats, tokens, size, bits = map(float, line.split())
        tokenizer = tokenizers.Tokenizer.from_file(str(folder / name / "tokenizer.json"))
        model = GPTNeoXForCausalLM.from_pretrained(folder / name, dtype=torch.float32, attn_implementation="eager").eval()
        end = tokenizer.token_to_id(END)
        ids = [i for text in parts["valid"] for i in tokenizer.encode(text, add_special_tokens=False).ids + [end]]
        total = 0.0
        for start in range(0, len(ids), 48):
            targets = torch.tensor(ids[start:start + 48])
            inputs = torch.tensor([([end] + ids)[start:start + len(targets)]])
            with torch.no_grad():
                total += torch.nn.functional.cross_entropy(model(inputs).logits[0].double(), targets, reduction="sum").item()
        bytes_ = sum(len(text.encode()) for text in parts["valid"])
        check(f"{name}: tokens and bytes", (tokens, size) == (len(ids), bytes_), f"{len(ids)} tokens, {bytes_} bytes")
        report(f"{name}: {nats:.2f} nats, relative", abs(nats / total - 1), 1e-6)
        report(f"{name}: {bits:.6f} bits a byte", abs(bits - total / math.log(2) / bytes_), 1e-6)


# lm_eval

CHOICES = """
local prose = mt.corpus { "prose", embedded = "prose", bytes = 400000 }
local tokens = mt.tokenizer { train_on = { prose }, vocabulary = 600 }
local run = mt.recipe { model = mt.neox("micro-0.4m", { tokenizer = tokens, context = 128 }), steps = 60, batch = 8,
  seed = 1, mixture = { prose = 1 } }:run { name = "asked" }
run:export(arg[1])
local task = mt.multiple_choice { "questions", files = arg[2] }
local score = mt.pretrained(arg[1]):initialise():score(task, { details = true })
local out = assert(io.open(arg[3], "w"))
out:write(string.format("%.17g %.17g %d\\n", score.accuracy, score.normalised, score.truncated))
for _, outcome in ipairs(score.outcomes) do
  local line = {}
  for _, value in ipairs(outcome.log_likelihoods) do line[#line + 1] = string.format("%.9g", value) end
  out:write(table.concat(line, " "), "\\n")
end
out:close()
"""


MATCHES = """
local place = arg[1]
local rows = mt.corpus { "rows", files = place .. "/train.jsonl", prompt = "Question: {question}\\nAnswer:", response = " {answer}",
  valid_fraction = 0.1, test_fraction = 0.1 }
local tokens = mt.tokenizer { train_on = { rows }, vocabulary = tonumber(arg[2]) }
local task = mt.exact_match { "problems", files = place .. "/asked.jsonl", tokens = 96 }
local base = mt.recipe { model = mt.neox("micro-0.4m", { tokenizer = tokens, context = 512 }), steps = 16, batch = 4,
  optimizer = { learning_rate = 3e-3 }, mixture = { rows = 1 } }
local function make(arm) return base:with { seed = arm.seed } end
local settings = { rows, epochs = 3, batch = 16, learning_rate = 3e-3 }
local study = mt.study { arms = mt.grid { seed = { 1, 2 } }, recipe = make, finetune = settings, evaluate = { rows },
  tasks = { task } }
study:run():json(place .. "/table.json")
-- The state that the study measured, from its store.
local run = make({ seed = 1 }):finetune({ set = rows, epochs = 3, batch = 16, learning_rate = 3e-3 }):run()
run:export(place .. "/model")
local score = run:score(task, { details = true })
local out = assert(io.open(place .. "/texts", "wb"))
local correct = {}
for index, outcome in ipairs(score.outcomes) do
  out:write(#outcome.text, "\\n", outcome.text)
  correct[index] = outcome.correct and "1" or "0"
end
out:close()
print(run.key, table.concat(correct))
"""


def reference_answer(text):
    """The answer in a text, by the rules of GSM8K's strict-match in lm_eval."""
    found = re.search(r"#### (\-?[0-9\.\,]+)", text)
    return normal_answer(found[1].strip()) if found else None


def normal_answer(text):
    for pattern in [",", r"\$", "(?s).*#### ", r"\.$"]:
        text = re.sub(pattern, "", text)
    return text.lower()


def matches(program, work, what, rows, vocabulary):
    """Trains on all rows but the last forty, asks those, and scores and generates again."""
    import lm_eval
    import lm_eval.tasks

    work.mkdir()
    asked = rows[-40:]
    for name, part in [("train", rows[:-40]), ("asked", asked)]:
        (work / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    key, flags = lua(program, work, MATCHES, work, vocabulary).splitlines()[-1].split()
    texts = [blob.decode(errors="replace") for blob in read_blob(work / "texts")]
    correct = [reference_answer(text) == normal_answer(row["answer"])
               for text, row in zip(texts, asked, strict=True)]
    check(f"{what}: scored again in Python", flags == "".join("01"[c] for c in correct),
          f"{sum(correct)} of {len(correct)} correct, {sum('####' in text for text in texts)} with an answer")
    row = next(row for row in json.loads((work / "table.json").read_text()) if row["seed"] == 1)
    check(f"{what}: the study's table has this state and accuracy",
          (row["key"], row["problems"]) == (key, sum(correct) / len(correct)), f"{row['problems']}")
    (work / "problems.yaml").write_text(f"""
task: mtrepl_problems
dataset_path: json
dataset_kwargs:
  data_files:
    test: {json.dumps(str(work / "asked.jsonl"))}
test_split: test
output_type: generate_until
doc_to_text: {json.dumps(END + "Question: {{question}}" + chr(10) + "Answer:")}
doc_to_target: "{{{{answer}}}}"
generation_kwargs:
  until: ["Question:", "</s>", "<|im_end|>"]
  do_sample: false
  max_gen_toks: 96
filter_list:
  - name: strict
    filter:
      - function: regex
        regex_pattern: "#### (\\\\-?[0-9\\\\.\\\\,]+)"
      - function: take_first
metric_list:
  - metric: exact_match
    aggregation: mean
    higher_is_better: true
    ignore_case: true
    ignore_punctuation: false
    regexes_to_ignore: [",", "\\\\$", "(?s).*#### ", "\\\\.$"]
metadata:
  version: 1.0
""")
    result = lm_eval.simple_evaluate(
        model="hf", model_args={"pretrained": str(work / "model"), "dtype": "float32"}, tasks=["mtrepl_problems"],
        task_manager=lm_eval.tasks.TaskManager(include_path=str(work)), device="cpu", batch_size=1, log_samples=True,
        bootstrap_iters=0)
    samples = sorted(result["samples"]["mtrepl_problems"], key=lambda sample: sample["doc_id"])
    theirs = [sample["resps"][0][0] for sample in samples]
    same = sum(a == b for a, b in zip(texts, theirs, strict=True))
    example = next((f"ours {a[:80]!r}, theirs {b[:80]!r}" for a, b in zip(texts, theirs) if a != b), "")
    check(f"{what}: texts that lm_eval generates are ours", same == len(texts), f"{same} of {len(texts)} {example}")
    found = result["results"]["mtrepl_problems"]["exact_match,strict"]
    report(f"{what}: lm_eval's exact_match is {found:.6f}", abs(found - sum(correct) / len(correct)), 1e-9)


def harness(program, work, arguments):
    print("# Multiple choice and exact match, against lm_eval")
    os.environ["HF_DATASETS_OFFLINE"] = "1"
    os.environ["HF_HOME"] = str(work / "home")
    import lm_eval
    import lm_eval.tasks

    questions = work / "questions.jsonl"
    fields = ["question", "correct_answer", "distractor1", "distractor2", "distractor3", "support"]
    if arguments.questions:
        opened = gzip.open if arguments.questions.endswith(".gz") else open
        with opened(arguments.questions, "rt", encoding="utf-8") as file:
            rows = [{key: row[key] for key in fields} for row in map(json.loads, file)]
    else:
        draw = random.Random(5)
        names = ["water", "a long river", "the old mill", "é", "7 apples", "Stone", "light rain", "no one"]
        rows = [dict(zip(fields, [f"What is number {index}?", *draw.sample(names, 4),
                                  "Some text. " * draw.randrange(0, 60)])) for index in range(40)]
    questions.write_text("".join(json.dumps(row) + "\n" for row in rows))
    lua(program, work, CHOICES, work / "model", questions, work / "ours.txt")
    lines = (work / "ours.txt").read_text().splitlines()
    accuracy, normalised, truncated = lines[0].split()
    tasks = work / "tasks"
    tasks.mkdir()
    # Ours puts end-of-text before every prompt, as in training.
    (tasks / "questions.yaml").write_text(f"""
task: mtrepl_questions
dataset_path: json
dataset_kwargs:
  data_files:
    test: {json.dumps(str(questions))}
test_split: test
output_type: multiple_choice
doc_to_text: {json.dumps(END + "{{support.lstrip()}}" + chr(10) + "Question: {{question}}" + chr(10) + "Answer:")}
doc_to_target: 0
doc_to_choice: "{{{{[correct_answer, distractor1, distractor2, distractor3]}}}}"
metric_list:
  - metric: acc
  - metric: acc_norm
metadata:
  version: 1.0
""")
    result = lm_eval.simple_evaluate(
        model="hf", model_args={"pretrained": str(work / "model"), "dtype": "float32"}, tasks=["mtrepl_questions"],
        task_manager=lm_eval.tasks.TaskManager(include_path=str(tasks)), device="cpu", batch_size=1, log_samples=True,
        bootstrap_iters=0)
    scores = result["results"]["mtrepl_questions"]
    largest = 0
    for line, sample in zip(lines[1:], sorted(result["samples"]["mtrepl_questions"], key=lambda s: s["doc_id"]),
                            strict=True):
        theirs = [float(answer[0][0]) for answer in sample["resps"]]
        largest = max(largest, max(abs(a - b) for a, b in zip(map(float, line.split()), theirs, strict=True)))
    report(f"log-likelihoods of {len(rows)} questions with lm_eval {lm_eval.__version__}", largest, 2e-3,
           f"{truncated} cut to the context")
    for ours, key in [(accuracy, "acc,none"), (normalised, "acc_norm,none")]:
        report(f"lm_eval's {key} is {scores[key]:.6f}, ours {float(ours):.6f}", abs(float(ours) - scores[key]), 1e-9)
    draw = random.Random(6)
    sums = [(draw.randrange(10), draw.randrange(10)) for _ in range(1500)]
    matches(program, work / "sums", "sums", [
        {"question": f"What is {a} + {b}?", "answer": f"Take {a} and {b}.\n#### {a + b:,}."} for a, b in sums], 280)
    if arguments.problems:
        opened = gzip.open if arguments.problems.endswith(".gz") else open
        with opened(arguments.problems, "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        matches(program, work / "problems", os.path.basename(arguments.problems), rows, 700)


# Golden files


def golden():
    """Folders of a few kilobytes with the logits that transformers gives."""
    cases = [
        ("parallel", True, 0.25, False, "gelu", "bfloat16", None, True),
        ("sequential", False, 1.0, True, "gelu_new", "float16", None, True),
        ("sharded", True, 1.0, False, "gelu", "bfloat16", "5KB", True),
        ("no-biases", False, 0.25, True, "gelu", "bfloat16", None, False),
    ]
    for number, (name, parallel, rotary, tied, activation, stored, shard, biases) in enumerate(cases):
        torch.manual_seed(50 + number)
        folder = GOLDEN / name
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            path.unlink()
        model = random_model(parallel, rotary, tied, activation, 31, biases, width=16, heads=2, layers=1, feed=24, context=16)
        model = save(model, folder, stored, shard)
        if name == "parallel":
            age(folder)
        (folder / "generation_config.json").unlink(missing_ok=True)
        ids = torch.randint(0, 31, (1, 9))
        with torch.no_grad():
            logits = model(ids).logits
        (folder / "logits.json").write_text(json.dumps({
            "made_with": f"torch {torch.__version__.split('+')[0]}, transformers {transformers.__version__}",
            "ids": ids[0].tolist(), "logits": [round(value, 7) for value in logits.reshape(-1).tolist()]}) + "\n")
        print(f"{folder}: {sum(path.stat().st_size for path in folder.iterdir())} bytes")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["models", "export"],
                        help="models, export, tokenizers, metrics, data, losses, harness, golden; default: models and export")
    parser.add_argument("--program", default=str(ROOT / ".build" / "release" / "mtrepl"))
    parser.add_argument("--tokenizer-file", help="a tokenizer.json")
    parser.add_argument("--vocabulary", help="a vocab.json")
    parser.add_argument("--merges", help="its merges.txt")
    parser.add_argument("--corpora", help="a folder of .jsonl.gz files")
    parser.add_argument("--questions", help="a .jsonl or .jsonl.gz file with SciQ's fields, for harness")
    parser.add_argument("--problems", help="a .jsonl or .jsonl.gz file with GSM8K's fields, for harness")
    parser.add_argument("--megabytes", type=float, default=50)
    parser.add_argument("--made-up", type=int, default=20000, help="texts of odd characters")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - {
            "models", "export", "tokenizers", "metrics", "data", "losses", "harness", "golden"}:
        parser.error(f"unknown part {', '.join(sorted(unknown))}")
    torch.set_num_threads(1)
    transformers.logging.disable_progress_bar()
    print(f"torch {torch.__version__}, transformers {transformers.__version__}, tokenizers {tokenizers.__version__}")
    with tempfile.TemporaryDirectory() as place:
        for part in arguments.parts:
            work = pathlib.Path(place) / part
            work.mkdir()
            if part == "models":
                models(arguments.program, work)
            elif part == "export":
                export(arguments.program, work)
            elif part == "tokenizers":
                compare_tokenizers(arguments.program, work, arguments)
            elif part == "metrics":
                metrics(arguments.program, work)
            elif part == "data":
                data(arguments.program, work)
            elif part == "losses":
                losses(arguments.program, work)
            elif part == "harness":
                harness(arguments.program, work, arguments)
            else:
                golden()
    print("all agree" if not failures else f"{len(failures)} differ: {', '.join(failures)}")
    sys.exit(1 if failures else 0)
