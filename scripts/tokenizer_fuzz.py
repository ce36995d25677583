#!/usr/bin/env python3
"""Compares the ids of mtrepl with those of the installed tokenizers library, over random tokenizers and texts.

    .build/venv/bin/python scripts/tokenizer_fuzz.py --rounds 300 --seed 1

`forms` compares the four normal forms on code points, pairs of marks, every pair that composes, and random
strings; `classes` compares where words end, on every code point; `random` draws sets of added tokens with all their
flags, normalizers and texts. A tokenizer is either refused with an error, or it gives the library's ids, and its saved
file gives them too when the library loads it. The exit code is 1 if something differs.
"""

import argparse
import contextlib
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unicodedata

import tokenizers
from tokenizers import Tokenizer, normalizers

ROOT = pathlib.Path(__file__).resolve().parent.parent
END = "<|endoftext|>"
FORMS = ["NFC", "NFD", "NFKC", "NFKD"]
DIFFERENCES = 5

failures = []


def check(what, differences):
    print(f"{'BAD' if differences else 'ok '} {what}" + (f": {len(differences)} differ" if differences else ""))
    for difference in differences[:DIFFERENCES]:
        print("   ", difference)
    if differences:
        failures.append(what)


DRIVER = r"""
-- For each tokenizer: the ids of every text, plain and with special tokens parsed, and the file saved again.
local place = arg[1]
for index = 1, math.tointeger(tonumber(arg[2])) do
  local name = place .. "/" .. index
  local out = assert(io.open(name .. ".ids", "w"))
  local ok, tokens = pcall(mt.tokenizer, { file = name .. ".json" })
  if not ok then
    out:write("refused ", (tostring(tokens):gsub("\n", " ")), "\n")
  else
    tokens:save(name .. ".saved.json")
    local file = assert(io.open(name .. ".texts", "rb"))
    for length in file:lines() do
      local text = file:read(math.tointeger(tonumber(length)))
      file:read(1)
      for _, parses in ipairs { false, true } do
        out:write(table.concat(tokens:encode(text, { parse_special = parses }), " "), "\n")
      end
    end
    file:close()
  end
  out:close()
end
"""

NORMALISED = r"""
-- A tokenizer of bytes alone gives the normalised text back.
local file = assert(io.open(arg[2], "rb"))
local text = file:read("a")
local tokens = mt.tokenizer { file = arg[1] }
local out = assert(io.open(arg[3], "wb"))
out:write(tokens:decode(tokens:encode(text)))
out:close()
"""


