"""Compares mtrepl with its peers, process by process in turns, and writes docs/performance-VECTORS.md,
where VECTORS names the instructions of this processor.

Results of each benchmark are kept in benchmarks/out, so that one can be repeated with --only. A benchmark that
fails is reported and the others go on.
"""

import argparse
import datetime
import json
import os
import pathlib
import pty
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
OUT = HERE / "out"
THREADS = len(os.sched_getaffinity(0))

# Name, model, vocabulary, rows, columns, target ratios for float32 and bfloat16.
STEPS = [
    ("14m-4k", "pythia-14m", 4096, 8, 512, 2.0, 2.5),
    ("14m-50k", "pythia-14m", 50304, 8, 512, 2.5, 4.0),
    ("70m-50k", "pythia-70m", 50304, 4, 512, 1.7, 1.8),
    ("micro", "micro-0.4m", 2048, 16, 128, None, None),
]
# glibc keeps freed memory instead of handing it back; PyTorch then need not touch fresh pages at every step.
TUNED = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "100000000000", "MALLOC_TOP_PAD_": "1000000000"}
GENERATED = 128  # tokens of a generated text, half of them its prompt
FORMS = [("plain", ""), ("head in chunks", "--loss head")]


class Runner:
    def __init__(self, options):
        self.prefix = shlex.split(options.prefix)
        self.repeats = 2 if options.quick else 7
        self.forms = FORMS[:1] if options.quick else FORMS + [("compiled", "--compile")] * options.compile

    def process(self, command, environment=None, seconds=170):
        done = subprocess.run(
            self.prefix + command, env={**os.environ, **(environment or {})}, cwd=HERE, text=True,
            capture_output=True, timeout=None if self.prefix else seconds)
        if done.returncode:
            raise RuntimeError(f"{shlex.join(command)}: {done.stderr.strip()[-2000:]}")
        return done.stdout

    def one(self, side, arguments, environment=None, repeats=None):
        start = [".build/release/Bench"] if side == "ours" else [sys.executable, "peer.py"]
        command = start + arguments.split() + ["--warmup", "1", "--repeats", str(repeats or self.repeats)]
        if side != "ours" and "--threads" not in arguments:
            command += ["--threads", str(THREADS)]
        return json.loads(self.process(command, environment).splitlines()[-1])

    def measure(self, cases):
        """Medians of each case, taken in turn. Cases: {name: (side, arguments, environment)}."""
        result = {}
        for name, case in cases.items():
            taken = self.one(*case)
            seconds = taken["seconds"]
            result[name] = {
                **taken, "seconds": statistics.median(seconds), "count": len(seconds),
                "spread": (max(seconds) - min(seconds)) / statistics.median(seconds)}
        return result

    def fastest_form(self, arguments, environment):
        """The form of the peer's step that is fastest, by one step each after the first."""
        if len(self.forms) == 1:
            return self.forms[0]
        times = {}
        for form in self.forms:
            try:
                times[form] = self.one("peer", f"{arguments} {form[1]}", environment, 1)["seconds"][0]
            except RuntimeError as error:  # no compiler, say
                print(f"  {form[0]}: {str(error)[-300:]}", file=sys.stderr)
        return min(times, key=times.get)


def steps(runner, row, command="step"):
    """Our step and the peer's, for each precision. The peer's allocator is tuned; for a step, also as it is."""
    _, model, vocabulary, rows, columns, *_ = row
    if command == "generate":
        rows, columns = 1, GENERATED
    shape = f"{command} --model {model} --vocabulary {vocabulary} --rows {rows} --columns {columns}"
    cases, forms = {}, {}
    for precision in ("float32", "bfloat16"):
        cases["ours " + precision] = ("ours", f"{shape} --precision {precision}")
    # Without instructions for bfloat16, a step of the peer takes over ten times as long as in float32.
    for mode in ("float32", "autocast", "true") if has("avx512_bf16") else ("float32",):
        arguments = f"{shape} --mode {mode}"
        form = FORMS[0] if command == "generate" else runner.fastest_form(arguments, TUNED)
        for allocator, environment in (("default", {}), ("tuned", TUNED))[command != "step":]:
            forms[f"{mode} {allocator}"] = form[0]
            cases[f"{mode} {allocator}"] = ("peer", f"{arguments} {form[1]}", environment)
    result = runner.measure(cases)
    for name, form in forms.items():
        result[name]["form"] = form
    return result


