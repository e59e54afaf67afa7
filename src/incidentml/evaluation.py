"""Metrics as pure functions of labels and scores; clusterings are in `partitions` and re-exported here.

`gold` and `predicted` hold one label a row, `scores` and `probabilities` one number a row; a `ValueError` tells of
different lengths. `weights` (default 1) tells how much each row counts, so that every function that takes them can
be put under `bootstrap`. Where a figure is not defined it is NaN. No function knows models or files.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from incidentml.intervals import Interval, bootstrap, bootstrap_many
from incidentml.partitions import (
    MergeReport,
    Scores,
    _weights,
    adjusted_rand,
    b_cubed,
    b_cubed_contributions,
    cross_group_recall,
    merge_report,
    pair_contributions,
    pairwise,
    partition_codes,
    scores_of_counts,
    scores_of_means,
    strangers_merged,
)

__all__ = [
    "Interval",
    "MergeReport",
    "Scores",
    "accuracy",
    "adjusted_rand",
    "average_precision",
    "b_cubed",
    "b_cubed_contributions",
    "binary_scores",
    "bootstrap",
    "bootstrap_many",
    "calibration_error",
    "confusion",
    "cross_group_recall",
    "f1_by_class",
    "macro_f1",
    "merge_report",
    "ndcg",
    "pair_contributions",
    "pairwise",
    "partition_codes",
    "quadratic_kappa",
    "recall_at_precision",
    "scores_of_counts",
    "scores_of_means",
    "strangers_merged",
    "top_k_accuracy",
    "weighted_f1",
]

Labels = Sequence[Any] | NDArray[Any]


def _pair(gold: Labels, predicted: Labels) -> tuple[NDArray[Any], NDArray[Any]]:
    g, p = np.asarray(gold), np.asarray(predicted)
    if g.ndim != 1 or p.ndim != 1 or len(g) != len(p):
        raise ValueError(f"gold has shape {g.shape}, predicted {p.shape}; expected two rows of equal length")
    return g, p


def accuracy(gold: Labels, predicted: Labels, weights: ArrayLike | None = None) -> float:
    """Share of rows that are right; NaN without rows.

    Examples
    --------
    >>> accuracy(["a", "b"], ["a", "a"])
    0.5
    """
    g, p = _pair(gold, predicted)
    w = _weights(weights, len(g))
    return float(w @ (g == p) / w.sum()) if w.sum() > 0 else float("nan")


def average_precision(gold: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Area under the precision-recall curve as a step function; ties count as one step. NaN without positives.

    AP = Σ (Rₙ − Rₙ₋₁) Pₙ over the distinct scores in falling order.

    Examples
    --------
    >>> round(average_precision([1, 0, 1], [0.9, 0.8, 0.7]), 4)
    0.8333
    """
    g, s = _pair(np.asarray(gold, dtype=np.float64), np.asarray(scores, dtype=np.float64))
    w = _weights(weights, len(g))
    recall, precision, _ = _curve(g, s, w)
    return float(np.diff(recall, prepend=0.0) @ precision) if len(recall) else float("nan")


