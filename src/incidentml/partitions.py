"""Metrics of clusterings: pairs, B³, merges and splits, all from one contingency table.

A post without an incident (None, an empty string, NaN or −1) is alone: noise counts as singletons, so that neither
throwing posts away nor merging everything can look good. No function builds the table of all pairs. `gold` and
`predicted` hold the incident of each post, in one order; a `ValueError` tells of different lengths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "MergeReport",
    "Scores",
    "adjusted_rand",
    "b_cubed",
    "b_cubed_contributions",
    "cross_group_recall",
    "merge_report",
    "pair_contributions",
    "pairwise",
    "partition_codes",
    "scores_of_counts",
    "scores_of_means",
    "strangers_merged",
]

Labels = Sequence[Any] | NDArray[Any]
Counts = NDArray[np.float64]


class Scores(NamedTuple):
    """Precision, recall and their harmonic mean."""

    precision: float
    recall: float
    f1: float


def scores_of_counts(hits: float, predicted: float, gold: float) -> Scores:
    """Return hits / predicted, hits / gold and F1; nothing said, or nothing to find, is right (1).

    Examples
    --------
    >>> scores_of_counts(1, 1, 2)
    Scores(precision=1.0, recall=0.5, f1=0.6666666666666666)
    """
    precision = hits / predicted if predicted > 0 else 1.0
    recall = hits / gold if gold > 0 else 1.0
    total = precision + recall
    return Scores(float(precision), float(recall), float(2 * precision * recall / total) if total > 0 else 0.0)


def partition_codes(labels: Labels) -> NDArray[np.intp]:
    """Return one integer per label; every None, empty string, NaN and −1 gets one of its own.

    Examples
    --------
    >>> partition_codes(["a", None, "a", None]).tolist()
    [0, 1, 0, 2]
    """
    if isinstance(labels, np.ndarray) and labels.dtype.kind in "iu":
        names, codes_of_names = np.unique(labels, return_inverse=True)
        noise = np.flatnonzero(labels == -1)
        coded = codes_of_names.astype(np.intp)
        coded[noise] = len(names) + np.arange(len(noise))
        return coded
    codes: dict[Any, int] = {}
    result = np.empty(len(labels), dtype=np.intp)
    fresh = 0
    for row, label in enumerate(labels):
        alone = label is None or label in ("", -1) or (isinstance(label, float) and np.isnan(label))
        code = fresh if alone else codes.setdefault(label, fresh)
        fresh += code == fresh
        result[row] = code
    return result


def _weights(weights: ArrayLike | None, n: int) -> Counts:
    if weights is None:
        return np.ones(n)
    array = np.asarray(weights, dtype=np.float64)
    if array.shape != (n,):
        raise ValueError(f"weights has shape {array.shape}, expected ({n},)")
    return array


def _tables(gold: Labels, predicted: Labels) -> tuple[Counts, Counts, Counts]:
    """Per row: size of its gold class, of its predicted cluster, and of what both share."""
    if len(gold) != len(predicted):
        raise ValueError(f"gold has {len(gold)} labels, predicted {len(predicted)}")
    g, p = partition_codes(gold), partition_codes(predicted)
    if not len(g):
        return np.zeros(0), np.zeros(0), np.zeros(0)
    _, cell, cell_sizes = np.unique(g * (int(p.max()) + 1) + p, return_inverse=True, return_counts=True)
    sizes = (np.bincount(g)[g], np.bincount(p)[p], cell_sizes[cell])
    return tuple(size.astype(np.float64) for size in sizes)  # type: ignore[return-value]


def pair_contributions(gold: Labels, predicted: Labels) -> NDArray[np.float64]:
    """Split pairs over their posts, half to each: per row the pairs found rightly, predicted, and in gold.

    Sums over any rows give the numbers of pairs that `pairwise` divides, so a bootstrap need only weigh rows.

    Returns
    -------
    ndarray of shape (n, 3)
    """
    g, p, both = _tables(gold, predicted)
    return 0.5 * (np.stack([both, p, g], axis=1) - 1.0)


def pairwise(gold: Labels, predicted: Labels, weights: ArrayLike | None = None) -> Scores:
    """Precision, recall and F1 over pairs of posts in one cluster.

    P = pairs together in both / pairs together in the prediction, R = the same / pairs together in gold.

    Parameters
    ----------
    gold, predicted : sequences of labels
        None, "", NaN and −1 are singletons.
    weights : array, optional
        One weight per post, as from `evaluation.bootstrap`.

    Notes
    -----
    Amigó et al. (2009), A comparison of extrinsic clustering evaluation metrics, section 3 (counting pairs).

    Examples
    --------
    >>> pairwise(["a", "a", "a", None], ["x", "x", None, None])
    Scores(precision=1.0, recall=0.3333333333333333, f1=0.5)
    """
    sums = _weights(weights, len(gold)) @ pair_contributions(gold, predicted)
    return scores_of_counts(*sums)


def b_cubed_contributions(gold: Labels, predicted: Labels) -> NDArray[np.float64]:
    """Return per post how much of its cluster is right, and how much of its incident was found; shape (n, 2)."""
    g, p, both = _tables(gold, predicted)
    return np.stack([both / p, both / g], axis=1)


def scores_of_means(contributions: NDArray[np.float64], weights: ArrayLike | None = None) -> Scores:
    """Return weighted means of `b_cubed_contributions` and the F1 of the two; 1 where there are no posts."""
    w = _weights(weights, len(contributions))
    if w.sum() <= 0:
        return Scores(1.0, 1.0, 1.0)
    precision, recall = (float(mean) for mean in w @ contributions / w.sum())
    return Scores(precision, recall, 2 * precision * recall / (precision + recall))


def b_cubed(gold: Labels, predicted: Labels, weights: ArrayLike | None = None) -> Scores:
    """B³: for each post, how much of its cluster is right and how much of its incident was found; then the mean.

    Notes
    -----
    Bagga and Baldwin (1998), Algorithms for scoring coreference chains; F1 is of the two means.

    Examples
    --------
    >>> scores = b_cubed(["a", "a", "b"], ["x", "x", "x"])
    >>> round(scores.precision, 4), scores.recall
    (0.5556, 1.0)
    """
    return scores_of_means(b_cubed_contributions(gold, predicted), weights)


def adjusted_rand(gold: Labels, predicted: Labels) -> float:
    """Return the adjusted Rand index; a side figure only: with many singletons it hides merges.

    Notes
    -----
    Hubert and Arabie (1985), Comparing partitions.

    Examples
    --------
    >>> adjusted_rand(["a", "a", "b", "b"], ["x", "x", "y", "y"])
    1.0
    """
    n = len(gold)
    hits, predicted_pairs, gold_pairs = pair_contributions(gold, predicted).sum(axis=0)
    pairs = n * (n - 1) / 2
    expected = predicted_pairs * gold_pairs / pairs if pairs else 0.0
    highest = (predicted_pairs + gold_pairs) / 2
    return float((hits - expected) / (highest - expected)) if highest != expected else 1.0


@dataclass(frozen=True, slots=True)
class MergeReport:
    """How clusters and incidents miss one another.

    Attributes
    ----------
    incidents : int
        Gold incidents, lone posts among them.
    clusters : int
        Predicted clusters, lone posts among them.
    merged_clusters : int
        Clusters that hold posts of two or more incidents.
    false_merges : int
        Incidents too many in one cluster, summed: a cluster of three incidents counts two.
    split_incidents : int
        Incidents told apart over two or more clusters.
    false_splits : int
        Clusters too many of one incident, summed.
    """

    incidents: int
    clusters: int
    merged_clusters: int
    false_merges: int
    split_incidents: int
    false_splits: int

    @property
    def merges_per_100(self) -> float:
        """False merges per hundred gold incidents."""
        return 100.0 * self.false_merges / self.incidents if self.incidents else 0.0


def merge_report(gold: Labels, predicted: Labels) -> MergeReport:
    """Count clusters that hold several incidents and incidents that lie in several clusters.

    Examples
    --------
    >>> merge_report(["a", "a", "b", "c"], ["x", "y", "y", "y"])
    MergeReport(incidents=3, clusters=2, merged_clusters=1, false_merges=2, split_incidents=1, false_splits=1)
    """
    if len(gold) != len(predicted):
        raise ValueError(f"gold has {len(gold)} labels, predicted {len(predicted)}")
    cells = np.unique(np.stack([partition_codes(gold), partition_codes(predicted)], axis=1), axis=0)
    _, per_incident = np.unique(cells[:, 0], return_counts=True)
    _, per_cluster = np.unique(cells[:, 1], return_counts=True)
    return MergeReport(
        incidents=len(per_incident),
        clusters=len(per_cluster),
        merged_clusters=int((per_cluster > 1).sum()),
        false_merges=int((per_cluster - 1).sum()),
        split_incidents=int((per_incident > 1).sum()),
        false_splits=int((per_incident - 1).sum()),
    )


def cross_group_recall(gold: Labels, predicted: Labels, groups: Labels) -> float:
    """Recall over the pairs of one incident whose posts are of two groups, such as networks; NaN without pairs.

    Examples
    --------
    >>> cross_group_recall(["a", "a", "a"], ["x", "x", "y"], ["vk", "ok", "ok"])
    0.5
    """
    inside = [f"{network}" for network in groups]
    g, p = partition_codes(gold), partition_codes(predicted)
    same = partition_codes(list(zip(g.tolist(), inside, strict=True)))
    hits, _, total = pair_contributions(g, p).sum(axis=0)
    hits_within, _, total_within = pair_contributions(same, p).sum(axis=0)
    return float((hits - hits_within) / (total - total_within)) if total > total_within else float("nan")


def strangers_merged(gold: Labels, predicted: Labels, near: Labels) -> tuple[int, int]:
    """Count hard negatives that share a cluster with a post of the incident they only resemble.

    Parameters
    ----------
    gold, predicted : sequences of labels
    near : sequence
        For a hard negative the gold label of the incident it resembles, else None.

    Returns
    -------
    merged, total : int

    Examples
    --------
    >>> strangers_merged(["a", "a", None, None], ["x", "x", "x", None], [None, None, "a", "a"])
    (1, 2)
    """
    held: dict[int, set[Any]] = {}
    codes = partition_codes(predicted).tolist()
    for label, code in zip(gold, codes, strict=True):
        held.setdefault(code, set()).add(label)
    hard = [(incident, code) for incident, code in zip(near, codes, strict=True) if incident]
    return sum(incident in held[code] for incident, code in hard), len(hard)
