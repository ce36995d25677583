#!/usr/bin/env python3
"""Trains a GPT-NeoX model with PyTorch on the steps of a run, and prints the loss of each.

usage: scripts/replay.py FOLDER

FOLDER has `model`, the state before the first step as transformers loads it, and `steps.json`: for each step the batches
(rows, inputs, targets with -1 where nothing counts, the weight of its tokens), the learning rate, the optimizer with its
settings, whether it forgets, and the model's context and rotary base. The tests compare the losses with mtrepl's own.
"""

import json
import pathlib
import sys

import torch
from transformers import GPTNeoXForCausalLM


def make_optimizer(model, kind, settings):
    """Decay is for matrices of blocks and the head; embeddings, norms and biases have none."""
    decayed, others = [], []
    for name, parameter in model.named_parameters():
        (decayed if parameter.ndim > 1 and "embed_in" not in name else others).append(parameter)
    groups = [
        {"params": decayed, "weight_decay": settings["weight_decay"]},
        {"params": others, "weight_decay": 0.0},
    ]
    if kind == "adamw":
        return torch.optim.AdamW(
            groups, lr=1.0, betas=(settings["beta1"], settings["beta2"]), eps=settings["epsilon"]
        )
    if kind == "sgd":
        return torch.optim.SGD(
            groups, lr=1.0, momentum=settings["momentum"], nesterov=settings["nesterov"] == 1
        )
    raise SystemExit(f"there is no replay of the optimizer {kind}")


def load(folder, context, base):
    model = GPTNeoXForCausalLM.from_pretrained(folder, torch_dtype=torch.float32)
    return reshape(model, context, base)


def reshape(model, context, base):
    """The same weights with another context and rotary base."""
    config = model.config
    config.max_position_embeddings = context
    config.rope_parameters = dict(config.rope_parameters, rope_theta=base)
    config._attn_implementation = "eager"
    other = GPTNeoXForCausalLM(config).float()
    other.load_state_dict(model.state_dict())
    return other


def main(folder):
    torch.set_num_threads(1)
    steps = json.loads((folder / "steps.json").read_text())
    shape = (steps[0]["context"], steps[0]["rotary_base"])
    model = load(folder / "model", *shape)
    kind, optimizer = None, None
    losses = []
    for step in steps:
        if (step["context"], step["rotary_base"]) != shape:
            # Moments belong to parameters: they move to those of the reshaped model.
            shape = (step["context"], step["rotary_base"])
            other = reshape(model, *shape)
            moments = optimizer.state_dict()
            model = other
            optimizer = make_optimizer(model, kind, step["settings"])
            optimizer.load_state_dict(moments)
        if step["kind"] != kind or step["resets"]:
            kind = step["kind"]
            optimizer = make_optimizer(model, kind, step["settings"])
        for group in optimizer.param_groups:
            group["lr"] = step["learning_rate"]
        model.zero_grad()
        total, weight = 0.0, 0.0
        for batch in step["batches"]:
            tokens = torch.tensor(batch["inputs"]).reshape(batch["rows"], -1)
            targets = torch.tensor(batch["targets"])
            logits = model(tokens).logits
            nats = torch.nn.functional.cross_entropy(
                logits.reshape(-1, logits.shape[-1]), targets, ignore_index=-1, reduction="sum"
            )
            total = total + batch["weight"] * nats
            weight += batch["weight"] * (targets >= 0).sum().item()
        loss = total / weight
        loss.backward()
        if step["settings"]["clip"] > 0:
            torch.nn.utils.clip_grad_norm_(model.parameters(), step["settings"]["clip"])
        optimizer.step()
        losses.append(loss.item())
    print(json.dumps(losses))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(pathlib.Path(sys.argv[1]))
