#!/usr/bin/env python3
"""Makes the reference files in Tests/RuntimeTests/Reference with PyTorch and Hugging Face transformers.

    python3 -m venv .venv && .venv/bin/pip install torch transformers
    .venv/bin/python scripts/reference.py

Each configuration gives NAME.json (configuration, tokens, targets, losses, and where the arrays lie) and NAME.bin
(the arrays, little-endian): initial weights, logits, the gradient of the mean loss for every parameter, and the
weights after ten steps of AdamW on the same batch. Initial weights are exact in bfloat16 and stored so; all else is
float32. adamw.json and optimizers.json hold a few numbers under AdamW, SGD and Muon with given gradients.
"""

import json
import pathlib
import struct

import torch
import transformers
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "Tests" / "RuntimeTests" / "Reference"
VOCABULARY, WIDTH, HEADS, FEED_FORWARD, LAYERS = 31, 16, 2, 40, 2
ADAMW = {"learning_rate": 3e-3, "beta1": 0.9, "beta2": 0.95, "epsilon": 1e-5, "weight_decay": 0.1, "clip": 1.0}

CASES = [
    # name, rows, columns, parallel residual, rotary fraction, tied, GELU
    ("parallel", 2, 9, True, 0.25, False, "exact"),
    ("sequential", 3, 7, False, 1.0, False, "tanh"),
    ("tied", 2, 11, True, 1.0, True, "exact"),
    ("long", 1, 140, False, 0.25, True, "tanh"),
]


def checkpoint_name(name):
    """Newer versions of transformers call the head lm_head; checkpoints call it embed_out."""
    return name.replace("lm_head", "embed_out")


def build(rows, columns, parallel, rotary, tied, gelu, seed):
    torch.manual_seed(seed)
    config = GPTNeoXConfig(
        vocab_size=VOCABULARY,
        hidden_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        intermediate_size=FEED_FORWARD,
        max_position_embeddings=256,
        hidden_act={"exact": "gelu", "tanh": "gelu_new"}[gelu],
        use_parallel_residual=parallel,
        tie_word_embeddings=tied,
        layer_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": rotary},
    )
    config._attn_implementation = "eager"
    model = GPTNeoXForCausalLM(config).float()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn_like(parameter) * 0.15
            if "norm" in name and name.endswith("weight"):
                noise = noise + 1
            parameter.copy_(noise.bfloat16().float())
    tokens = torch.randint(0, VOCABULARY, (rows, columns))
    targets = torch.randint(0, VOCABULARY, (rows, columns))
    targets[torch.rand(rows, columns) < 0.2] = -1
    return model, tokens, targets


def mean_loss(model, tokens, targets):
    logits = model(tokens).logits
    loss = torch.nn.functional.cross_entropy(
        logits.reshape(-1, VOCABULARY), targets.reshape(-1).long(), ignore_index=-1
    )
    return loss, logits


class Arrays:
    def __init__(self):
        self.data, self.index = b"", {}

    def add(self, name, tensor, bf16=False):
        flat = tensor.detach().float().reshape(-1)
        kind = "bfloat16" if bf16 else "float32"
        self.index[name] = {"offset": len(self.data), "shape": list(tensor.shape), "type": kind}
        if bf16:
            bits = flat.view(torch.int32).bitwise_right_shift(16).bitwise_and(0xFFFF)
            self.data += struct.pack(f"<{flat.numel()}H", *bits.tolist())
            self.data += b"\0" * (-len(self.data) % 4)
        else:
            self.data += struct.pack(f"<{flat.numel()}f", *flat.tolist())


