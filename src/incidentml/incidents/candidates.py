"""Candidate pairs: every pair that a rule admits, found exactly and without looking at most of the others.

A pair is admitted if both posts lie in one region and

- share a street, house or landmark and are at most `place_days` apart, or
- are at most `text_days` apart and alike enough: texts, topic groups and single topics by one exact
  blocked product, less a toll for different streets or settlements and for the gap in time.

Each rule looks at one pair only, so the set of candidates does not depend on which other posts are around.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from incidentml.incidents.columns import STEP, Columns
from incidentml.incidents.links import Products

__all__ = ["Candidates", "Pairs", "find_candidates"]

DAY = 86400.0
_BLOCK, _WIDTH = 256, 2048
_PIECE = 2**16
#: Blocks are gathered until so many pairs have been compared.
_CELLS = 2**18
#: Tolls: other settlement, other street, each step of time; and what posts of one page are granted.
_SETTLEMENT, _STREET, _TIME, _PAGE = 0.2, 0.1, 0.1, 0.1
_TIME_STEP = 6 * 3600.0
#: More than rounding can make of a score.
_SLACK = np.float32(1e-4)


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


@dataclass(frozen=True)
class Pairs:
    """Pairs of rows, each once, with their inner products if these are known."""

    left: NDArray[np.intp]
    right: NDArray[np.intp]
    products: Products | None = None


def find_candidates(
    columns: Columns, rows: NDArray[np.intp], new: NDArray[np.bool_], rules: Candidates
) -> Iterator[Callable[[], Pairs]]:
    """Yield pieces of work, each of which finds other pairs of `rows` of which at least one is new.

    A piece may be done by any thread, and holds little before and after.

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
    for first in range(0, len(known), _PIECE):
        piece = known[first : first + _PIECE]
        yield partial(Pairs, (piece // n).astype(np.intp), (piece % n).astype(np.intp))
    blocks: list[tuple[NDArray[np.intp], NDArray[np.intp]]] = []
    cells = 0
    for fresh, others in _by_text(columns, rows, new, rules):
        blocks.append((fresh, others))
        cells += len(fresh) * len(others)
        if cells >= _CELLS:
            yield partial(_alike_in, columns, blocks, known, rules)
            blocks, cells = [], 0
    if blocks:
        yield partial(_alike_in, columns, blocks, known, rules)


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
            yield np.minimum(left[good], right[good]), np.maximum(left[good], right[good])


def _by_text(
    columns: Columns, rows: NDArray[np.intp], new: NDArray[np.bool_], rules: Candidates
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield blocks of new rows, and the rows near in time that each has to be compared with.

    Of two new rows the later one finds the earlier, and no block holds a pair twice: each ends with its own new
    rows, and only old rows come after them.
    """
    window = rules.text_days * DAY
    wanted = columns.times[rows[new[rows]]]
    if not len(wanted):
        return
    rows = rows[(columns.times[rows] >= wanted.min() - window) & (columns.times[rows] <= wanted.max() + window)]
    rows = rows[np.lexsort((columns.times[rows], columns.region[rows]))]
    borders = np.flatnonzero(np.diff(columns.region[rows])) + 1
    for here in np.split(rows, borders):
        times, is_new = columns.times[here], new[here]
        fresh = np.flatnonzero(is_new)
        lows = np.searchsorted(times, times[fresh] - window, side="left")
        highs = np.searchsorted(times, times[fresh] + window, side="right")
        start = 0
        while start < len(fresh):
            stop = min(start + _BLOCK, len(fresh))
            low, high = int(lows[start]), int(highs[stop - 1])
            while stop - start > 1 and high - low > 16 * (stop - start) and high - low > 8 * _BLOCK:
                stop = start + (stop - start) // 2  # sparse new posts: do not drag in what none of them reaches
                high = int(highs[stop - 1])
            after = int(fresh[stop - 1]) + 1
            later = here[after:high]
            earlier = here[low:after]
            inside = np.concatenate([earlier[~is_new[low:after]], earlier[is_new[low:after]]])
            yield here[fresh[start:stop]], np.concatenate([later[~is_new[after:high]], inside])
            start = stop


def _alike_in(
    columns: Columns,
    blocks: Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]],
    known: NDArray[np.int64],
    rules: Candidates,
) -> Pairs:
    """Return the pairs of several blocks together: many small regions are judged as fast as a large one."""
    found = [_alike(columns, fresh, others, known, rules) for fresh, others in blocks]
    lefts, rights, products = zip(*((pairs.left, pairs.right, pairs.products) for pairs in found), strict=True)
    told = Products(*map(np.concatenate, zip(*products, strict=True)))
    return Pairs(np.concatenate(lefts), np.concatenate(rights), told)


def _alike(
    columns: Columns,
    fresh: NDArray[np.intp],
    others: NDArray[np.intp],
    known: NDArray[np.int64],
    rules: Candidates,
) -> Pairs:
    """Return the pairs of a block that are alike enough, without those that a place makes known.

    The last of `others` are the fresh rows themselves: each finds those before it.
    """
    n, own = np.int64(len(columns)), len(others) - len(fresh)
    found = []
    spaces = (columns.vectors, columns.topics, columns.problem)
    mine = [steps[fresh].astype(np.float32) for steps in spaces]
    mine_halved = _halved(columns, fresh)
    soonest, latest = columns.times[fresh].min(), columns.times[fresh].max()
    for first in range(0, len(others), _WIDTH):
        chunk = others[first : first + _WIDTH]
        theirs = [steps[chunk].astype(np.float32) for steps in spaces]
        # Whole numbers below 2**24: exact in float32, and so is their sum.
        text = mine[0] @ theirs[0].T
        scores = (text + mine_halved @ _halved(columns, chunk).T) * np.float32(STEP * STEP)
        # A post outside the span of the fresh ones is at least so far from each of them.
        nearest = np.clip(columns.times[chunk], soonest, latest)
        least = _toll(columns.times[chunk] - nearest) - _SLACK
        i, j = np.nonzero(scores >= rules.alike - _PAGE + least)
        at = i * len(chunk) + j
        score = scores.ravel()[at]
        left, right = fresh[i], chunk[j]
        gap = np.abs(columns.times[left] - columns.times[right])
        # Time first: it is the cheapest toll and turns most pairs away.
        score = score - _toll(gap)
        good = (score >= rules.alike - _PAGE) & (gap <= rules.text_days * DAY) & (j + first - own < i)
        at, left, right, score = at[good], left[good], right[good], score[good]
        for column, toll in ((columns.town, _SETTLEMENT), (columns.street, _STREET)):
            a, b = column[left], column[right]
            score = score - np.float32(toll) * ((a > 0) & (b > 0) & (a != b))
        score = score + np.float32(_PAGE) * (
            (columns.source[left] == columns.source[right]) & (columns.source[left] > 0)
        )
        good = score >= rules.alike
        at, left, right = at[good], left[good], right[good]
        if len(known):
            pairs = np.minimum(left, right) * n + np.maximum(left, right)
            good = known[np.minimum(np.searchsorted(known, pairs), len(known) - 1)] != pairs
            at, left, right = at[good], left[good], right[good]
        products = [text, *(a @ b.T for a, b in zip(mine[1:], theirs[1:], strict=True))]
        told = Products(*(product.ravel()[at] * np.float32(STEP * STEP) for product in products))
        found.append((left, right, told))
    lefts, rights, tolds = zip(*found, strict=True)
    return Pairs(
        np.concatenate(lefts), np.concatenate(rights), Products(*map(np.concatenate, zip(*tolds, strict=True)))
    )


def _toll(gap: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return what a gap in time takes off the score of a pair."""
    return np.float32(_TIME) * np.log1p(np.abs(gap) / _TIME_STEP).astype(np.float32)


def _halved(columns: Columns, rows: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return groups and topics side by side, halved and rounded again, so that each counts a quarter."""
    return np.hstack([np.rint(column[rows] * np.float32(0.5)) for column in (columns.topics, columns.problem)])
