"""Makes docs/performance-VECTORS.md from the results in benchmarks/out."""

import json
import statistics

PEERS = [
    # Our precision, the peer's mode, what to call it.
    ("float32", "float32", "float32"),
    ("bfloat16", "autocast", "bfloat16; peer autocast"),
    ("bfloat16", "true", "bfloat16; peer bf16-true"),
    ("bfloat16", "float32", "bfloat16, emulated; peer float32"),
]

def number(value, digits=0):
    return f"{value:,.{digits}f}"


def cells(runs):
    """Each cell over all runs: the median time, the largest spread and memory, and every time."""
    return {name: {**first, "seconds": statistics.median(run[name]["seconds"] for run in runs),
                   "spread": max(run[name]["spread"] for run in runs),
                   "peak": max(run[name]["peak"] for run in runs), "all": [run[name]["seconds"] for run in runs]}
            for name, first in runs[0].items()}


def ratio(ours, peer, digits=2):
    each = [b / a for a, b in zip(ours["all"], peer["all"])]
    text = f"{peer['seconds'] / ours['seconds']:.{digits}f}×"
    return text + (f" ({min(each):.{digits}f}–{max(each):.{digits}f})" if len(each) > 1 else "")


def speed_table(results, rows, kind, ceiling, generated):
    head = ["model", "precision", "ours, tok/s"]
    head += ["GFLOP/s (of ceiling)"] if kind != "generate" else []
    head += ["peer, tok/s", "ratio", "target"] if kind == "step" else []
    head += ["tuned peer, tok/s", "ratio"]
    head += ["memory ours / peer / tuned, MB" if kind == "step" else "memory ours / tuned, MB", "spread"]
    lines = [head]
    for name, model, vocabulary, batch, columns, *targets in rows:
        taken = results.get(f"{kind}-{name}")
        size = f"{batch}×{columns}" if kind != "generate" else f"{generated // 2} + {generated // 2} tokens"
        if not taken:
            if kind == "step":
                lines.append([f"{model}, vocabulary {vocabulary:,}, {size}", "not measured"] + [""] * (len(head) - 2))
            continue
        measured = cells(taken["runs"])
        emulated = "autocast tuned" not in measured
        for precision, mode, label in PEERS:
            if mode + " tuned" not in measured or (precision != mode == "float32" and not emulated):
                continue
            ours, tuned = measured["ours " + precision], measured[mode + " tuned"]
            peer = measured.get(mode + " default")
            rate = ours["tokens"] / ours["seconds"]
            line = [f"{model}, vocabulary {vocabulary:,}, {size}", label, number(rate)]
            if kind != "generate":
                flops = ours["operations"] / ours["seconds"] / 1e9
                part = f" ({flops / ceiling[precision][0]:.0%})" if ceiling else ""
                line.append(number(flops) + part)
            if kind == "step":
                line += [number(peer["tokens"] / peer["seconds"]), ratio(ours, peer)]
                target = None if precision != mode == "float32" else targets[precision == "bfloat16"]
                line.append(f"{target}×" if target else "")
            line += [number(tuned["tokens"] / tuned["seconds"]), ratio(ours, tuned)]
            sides = [one for one in (ours, peer, tuned) if one]
            line.append(" / ".join(number(one["peak"] / 1024) for one in sides))
            line.append(" / ".join(f"{one['spread']:.0%}" for one in sides))
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
            measured = cells(taken["runs"])
            ours, peer = measured["ours"], measured["peer"]
            rates = [one["bytes"] / one["seconds"] / 1e6 for one in (ours, peer)]
            same = "yes" if ours["check"] == peer["check"] else f"no: {ours['check']:,} and {peer['check']:,}"
            lines.append([name.removeprefix("tokenize-"), *(number(rate, 1) for rate in rates),
                          ratio(ours, peer, 1), "≥ 10 MB/s", same])
    return table(lines)


