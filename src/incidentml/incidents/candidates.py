"""Candidate pairs: every pair that a rule admits, found exactly and without looking at most of the others.

A pair is admitted if both posts lie in one region and

- share a street, house or landmark and are at most `place_days` apart, or
- are at most `text_days` apart and alike enough: texts, topic groups and single topics by one exact
  blocked product, less a toll for different streets or settlements and for the gap in time.

Each rule looks at one pair only, so the set of candidates does not depend on which other posts are around.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from incidentml.incidents.columns import STEP, Columns

__all__ = ["Candidates", "find_candidates"]

DAY = 86400.0
_BLOCK = 512
#: Tolls: other settlement, other street, each step of time; and what posts of one page are granted.
_SETTLEMENT, _STREET, _TIME, _PAGE = 0.2, 0.1, 0.1, 0.1
_TIME_STEP = 6 * 3600.0


@dataclass(frozen=True)
class Candidates:
    """The rules' limits.

    Parameters
    ----------
    place_days, text_days : float
        Widest gap in time of a pair with, without a shared place.
    alike : float
        Least ``cosine + (groups + topics) / 4 - tolls`` of a pair without a shared place.
    """

    place_days: float = 14.0
    text_days: float = 6.0
    alike: float = -0.05


def find_candidates(
    columns: Columns, rows: NDArray[np.intp], new: NDArray[np.bool_], rules: Candidates
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the pairs ``(left[i], right[i])`` of `rows` of which at least one is new, each once.

    Parameters
    ----------
    columns : Columns
    rows : ndarray of int
        Rows that may take part.
    new : ndarray of bool, parallel to `columns`
        Rows whose pairs are wanted.
    rules : Candidates
    """
    n = np.int64(len(columns))
    by_place = [left * n + right for left, right in _by_place(columns, rows, new, rules)]
    known = np.unique(np.concatenate(by_place)) if by_place else np.zeros(0, dtype=np.int64)
    found = [known]
    for left, right in _by_text(columns, rows, new, rules):
        pairs = left * n + right
        if len(known):
            pairs = pairs[known[np.minimum(np.searchsorted(known, pairs), len(known) - 1)] != pairs]
        found.append(pairs)
    every = np.concatenate(found)
    return (every // n).astype(np.intp), (every % n).astype(np.intp)


def _ordered(left: NDArray[Any], right: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return np.minimum(left, right), np.maximum(left, right)


def _runs(starts: NDArray[np.intp], stops: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return (index of run, position) for all positions of the half-open runs."""
    counts = np.maximum(stops - starts, 0)
    owner = np.repeat(np.arange(len(starts)), counts)
    return owner, np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts) + starts[owner]


def _by_place(
    columns: Columns, rows: NDArray[np.intp], new: NDArray[np.bool_], rules: Candidates
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    owner, keys = columns.blocks.flat(rows)
    if not len(keys):
        return
    members = rows[owner]
    wanted = np.unique(keys[new[members]])
    at = np.minimum(np.searchsorted(wanted, keys), max(len(wanted) - 1, 0))
    if not len(wanted):
        return
    kept = wanted[at] == keys
    keys, members, at = keys[kept], members[kept], at[kept]
    order = np.lexsort((columns.times[members], at))
    members, at, times = members[order], at[order], columns.times[members[order]]
    # One axis for all blocks: blocks lie further apart than any window reaches.
    span = (times.max() - times.min() if len(times) else 0.0) + 4 * rules.place_days * DAY
    axis = at * span + (times - times.min())
    ends = np.searchsorted(axis, axis + rules.place_days * DAY, side="right")
    step = 4096
    for first in range(0, len(members), step):
        here = np.arange(first, min(first + step, len(members)))
        owner_, other = _runs(here + 1, ends[here])
        left, right = members[here[owner_]], members[other]
        good = (new[left] | new[right]) & (left != right)
        good &= np.abs(columns.times[left] - columns.times[right]) <= rules.place_days * DAY
        if good.any():
            yield _ordered(left[good], right[good])


def _by_text(
    columns: Columns, rows: NDArray[np.intp], new: NDArray[np.bool_], rules: Candidates
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    for region in np.unique(columns.region[rows[new[rows]]]):
        here = rows[columns.region[rows] == region]
        here = here[np.argsort(columns.times[here], kind="stable")]
        times = columns.times[here]
        fresh = np.flatnonzero(new[here])
        if not len(fresh):
            continue
        window = rules.text_days * DAY
        lows = np.searchsorted(times, times[fresh] - window, side="left")
        highs = np.searchsorted(times, times[fresh] + window, side="right")
        start = 0
        while start < len(fresh):
            stop = min(start + _BLOCK, len(fresh))
            low, high = int(lows[start]), int(highs[stop - 1])
            while stop - start > 1 and high - low > 16 * (stop - start) and high - low > 8 * _BLOCK:
                stop = start + (stop - start) // 2  # sparse new posts: do not drag in what none of them reaches
                high = int(highs[stop - 1])
            yield from _block(columns, here[fresh[start:stop]], here[low:high], new, rules)
            start = stop


def _block(
    columns: Columns,
    fresh: NDArray[np.intp],
    others: NDArray[np.intp],
    new: NDArray[np.bool_],
    rules: Candidates,
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    step = 8 * _BLOCK
    left_rows = _joint(columns, fresh)
    for first in range(0, len(others), step):
        chunk = others[first : first + step]
        scores = left_rows @ _joint(columns, chunk).T
        i, j = np.nonzero(scores >= rules.alike - _PAGE)
        left, right, score = fresh[i], chunk[j], scores[i, j]
        gap = np.abs(columns.times[left] - columns.times[right])
        # Time first: it is the cheapest toll and turns most pairs away.
        score = score - np.float32(_TIME) * np.log1p(gap / _TIME_STEP).astype(np.float32)
        good = (score >= rules.alike - _PAGE) & (gap <= rules.text_days * DAY) & (left != right)
        good &= ~new[right] | (left < right)
        left, right, score = left[good], right[good], score[good]
        for column, toll in ((columns.settlement, _SETTLEMENT), (columns.street, _STREET)):
            a, b = column[left], column[right]
            score = score - np.float32(toll) * ((a > 0) & (b > 0) & (a != b))
        score = score + np.float32(_PAGE) * (
            (columns.source[left] == columns.source[right]) & (columns.source[left] > 0)
        )
        good = score >= rules.alike
        if good.any():
            yield _ordered(left[good], right[good])


def _joint(columns: Columns, rows: NDArray[np.intp]) -> NDArray[np.float32]:
    """Vectors, groups and topics side by side, on a grid of 2**-11: float32 products are exact."""
    # Topics are halved, so that each counts a quarter; rounded first: half a step would not fit the mantissa.
    parts = (np.rint(column[rows] * np.float32(0.5)) for column in (columns.topics, columns.problem))
    return np.hstack([columns.vectors[rows].astype(np.float32), *parts]) * np.float32(STEP)
