"""Measures the peers: litgpt's GPT on PyTorch, and Hugging Face tokenizers.

Each subcommand takes the options of the `Bench` program and prints one line of JSON with the same names.
"""

import argparse
import json
import pathlib
import resource
import sys
import time

# Layers, width and heads of the models that are compared; all else is Pythia's.
MODELS = {"micro-0.4m": (2, 128, 4), "pythia-14m": (6, 128, 4), "pythia-70m": (6, 512, 8)}


def peak_memory():
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def measure(options, body, **fields):
    for _ in range(options.warmup):
        body()
    seconds = []
    for _ in range(options.repeats):
        started = time.perf_counter()
        result = body()
        seconds.append(time.perf_counter() - started)
    return {"seconds": seconds, **fields}, result


def prepare(options):
    """The model, its arithmetic, and a batch of random tokens."""
    import contextlib

    import torch
    from litgpt import GPT, Config

    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    layers, width, heads = MODELS[options.model]
    config = Config.from_name(
        "pythia-14m", n_layer=layers, n_embd=width, n_head=heads, intermediate_size=4 * width,
        padded_vocab_size=options.vocabulary, block_size=options.columns)
    model = GPT(config)
    if options.mode == "true":
        model = model.to(torch.bfloat16)
    context = contextlib.nullcontext
    if options.mode == "autocast":
        context = lambda: torch.autocast("cpu", dtype=torch.bfloat16)  # noqa: E731
    tokens = torch.randint(options.vocabulary, (2, options.rows, options.columns))
    return torch, model, context, tokens[0], tokens[1]


def loss_function(model, options):
    """Mean cross-entropy: of all logits at once, of 128 at a time as litgpt pretrains, or with the head in chunks too."""
    from litgpt.utils import chunked_cross_entropy

    chunk = {"plain": 0, "chunks": 128, "head": 128}[options.loss]
    head = 128 if options.loss == "head" else 0
    return lambda x, y: chunked_cross_entropy(model(x, lm_head_chunk_size=head), y, chunk_size=chunk)


def step(options):
    torch, model, context, x, y = prepare(options)
    loss_of = loss_function(model, options)
    if options.compile:
        loss_of = torch.compile(loss_of)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=1e-3, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1, fused=True)

    def body():
        optimizer.zero_grad(set_to_none=True)
        with context():
            loss = loss_of(x, y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.item()

    measured, loss = measure(options, body, tokens=x.numel())
    return {**measured, "loss": loss}


def evaluate(options):
    torch, model, context, x, y = prepare(options)
    loss_of = loss_function(model, options)

    def body():
        with torch.inference_mode(), context():
            return loss_of(x, y).item()

    measured, loss = measure(options, body, tokens=x.numel())
    return {**measured, "loss": loss}


def generate(options):
    torch, model, context, x, _ = prepare(options)
    half = options.columns // 2
    prompt = x[:1, :half]
    model.set_kv_cache(batch_size=1, dtype=next(model.parameters()).dtype)

    def body():
        with torch.inference_mode(), context():
            position, token = torch.arange(half), prompt
            for filled in range(half, 2 * half):
                token = model(token, position, input_pos_maxp1=filled)[:, -1:].argmax(-1)
                position = torch.tensor([filled])

    return measure(options, body, tokens=half)[0]


def product(options):
    import torch

    torch.set_num_threads(options.threads)
    kind = torch.bfloat16 if options.precision == "bfloat16" else torch.float32
    a = torch.randn(options.m, options.k).to(kind)
    b = torch.randn(options.n, options.k).to(kind)
    measured, _ = measure(options, lambda: torch.nn.functional.linear(a, b))
    return {**measured, "operations": 2.0 * options.m * options.n * options.k}


def tokenize(options):
    from tokenizers import Tokenizer

    documents = pathlib.Path(options.text).read_text().split("\0")
    seconds = []
    for _ in range(options.warmup + options.repeats):  # a fresh one each time: a used one has words in its cache
        tokenizer = Tokenizer.from_file(options.tokenizer)
        encode = getattr(tokenizer, "encode_batch_fast", tokenizer.encode_batch)
        started = time.perf_counter()
        encoded = encode(documents, add_special_tokens=False)
        seconds.append(time.perf_counter() - started)
    size = sum(len(document.encode()) for document in documents)
    return {"seconds": seconds[options.warmup:], "bytes": size, "check": sum(len(one.ids) for one in encoded)}


def main():
    commands = {f.__name__: f for f in (step, evaluate, generate, product, tokenize)}
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=commands)
    for name in ("vocabulary", "rows", "columns", "m", "n", "k"):
        parser.add_argument("--" + name, type=int)
    parser.add_argument("--warmup", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--model", choices=MODELS)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--mode", choices=("float32", "true", "autocast"), default="float32")
    parser.add_argument("--loss", choices=("plain", "chunks", "head"), default="plain")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--tokenizer")
    parser.add_argument("--text")
    options = parser.parse_args()
    print(json.dumps({**commands[options.command](options), "peak": peak_memory()}))


if __name__ == "__main__":
    sys.exit(main())
