#!/usr/bin/env python3
"""Compares the ids of mtrepl with those of the installed tokenizers library, for the tokenizers of published models.

    .build/venv/bin/python scripts/tokenizer_families.py

`families` trains small vocabularies here, on the text of this repository, with the settings that the models' tokenizer.json
files have (their names are in `FAMILIES`), and compares ids on mixed and awkward text, also of the files that mtrepl saves.
`patterns` draws pre-tokenizers with random regular expressions; `expressions` compares classes of characters over code
points. A tokenizer is either refused with an error, or gives the library's ids. The exit code is 1 if something differs.
"""

import argparse
import json
import pathlib
import random
import sys
import tempfile

import tokenizers
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

import tokenizer_fuzz
from tokenizer_fuzz import ALPHABET, END, ROOT, characters, check, compare, entry, spelled

L = r"\p{L}"
GPT4 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = GPT4.replace("{1,3}", "")
QWEN35 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")
CAPITALS, SMALLS = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
ENDING = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
O200K = (rf"[^\r\n\p{{L}}\p{{N}}]?{CAPITALS}*{SMALLS}+{ENDING}|[^\r\n\p{{L}}\p{{N}}]?{CAPITALS}+{SMALLS}*{ENDING}"
         r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
TEKKEN = O200K.replace(ENDING, "").replace("{1,3}", "")
DEEPSEEK = (r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"""
            r"|\s*[\r\n]+|\s+(?!\S)|\s+")
POSSESSIVE = (r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|"
              r"\s+(?!\S)|\s")


def level(prefix=False, words=False):
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True, "use_regex": words}


def split(pattern, behavior="Isolated", invert=False, kind="Regex"):
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}


def sequence(*steps):
    return {"type": "Sequence", "pretokenizers": list(steps)}


def digits(individual):
    return {"type": "Digits", "individual_digits": individual}


def punctuation(behavior):
    return {"type": "Punctuation", "behavior": behavior}


def template(begin):
    return {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": begin, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {begin: {"id": begin, "ids": [1], "tokens": [begin]}}}


MARK = "\u2581"
REPLACE = {"type": "Replace", "pattern": {"String": " "}, "content": MARK}
PREPEND = {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": MARK}, REPLACE]}


def metaspace(scheme, cut):
    return {"type": "Metaspace", "replacement": MARK, "prepend_scheme": scheme, "split": cut}


# Name: special tokens, normalizer, pre-tokenizer, what else the model says. The settings are those of the tokenizer.json of
# openai-community/gpt2, FacebookAI/roberta-base, EleutherAI/gpt-neox-20b, meta-llama/Llama-3.1-8B, allenai/OLMo-2-1124-7B,
# Qwen/Qwen2.5-7B, Qwen/Qwen3.5, openai/gpt-oss-20b, mistralai/Mistral-Nemo-Base-2407, deepseek-ai/DeepSeek-V3,
# deepseek-ai/deepseek-coder-6.7b-base, HuggingFaceTB/SmolLM2-135M (and bigcode/starcoder2), tiiuae/falcon-7b,
# bigscience/bloom, and OpenAI's pattern of cl100k_base as tiktoken writes it.
BYTES = {
    "gpt2": ([END], None, level(words=True), {}),
    "roberta": (["<pad>", "<s>", "</s>"], None, level(prefix=True, words=True), {}),
    "gpt-neox": ([END, "<|padding|>"], {"type": "NFC"}, level(words=True), {}),
    "llama3": (["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"], None, sequence(split(GPT4), level()), {"ignore_merges": True}),
    "olmo2": ([END, "<|im_start|>"], None, sequence(split(GPT4), level()), {}),
    "qwen2": ([END, "<|im_start|>", "<|im_end|>"], {"type": "NFC"}, sequence(split(QWEN2), level()), {}),
    "qwen3.5": ([END, "<|im_end|>"], {"type": "NFC"}, sequence(split(QWEN35), level()), {}),
    "gpt-oss": (["<|startoftext|>", END], None, sequence(split(O200K), level()), {}),
    "mistral-nemo": (["<unk>", "<s>", "</s>", "[INST]"], None, sequence(split(TEKKEN), level()), {"ignore_merges": True}),
    "deepseek-v3": (["<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"], {"type": "Sequence", "normalizers": []},
                    sequence(split(r"\p{N}{1,3}"), split("[一-龥\u3040-ゟ゠-ヿ]+"), split(DEEPSEEK), level()), {}),
    "deepseek-coder": (["<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"], None,
                       sequence(split("[\r\n]"), split(r"\s?\p{L}+"), split(r"\s?\p{P}+"), split("[一-龥ࠀ-一가-퟿]+"),
                                digits(True), level()), {}),
    "smollm2": ([END, "<|im_start|>", "<|im_end|>"], None, sequence(digits(True), level(words=True)), {}),
    "falcon": ([END], None, sequence(punctuation("Contiguous"), level(words=True), digits(False), split("[0-9][0-9][0-9]")), {}),
    "bloom": (["<unk>", "<s>", "</s>"], None, sequence(split(r" ?[^(\s|[.,!?…。，、।۔،])]+"), level()), {}),
    "cl100k possessive": ([END], None, sequence(split(POSSESSIVE), level()), {}),
    "lower case": ([END], {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"}, {"type": "Strip", "strip_left": True, "strip_right": True}]},
                   sequence({"type": "Whitespace"}, level(prefix=True)), {}),
}
# Of meta-llama/Llama-2-7b, microsoft/Phi-3-mini-4k-instruct, mistralai/Mistral-7B-v0.3, google/gemma-2-2b (and 3).
CHARACTERS = {
    "llama2": (PREPEND, None, {"byte_fallback": True, "fuse_unk": True}, {}),
    "phi-3": (PREPEND, None, {"byte_fallback": True, "fuse_unk": False}, {"rstrip": True}),
    "mistral": (None, metaspace("first", False), {"byte_fallback": True, "fuse_unk": True}, {}),
    "gemma": (REPLACE, split(" ", "MergedWithPrevious", kind="String"), {"byte_fallback": True, "fuse_unk": True}, {}),
    "metaspace": ({"type": "NFKC"}, metaspace("always", True), {"byte_fallback": False, "fuse_unk": True}, {}),
    "no fuse": (None, metaspace("never", True), {"byte_fallback": False, "fuse_unk": False}, {}),
}

SENTENCES = [
    "The quick brown fox can't jump over 1234567 lazy dogs; they'LL say \"no\" (twice).\r\n\tIndented\n\n\n  text  \n",
    "Straße, naïve café, ÅNGSTRÖM, ŒUVRE, ſhort ﬁne ½ ② Ⅷ 10²³ x₁ — “quoted” … 100 % €5,00 £3",
    "Съешь ещё этих мягких французских булок. Ἐν ἀρχῇ ἦν ὁ λόγος. שלום עולם! مرحبا بالعالم، كيف الحال؟ हिन्दी में नमस्ते दुनिया।",
    "漢字かな交じり文。私はガラスを食べられます。它不傷我 12345 한국어 문장입니다. ภาษาไทยไม่มีช่องว่าง Tiếng Việt",
    "def f(x):\n    return x ** 2  # comment\n\nfor (int i = 0; i < 10; ++i) { a[i] += \"s\\n\"; }  // http://a.b/c?d=e&f=g\n",
    "HTTPServerError camelCase snake_case SCREAMING_CASE iPhone's IT'S we'Ve ÀÉÎ's\u00a0no-break\u2003em\u3000wide\u200bzero\u200djoin",
    "😀😃👩‍👩‍👧‍👦🏳️‍🌈 e\u0301a\u0300\u0316 \u0f73\u0301 ꙮ \U0001d54f \U00011935\U00011930 \ufffd \x00\x01\x7f\x85",
]


def corpus():
    """The text of this repository, and sentences in other scripts."""
    texts = list(SENTENCES) * 8
    for folder, endings in [("docs", [".md"]), ("scripts", [".py", ".lua"]), ("Sources/Runtime/Data", [".swift"])]:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in endings:
                texts.append(path.read_text()[:20000])
    return texts


def awkward(draw, contents):
    """Texts that pull tokenizers apart."""
    texts = list(SENTENCES) + ["", " ", "  ", "\n", "\r\n", "\t", "'", "'s", " 's", "a", "▁", " ▁ a", "▁▁", "<0x41>", "Ġ", "Ċa"]
    for unit in [" ", "a", "A", "1", "\n", "\r\n", "é", "\u0301", "漢", "!", " \n", "a ", "'", "▁", "Aa", "\u00a0", "😀", "<", "aA1 "]:
        texts += [unit * 3, unit * 1000, "x" + unit * 37 + "y", unit * 36 + "1"]
    pieces = tokenizer_fuzz.PIECES + contents * 2 + list("AEÉßſKﬆ²½٣௧'!?.,;:/\\|()[]{}#$%^&*-_=+~`\"") + [
        "'S", "'LL", "'ve", "'re", "'ſ", "\r", "\r\n", "\n\n", "\t\t", "    ", "1234", "ABC", "aBc", "http://", "▁", "\u0085", "\u2028", "ا", "ア", "가", "ǅ", "ʰ",
        "\u200d", "\ufeff", "\u00ad", "\ue000", "\U0001f1e9", "\u0600", "\u1680", "\u180e", "\u202f"]
    texts += ["".join(draw.choice(pieces) for _ in range(draw.randrange(1, 24))) for _ in range(400)]
    texts += ["".join(chr(draw.choice([draw.randrange(0x20, 0x250), draw.randrange(0x250, 0xD800), draw.randrange(0xE000, 0x11000), draw.randrange(0x10000, 0x20000)]))
                      for _ in range(draw.randrange(1, 24))) for _ in range(200)]
    return texts


def bytes_family(name, texts, size):
    special, normalizer, steps, model = BYTES[name]
    tokenizer = Tokenizer(models.BPE())
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    parts = steps.get("pretokenizers", [steps])
    made = json.loads(tokenizer.to_str()) | {"pre_tokenizer": steps, "normalizer": normalizer}
    tokenizer = Tokenizer.from_str(json.dumps(made))
    tokenizer.train_from_iterator(texts, trainer)
    made = json.loads(tokenizer.to_str())
    made["decoder"] = made["post_processor"] = level(words=True)
    made["model"].update(model)
    if len(special) > 2:
        made["post_processor"] = template(special[1])
    assert parts
    return made


def characters_family(name, texts, size):
    normalizer, steps, model, flags = CHARACTERS[name]
    fallback = [f"<0x{byte:02X}>" for byte in range(256)] if model["byte_fallback"] else []
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    # Merges are learnt within words, as SentencePiece does it.
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.BpeTrainer(vocab_size=size + len(fallback), special_tokens=["<unk>", "<s>", "</s>"] + fallback, limit_alphabet=120, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    made = json.loads(tokenizer.to_str()) | {"pre_tokenizer": steps, "normalizer": normalizer, "post_processor": template("<s>")}
    made["added_tokens"] = [token for token in made["added_tokens"] if token["content"] not in fallback]
    made["added_tokens"] += [entry(len(made["model"]["vocab"]), "<|user|>", special=True, normalized=False, **flags),
                             entry(len(made["model"]["vocab"]) + 1, "<extra>", normalized=True)]
    made["model"].update(model)
    made["decoder"] = {"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"String": MARK}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}
    return made


def families(program, work, draw, options):
    texts = corpus()
    every = characters(options.every)
    everything = ["".join(every[start:start + 256]) for start in range(0, len(every), 256)]
    for number, name in enumerate(list(BYTES) + list(CHARACTERS)):
        made = (bytes_family if name in BYTES else characters_family)(name, texts, 1500)
        if number % 2:
            # The older spelling.
            made["model"]["merges"] = [" ".join(pair) for pair in made["model"]["merges"]]
        contents = [token["content"] for token in made["added_tokens"]]
        place = work / str(number)
        place.mkdir()
        differences, refusals = compare(program, place, [(made, texts[-12:] + awkward(draw, contents) + everything)])
        check(f"{name}, {len(made['model']['vocab'])} tokens", differences + refusals)


ATOMS = [r"\p{L}", r"\p{N}", r"\s", r"\S", r"\w", r"\W", r"\d", r"\h", r"[^\s\p{L}\p{N}]", "[a-c]", "a", "b", " ", "é", r"\n", r"[\r\n]", ".", r"\p{Lu}", r"\p{^Lu}",
         r"\P{L}", r"\p{M}", "[[:punct:]]", "[[:^alpha:]]", r"[\w&&[^a]]", r"[^a-c&&[^\s]]", "[a[^b]]", r"(?i:'s|'t)", "(?i:k)", "(?i:[a-s])", "(?i:[^s])", "(?!\\S)", "(?=a)",
         "(?<=a)", r"(?<!\s)", "(?<=ab|1 )", "^", "$", r"\b", r"\B", r"\A", r"\z", r"\Z", "(?>a|ab)", "(?:ab|a)", r"\x{e9}", r"\u0061", r"[^\W_]", r"\p{Punct}", "(?m:.)", "[a-]", "[-a]", "'"]
COUNTS = ["", "", "", "+", "*", "?", "{1,3}", "{2}", "{2,}", "{,2}", "+?", "*?", "??", "++", "?+", "*+", "{1,3}+", "{2}+", "{1,2}?"]


def expression(draw, depth=0):
    branches = []
    for _ in range(draw.choice([1, 1, 2, 3])):
        parts = []
        for _ in range(draw.randrange(1, 4)):
            if depth < 2 and draw.random() < 0.25:
                atom = draw.choice(["(?:", "(?:", "(", "(?>", "(?=", "(?!"]) + expression(draw, depth + 1) + ")"
            else:
                atom = draw.choice(ATOMS)
            assertion = atom in ("^", "$") or atom.startswith((r"\b", r"\B", r"\A", r"\z", r"\Z", "(?=", "(?!", "(?<"))
            parts.append(atom + ("" if assertion else draw.choice(COUNTS)))
        branches.append("".join(parts))
    return "|".join(branches)


def patterns(program, work, draw, options):
    """Every pair of bytes of a small alphabet merges, so that ids show where words end."""
    letters = sorted({spelled(character)[-1:] for character in "abAks1é \n\r'!_²\u0301"} | {spelled("é")[0]})
    pieces = ["a", "b", "A", "k", "s", "ſ", "K", "1", "é", " ", "  ", "\n", "\r\n", "'s", "'T", "!", "_", "²", "\u0301", "漢", "ab", "abc", "\u00a0"]
    behaviors = ["Isolated", "Removed", "Contiguous", "MergedWithPrevious", "MergedWithNext"]
    rounds = options.rounds
    cases = []
    while len(cases) < rounds:
        steps = []
        for _ in range(draw.choice([1, 1, 1, 2, 3])):
            steps.append(draw.choice([
                lambda: split(expression(draw), draw.choice(behaviors), draw.random() < 0.3),
                lambda: split(expression(draw), draw.choice(behaviors), draw.random() < 0.3),
                lambda: split(expression(draw), draw.choice(behaviors), draw.random() < 0.3),
                lambda: split(draw.choice(pieces), draw.choice(behaviors), draw.random() < 0.3, kind="String"),
                lambda: digits(draw.random() < 0.5), lambda: punctuation(draw.choice(behaviors)),
                lambda: {"type": draw.choice(["Whitespace", "WhitespaceSplit", "BertPreTokenizer"])},
                lambda: {"type": "CharDelimiterSplit", "delimiter": draw.choice("ab é")}])())
        steps.insert(draw.choice([len(steps), len(steps), draw.randrange(len(steps) + 1)]),
                     level(draw.random() < 0.2, draw.random() < 0.3))
        pairs = [(one, two) for one in letters for two in letters]
        draw.shuffle(pairs)
        made = tokenizer_fuzz.definition(pairs)
        made["pre_tokenizer"] = sequence(*steps)
        made["model"]["ignore_merges"] = draw.random() < 0.2
        try:
            Tokenizer.from_str(json.dumps(made))
        except Exception:
            continue
        cases.append((made, ["".join(draw.choice(pieces) for _ in range(draw.randrange(12))) for _ in range(20)]))
    differences, refusals = compare(program, work, cases)
    kinds = {}
    for refusal in refusals:
        reason = refusal.split(": ")[-1]
        kinds[reason] = kinds.get(reason, 0) + 1
    check(f"ids of {rounds} random pre-tokenizers, {len(refusals)} refused", differences)
    for kind, count in sorted(kinds.items(), key=lambda item: -item[1])[:12]:
        print(f"    refused {count}: {kind[:160]}")
    if len(refusals) > rounds / 2:
        check("most pre-tokenizers are read", [f"{len(refusals)} of {rounds} are refused"])


CLASSES = [r"\p{%s}" % name for name in (
    "L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z Zs Zl Zp C Cc Cf Co Cn Any Alphabetic Uppercase "
    "Lowercase White_Space Alnum Word Punct Digit Han Hiragana Katakana Hangul Thai").split()] + [
    r"\s", r"\w", r"\d", r"\h", r"[\w]", "[[:alpha:]]", "[[:punct:]]", "[[:upper:]]", "[[:blank:]]", "[[:word:]]", "[[:alnum:]]", r"[^\s\p{L}\p{N}]", r"[^\r\n\p{L}\p{N}]"]


def expressions(program, work, draw, options):
    """A character that is in the class is removed, any other stays."""
    every = [*characters(options.every), "\n"]
    texts = ["".join(every[start:start + 4096]) for start in range(0, len(every), 4096)]
    steps = [[split(pattern, "Removed")] for pattern in CLASSES]
    steps += [[digits(True), split(".", "Removed")], [{"type": "Whitespace"}], [{"type": "WhitespaceSplit"}]]
    cases = []
    for step in steps:
        made = tokenizer_fuzz.definition()
        made["pre_tokenizer"] = sequence(*step, level())
        cases.append((made, texts))
    # Where punctuation ends: it merges with the letter behind it, if it is in the same word.
    heads = sorted({character.encode()[-1:] for character in characters()})
    made = tokenizer_fuzz.definition([(ALPHABET[head[0]], "a") for head in heads])
    for step in [punctuation("Isolated"), digits(True)]:
        cases.append((made | {"pre_tokenizer": sequence(step, level())}, ["".join(c + "a" for c in text) for text in texts]))
    cases.append((tokenizer_fuzz.definition() | {"normalizer": {"type": "Lowercase"}}, texts))
    differences, refusals = compare(program, work, cases, saved=False)
    check(f"{len(CLASSES)} classes, digits, punctuation, white space and lower case, on {len(every)} code points",
          [text[:120] + " … " + text[-200:] for text in differences] + refusals)


if __name__ == "__main__":
    parts = {"families": families, "patterns": patterns, "expressions": expressions}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=list(parts))
    parser.add_argument("--program", default=str(ROOT / ".build" / "release" / "mtrepl"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--every", action="store_true", help="every code point, also those that are much alike")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(parts):
        parser.error(f"unknown part {', '.join(sorted(unknown))}")
    print(f"tokenizers {tokenizers.__version__}, seed {arguments.seed}")
    with tempfile.TemporaryDirectory() as place:
        for part in arguments.parts:
            work = pathlib.Path(place) / part
            work.mkdir()
            parts[part](arguments.program, work, random.Random(arguments.seed), arguments)
    failures = tokenizer_fuzz.failures
    print("all agree" if not failures else f"{len(failures)} differ: {', '.join(failures)}")
    sys.exit(1 if failures else 0)