def ceiling(runner):
    best = {}
    for precision in ("float32", "bfloat16"):
        for m, n, k in ((4096, 2048, 512), (2048, 2048, 2048), (4096, 512, 2048)):
            shape = f"product --m {m} --n {n} --k {k} --precision {precision}"
            taken = runner.measure({"ours": ("ours", shape), "PyTorch": ("peer", shape)})
            for side, run in taken.items():
                rate = run["operations"] / run["seconds"] / 1e9
                best[precision] = max(best.get(precision, [0]), [rate, side, f"{m}×{n}×{k}"])
    return best


def profile(runner, row):
    """Where the time of our step goes, kernel by kernel, for each precision."""
    _, model, vocabulary, rows, columns, *_ = row
    shape = f"profile --model {model} --vocabulary {vocabulary} --rows {rows} --columns {columns}"
    result = {}
    for precision in ("float32", "bfloat16"):
        taken = runner.one("ours", f"{shape} --precision {precision}")
        kernels = {}
        for line in taken["kernels"]:
            name = line["kernel"].removesuffix(" bf16")
            if name == "matmul":
                name = "matmul in blocks"
            sums = kernels.setdefault(name, [0, 0, 0])
            for i, key in enumerate(("seconds", "operations", "bytes")):
                sums[i] += line[key] / len(taken["seconds"])
        result[precision] = {"seconds": statistics.mean(taken["seconds"]), "operations": taken["operations"],
                             "kernels": kernels}
    return result


def tokenize(runner, source):
    vocabulary = "8192" if os.path.exists(source) else "2048"  # embedded text has too few words for more
    with tempfile.TemporaryDirectory() as folder:
        runner.process([
            ".build/release/Bench", "prepare", "--source", source, "--folder", folder,
            "--vocabulary", vocabulary, "--bytes", str(4 << 20)])
        shape = f"tokenize --text {folder}/text --tokenizer {folder}/tokenizer.json"
        single = {"RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
        return runner.measure({"ours": ("ours", shape), "peer": ("peer", shape + " --threads 1", single)})


def program():
    return os.environ.get("MTREPL", str(ROOT / ".build/release/mtrepl"))


def start_once(folder):
    """Seconds until the prompt stands in a terminal."""
    started = time.perf_counter()
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(MTREPL_HISTORY="", MTREPL_STORE=folder, TERM="dumb")
        os.execv(program(), [program()])
    text = b""
    while not text.rstrip().endswith(b">"):
        text += os.read(terminal, 4096)
    seconds = time.perf_counter() - started
    os.write(terminal, b"\x04")
    try:
        while os.read(terminal, 4096):
            pass
    except OSError:
        pass
    os.waitpid(child, 0)
    os.close(terminal)
    return seconds


def prompt(runner, _=None):
    with tempfile.TemporaryDirectory() as folder:
        environment = {"MTREPL_STORE": folder}
        starts = [start_once(folder) for _ in range(21)][1:]
        call = float(runner.process([program(), "call.lua"], environment))
        study = [program(), str(ROOT / "scripts/timing_weight.lua")] + shlex.split(
            "--steps 32 --starts 4,8,16,24 --weights 0.1,0.2,0.4,0.8 --seeds 3 --model micro-0.1m --vocabulary 512 "
            f"--context 64 --batch 4 --evaluation 8 --finetune_rates 1e-3 --out {folder}/out")
        times = []
        for _ in range(4):
            started = time.perf_counter()
            runner.process(study, environment, seconds=600)
            times.append(time.perf_counter() - started)
        return {"start": statistics.median(starts), "call": call, "first": times[0],
                "cached": statistics.median(times[1:])}


def cpuinfo(key):
    return next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith(key)), "")