def write_case(number, name, rows, columns, parallel, rotary, tied, gelu):
    model, tokens, targets = build(rows, columns, parallel, rotary, tied, gelu, 100 + number)
    arrays = Arrays()
    for key, parameter in model.named_parameters():
        arrays.add("initial/" + checkpoint_name(key), parameter, bf16=True)
    loss, logits = mean_loss(model, tokens, targets)
    loss.backward()
    if rows * columns < 64:
        arrays.add("logits", logits)
    for key, parameter in model.named_parameters():
        arrays.add("gradient/" + checkpoint_name(key), parameter.grad)

    decayed = [p for k, p in model.named_parameters() if p.ndim > 1 and "embed_in" not in k]
    others = [p for k, p in model.named_parameters() if not (p.ndim > 1 and "embed_in" not in k)]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": ADAMW["weight_decay"]}, {"params": others, "weight_decay": 0.0}],
        lr=ADAMW["learning_rate"], betas=(ADAMW["beta1"], ADAMW["beta2"]), eps=ADAMW["epsilon"],
    )
    losses, norms = [], []
    for _ in range(10):
        optimizer.zero_grad()
        loss, _ = mean_loss(model, tokens, targets)
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), ADAMW["clip"]).item())
        optimizer.step()
        losses.append(loss.item())
    for key, parameter in model.named_parameters():
        arrays.add("final/" + checkpoint_name(key), parameter)
    description = {
        "made_with": f"torch {torch.__version__.split('+')[0]}, transformers {transformers.__version__}",
        "vocabulary": VOCABULARY, "context": 256, "layers": LAYERS, "width": WIDTH, "heads": HEADS,
        "feed_forward": FEED_FORWARD, "parallel_residual": parallel, "rotary_fraction": rotary, "tied": tied,
        "gelu": gelu, "rows": rows, "columns": columns, "tokens": tokens.reshape(-1).tolist(),
        "targets": targets.reshape(-1).tolist(), "adamw": ADAMW, "losses": losses, "norms": norms,
        "arrays": arrays.index,
    }
    (FOLDER / f"{name}.json").write_text(json.dumps(description) + "\n")
    (FOLDER / f"{name}.bin").write_bytes(arrays.data)


def write_adamw():
    torch.manual_seed(7)
    value = torch.nn.Parameter(torch.randn(20))
    start = value.detach().tolist()
    optimizer = torch.optim.AdamW([value], lr=1e-2, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)
    gradients, values = [], []
    for step in range(5):
        value.grad = torch.randn(20) * 10.0 ** (-step)
        gradients.append(value.grad.tolist())
        optimizer.step()
        values.append(value.detach().tolist())
    text = json.dumps({"start": start, "gradients": gradients, "values": values})
    (FOLDER / "adamw.json").write_text(text + "\n")


def write_optimizers():
    """Five steps on given gradients of a tall and a wide matrix of the model, an embedding and a bias."""
    shapes = {"tall": (7, 4), "wide": (3, 8), "square": (5, 5), "embedding": (6, 4), "bias": (9,)}
    matrices = ["tall", "wide", "square"]
    cases = {
        "sgd": (False, {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01}),
        "nesterov": (False, {"lr": 0.05, "momentum": 0.8, "weight_decay": 0.01, "nesterov": True}),
        "muon": (True, {"lr": 0.02, "momentum": 0.95, "weight_decay": 0.1, "nesterov": True}),
        "plain_muon": (True, {"lr": 0.02, "momentum": 0.7, "weight_decay": 0.0, "nesterov": False, "ns_steps": 3}),
    }
    result = {"shapes": {name: list(shape) for name, shape in shapes.items()}, "cases": {}}
    # PyTorch's Muon makes its products in bfloat16; ours are in float32, and so is this reference.
    torch.Tensor.bfloat16 = lambda self: self.clone()
    for case, (is_muon, settings) in cases.items():
        torch.manual_seed(11)
        values = {name: torch.nn.Parameter(torch.randn(shape)) for name, shape in shapes.items()}
        start = {name: value.detach().flatten().tolist() for name, value in values.items()}
        if is_muon:
            rate, decay = settings["lr"], settings["weight_decay"]
            groups = [
                {"params": [values["embedding"], values["bias"]], "weight_decay": 0.0},
            ]
            optimizers = [
                torch.optim.Muon([values[name] for name in matrices], adjust_lr_fn="match_rms_adamw", **settings),
                torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.95), eps=1e-8),
            ]
        else:
            decay = settings.pop("weight_decay")
            groups = [
                {"params": [values[name] for name in matrices], "weight_decay": decay},
                {"params": [values["embedding"], values["bias"]], "weight_decay": 0.0},
            ]
            optimizers = [torch.optim.SGD(groups, **settings)]
            settings["weight_decay"] = decay
        gradients, ends = [], []
        for step in range(5):
            for value in values.values():
                value.grad = torch.randn(value.shape) * 2.0 ** (-step)
            gradients.append({name: value.grad.flatten().tolist() for name, value in values.items()})
            for optimizer in optimizers:
                optimizer.step()
            ends.append({name: value.detach().flatten().tolist() for name, value in values.items()})
        result["cases"][case] = {
            "settings": {name: float(value) for name, value in settings.items()},
            "start": start, "gradients": gradients, "values": ends,
        }
    (FOLDER / "optimizers.json").write_text(json.dumps(result) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for number, case in enumerate(CASES):
        write_case(number, *case)
    write_adamw()
    write_optimizers()
