#!/usr/bin/env python3
"""Makes Tests/RuntimeTests/Reference/science.json with NumPy, SciPy and statsmodels.

    python3 -m venv .venv && .venv/bin/pip install numpy scipy statsmodels zstandard
    .venv/bin/python scripts/science_reference.py

Part one: paired tests, Holm's correction, correlations and a line of least squares. Part two: similarities of three small
collections of documents, given as ids (token metrics) and as ASCII text (n-grams of characters and words), and of a
mixture of two of them. Part three: mixed models, two-way analyses of variance, variance components, centred kernel
alignment, compression distance (to 2%, as versions of zstd differ). Tests compare with a
relative tolerance of 1e-9, mixed models with 1e-5 (both sides stop searching somewhere).
"""

import json
import pathlib
import re
from collections import Counter

import numpy as np
import zstandard
import pandas as pd
from scipy import optimize, stats
from scipy.spatial.distance import cosine, jensenshannon
import statsmodels.api as sm
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm
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

science = np.random.default_rng(30)


def mixed(x, y, groups):
    """statsmodels' REML fit; the same likelihood is maximised again with whole matrices, as a check of the check."""
    design = sm.add_constant(x)
    fit = sm.MixedLM(y, design, groups).fit(reml=True, method=["bfgs", "nm"], gtol=1e-12, maxiter=2000)
    same = np.equal.outer(groups, groups).astype(float)

    def minus(log_parts):
        covariance = np.exp(log_parts[0]) * same + np.exp(log_parts[1]) * np.eye(len(y))
        inverse = np.linalg.inv(covariance)
        information = design.T @ inverse @ design
        beta = np.linalg.solve(information, design.T @ inverse @ y)
        rest = y - design @ beta
        return 0.5 * (np.linalg.slogdet(covariance)[1] + np.linalg.slogdet(information)[1] + rest @ inverse @ rest
                      + (len(y) - 2) * np.log(2 * np.pi))

    start = [np.log(float(fit.cov_re.iloc[0, 0] if hasattr(fit.cov_re, "iloc") else fit.cov_re[0, 0]) + 1e-6), np.log(fit.scale)]
    best = optimize.minimize(minus, start, method="Nelder-Mead", options={"xatol": 1e-11, "fatol": 1e-14, "maxiter": 5000})
    between, within = np.exp(best.x)
    covariance = between * same + within * np.eye(len(y))
    inverse = np.linalg.inv(covariance)
    variance = np.linalg.inv(design.T @ inverse @ design)
    beta = variance @ design.T @ inverse @ y
    assert np.allclose(beta, fit.fe_params, rtol=1e-3, atol=1e-5), (beta, fit.fe_params)
    assert np.isclose(-best.fun, fit.llf, atol=1e-5), (-best.fun, fit.llf)
    return {"x": x.tolist(), "y": y.tolist(), "groups": [str(g) for g in groups],
            "beta": beta.tolist(), "errors": np.sqrt(np.diag(variance)).tolist(),
            "group_variance": between, "residual_variance": within, "log_likelihood": -best.fun}


def two_way(points):
    frame = pd.DataFrame(points, columns=["row", "column", "block", "value"])
    formula = "value ~ C(row) * C(column)" + (" + C(block)" if frame.block.nunique() > 1 else "")
    fit = ols(formula, frame).fit()
    table = anova_lm(fit, typ=2)
    names = {"C(row)": "rows", "C(column)": "columns", "C(row):C(column)": "interaction", "C(block)": "seeds"}
    changes = []
    rows, columns = np.unique(frame.row), np.unique(frame.column)
    for _, part in frame.groupby("block", sort=False):
        r = (part.row - rows.mean()) / np.ptp(rows)
        c = (part.column - columns.mean()) / np.ptp(columns)
        design = np.stack([np.ones(len(part)), r, c, r * c], 1)
        changes.append(np.linalg.lstsq(design, part.value, rcond=None)[0][1:])
    changes = np.array(changes)
    half = stats.t.ppf(0.975, len(changes) - 1) * changes.std(0, ddof=1) / np.sqrt(len(changes))
    return {"points": [[float(r), float(c), str(b), float(v)] for r, c, b, v in points],
            "terms": {names[k]: [table.df[k], table.sum_sq[k], table.F[k], table["PR(>F)"][k]] for k in names},
            "residual": [table.df["Residual"], fit.mse_resid],
            "changes": changes.mean(0).tolist(), "half_widths": half.tolist()}


