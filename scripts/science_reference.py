#!/usr/bin/env python3
"""Makes Tests/RuntimeTests/Reference/science.json with NumPy, SciPy and statsmodels.

    python3 -m venv .venv && .venv/bin/pip install numpy scipy statsmodels
    .venv/bin/python scripts/science_reference.py

Part one: paired tests, Holm's correction, correlations and a line of least squares. Part two: similarities of three small
collections of documents, given as ids (token metrics) and as ASCII text (n-grams of characters and words), and of a
mixture of two of them. Tests compare with a relative tolerance of 1e-9.
"""

import json
import pathlib
import re
from collections import Counter

import numpy as np
from scipy import stats
from scipy.spatial.distance import cosine, jensenshannon
import statsmodels.api as sm
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.outliers_influence import OLSInfluence

PATH = pathlib.Path(__file__).resolve().parent.parent / "Tests" / "RuntimeTests" / "Reference" / "science.json"
rng = np.random.default_rng(20)


def paired(differences):
    d = np.array(differences)
    count = int(np.count_nonzero(d))
    sign = stats.binomtest(int((d > 0).sum()), count, 0.5).pvalue if count else 1.0
    permutation = stats.permutation_test(
        (d, np.zeros_like(d)), lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples", n_resamples=np.inf, vectorized=True).pvalue
    return {"differences": d.tolist(), "sign": sign, "permutation": permutation}


def correlation(x, y):
    pearson = stats.pearsonr(x, y)
    low, high = pearson.confidence_interval(0.95)
    spearman = stats.spearmanr(x, y)
    half = 1.959963984540054 * np.sqrt((1 + spearman.statistic**2 / 2) / (len(x) - 3))
    model = sm.OLS(y, sm.add_constant(x)).fit()
    interval = model.conf_int()[1]
    press = OLSInfluence(model).resid_press
    mean_errors = [y[i] - np.delete(y, i).mean() for i in range(len(y))]
    return {
        "x": x.tolist(), "y": y.tolist(),
        "pearson": [pearson.statistic, low, high], "pearson_p": pearson.pvalue,
        "spearman": [spearman.statistic, *np.tanh(np.arctanh(spearman.statistic) + np.array([-half, half]))],
        "spearman_p": spearman.pvalue,
        "slope": [model.params[1], *interval], "intercept": model.params[0],
        "residual": np.sqrt(model.mse_resid),
        "leave_one_out": np.sqrt(np.mean(press**2)), "leave_one_out_mean": np.sqrt(np.mean(np.square(mean_errors))),
    }


def distribution(features, order):
    counts = Counter(f for document in features for f in document)
    vector = np.array([counts[f] for f in order], float)
    return vector / vector.sum()


def parts(p, q):
    both, either = np.sum((p > 0) & (q > 0)), np.sum((p > 0) | (q > 0))
    return {"cosine": 1 - cosine(p, q), "jaccard": both / either, "divergence": jensenshannon(p, q) ** 2}


def characters(text, n):
    return [text[i:i + n] for i in range(len(text) - n + 1)]


def words(text, n):
    found = re.findall(r"'(?:s|t|re|ve|m|ll|d)|[a-z]+|[0-9]+|[^\sa-z0-9]+", text.lower())
    return [tuple(found[i:i + n]) for i in range(len(found) - n + 1)]


def compare(a, b, c, weight):
    """The parts of a with c, and of the mixture (1 - weight) a + weight b with c."""
    order = sorted({f for side in (a, b, c) for document in side for f in document})
    p, q, r = (distribution(side, order) for side in (a, b, c))
    return {"plain": parts(p, r), "mixed": parts((1 - weight) * p + weight * q, r)}


IDS = [
    [[int(v) for v in np.minimum(rng.zipf(1.5, 40), 300) + shift] for _ in range(12)] for shift in (0, 40, 25)
]
TEXTS = [
    ["The harbour was quiet. Nobody's boat had left since noon, and the gulls slept.",
     "In 1907 the mill burned down; they'd built it anew by spring."],
    ["local total = 0\nfor i = 1, 10 do total = total + i end\nprint(total)",
     "function twice(x) return 2 * x end"],
    ["Write a function that adds the numbers from 1 to 10.\nlocal sum = 0\nfor i = 1, 10 do sum = sum + i end"],
]

x = rng.normal(size=11).round(3)
tied = np.array([1, 2, 2, 3, 5, 5, 5, 8, 9], float)
p_values = [0.01, 0.04, 0.03, 0.005, 0.5, 0.04]
golden = {
    "paired": [
        paired([0.31, 0.12, -0.05, 0.27, 0.4]),
        paired([1, 1, 1]),
        paired([0.5, -0.5, 0, 0.25, 0.75, -0.125, 1]),
        paired(rng.normal(0.4, 1, 12).round(2)),
    ],
    "holm": {"values": p_values, "corrected": multipletests(p_values, method="holm")[1].tolist()},
    "correlations": [
        correlation(x, (0.6 * x + rng.normal(size=11) * 0.5).round(3)),
        correlation(tied, np.array([3, 1, 4, 1, 5, 9, 2, 6, 5], float)),
    ],
    "ids": IDS, "texts": TEXTS, "weight": 0.3,
    "tokens": compare(*IDS, 0.3),
    "characters": {str(n): compare(*[[characters(t, n) for t in side] for side in TEXTS], 0.3) for n in (1, 2, 3)},
    "words": {str(n): compare(*[[words(t, n) for t in side] for side in TEXTS], 0.3) for n in (1, 2)},
}
PATH.write_text(json.dumps(golden, separators=(",", ":"), default=float) + "\n")