def _curve(
    gold: NDArray[Any], scores: NDArray[Any], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Recall, precision and score at each distinct score, falling; empty without positives."""
    if not np.isfinite(scores).all():
        raise ValueError(
            "scores hold NaN or infinity: a model that cannot tell has no curve; drop or fill these rows"
        )
    order = np.argsort(-scores, kind="stable")
    falling = scores[order]
    last = np.flatnonzero(np.diff(falling, append=-np.inf))
    hits = np.cumsum((gold * weights)[order])[last]
    said = np.cumsum(weights[order])[last]
    if not len(hits) or hits[-1] <= 0:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    precision = np.divide(hits, said, out=np.ones_like(hits), where=said > 0)
    return hits / hits[-1], precision, falling[last]


def recall_at_precision(
    gold: ArrayLike, scores: ArrayLike, precision: float, weights: ArrayLike | None = None
) -> float:
    """Highest recall at a threshold of at least this precision; 0 where there is none, NaN without positives.

    Examples
    --------
    >>> recall_at_precision([1, 0, 1], [0.9, 0.8, 0.7], 0.9)
    0.5
    """
    g, s = _pair(np.asarray(gold, dtype=np.float64), np.asarray(scores, dtype=np.float64))
    recalls, precisions, _ = _curve(g, s, _weights(weights, len(g)))
    if not len(recalls):
        return float("nan")
    return float(recalls[precisions >= precision].max(initial=0.0))


def binary_scores(gold: ArrayLike, predicted: ArrayLike, weights: ArrayLike | None = None) -> Scores:
    """Precision, recall and F1 of the positive class.

    Examples
    --------
    >>> binary_scores([True, True, False], [True, False, False])
    Scores(precision=1.0, recall=0.5, f1=0.6666666666666666)
    """
    g, p = _pair(np.asarray(gold, dtype=bool), np.asarray(predicted, dtype=bool))
    w = _weights(weights, len(g))
    return scores_of_counts(float(w @ (g & p)), float(w @ p), float(w @ g))


def confusion(gold: Labels, predicted: Labels, classes: Sequence[Any]) -> NDArray[np.intp]:
    """Count rows by gold class (row) and predicted class (column), in the order of `classes`; others are left out.

    Examples
    --------
    >>> confusion(["a", "b", "b"], ["a", "a", "b"], ["a", "b"]).tolist()
    [[1, 0], [1, 1]]
    """
    place = {label: position for position, label in enumerate(classes)}
    table = np.zeros((len(place), len(place)), dtype=np.intp)
    for g, p in zip(gold, predicted, strict=True):
        if g in place and p in place:
            table[place[g], place[p]] += 1
    return table


def _class_counts(
    gold: Labels, predicted: Labels, weights: ArrayLike | None
) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    g, p = _pair(gold, predicted)
    w = _weights(weights, len(g))
    classes, codes = np.unique(np.concatenate([g, p]), return_inverse=True)
    g_code, p_code = codes[: len(g)], codes[len(g) :]
    n = len(classes)
    hits = np.bincount(g_code, weights=w * (g_code == p_code), minlength=n)
    said = np.bincount(p_code, weights=w, minlength=n)
    there = np.bincount(g_code, weights=w, minlength=n)
    return classes, hits.astype(np.float64), said.astype(np.float64), there.astype(np.float64)


def f1_by_class(gold: Labels, predicted: Labels, weights: ArrayLike | None = None) -> dict[Any, float]:
    """F1 = 2 · hits / (gold + predicted) of every class that occurs in gold.

    Examples
    --------
    >>> f1_by_class(["a", "b"], ["a", "a"])
    {'a': 0.6666666666666666, 'b': 0.0}
    """
    classes, hits, said, there = _class_counts(gold, predicted, weights)
    return {
        label.item() if isinstance(label, np.generic) else label: float(2 * h / (s + t))
        for label, h, s, t in zip(classes, hits, said, there, strict=True)
        if t > 0
    }


def macro_f1(gold: Labels, predicted: Labels, weights: ArrayLike | None = None) -> float:
    """Mean F1 over the classes that occur in gold; NaN without rows.

    Notes
    -----
    A class that is only ever predicted lowers the others' precision and has no F1 of its own here, unlike
    scikit-learn's default, where it counts as 0.

    Examples
    --------
    >>> macro_f1(["a", "b"], ["a", "a"])
    0.3333333333333333
    """
    values = list(f1_by_class(gold, predicted, weights).values())
    return float(np.mean(values)) if values else float("nan")


def weighted_f1(gold: Labels, predicted: Labels, weights: ArrayLike | None = None) -> float:
    """Mean F1 over the gold classes, weighed by their size; NaN without rows.

    Examples
    --------
    >>> round(weighted_f1(["a", "a", "b"], ["a", "a", "a"]), 4)
    0.5333
    """
    _, hits, said, there = _class_counts(gold, predicted, weights)
    total = there.sum()
    f1 = np.divide(2 * hits, said + there, out=np.zeros_like(hits), where=said + there > 0)
    return float(there @ f1 / total) if total > 0 else float("nan")


def top_k_accuracy(
    gold: Labels, ranked: Sequence[Sequence[Any]], k: int, weights: ArrayLike | None = None
) -> float:
    """Share of rows whose gold label is among the first `k` of its ranked labels; NaN without rows.

    Examples
    --------
    >>> top_k_accuracy(["a", "b"], [["c", "a"], ["c", "a", "b"]], k=2)
    0.5
    """
    if len(gold) != len(ranked):
        raise ValueError(f"gold has {len(gold)} labels, ranked {len(ranked)}")
    w = _weights(weights, len(gold))
    hits = np.array([g in list(labels[:k]) for g, labels in zip(gold, ranked, strict=True)], dtype=np.float64)
    return float(w @ hits / w.sum()) if w.sum() > 0 else float("nan")


def quadratic_kappa(gold: ArrayLike, predicted: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Cohen's kappa with squared distances between ordered steps; NaN where one step is all there is.

    κ = 1 − Σ d² O / Σ d² E, with O the observed and E the table expected from the margins.

    Notes
    -----
    Cohen (1968), Weighted kappa.

    Examples
    --------
    >>> quadratic_kappa([0, 1, 2, 3], [0, 1, 2, 2])
    0.875
    """
    g, p = _pair(np.asarray(gold, dtype=np.float64), np.asarray(predicted, dtype=np.float64))
    w = _weights(weights, len(g))
    total = w.sum()
    if total <= 0:
        return float("nan")
    observed = w @ np.square(g - p) / total
    g_mean, p_mean = w @ g / total, w @ p / total
    # E[(g − p)²] for independent g and p: both variances and the squared distance of the means
    chance = w @ np.square(g - g_mean) / total + w @ np.square(p - p_mean) / total + (g_mean - p_mean) ** 2
    return float(1.0 - observed / chance) if chance > 0 else float("nan")


def calibration_error(
    gold: ArrayLike, probabilities: ArrayLike, *, bins: int = 10, weights: ArrayLike | None = None
) -> float:
    """Return the expected calibration error: mean gap of stated and true share over bins of equal width.

    Notes
    -----
    Naeini et al. (2015), Obtaining well calibrated probabilities using Bayesian binning.

    Examples
    --------
    >>> round(calibration_error([1, 0, 1, 1], [0.75, 0.75, 0.75, 0.75]), 4)
    0.0
    """
    g, p = _pair(np.asarray(gold, dtype=np.float64), np.asarray(probabilities, dtype=np.float64))
    if len(p) and not (p.min() >= 0 and p.max() <= 1):
        raise ValueError("probabilities must lie in [0, 1]")
    w = _weights(weights, len(g))
    which = np.minimum((p * bins).astype(np.intp), bins - 1)
    gaps = np.bincount(which, weights=w * (g - p), minlength=bins)
    return float(np.abs(gaps).sum() / w.sum()) if w.sum() > 0 else float("nan")


def ndcg(gains: ArrayLike, scores: ArrayLike, k: int | None = None) -> float:
    """Discounted gain of the first `k` by score, over that of the best order; ties share their places evenly.

    DCG = Σ gain / log₂(rank + 1).

    Notes
    -----
    Järvelin and Kekäläinen (2002); ties as in McSherry and Najork (2008). NaN where all gains are 0.

    Examples
    --------
    >>> ndcg([3, 2, 0], [0.9, 0.5, 0.1])
    1.0
    """
    g, s = _pair(np.asarray(gains, dtype=np.float64), np.asarray(scores, dtype=np.float64))
    n = len(g)
    discount = 1.0 / np.log2(np.arange(2, n + 2))
    discount[n if k is None else k :] = 0.0
    best = float(np.sort(g)[::-1] @ discount)
    if best <= 0:
        return float("nan")
    _, inverse, counts = np.unique(-s, return_inverse=True, return_counts=True)
    mean_gain = np.bincount(inverse, weights=g) / counts
    ends = np.cumsum(counts)
    total = np.concatenate([[0.0], np.cumsum(discount)])
    return float(mean_gain @ (total[ends] - total[ends - counts]) / best)