def has(flag):
    return flag in cpuinfo("flags").split()


def vectors():
    """The level of instructions that our kernels use."""
    said = subprocess.run([program(), "--version"], text=True, capture_output=True, check=True).stdout
    return re.search(r"^kernels ([\w-]+),", said, re.M).group(1)


def machine():
    output = lambda *command: subprocess.run(command, cwd=ROOT, text=True, capture_output=True).stdout.strip()  # noqa: E731
    from importlib.metadata import version
    return {
        "date": datetime.date.today().isoformat(), "commit": output("git", "rev-parse", "--short", "HEAD"),
        "machine": f"{cpuinfo('model name')} ({vectors()}), {THREADS} cores",
        "versions": "; ".join([output("swift", "--version").splitlines()[0]] + [
            f"{name} {version(name)}" for name in ("torch", "litgpt", "tokenizers")])}


def main():
    rows = {f"{kind}-{row[0]}": (lambda r, row=row, kind=kind: steps(r, row, kind))
            for kind in ("step", "evaluate", "generate") for row in STEPS
            if kind == "step" or row[0] in ("14m-50k", "70m-50k")}
    rows |= {f"profile-{row[0]}": lambda r, row=row: profile(r, row) for row in STEPS}
    benchmarks = {"ceiling": ceiling, **rows, "prompt": prompt}
    for name in ("prose", "code"):
        benchmarks["tokenize-" + name] = lambda r, name=name: tokenize(r, name)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, and the peer's plain form only")
    parser.add_argument("--runs", type=int, default=1, metavar="N", help="measure everything N times, for the spread")
    parser.add_argument("--add", action="store_true", help="count the runs that benchmarks/out has too")
    parser.add_argument("--compile", action="store_true", help="try torch.compile too (slow to start)")
    parser.add_argument("--only", action="append", metavar="NAME", help="names begin so: " + ", ".join(benchmarks))
    parser.add_argument("--text", action="append", default=[], metavar="FILE", help="tokenise this file too")
    parser.add_argument("--prefix", default="", help="put before each command, such as taskset or a queue")
    options = parser.parse_args()
    for path in options.text:
        name = "tokenize-" + pathlib.Path(path).name
        benchmarks[name] = lambda r, path=path: tokenize(r, str(pathlib.Path(path).resolve()))
    for only in options.only or []:
        if not any(name.startswith(only) for name in benchmarks):
            parser.error(f"--only {only}: expected the beginning of one of {', '.join(benchmarks)}")
    OUT.mkdir(exist_ok=True)
    chosen = [name for name in benchmarks if not options.only or any(name.startswith(only) for only in options.only)]
    failed = []
    for run in range(options.runs):
        for name in chosen:
            started = time.perf_counter()
            path = OUT / (name + ".json")
            earlier = []
            if (run > 0 or options.add) and path.exists():
                earlier = json.loads(path.read_text())["runs"]
            elif path.exists():
                path.unlink()  # a failure must not leave an old number in the table
            try:
                taken = earlier + [benchmarks[name](Runner(options))]
                path.write_text(json.dumps({"quick": options.quick, **machine(), "runs": taken}, indent=1))
            except Exception as error:  # noqa: BLE001: whatever it is, the other benchmarks go on
                failed.append(f"{name}, run {run + 1}: {error}")
                print(failed[-1], file=sys.stderr)
            print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
    from report import write

    print(write(OUT, ROOT / f"docs/performance-{vectors()}.md", STEPS, GENERATED))
    if failed:
        sys.exit("\n".join(["failed:"] + failed))


if __name__ == "__main__":
    main()
