#!/usr/bin/env python3
"""Makes Tests/RuntimeTests/Reference/frame.json with pandas and SciPy: what data frames give for a small design, and power laws.

    python3 -m venv .venv && .venv/bin/pip install pandas scipy
    .venv/bin/python scripts/frame_reference.py

The design is two arms with start, weight, two kinds of seeds and some values missing; the frame is in the file as CSV.
Tests compare rows exactly and numbers with a relative tolerance of 1e-12, fits with 1e-6.
"""

import json
import pathlib

import numpy as np
import pandas as pd
from scipy import optimize, stats

PATH = pathlib.Path(__file__).resolve().parent.parent / "Tests" / "RuntimeTests" / "Reference" / "frame.json"
rng = np.random.default_rng(17)


def design():
    rows = []
    for seed in (1, 2, 3):
        for tune in (1, 2):
            rows.append(("control", None, None, seed, tune))
            for start in (200, 400):
                for weight in (0.1, 0.5):
                    rows.append(("midtrained", start, weight, seed, tune))
    frame = pd.DataFrame(rows, columns=["arm", "start", "weight", "seed", "finetune_seed"])
    frame["start"] = frame["start"].astype("Int64")
    frame["code"] = 3 - 0.4 * frame["weight"].fillna(0) + rng.normal(0, 0.05, len(frame))
    frame["prose"] = 2.5 + rng.normal(0, 0.03, len(frame))
    frame["prose_before"] = frame["prose"] - np.abs(rng.normal(0, 0.05, len(frame)))
    frame.loc[[4, 11], "code"] = np.nan
    frame["id"] = range(len(frame))
    return frame


def cells(frame):
    """Rows of plain values, None for what is missing."""
    return [[None if pd.isna(v) else v.item() if hasattr(v, "item") else v for v in row]
            for row in frame.itertuples(index=False)]


def interval(values):
    values = values.dropna()
    n = len(values)
    half = stats.t.ppf(0.975, n - 1) * stats.sem(values) if n > 1 else None
    return values.mean(), None if half is None else values.mean() - half, None if half is None else values.mean() + half, n


def power_law(amounts, values):
    """The least squares of limit + scale * amount^-exponent, searched for in all three at once, and amounts read off it."""
    x, y = np.array(amounts), np.array(values)
    unit = np.exp(np.log(x).mean())
    sign = 1 if y[0] > y[-1] else -1
    best = None
    for start in (0.1, 0.3, 1.0):
        fit = optimize.least_squares(
            lambda p: p[0] + p[1] * (x / unit) ** -p[2] - y, [y[-1] - 0.1 * sign, sign * abs(y[0] - y[-1]), start],
            xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=100000)
        if best is None or fit.cost < best.cost:
            best = fit
    limit, scale, exponent = best.x
    wanted = [float(v) for v in np.quantile(y, [0.3, 0.5, 0.7])]
    read = [optimize.brentq(lambda a: limit + scale * (a / unit) ** -exponent - v, x[0] / 2, x[-1] * 2, xtol=1e-12 * unit, rtol=1e-14)
            for v in wanted]
    return {"amounts": list(map(float, amounts)), "values": y.tolist(), "limit": limit, "scale": scale * unit**exponent,
            "exponent": exponent, "residual": float(np.sqrt(np.mean(best.fun**2))), "wanted": wanted, "read": read}


def main():
    frame = design()
    keys = ["arm", "start", "weight"]
    # Finetunings within a trunk first, then trunks: the seed is the unit.
    trunks = frame.groupby(keys + ["seed"], dropna=False, sort=False)["code"].mean().reset_index()
    summary = [list(key) + list(interval(part["code"]))
               for key, part in trunks.groupby(keys, dropna=False, sort=False)]
    summary = [[None if isinstance(v, float) and np.isnan(v) or v is pd.NA else v for v in row] for row in summary]
    # Over both starts within each seed; a seed that lacks one of them has no mean.
    mid = frame[frame["arm"] == "midtrained"]
    inner = mid.groupby(["weight", "seed", "finetune_seed"], sort=False)["code"].agg(
        lambda part: part.mean(skipna=False)).reset_index()
    over = inner.groupby(["weight", "seed"], sort=False)["code"].mean().reset_index()
    over = [[key[0]] + list(interval(part["code"])) for key, part in over.groupby(["weight"], sort=False)]
    pivot = trunks[trunks["arm"] == "midtrained"].pivot_table(
        index="start", columns="weight", values="code", aggfunc="mean")
    extra = pd.DataFrame({"arm": ["midtrained", "midtrained", "other"], "start": [200, 400, 800],
                          "tokens": [1e6, 2e6, 3e6]}).astype({"start": "Int64"})
    joined = {how: cells(frame.merge(extra, on=["arm", "start"], how=how).sort_values(
        ["id", "tokens"], kind="stable", na_position="last")[["id", "arm", "start", "tokens"]])
        for how in ("inner", "left", "outer")}
    median = trunks.groupby(keys, dropna=False, sort=False)["code"].agg(["std", "median", "min", "max"])
    gap = frame.eval("prose - prose_before")
    result = {
        "csv": frame.to_csv(index=False),
        "extra": extra.to_csv(index=False),
        "where": {
            "weight > 0.1 and seed ~= 2": frame.query("weight > 0.1 and seed != 2")["id"].tolist(),
            "not (start < 400)": frame[(frame["start"] >= 400).fillna(False)]["id"].tolist(),
            "weight == nil or code == nil": frame[frame["weight"].isna() | frame["code"].isna()]["id"].tolist(),
            "prose - prose_before > 0.05 and arm == 'midtrained'":
                frame[(gap > 0.05) & (frame["arm"] == "midtrained")]["id"].tolist(),
            "(prose + code) / 2 ^ 2 > 1.36 or seed // 2 % 2 == 1":
                frame[((frame["prose"] + frame["code"]) / 4 > 1.36) | (frame["seed"] // 2 % 2 == 1)]["id"].tolist(),
        },
        "with": {
            "prose - prose_before": gap.tolist(),
            "log(prose) / sqrt(seed) + exp(-prose_before)":
                (np.log(frame["prose"]) / np.sqrt(frame["seed"]) + np.exp(-frame["prose_before"])).tolist(),
            "max(code, prose) - min(code, prose)":
                [None if np.isnan(v) else v for v in (frame["code"] - frame["prose"]).abs()],
        },
        "sort": {
            "code": frame.sort_values("code", kind="stable")["id"].tolist(),
            "-code": frame.sort_values("code", kind="stable", ascending=False)["id"].tolist(),
            "arm,-weight,seed": frame.sort_values(
                ["arm", "weight", "seed"], ascending=[True, False, True], kind="stable")["id"].tolist(),
        },
        "summary": summary,
        "statistics": median.values.tolist(),
        "over": over,
        "pivot": {"start": pivot.index.tolist(), "weight": pivot.columns.tolist(), "cells": pivot.values.tolist()},
        "join": joined,
        "laws": [
            power_law([1e6, 2e6, 4e6, 8e6], 2.1 + 30 * np.array([1e6, 2e6, 4e6, 8e6]) ** -0.25 + rng.normal(0, 0.003, 4)),
            power_law([100, 100, 300, 900, 900, 2700], np.array([3.9, 3.93, 3.4, 3.12, 3.1, 2.99])),
            power_law([5e9, 1e10, 4e10], np.array([0.31, 0.42, 0.53])),
        ],
    }
    PATH.write_text(json.dumps(result, indent=1, default=lambda v: v.item()) + "\n")


main()
