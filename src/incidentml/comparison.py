"""Two models read the same gold posts: what changed, for whom, and whether it could be chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from incidentml import evaluation as ev
from incidentml.comparison_changes import LABELS, changed_incidents, changed_posts
from incidentml.errors import DataError
from incidentml.gold import GoldPost
from incidentml.paired import Difference, paired
from incidentml.pipeline import IncidentPipeline
from incidentml.predictions import Joined, join, parse_predictions
from incidentml.types import Kind, Urgency

__all__ = ["FIGURES", "SLICES", "compare", "compare_models", "format_comparison", "length_band"]

#: Figures that are compared. Labels of an incident are judged on every gold complaint that has one: a complaint
#: that a model drops counts as wrong (urgency 0), so that both models are measured on the same posts.
FIGURES = (
    *("incidents, pairwise F1", "incidents, B³ F1"),
    *("complaints, average precision", "complaints, F1", "complaints, recall", "complaint or not, accuracy"),
    *("kinds, macro F1", "group, accuracy", "topic, accuracy", "level, accuracy", "scale, accuracy"),
    *("urgency, quadratic kappa", "danger, recall"),
)
#: Slices with fewer posts say nothing.
_LEAST = 8

Weights = NDArray[np.float64]


def length_band(text: str) -> str:
    """Return the band of length of a text, as slices name it.

    Examples
    --------
    >>> length_band("Нет воды")
    'up to 80'
    """
    return next((f"up to {limit}" for limit in (80, 160, 320) if len(text) <= limit), "over 320")


#: Who may be served better or worse.
SLICES: Mapping[str, Callable[[GoldPost], str | None]] = {
    "network": lambda item: item.key.network,
    "region": lambda item: item.region,
    "length": lambda item: length_band(item.text),
    "kind": lambda item: None if item.gold.kind is None else item.gold.kind.value,
}


def compare_models(
    a: IncidentPipeline,
    b: IncidentPipeline,
    gold: Sequence[GoldPost],
    *,
    n_boot: int = 1000,
    seed: int = 0,
    examples: int = 5,
) -> dict[str, Any]:
    """Let two models read the same posts and compare them.

    Parameters
    ----------
    a, b : IncidentPipeline
        B is the candidate, A what it would replace.
    gold : sequence of GoldPost
        Posts that neither has learnt from, else the comparison rewards memory; those without a time are left out.
    n_boot : int
        Bootstrap draws; slices take a fifth of them.
    seed : int
    examples : int
        Changed posts shown of each sort, with private data masked.

    Returns
    -------
    dict
        As `compare`.

    Raises
    ------
    DataError
        If no gold post has a time.
    """
    return compare(_read(a, gold), _read(b, gold), n_boot=n_boot, seed=seed, examples=examples)


def _read(pipe: IncidentPipeline, gold: Sequence[GoldPost]) -> Joined:
    posts = [item.post for item in gold if item.post is not None]
    if not posts:
        raise DataError("compare: no gold post has 'published_at'; incidents need times")
    result = pipe.process(posts)
    return join(
        parse_predictions(
            ((f"post {line['id']}", line) for line in result.lines("posts")),
            ((f"incident {line['id']}", line) for line in result.lines("incidents")),
        ),
        gold,
    )


def compare(a: Joined, b: Joined, *, n_boot: int = 1000, seed: int = 0, examples: int = 5) -> dict[str, Any]:
    """Compare two runs over the same gold posts.

    Parameters
    ----------
    a, b : Joined
        Of the same gold posts in the same order.
    n_boot, seed, examples : int
        As in `compare_models`.

    Returns
    -------
    dict
        Plain JSON values: ``figures`` (each with a, b, difference and whether it is significant), the same for
        ``slices``, ``changed`` posts by label with examples, and ``incidents`` that merged or were split.

    Raises
    ------
    DataError
        If the two are not of the same posts.
    """
    if [item.key for item in a.gold] != [item.key for item in b.gold]:
        raise DataError("compare: the two runs are not over the same gold posts; run both on one file")
    slices: dict[str, dict[str, Any]] = {}
    for by, key in SLICES.items():
        names = [key(item) for item in a.gold]
        slices[by] = {
            name: {
                "posts": count,
                "figures": _figures(_where(a, names, name), _where(b, names, name), n_boot // 5, seed),
            }
            for name, count in sorted(Counter(name for name in names if name is not None).items())
            if count >= _LEAST
        }
    return {
        "posts": len(a.gold),
        "figures": _figures(a, b, n_boot, seed),
        "slices": slices,
        "changed": changed_posts(a, b, examples),
        "incidents": changed_incidents(a, b, examples),
        "bootstrap": {"draws": n_boot, "seed": seed, "groups": "incident, else author, else post"},
    }


def _where(run: Joined, names: Sequence[str | None], name: str) -> Joined:
    return run.select([other == name for other in names])


def _figures(a: Joined, b: Joined, n_boot: int, seed: int) -> dict[str, Any]:
    found = paired(_statistics(a), _statistics(b), a.groups, n_boot=n_boot, seed=seed)
    return {name: _plain(one) for name, one in zip(FIGURES, found, strict=True)}


def _plain(found: Difference) -> dict[str, Any]:
    told: dict[str, Any] = {
        part: {name: None if np.isnan(value) else round(value, 6) for name, value in interval._asdict().items()}
        for part, interval in found._asdict().items()
    }
    return {**told, "significant": found.significant}


def _statistics(run: Joined) -> Callable[[Weights], list[float]]:
    """Return a function from weights of the posts to `FIGURES`; what does not depend on weights is done once."""
    kinds = [item.gold.kind for item in run.gold]
    claim = np.array([kind is Kind.COMPLAINT for kind in kinds], dtype=bool)
    judged = np.array([kind is not None for kind in kinds], dtype=bool)
    ids = run.incident_ids
    said = np.array([name is not None for name in ids], dtype=bool)
    chance = np.array([post["complaint_probability"] if post else 0.0 for post in run.posts])
    rows = np.flatnonzero(claim).tolist()
    truth, found = [run.gold[row].gold.incident for row in rows], [ids[row] for row in rows]
    pairs, cubes = ev.pair_contributions(truth, found), ev.b_cubed_contributions(truth, found)
    names = [str(kind) for kind in kinds], [str(post["kind"]) if post else "" for post in run.posts]
    codes = np.unique(np.array([*names[0], *names[1]], dtype=str), return_inverse=True)[1].reshape(2, -1)
    labels = [_label(run, claim, name) for name in LABELS]
    urgent, harm, guess = _urgencies(run, claim)
    danger = harm == int(Urgency.DANGER)

    def statistics(w: Weights) -> list[float]:
        decided = ev.binary_scores(claim[judged], said[judged], w[judged])
        return [
            ev.scores_of_counts(*(w[rows] @ pairs)).f1,
            ev.scores_of_means(cubes, w[rows]).f1,
            ev.average_precision(claim[judged], chance[judged], w[judged]),
            decided.f1,
            decided.recall,
            ev.accuracy(claim[judged], said[judged], w[judged]),
            ev.macro_f1(codes[0, judged], codes[1, judged], w[judged]),
            *(_share(hit, w[at]) for at, hit in labels),
            ev.quadratic_kappa(harm, guess, w[urgent]),
            _share(guess[danger] == int(Urgency.DANGER), w[urgent][danger]),
        ]

    return statistics


def _label(run: Joined, claim: NDArray[np.bool_], name: str) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return the rows of gold complaints with this label, and whether the model has it right."""
    rows = [row for row in np.flatnonzero(claim).tolist() if getattr(run.gold[row].gold, name) is not None]
    hits = [(run.incidents[row] or {}).get(name) == str(getattr(run.gold[row].gold, name)) for row in rows]
    return np.array(rows, dtype=np.intp), np.array(hits, dtype=bool)