def lua(program, work, script, *arguments):
    path = work / "script.lua"
    path.write_text(script)
    done = subprocess.run(
        [program, "--store", str(work / "store"), str(path), *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"mtrepl failed with {done.returncode}:\n{done.stdout}{done.stderr}")


def byte_alphabet():
    """The character that stands for each byte."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = iter(range(0x100, 0x200))
    return [chr(byte) if byte in visible else chr(next(others)) for byte in range(256)]


ALPHABET = byte_alphabet()


def spelled(text):
    return "".join(ALPHABET[byte] for byte in text.encode())


def definition(merges=(), added=(), normalizer=None, prefix=False):
    """A byte-level tokenizer as a tokenizer.json; merges are pairs of spelled tokens."""
    vocabulary = {END: 0}
    for character in ALPHABET:
        vocabulary[character] = len(vocabulary)
    for left, right in merges:
        vocabulary.setdefault(left + right, len(vocabulary))
    level = {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [entry(0, END, special=True, normalized=False), *added],
        "normalizer": normalizer, "pre_tokenizer": level, "post_processor": level, "decoder": level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "vocab": vocabulary,
                  "merges": [" ".join(pair) for pair in merges]},
    }


def entry(number, content, **flags):
    return {"id": number, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": True, "special": False, **flags}


def characters(every=False):
    """Every character but the line feed; otherwise some of the ideographs, the syllables, and what is private or free."""
    alike = [(0x3400, 0x9FFF), (0xAC00, 0xD7FF), (0xE000, 0xF8FF), (0x17000, 0x18CFF), (0x20000, 0x2F7FF),
             (0x2FA20, 0x10FFFF)]
    return [chr(code) for code in range(0x110000)
            if not 0xD800 <= code < 0xE000 and code != 10
            and (every or code % 97 == 0 or not any(low <= code <= high for low, high in alike))]


def forms(program, work, draw, every):
    """Every code point, pairs of marks, pairs that compose, random strings of what interacts: one a line."""
    marks = [c for c in characters() if unicodedata.combining(c)]
    composites = [unicodedata.normalize("NFD", c) for c in characters()
                  if unicodedata.normalize("NFD", c) != c and not 0xAC00 <= ord(c) <= 0xD7A3]
    firsts = sorted({text[0] for text in composites} | set("aA\u1100\u1161\uac00\uac01\u11a8\u10041"))
    seconds = sorted({text[-1] for text in composites} | set("\u1161\u1175\u1176\u11a7\u11a8\u11c2\u11c3\u11935\u11930"))
    lines = characters(every) + composites
    lines += [a + b for a in firsts for b in seconds]
    some = draw.sample(marks, 120) + [chr(c) for c in range(0xF71, 0xF85)]
    lines += ["a" + a + b for a in marks for b in some] + [a + b + "\u0301" for a in some for b in marks]
    pool = marks + composites + firsts + [chr(draw.randrange(0x20, 0xD800)) for _ in range(2000)]
    lines += ["".join(draw.choice(pool) for _ in range(draw.randrange(2, 12))) for _ in range(60000)]
    lines += ["\U00010041\u0301", "\U00011935\U00011930", "a" + "\u0301\u0316" * 400000]
    text = "\n".join(lines)
    (work / "text").write_bytes(text.encode())
    for form in FORMS:
        path = work / f"{form}.json"
        path.write_text(json.dumps(definition(normalizer={"type": form})))
        lua(program, work, NORMALISED, path, work / "text", work / "ours")
        ours = (work / "ours").read_bytes().decode(errors="replace").split("\n")
        normalize = getattr(normalizers, form)().normalize_str
        theirs = [normalize(line) for line in lines]
        if len(ours) != len(lines):
            check(f"{form}: lines", [f"{len(ours)} of {len(lines)}"])
            continue
        check(f"{form} of {len(lines)} strings", [
            f"{ascii(line[:20])}: ours {ascii(a[:20])}, theirs {ascii(b[:20])}"
            for line, a, b in zip(lines, ours, theirs) if a != b])


@contextlib.contextmanager
def silent():
    """Sends standard error nowhere, where the library says that it failed."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def ids_of(tokenizer, text):
    """The library's ids; None where it fails itself, at white space that two tokens would take."""
    try:
        with silent():
            return " ".join(map(str, tokenizer.encode(text, add_special_tokens=False).ids))
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as failure:
        if "bad split" not in str(failure):
            raise
        return None


def compare(program, work, cases, saved=True):
    """Ids of every text by every tokenizer, and by the files saved again; `cases` are definitions with texts."""
    for number, (tokenizer, texts) in enumerate(cases, 1):
        (work / f"{number}.json").write_text(json.dumps(tokenizer))
        with open(work / f"{number}.texts", "wb") as file:
            for text in texts:
                data = text.encode()
                file.write(b"%d\n%s\n" % (len(data), data))
    lua(program, work, DRIVER, work, len(cases))
    differences, refusals = [], []
    for number, (tokenizer, texts) in enumerate(cases, 1):
        lines = (work / f"{number}.ids").read_text().split("\n")[:-1]
        if lines and lines[0].startswith("refused "):
            refusals.append(lines[0])
            continue
        for name in [f"{number}.json"] + [f"{number}.saved.json"] * saved:
            try:
                theirs = Tokenizer.from_file(str(work / name))
            except Exception as error:
                differences.append(f"{name}: {error}")
                continue
            for index, text in enumerate(texts):
                for parses in [False, True][:1 + saved]:
                    theirs.encode_special_tokens = not parses
                    expected = ids_of(theirs, text)
                    if expected is None:
                        continue
                    if lines[2 * index + parses] != expected:
                        differences.append(
                            f"{name}, special {parses}, {tokenizer['normalizer']}, "
                            f"{[{k: v for k, v in t.items() if v} for t in tokenizer['added_tokens'][1:]]}, "
                            f"{ascii(text)}: ours {lines[2 * index + parses]}, theirs {expected}")
    return differences, refusals


def classes(program, work, every):
    """A letter, a digit and a sign merge with the first byte of what follows, if it is in the same word."""
    everything = characters(every)
    heads = sorted({character.encode()[:1] for character in characters()})
    merges = [(before, ALPHABET[head[0]]) for before in "a1!" for head in heads]
    texts = ["".join(f"a{c} 1{c} !{c} " for c in everything[start:start + 256]) for start in range(0, len(everything), 256)]
    # What counts as a word and as white space beside added tokens.
    added = [entry(257 + len(set(a + b for a, b in merges)) + number, content, **flags)
             for number, (content, flags) in enumerate([("QQ", {"single_word": True}), ("RR", {"lstrip": True}), ("SS", {"rstrip": True})])]
    beside = ["".join(f"{c}QQ, QQ{c}, .{c}RR SS{c}. " for c in everything[start:start + 256]) for start in range(0, len(everything), 256)]
    differences, refusals = compare(program, work, [(definition(merges), texts), (definition(merges, added), beside)],
                                    saved=False)
    check("where words end, on every code point", differences + refusals)


PIECES = ["a", "b", "ab", "abc", "bc", "the", " ", "  ", "\n", "\t", "\u00a0", "\u3000", "\u200b", "_", "-", ".", "1", "9", "é", "e\u0301",
          "e", "\u0301", "\u0316", "ﬁ", "fi", "①", "Å", "\u212b", "한", "\u1112\u1161\u11ab", "\u1161", "漢", "<", ">", "<x>", "|", "<|im|>",
          "Ġ", "Ġthe", "Ċ", "'s", "'", "😀", "\U00011935", "\U00011930", "\u0f73", "\x00", "\u200d", "ſ", "ß", END]


def random_text(draw, contents, longest):
    pieces = PIECES + contents * 3
    return "".join(draw.choice(pieces) for _ in range(draw.randrange(0, longest)))


def random_case(draw):
    merges, known = [], [c for c in ALPHABET]
    for _ in range(draw.randrange(0, 30)):
        text = spelled(random_text(draw, [" the", "the", "ab"], 4))
        # Any two neighbours that exist already make a token.
        parts = list(text)
        while len(parts) > 1:
            place = draw.randrange(len(parts) - 1)
            pair = (parts[place], parts[place + 1])
            if pair not in merges:
                merges.append(pair)
                known.append(pair[0] + pair[1])
            parts[place:place + 2] = [pair[0] + pair[1]]
    base = definition(merges)
    vocabulary = base["model"]["vocab"]
    normalizer = draw.choice([
        None, None, {"type": "NFC"}, {"type": "NFD"}, {"type": "NFKC"}, {"type": "NFKD"},
        {"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "NFC"}]},
        {"type": "Sequence", "normalizers": [{"type": draw.choice(FORMS)} for _ in range(draw.randrange(3))]}])
    added, contents, following = [], [], len(vocabulary)
    for _ in range(draw.randrange(0, 8)):
        content = draw.choice([
            random_text(draw, contents, 5), draw.choice(known), draw.choice(PIECES),
            (draw.choice(contents) if contents else "x") + draw.choice(PIECES)])
        if not content or content in contents or content == END:
            continue
        contents.append(content)
        number = vocabulary.get(content)
        if number is None:
            number, following = following, following + 1
        added.append(entry(number, content, **{
            key: draw.random() < chance for key, chance in [
                ("single_word", 0.25), ("lstrip", 0.25), ("rstrip", 0.25), ("normalized", 0.6), ("special", 0.25)]}))
    draw.shuffle(added) if draw.random() < 0.1 else None
    tokenizer = definition(merges, added, normalizer, prefix=draw.random() < 0.2)
    tokenizer["added_tokens"][0]["normalized"] = draw.random() < 0.3
    texts = [random_text(draw, contents, 14) for _ in range(25)] + [random_text(draw, contents, 200)]
    return tokenizer, texts


def fuzz(program, work, draw, rounds):
    cases = [random_case(draw) for _ in range(rounds)]
    differences, refusals = compare(program, work, cases)
    kinds = {}
    for refusal in refusals:
        reason = "the same text" if "same text" in refusal else "next free id" if "next free id" in refusal else refusal
        kinds[reason] = kinds.get(reason, 0) + 1
    check(f"ids of {rounds} random tokenizers, {len(refusals)} refused", differences)
    for kind, count in kinds.items():
        print(f"    refused {count}: {kind[:200]}")
    if len(refusals) > rounds / 3:
        check("most tokenizers are read", [f"{len(refusals)} of {rounds} are refused"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["forms", "classes", "random"])
    parser.add_argument("--program", default=str(ROOT / ".build" / "release" / "mtrepl"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--every", action="store_true", help="every code point, also those that are much alike")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - {"forms", "classes", "random"}:
        parser.error(f"unknown part {', '.join(sorted(unknown))}")
    print(f"tokenizers {tokenizers.__version__}, seed {arguments.seed}")
    with tempfile.TemporaryDirectory() as place:
        for part in arguments.parts:
            work = pathlib.Path(place) / part
            work.mkdir()
            if part == "forms":
                forms(arguments.program, work, random.Random(arguments.seed), arguments.every)
            elif part == "classes":
                classes(arguments.program, work, arguments.every)
            else:
                fuzz(arguments.program, work, random.Random(arguments.seed), arguments.rounds)
    print("all agree" if not failures else f"{len(failures)} differ: {', '.join(failures)}")
    sys.exit(1 if failures else 0)
