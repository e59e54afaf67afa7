"""Scores of a run against a gold set: `evaluate` makes the report, `format_report` the text."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from incidentml import evaluation as ev
from incidentml.errors import DataError
from incidentml.gold import load_gold
from incidentml.place_scoring import score_places
from incidentml.predictions import Joined, join, read_predictions
from incidentml.score_report import format_report
from incidentml.types import Kind, Scale, Urgency

__all__ = ["evaluate", "format_report", "score"]

PRF = ev.Scores._fields
Weights = NDArray[np.float64]


def evaluate(
    predictions_dir: str | os.PathLike[str],
    gold_path: str | os.PathLike[str],
    *,
    n_boot: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Score the folder of a run against a gold set.

    A gold post that the run does not have counts as not recognised: no complaint, in no incident.

    Parameters
    ----------
    predictions_dir : path-like
        Output of ``incidentml run``.
    gold_path : path-like
        JSONL with a ``gold`` object per line.
    n_boot : int
        Bootstrap draws per figure (whole incidents and authors are drawn); 0 for none.
    seed : int
        Of the draws.

    Returns
    -------
    dict
        Plain JSON values. A figure is ``{"value", "low", "high"}``; None where it is undefined.

    Raises
    ------
    DataError
        If a file cannot be used or the two have no post in common.
    """
    joined = join(read_predictions(predictions_dir), load_gold(gold_path))
    if all(post is None for post in joined.posts):
        raise DataError(
            f"{predictions_dir} and {gold_path} have no post in common; "
            "was the run made from the posts of this gold set?"
        )
    report = score(joined, n_boot=n_boot, seed=seed)
    return {"predictions": os.fspath(predictions_dir), "gold": os.fspath(gold_path), **report}


def score(joined: Joined, *, n_boot: int = 1000, seed: int = 0) -> dict[str, Any]:
    """Score joined posts; the report of `evaluate` without the paths."""
    interval = _Intervals(n_boot, seed)
    complaints = joined.select([item.gold.kind is Kind.COMPLAINT for item in joined.gold])
    judged = joined.select([item.gold.kind is not None for item in joined.gold])
    return {
        "posts": {
            "gold": len(joined.gold),
            "scored": len(joined.gold) - len(joined.missing),
            "missing": len(joined.missing),
            "missing_examples": [list(key) for key in joined.missing[:5]],
            "extra": joined.extra,
        },
        "incidents": _score_incidents(complaints, judged, interval),
        "complaints": _score_complaints(judged, interval),
        "kinds": _score_kinds(judged, interval),
        **_score_labels(complaints, interval),
        "places": score_places(joined),
        "bootstrap": {"draws": n_boot, "seed": seed, "groups": "incident, else author, else post"},
    }


class _Intervals:
    """Figures with intervals, as JSON values."""

    def __init__(self, n_boot: int, seed: int) -> None:
        self.n_boot, self.seed = n_boot, seed

    def __call__(
        self, names: Sequence[str], statistics: Callable[[Weights], Sequence[float]], groups: Sequence[Any]
    ) -> dict[str, Any]:
        found = ev.bootstrap_many(statistics, groups, n_boot=self.n_boot, seed=self.seed)
        return {
            name: {part: _plain(value) for part, value in interval._asdict().items()}
            for name, interval in zip(names, found, strict=True)
        }


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)


def _score_incidents(complaints: Joined, judged: Joined, interval: _Intervals) -> dict[str, Any]:
    """Over gold complaints; strangers and merged hard negatives are counted over all judged posts."""
    gold = [item.gold.incident for item in complaints.gold]
    found = complaints.incident_ids
    networks = [item.key.network for item in complaints.gold]
    pairs = ev.pair_contributions(gold, found)
    cubed = ev.b_cubed_contributions(gold, found)
    merges = ev.merge_report(gold, found)
    near = [item.gold.near for item in judged.gold]
    merged, hard = ev.strangers_merged([item.gold.incident for item in judged.gold], judged.incident_ids, near)
    return {
        "posts": len(gold),
        "pairwise": interval(PRF, lambda w: ev.scores_of_counts(*(w @ pairs)), complaints.groups),
        "b_cubed": interval(PRF, partial(ev.scores_of_means, cubed), complaints.groups),
        "adjusted_rand": _plain(ev.adjusted_rand(gold, found)),
        "gold_incidents": merges.incidents,
        "predicted_incidents": merges.clusters,
        "merged_clusters": merges.merged_clusters,
        "false_merges": merges.false_merges,
        "false_merges_per_100": _plain(merges.merges_per_100),
        "split_incidents": merges.split_incidents,
        "false_splits": merges.false_splits,
        "cross_network_recall": _plain(ev.cross_group_recall(gold, found, networks)),
        "hard_negatives": {"merged": merged, "total": hard},
        "strangers": sum(
            name is not None and item.gold.kind is not Kind.COMPLAINT
            for item, name in zip(judged.gold, judged.incident_ids, strict=True)
        ),
    }