def _urgencies(
    run: Joined, claim: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    rows = [row for row in np.flatnonzero(claim).tolist() if run.gold[row].gold.urgency is not None]
    harm = [int(urgency) for row in rows if (urgency := run.gold[row].gold.urgency) is not None]
    guess = [int((run.incidents[row] or {}).get("urgency", 0)) for row in rows]
    return np.array(rows, dtype=np.intp), np.array(harm, dtype=np.intp), np.array(guess, dtype=np.intp)


def _share(hit: NDArray[np.bool_], weights: Weights) -> float:
    return float(weights @ hit / weights.sum()) if weights.sum() > 0 else float("nan")


def format_comparison(report: Mapping[str, Any]) -> str:
    """Return the report of `compare` as text for a screen."""
    lines = [f"{report['posts']} posts; B − A by a paired bootstrap, * where its interval leaves out zero", ""]
    lines.append(f"{'figure':<32}{'A':>8}{'B':>8}  B − A")
    lines += [f"{name:<32}{_row(row)}" for name, row in report["figures"].items()]
    for by, rows in report["slices"].items():
        lines += ["", f"by {by}: complaint or not, and pairwise F1 of incidents"]
        for name, part in rows.items():
            for figure in ("complaint or not, accuracy", "incidents, pairwise F1"):
                label = f"{name} ({part['posts']})" if figure.startswith("complaint") else ""
                lines.append(f"  {label:<30}{_row(part['figures'][figure])}")
    lines += ["", "posts whose label changed"]
    for name, part in report["changed"].items():
        counts = ", ".join(f"{value} {key}" for key, value in part.items() if key not in ("posts", "examples"))
        lines.append(f"  {name}: {part['posts']}" + (f" ({counts})" if counts else ""))
        for one in part["examples"]:
            lines.append(f"    {one['outcome']}: {one['a']} → {one['b']}, gold {one['gold']}: {one['text']}")
    pairs = report["incidents"]["pairs"]
    lines += [
        "",
        "pairs of complaints: " + ", ".join(f"{count} {key.replace('_', ' ')}" for key, count in pairs.items()),
    ]
    for name in ("merged", "split"):
        lines.append(f"incidents that B {name}: {report['incidents'][name]['incidents']}")
        for group in report["incidents"][name]["examples"]:
            lines += [f"    {'+' if name == 'merged' else '|'} {' / '.join(part)}" for part in group] + [""]
    return "\n".join(lines).rstrip()


def _row(row: Mapping[str, Any]) -> str:
    a, b, difference = row["a"]["value"], row["b"]["value"], row["difference"]
    if a is None or b is None:
        return f"{'—':>8}{'—':>8}"
    low, high = difference["low"], difference["high"]
    interval = "" if low is None else f"  [{low:+.3f}, {high:+.3f}]"
    return f"{a:8.3f}{b:8.3f}  {difference['value']:+.3f}{interval}{' *' if row['significant'] else ''}"
