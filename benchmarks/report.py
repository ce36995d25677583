"""Makes docs/performance.md from the results in benchmarks/out."""

import json

PEERS = [
    # Our precision, the peer's mode, what to call it.
    ("float32", "float32", "float32"),
    ("bfloat16", "autocast", "bfloat16; peer autocast"),
    ("bfloat16", "true", "bfloat16; peer bf16-true"),
]

METHOD = """\
Ours and the peer run in alternating processes, on all cores; a number is the median over those processes of every repetition
after the first. Random tokens, random weights, the same shapes; the peer is litgpt's GPT on PyTorch with fused AdamW, and the
faster of all logits at once and the head in chunks of 128 rows (`--quick`: all at once). It runs eagerly unless `--compile` was
given and was faster. *Tuned* is the peer with glibc told to keep freed memory (`MALLOC_MMAP_MAX_=0`, no trimming), which spares
it the first touch of fresh pages at every step; few users set it, but it is the peer at its best.

*autocast* does the arithmetic that our bfloat16 does (products in bfloat16; weights, gradients and moments in float32).
*bf16-true* keeps weights, gradients and moments in bfloat16: half the memory traffic, and small updates are lost, so it is the
same speed contest but not the same training.

GFLOP/s count products of matrices, two operations each: forward `2 (layers (4 w² + 2 w f) + vocabulary w + layers w (columns + 1))`
for each token, with width w and feed-forward f, the head included and attention only where it is causal; backward twice that. The
ceiling is the fastest large product that either side reached. *Spread* is the distance of the slowest from the fastest
repetition as a part of the median, for ours, the peer and the tuned peer: above a third, something else was using the machine
and the row should be measured again."""


def number(value, digits=0):
    return f"{value:,.{digits}f}"


def speed_table(results, rows, kind, ceiling, generated):
    head = ["model", "precision", "ours, tok/s"]
    head += ["GFLOP/s (of ceiling)"] if kind != "generate" else []
    head += ["peer, tok/s", "ratio"] + (["target"] if kind == "step" else []) + ["tuned peer, tok/s", "ratio"]
    head += ["memory ours / peer / tuned, MB", "spread"]
    lines = [head]
    for name, model, vocabulary, batch, columns, *targets in rows:
        taken = results.get(f"{kind}-{name}")
        size = f"{batch}×{columns}" if kind != "generate" else f"{generated // 2} + {generated // 2} tokens"
        if not taken:
            if kind == "step":
                lines.append([f"{model}, vocabulary {vocabulary:,}, {size}", "not measured"] + [""] * (len(head) - 2))
            continue
        for precision, mode, label in PEERS:
            ours, peer, tuned = (taken["result"][key] for key in (
                "ours " + precision, mode + " default", mode + " tuned"))
            rate = ours["tokens"] / ours["seconds"]
            line = [f"{model}, vocabulary {vocabulary:,}, {size}", label, number(rate)]
            if kind != "generate":
                flops = ours["operations"] / ours["seconds"] / 1e9
                part = f" ({flops / ceiling[precision][0]:.0%})" if ceiling else ""
                line.append(number(flops) + part)
            line += [number(peer["tokens"] / peer["seconds"]), f"{peer['seconds'] / ours['seconds']:.2f}×"]
            if kind == "step":
                target = targets[precision == "bfloat16"]
                line.append(f"{target}×" if target else "")
            line += [number(tuned["tokens"] / tuned["seconds"]), f"{tuned['seconds'] / ours['seconds']:.2f}×"]
            line.append(" / ".join(number(one["peak"] / 1024) for one in (ours, peer, tuned)))
            line.append(" / ".join(f"{one['spread']:.0%}" for one in (ours, peer, tuned)))
            lines.append(line)
    return table(lines)


def table(lines):
    if len(lines) < 2:
        return "Not measured yet."
    lines = [lines[0], ["---"] * len(lines[0])] + lines[1:]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def tokenizing(results):
    lines = [["text", "ours, MB/s", "peer, MB/s", "ratio", "target", "same ids counted"]]
    for name, taken in results.items():
        if name.startswith("tokenize-"):
            ours, peer = taken["result"]["ours"], taken["result"]["peer"]
            rates = [one["bytes"] / one["seconds"] / 1e6 for one in (ours, peer)]
            same = "yes" if ours["check"] == peer["check"] else f"no: {ours['check']:,} and {peer['check']:,}"
            lines.append([name.removeprefix("tokenize-"), *(number(rate, 1) for rate in rates),
                          f"{rates[0] / rates[1]:.1f}×", "≥ 10 MB/s", same])
    return table(lines)


def prompt(results):
    if "prompt" not in results:
        return "Not measured yet."
    taken = results["prompt"]["result"]
    return table([
        ["what", "measured", "target"],
        ["start to prompt, median of 20", f"{taken['start'] * 1e3:.0f} ms", "≤ 50 ms"],
        ["a call from Lua into Swift and back, loop included", f"{taken['call']:.0f} ns", "≤ 200 ns"],
        ["a study of 48 arms, first time", f"{taken['first']:.1f} s", ""],
        ["the same study again, from the store, process start included", f"{taken['cached']:.2f} s", "≤ 1 s"],
    ])


def write(folder, path, rows, generated):
    results = {p.stem: json.loads(p.read_text()) for p in sorted(folder.glob("*.json"))}
    ceiling = results.get("ceiling", {}).get("result")
    machines = sorted({f"{one['date']}, commit {one['commit']}: {one['machine']}; {one['versions']}"
                       + ("; quick" if one["quick"] else "") for one in results.values()})
    parts = ["# Performance", "Made by `benchmarks/run`, which builds, installs the peers and measures; ratios above 1 "
             "mean that ours is faster.", "\n".join("- " + one for one in machines), METHOD]
    if ceiling:
        parts.append("Ceiling: " + "; ".join(
            f"{precision} {number(rate)} GFLOP/s ({side}, {shape})" for precision, (rate, side, shape) in ceiling.items())
            + ".")
    for kind, title in (("step", "Training step"), ("evaluate", "Evaluation (loss only)"),
                        ("generate", "Generation (one text, greedy, key/value cache; reading the prompt included)")):
        parts += ["## " + title, speed_table(results, rows, kind, ceiling, generated)]
    parts += ["## Tokenising (one thread, the same merges)", "The peer is Hugging Face `tokenizers`. Embedded text has few "
              "different words, so that caches work better than on text of the world; `--text FILE` measures yours.",
              tokenizing(results), "## Prompt and studies", prompt(results)]
    text = "\n\n".join(parts) + "\n"
    path.write_text(text)
    return text
