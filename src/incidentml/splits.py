"""Splits of a labelled corpus through which nothing leaks: no incident, author or copied text is on both sides.

By territory: `leave_one_territory_out`; by time: `time_split`; by incident, author or source: `group_split`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from incidentml.errors import DataError
from incidentml.gold import GoldPost
from incidentml.text import fingerprint

__all__ = [
    "TIES",
    "Split",
    "group_split",
    "leak_groups",
    "leave_one_territory_out",
    "random_split",
    "shared",
    "time_split",
]

#: What must not be on both sides of a split.
TIES = ("incident", "author", "fingerprint")


@dataclass(frozen=True, slots=True)
class Split:
    """Rows to learn from and rows to measure on.

    Attributes
    ----------
    name : str
        What was left out, or how it was drawn.
    train, test : ndarray of int
        Positions in the list of posts.
    dropped : int
        How many posts are in neither, for they tie the two.
    """

    name: str
    train: NDArray[np.intp]
    test: NDArray[np.intp]
    dropped: int = 0


#: One corpus is split again and again.
_fingerprint = lru_cache(maxsize=2**16)(fingerprint)


def _keys(item: GoldPost, ties: Sequence[str]) -> list[tuple[str, str]]:
    values = {
        "incident": item.gold.incident,
        "author": item.author,
        "fingerprint": _fingerprint(item.text) if "fingerprint" in ties else None,
        "source": item.source,
        "territory": item.territory,
    }
    if odd := set(ties) - set(values):
        raise ValueError(f"by: {sorted(odd)} is not known; choose from {list(values)}")
    return [(tie, value) for tie in ties if (value := values[tie])]


def leak_groups(items: Sequence[GoldPost], by: Sequence[str] = TIES) -> NDArray[np.intp]:
    """Return a number per post: posts of one number belong on one side (`groups` of `GroupKFold`).

    Two posts are in one group if a chain of shared incidents, authors or fingerprints joins them.

    Parameters
    ----------
    items : sequence of GoldPost
    by : sequence of str
        Any of ``"incident"``, ``"author"``, ``"fingerprint"``, ``"source"`` (page or channel), ``"territory"``.
        Add to the default, as in ``(*TIES, "source")``: a source alone does not keep reposts together.

    Returns
    -------
    ndarray of int, shape (n,)
        Numbered by first appearance.
    """
    parent = list(range(len(items)))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    first: dict[tuple[str, str], int] = {}
    for row, item in enumerate(items):
        for key in _keys(item, by):
            a, b = root(row), root(first.setdefault(key, row))
            parent[max(a, b)] = min(a, b)
    _, groups = np.unique([root(row) for row in range(len(items))], return_inverse=True)
    return groups.astype(np.intp)


def shared(items: Sequence[GoldPost], split: Split, by: Sequence[str] = TIES) -> list[tuple[str, str]]:
    """List what is on both sides of a split, as ``(tie, value)``; empty if nothing leaks.

    Examples
    --------
    >>> from incidentml.gold import Gold
    >>> from incidentml.types import PostKey
    >>> items = [GoldPost(PostKey("vk", str(i)), f"пост {i}", Gold(incident="a"), None, "town") for i in range(2)]
    >>> shared(items, Split("by hand", np.array([0]), np.array([1])))
    [('incident', 'a')]
    """
    sides = [{key for row in rows for key in _keys(items[row], by)} for rows in (split.train, split.test)]
    return sorted(sides[0] & sides[1])


def leave_one_territory_out(
    items: Sequence[GoldPost], territories: Sequence[str] | None = None
) -> Iterator[Split]:
    """Yield one split per territory: it is measured, all others are learnt from.

    Posts of another set that cover the same region, or share an incident, author or fingerprint with the measured
    ones, are dropped from learning.

    Parameters
    ----------
    items : sequence of GoldPost
    territories : sequence of str, optional
        The ones to measure; default: every one with times (a set without can only be learnt from).

    Yields
    ------
    Split
        Named after the territory.

    Raises
    ------
    DataError
        If a territory has no posts.
    """
    names = sorted({item.territory for item in items})
    present = sorted({item.territory for item in items if item.post is not None})
    for territory in present if territories is None else territories:
        test = [row for row, item in enumerate(items) if item.territory == territory]
        if not test:
            raise DataError(f"territory {territory!r} has no posts; found {names}")
        regions = {items[row].region for row in test} - {None}
        ties = {key for row in test for key in _keys(items[row], TIES)}
        train = [
            row
            for row, item in enumerate(items)
            if item.territory != territory and item.region not in regions and ties.isdisjoint(_keys(item, TIES))
        ]
        dropped = len(items) - len(test) - len(train)
        yield Split(territory, np.array(train, dtype=np.intp), np.array(test, dtype=np.intp), dropped)


def group_split(
    items: Sequence[GoldPost], *, test_share: float = 0.2, seed: int = 0, by: Sequence[str] = TIES
) -> Split:
    """Draw whole groups (see `leak_groups`) for the test side until it holds its share of the posts.

    With ``by=(*TIES, "source")`` the pages and channels measured are ones never read before.

    Parameters
    ----------
    items : sequence of GoldPost
    test_share : float
        Share of the posts to measure on; the side may hold less where groups are large.
    seed : int
        Of the draw.
    by : sequence of str
        What makes a group, as in `leak_groups`.

    Returns
    -------
    Split

    Raises
    ------
    ValueError
        If `test_share` is not between 0 and 1.
    """
    _check_share(test_share)
    groups = leak_groups(items, by)
    sizes = np.bincount(groups) if len(groups) else np.zeros(0, dtype=np.intp)
    room = test_share * len(items)
    chosen = []
    for group in np.random.default_rng(seed).permutation(len(sizes)):
        if sizes[group] <= room:
            chosen.append(group)
            room -= sizes[group]
    inside = np.isin(groups, chosen)
    return Split("group:" + "+".join(by), np.flatnonzero(~inside), np.flatnonzero(inside))


def time_split(items: Sequence[GoldPost], at: datetime, *, by: Sequence[str] = TIES) -> Split:
    """Learn from before `at`, measure from then on.

    Earlier posts that share an incident, author or fingerprint with later ones, and posts without a time, are
    dropped.

    Raises
    ------
    ValueError
        If `at` has no zone.
    """
    if at.tzinfo is None:
        raise ValueError(f"at: {at.isoformat()} has no zone; give an aware time")
    later = [row for row, item in enumerate(items) if item.post is not None and item.post.published_at >= at]
    earlier = [row for row, item in enumerate(items) if item.post is not None and item.post.published_at < at]
    ties = {key for row in later for key in _keys(items[row], by)}
    train = [row for row in earlier if ties.isdisjoint(_keys(items[row], by))]
    dropped = len(items) - len(train) - len(later)
    return Split(f"time:{at.isoformat()}", np.array(train, dtype=np.intp), np.array(later, dtype=np.intp), dropped)


def random_split(items: Sequence[GoldPost], *, test_share: float = 0.2, seed: int = 0) -> Split:
    """Split row by row, with a warning: posts of one incident come to lie on both sides and flatter any model.

    Warns
    -----
    UserWarning
        Always: how many incidents, authors or texts are on both sides.
    """
    _check_share(test_share)
    order = np.random.default_rng(seed).permutation(len(items))
    test = np.sort(order[: round(test_share * len(items))])
    split = Split("random", np.setdiff1d(np.arange(len(items)), test), test)
    leaks = len(shared(items, split))
    warnings.warn(
        f"a random split leaks: {leaks} incidents, authors or texts are on both sides; "
        "use leave_one_territory_out, group_split or time_split",
        UserWarning,
        stacklevel=2,
    )
    return split


def _check_share(test_share: float) -> None:
    if not 0 < test_share < 1:
        raise ValueError(f"test_share is {test_share}, expected a number between 0 and 1")