def _score_complaints(judged: Joined, interval: _Intervals) -> dict[str, Any]:
    gold = np.array([item.gold.kind is Kind.COMPLAINT for item in judged.gold], dtype=bool)
    said = np.array([name is not None for name in judged.incident_ids], dtype=bool)
    probability = np.array([post["complaint_probability"] if post else 0.0 for post in judged.posts])
    negative = np.array([item.gold.kind is Kind.NEGATIVITY for item in judged.gold], dtype=bool)
    groups = judged.groups
    return {
        "posts": len(gold),
        "share": _plain(float(gold.mean()) if len(gold) else float("nan")),
        **interval(["average_precision"], lambda w: (ev.average_precision(gold, probability, w),), groups),
        **interval(PRF, lambda w: ev.binary_scores(gold, said, w), groups),
        "recall_at_precision_90": _plain(ev.recall_at_precision(gold, probability, 0.9)),
        "calibration_error": _plain(ev.calibration_error(gold, probability)),
        "negativity": {
            "complaint_accepted": int((gold & said).sum()),
            "complaint_dropped": int((gold & ~said).sum()),
            "negativity_accepted": int((negative & said).sum()),
            "negativity_dropped": int((negative & ~said).sum()),
        },
    }


def _score_kinds(judged: Joined, interval: _Intervals) -> dict[str, Any]:
    present = judged.select([post is not None for post in judged.posts])
    gold = [str(item.gold.kind) for item in present.gold]
    found = [str(post["kind"]) for post in present.posts if post is not None]
    classes = [kind.value for kind in Kind]
    return {
        "posts": len(gold),
        **_agreement(gold, found, present.groups, interval),
        "f1": {name: _plain(value) for name, value in ev.f1_by_class(gold, found).items()},
        "confusion": {"classes": classes, "table": ev.confusion(gold, found, classes).tolist()},
    }


def _score_labels(complaints: Joined, interval: _Intervals) -> dict[str, Any]:
    """Labels of the incident against those of each gold complaint in it; `coverage`: the share in any."""
    report: dict[str, Any] = {}
    for name in ("group", "topic", "level", "scale", "urgency"):
        labelled = complaints.select([getattr(item.gold, name) is not None for item in complaints.gold])
        told = labelled.select([incident is not None for incident in labelled.incidents])
        gold = [getattr(item.gold, name) for item in told.gold]
        incidents = [incident for incident in told.incidents if incident is not None]
        found = [incident[name] for incident in incidents]
        share = len(gold) / len(labelled.gold) if labelled.gold else float("nan")
        figures: dict[str, Any] = {"posts": len(gold), "coverage": _plain(share)}
        if name == "urgency":
            figures |= _urgency(gold, found, told.groups, interval)
        else:
            gold = [str(label) for label in gold]
            figures |= _agreement(gold, found, told.groups, interval)
        if name == "topic":
            ranked = [_ranked(incident) for incident in incidents]
            hit = np.array([label in labels[:3] for label, labels in zip(gold, ranked, strict=True)], dtype=bool)
            figures |= interval(["top_3"], partial(_share, hit), told.groups)
        if name == "scale":
            near = _distance_of_scales(gold, found) <= 1
            figures |= interval(["within_one"], partial(_share, near), told.groups)
        report[name] = figures
    return report


def _urgency(gold: list[Any], found: list[Any], groups: Sequence[Any], interval: _Intervals) -> dict[str, Any]:
    g, p = np.array([int(u) for u in gold]), np.array([int(u) for u in found])
    danger = g == int(Urgency.DANGER)
    predicted = p == int(Urgency.DANGER)

    def statistics(w: Weights) -> tuple[float, ...]:
        return ev.accuracy(g, p, w), ev.quadratic_kappa(g, p, w)

    return {
        **interval(["accuracy", "quadratic_kappa"], statistics, groups),
        "danger": interval(PRF, lambda w: ev.binary_scores(danger, predicted, w), groups),
        "danger_posts": int(danger.sum()),
    }


def _ranked(incident: Any) -> list[str]:
    """Topics of an incident, the chosen one first."""
    others = [pair[0] for pair in incident.get("topic_alternatives", ())]
    return [incident["topic"], *(topic for topic in others if topic != incident["topic"])]


def _distance_of_scales(gold: list[str], found: list[str]) -> NDArray[np.intp]:
    ranks = {scale.value: scale.rank for scale in Scale}
    far = len(ranks)  # a scale that does not exist is as wrong as can be
    return np.array(
        [abs(ranks[g] - ranks.get(p, far * 2)) for g, p in zip(gold, found, strict=True)], dtype=np.intp
    )


def _share(hit: NDArray[np.bool_], weights: Weights) -> tuple[float]:
    return (float(weights @ hit / weights.sum()) if weights.sum() > 0 else float("nan"),)


def _agreement(
    gold: Sequence[str], found: Sequence[str], groups: Sequence[Any], interval: _Intervals
) -> dict[str, Any]:
    # codes, so that the draws of the bootstrap do not sort strings again and again
    _, codes = np.unique(np.array([*gold, *found], dtype=str), return_inverse=True)
    g, p = codes[: len(gold)], codes[len(gold) :]

    def statistics(w: Weights) -> tuple[float, ...]:
        return ev.accuracy(g, p, w), ev.macro_f1(g, p, w), ev.weighted_f1(g, p, w)

    return interval(["accuracy", "macro_f1", "weighted_f1"], statistics, groups)