def variance_components(groups):
    counts = np.array([len(g) for g in groups])
    means = np.array([np.mean(g) for g in groups])
    within = sum(((np.array(g) - m) ** 2).sum() for g, m in zip(groups, means))
    inner, outer = counts.sum() - len(groups), len(groups) - 1
    size = stats.hmean(counts)
    between = size * means.var(ddof=1)
    ratio = between / (within / inner)
    limits = [max(0.0, outer * between * (1 - stats.f.ppf(q, outer, inner) / ratio) / (size * stats.chi2.ppf(q, outer)))
              for q in (0.975, 0.025)]
    trunk = (between - within / inner) / size
    if len(set(counts)) == 1:  # balanced: REML gives the same
        y = np.concatenate(groups)
        fit = sm.MixedLM(y, np.ones((len(y), 1)), np.repeat(np.arange(len(groups)), counts)).fit(reml=True)
        assert trunk < 0 or np.isclose(np.asarray(fit.cov_re)[0, 0], trunk, rtol=1e-3)
    return {"groups": [list(map(float, g)) for g in groups], "mean": means.mean(), "trunk": [max(0.0, trunk), *limits],
            "finetuning": [within / inner, within / stats.chi2.ppf(0.975, inner), within / stats.chi2.ppf(0.025, inner)]}


def alignment(x, y):
    """Linear CKA from features (biased), and unbiased from kernels, term by term."""
    xc, yc = x - x.mean(0), y - y.mean(0)
    biased = np.linalg.norm(xc.T @ yc) ** 2 / (np.linalg.norm(xc.T @ xc) * np.linalg.norm(yc.T @ yc))
    n = len(x)

    def independence(a, b):
        k, l = a @ a.T, b @ b.T
        np.fill_diagonal(k, 0)
        np.fill_diagonal(l, 0)
        one = np.ones(n)
        return (np.trace(k @ l) + one @ k @ one * (one @ l @ one) / ((n - 1) * (n - 2))
                - 2 / (n - 2) * one @ k @ l @ one) / (n * (n - 3))

    unbiased = independence(x, y) / np.sqrt(independence(x, x) * independence(y, y))
    return {"x": x.ravel().tolist(), "y": y.ravel().tolist(), "documents": n, "biased": biased, "unbiased": unbiased}


def compression(a, b):
    def size(text):
        window = min(27, max(17, (len(text) - 1).bit_length()))
        parameters = zstandard.ZstdCompressionParameters(
            compression_level=3, window_log=window, hash_log=18, chain_log=18, search_log=4, min_match=4,
            target_length=16, strategy=zstandard.STRATEGY_LAZY, enable_ldm=True)
        return len(zstandard.ZstdCompressor(compression_params=parameters).compress(text))

    both = (size(a + b) + size(b + a)) / 2
    return 1 - (both - min(size(a), size(b))) / max(size(a), size(b))


def science_part():
    first = science.normal(size=(14, 6))
    second = np.hstack([first @ science.normal(size=(6, 3)), science.normal(size=(14, 1))])
    words = ["the", "harbour", "mill", "was", "quiet", "local", "return", "end", "for", "gulls", "x", "total"]
    texts = [" ".join(science.choice(words[i:i + 8], 3000)) for i in (0, 2, 4)]
    groups = np.repeat(np.array(["a", "b", "c", "d"]), [5, 4, 6, 5])
    x = science.normal(size=20).round(3)
    shift = {"a": 0.6, "b": -0.4, "c": 0.1, "d": 1.0}
    y = (0.5 * x + [shift[g] for g in groups] + 0.2 * science.normal(size=20)).round(3)
    noisy = (0.3 * x + science.normal(size=20)).round(3)
    grid = [(s, w, b) for b in (1, 2, 3) for s in (200, 600, 1000) for w in (0.1, 0.4, 0.8)]
    points = [(s, w, b, round(0.001 * s * w - 0.3 * w + 0.05 * b + 0.03 * science.normal(), 4)) for s, w, b in grid]
    return {
        "mixed": [mixed(x, y, groups), mixed(x, (noisy + 0.5 * y).round(3), groups)],
        "two_way": [two_way(points), two_way([p for i, p in enumerate(points) if i not in (4, 13)])],
        "variance": [
            variance_components([science.normal(m, 0.3, 3).round(3) for m in (1.0, 2.2, 1.7, 0.8)]),
            variance_components([science.normal(m, 0.3, n).round(3) for m, n in ((1.0, 2), (1.1, 4), (0.9, 3))]),
        ],
        "alignments": [alignment(first.round(4), second.round(4)), alignment(first.round(4), (2 * first[:, ::-1]).round(4))],
        "compression": {"texts": texts, "similarity": [compression(texts[i].encode() + b"\n", texts[j].encode() + b"\n")
                                                       for i, j in ((0, 0), (0, 1), (0, 2))]},
        "upper_f": [[f, a, b, stats.f.sf(f, a, b)] for f, a, b in ((0.3, 1, 4), (2.5, 4, 16), (40.0, 2, 9))],
        "chi": [[x, d, stats.chi2.cdf(x, d)] for x, d in ((0.02, 1), (3.1, 4), (60.0, 30), (12.0, 2.5))],
    }


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
    **science_part(),
    "words": {str(n): compare(*[[words(t, n) for t in side] for side in TEXTS], 0.3) for n in (1, 2)},
}
PATH.write_text(json.dumps(golden, separators=(",", ":"), default=float) + "\n")