def prompt(results):
    if "prompt" not in results:
        return "Not measured yet."
    runs = results["prompt"]["runs"]
    taken = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
    return table([
        ["what", "measured", "target"],
        ["start to prompt, median of 20", f"{taken['start'] * 1e3:.0f} ms", "≤ 50 ms"],
        ["a call from Lua into Swift and back, loop included", f"{taken['call']:.0f} ns", "≤ 200 ns"],
        ["a study of 48 arms, first time", f"{taken['first']:.1f} s", ""],
        ["the same study again, from the store, process start included", f"{taken['cached']:.2f} s", "≤ 1 s"],
    ])


def breakdowns(results, rows, ceiling):
    """Where our step's time goes, a table for each row of the design, of the latest run."""
    parts = []
    for name, model, vocabulary, batch, columns, *_ in rows:
        if f"profile-{name}" not in results:
            continue
        taken = results[f"profile-{name}"]["runs"][-1]
        head, names = ["kernel"], {}
        for precision, one in taken.items():
            part = f", {one['operations'] / one['seconds'] / 1e9 / ceiling[precision][0]:.0%} of the ceiling" if ceiling else ""
            head += [f"{precision}, {1e3 * one['seconds']:.1f} ms{part}", "share", "GF/s", "GB/s"]
            for kernel, (seconds, *_) in one["kernels"].items():
                names[kernel] = max(names.get(kernel, 0), seconds / one["seconds"])
        small = {kernel for kernel, share in names.items() if share < 0.01}
        lines = [head]
        for kernel in sorted(names.keys() - small, key=lambda kernel: -names[kernel]) + ["all others", "between kernels"]:
            line = [kernel]
            for one in taken.values():
                sums = [0, 0, 0]
                for other, values in one["kernels"].items():
                    if other == kernel or (kernel == "all others" and other in small):
                        sums = [a + b for a, b in zip(sums, values)]
                if kernel == "between kernels":
                    sums[0] = one["seconds"] - sum(values[0] for values in one["kernels"].values())
                rates = [number(total / sums[0] / 1e9) if total and sums[0] else "" for total in sums[1:]]
                line += [f"{1e3 * sums[0]:.2f} ms", f"{sums[0] / one['seconds']:.1%}", *rates]
            lines.append(line)
        parts += [f"### {model}, vocabulary {vocabulary:,}, {batch}×{columns}", table(lines)]
    return "\n\n".join(parts) or "Not measured yet."


def write(folder, path, rows, generated):
    results = {p.stem: json.loads(p.read_text()) for p in sorted(folder.glob("*.json"))}
    results = {name: one for name, one in results.items() if "runs" in one}
    ceilings = results.get("ceiling", {}).get("runs")
    ceiling = ceilings and {precision: max(run[precision] for run in ceilings) for precision in ceilings[0]}
    machines = sorted({f"{one['date']}, commit {one['commit']}: {one['machine']}; {one['versions']}"
                       + f"; {len(one['runs'])} run{'s' * (len(one['runs']) > 1)}" + ("; quick" if one["quick"] else "")
                       for one in results.values()})
    vectors = path.stem.removeprefix("performance-")
    parts = [f"# Performance with {vectors}", "Made by `benchmarks/run`; [performance.md](performance.md) says what is "
             "measured and how. Ratios above 1 mean that ours is faster.", "\n".join("- " + one for one in machines)]
    if ceiling:
        parts.append("Ceiling: " + "; ".join(
            f"{precision} {number(rate)} GFLOP/s ({side}, {shape})" for precision, (rate, side, shape) in ceiling.items())
            + ".")
    for kind, title in (("step", "Training step"), ("evaluate", "Evaluation (loss only)"),
                        ("generate", "Generation (one text, greedy, key/value cache; reading the prompt included)")):
        parts += ["## " + title, speed_table(results, rows, kind, ceiling, generated)]
    parts += ["## Where the time of a training step goes", "Our step kernel by kernel; GF/s counts products, GB/s operands and "
              "results once a call. Kernels below 1% of the step are together under *all others*.",
              breakdowns(results, rows, ceiling)]
    parts += ["## Tokenising (one thread, the same merges)", "The peer is Hugging Face `tokenizers`. Embedded text has few "
              "different words, so that caches work better than on text of the world; `--text FILE` measures yours.",
              tokenizing(results), "## Prompt and studies", prompt(results)]
    text = "\n\n".join(parts) + "\n"
    path.write_text(text)
    return text
