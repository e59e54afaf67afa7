"""What a second model decides otherwise than the first: posts by label, incidents that merged or were split."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

from incidentml.gold import GoldPost
from incidentml.paired import moved_pairs, outcomes, regrouped
from incidentml.predictions import Joined
from incidentml.privacy import mask
from incidentml.types import Kind

__all__ = ["LABELS", "changed_incidents", "changed_posts"]

#: Labels of an incident that have one right answer; urgency has a near one.
LABELS = ("group", "topic", "level", "scale")
_TEXT = 160


def changed_posts(a: Joined, b: Joined, examples: int) -> dict[str, Any]:
    """Count posts whose labels differ, and show some: B's mends and breaks before what gold does not decide.

    Parameters
    ----------
    a, b : Joined
        Of the same gold posts in the same order.
    examples : int
        Posts to show of each outcome, those whose probability moved most; private data are masked.

    Returns
    -------
    dict
        For the verdict, the kind and each label: ``posts``, the count of each outcome, ``examples``.
    """
    report: dict[str, Any] = {}
    for name in ("verdict", "kind", *LABELS, "urgency"):
        of = partial(_said, name)
        rows = [row for row in range(len(a.gold)) if of(a, row) != of(b, row)]
        truth = [_told(name, a.gold[row]) for row in rows]
        known = [value is not None for value in truth]
        state = outcomes(
            [of(a, row) == value for row, value in zip(rows, truth, strict=True)],
            [of(b, row) == value for row, value in zip(rows, truth, strict=True)],
        ).tolist()
        state = [one if decided else "not judged" for one, decided in zip(state, known, strict=True)]
        shown: list[dict[str, Any]] = []
        for sort in ("mended", "broken", "both wrong", "not judged"):
            mine = [at for at, one in enumerate(state) if one == sort]
            mine.sort(key=lambda at: (-_shift(a, b, rows[at]), a.gold[rows[at]].key))
            shown += [
                {
                    "outcome": sort,
                    "post": list(a.gold[rows[at]].key),
                    "text": _shorten(a.gold[rows[at]].text),
                    "gold": truth[at],
                    "a": of(a, rows[at]),
                    "b": of(b, rows[at]),
                }
                for at in mine[:examples]
            ]
        report[name] = {"posts": len(rows), **dict(sorted(Counter(state).items())), "examples": shown}
    return report


def _said(name: str, run: Joined, row: int) -> Any:
    post, incident = run.posts[row], run.incidents[row]
    if name == "verdict":
        return post is not None and post["incident_id"] is not None
    return (post or {}).get("kind") if name == "kind" else (incident or {}).get(name)


def _told(name: str, item: GoldPost) -> Any:
    if name == "verdict":
        return None if item.gold.kind is None else item.gold.kind is Kind.COMPLAINT
    if name != "kind" and item.gold.kind is not Kind.COMPLAINT:
        return None
    value = getattr(item.gold, name)
    return value if value is None or name == "urgency" else str(value)


def _shift(a: Joined, b: Joined, row: int) -> float:
    left, right = (float((run.posts[row] or {}).get("complaint_probability", 0.0)) for run in (a, b))
    return abs(right - left)


def _shorten(text: str) -> str:
    masked = " ".join(mask(text).split())
    return masked if len(masked) <= _TEXT else masked[: _TEXT - 1] + "…"


def changed_incidents(a: Joined, b: Joined, examples: int) -> dict[str, Any]:
    """Tell which incidents B merged or split; gold decides over complaints only.

    Parameters
    ----------
    a, b : Joined
        Of the same gold posts in the same order.
    examples : int
        Incidents to show of each sort.

    Returns
    -------
    dict
        ``pairs`` of complaints moved, by whether that was right; ``merged`` and ``split``.
    """
    gold = [item.gold.incident for item in a.gold]
    before, after = a.incident_ids, b.incident_ids
    claims = [row for row, item in enumerate(a.gold) if item.gold.kind is Kind.COMPLAINT]
    moved = moved_pairs(*([labels[row] for row in claims] for labels in (gold, before, after)))
    report: dict[str, Any] = {"pairs": moved._asdict()}
    for name, one, other in (("merged", before, after), ("split", after, before)):
        # A post that either model dropped changed its verdict, not its company.
        both = [row for row in range(len(gold)) if one[row] is not None and other[row] is not None]
        groups = regrouped([one[row] for row in both], [other[row] for row in both])
        report[name] = {
            "incidents": len(groups),
            "examples": [
                [[_shorten(a.gold[both[row]].text) for row in part[:2]] for part in group]
                for group in groups[:examples]
            ],
        }
    return report
