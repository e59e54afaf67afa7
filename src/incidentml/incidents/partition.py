"""The partition: copies to groups, groups to components, components to incidents; only what was touched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from incidentml.incidents.clustering import Grouping, Links, Naming, cluster_component
from incidentml.incidents.columns import Columns
from incidentml.incidents.decisions import Decision, pinned_rows
from incidentml.incidents.pieces import by_piece
from incidentml.incidents.state import Edges
from incidentml.types import PostKey

__all__ = ["Spread", "partition", "representatives"]

#: Posts from which on a piece is worth a way to another process.
_LARGE = 100
#: Links that may wait to be clustered.
_WAITING = 2**20


class Spread(Protocol):
    """Applies a function to each of many jobs, like `map`, wherever there is a processor for it."""

    def __call__(self, work: Callable[[Any], Any], jobs: Sequence[Any], /) -> Iterable[Any]:
        """Return the results, in order."""
        ...


class _Job(NamedTuple):
    """What `cluster_component` takes."""

    n: int
    links: Links
    how: Grouping
    naming: Naming
    apart: Mapping[int, frozenset[int]]
    tied: Mapping[int, frozenset[int]]


def representatives(
    columns: Columns, rank: NDArray[np.intp], decisions: Sequence[Decision], row_of: Mapping[PostKey, int]
) -> NDArray[np.intp]:
    """Return for each row the canonically first of its copies: a post that a person judged stands for itself."""
    groups = columns.copy.copy()
    pinned = pinned_rows(decisions, row_of)
    if not len(groups):
        return np.zeros(0, dtype=np.intp)
    order = np.lexsort((rank, groups))
    starts = np.concatenate([[True], groups[order][1:] != groups[order][:-1]])
    if len(pinned):
        free = np.ones(len(groups), dtype=bool)
        free[pinned] = False
        rest = representatives_of(order[free[order]], groups)
        out = np.arange(len(groups))
        out[free] = rest[free]
        return out
    first = np.empty(len(groups), dtype=np.intp)
    first[order] = order[np.maximum.accumulate(np.where(starts, np.arange(len(order)), 0))]
    return first


def representatives_of(order: NDArray[np.intp], groups: NDArray[np.uint64]) -> NDArray[np.intp]:
    """Return the first row, in the given order, of each row's group."""
    out = np.full(len(groups), -1, dtype=np.intp)
    if len(order):
        starts = np.concatenate([[True], groups[order][1:] != groups[order][:-1]])
        out[order] = order[np.maximum.accumulate(np.where(starts, np.arange(len(order)), 0))]
    return out


def partition(
    columns: Columns,
    rank: NDArray[np.intp],
    representative: NDArray[np.intp],
    edges: Edges,
    piece: NDArray[np.int64],
    before: NDArray[np.uint64],
    touched: NDArray[np.bool_],
    constraints: tuple[list[tuple[int, int]], list[tuple[int, int]]],
    how: Grouping,
    spread: Spread = map,
) -> NDArray[np.uint64]:
    """Return the incident code of every row, computed anew for the pieces of touched rows.

    An incident's code is that of its canonically first post, so equal sets of posts have equal codes. Large pieces
    go through `spread`.
    """
    if not touched.any():
        return before
    of_row = piece[representative]
    redone = np.unique(of_row[touched])
    redo = redone[np.minimum(np.searchsorted(redone, of_row), len(redone) - 1)] == of_row
    head = representative.copy()  # for each row a row of its incident
    local = np.empty(len(columns), dtype=np.intp)
    barred, tied = (_by_row(pairs, representative) for pairs in constraints[::-1])
    jobs: list[tuple[NDArray[np.intp], _Job]] = []

    def settle() -> None:
        for (rows, _), labels in zip(jobs, _clustered([job for _, job in jobs], spread), strict=True):
            head[rows] = rows[labels]
        jobs.clear()

    naming, waiting = columns.naming, 0
    for members, here in by_piece(np.where(redo, piece, -1), edges.left, edges.right):
        rows = members[np.argsort(rank[members])]
        local[rows] = np.arange(len(rows))
        links = (local[edges.left[here]], local[edges.right[here]], edges.probability[here])
        limits = (_local(barred, rows, local), _local(tied, rows, local))
        jobs.append((rows, _Job(len(rows), links, how, naming.take(rows), *limits)))
        waiting += len(here)
        if waiting > _WAITING:
            settle()
            waiting = 0
    settle()
    head = head[representative]
    # A post that joined late may be the first of its incident without standing for its copies.
    out = before.copy()
    rows = np.flatnonzero(redo)
    order = rows[np.lexsort((rank[rows], head[rows]))]
    heads = head[order]
    starts = np.concatenate([[True], heads[1:] != heads[:-1]])
    first = order[np.maximum.accumulate(np.where(starts, np.arange(len(order)), 0))]
    out[order] = columns.code[first]
    return out


def _clustered(jobs: Sequence[_Job], spread: Spread) -> list[NDArray[np.intp]]:
    """Return the labels of each job; the large ones may be worked on elsewhere meanwhile."""
    large = [k for k, job in enumerate(jobs) if job.n >= _LARGE]
    elsewhere = spread(_cluster, [jobs[k] for k in large])
    found = {k: _cluster(job) for k, job in enumerate(jobs) if job.n < _LARGE}
    found |= dict(zip(large, elsewhere, strict=True))
    return [found[k] for k in range(len(jobs))]


def _cluster(job: _Job) -> NDArray[np.intp]:
    return cluster_component(*job)


def _by_row(pairs: Sequence[tuple[int, int]], representative: NDArray[np.intp]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for a, b in pairs:
        x, y = int(representative[a]), int(representative[b])
        found.setdefault(x, set()).add(y)
        found.setdefault(y, set()).add(x)
    return found


def _local(
    pairs: Mapping[int, set[int]], rows: NDArray[np.intp], local: NDArray[np.intp]
) -> dict[int, frozenset[int]]:
    if not pairs:
        return {}
    here = set(rows.tolist())
    return {
        int(local[row]): frozenset(int(local[other]) for other in pairs[row] if other in here)
        for row in rows.tolist()
        if row in pairs
    }
