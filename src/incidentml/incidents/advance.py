"""One step of a state: new posts and decisions in, links found, touched pieces clustered anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from incidentml.incidents.candidates import Candidates, Pairs, find_candidates
from incidentml.incidents.clustering import Grouping
from incidentml.incidents.columns import Columns
from incidentml.incidents.decisions import Decision, constraints
from incidentml.incidents.lifecycle import report
from incidentml.incidents.links import pair_features
from incidentml.incidents.model import PairModel
from incidentml.incidents.partition import Spread, partition, representatives
from incidentml.incidents.pieces import components, pieces
from incidentml.incidents.state import ClusterState, ClusterUpdate, Edges
from incidentml.types import PostKey

__all__ = ["Judge", "advance"]

#: Links are looked for when so many posts have arrived, and this share of those held: each search looks at all.
_PORTION, _SHARE = 8192, 8


@dataclass(frozen=True)
class Judge:
    """Which pairs are looked at, how they are judged, and from which probability on a link is kept."""

    rules: Candidates
    model: PairModel
    floor: float


def advance(
    state: ClusterState,
    arriving: Iterable[Columns],
    decisions: tuple[Decision, ...],
    closed: Mapping[str, tuple[PostKey, ...]],
    judge: Judge,
    how: Grouping,
    spread: Spread = map,
) -> ClusterUpdate:
    """Bring the partition up to date with arriving posts and with other decisions.

    Links are found while posts arrive; the partition is made once, when all are there.
    """
    held = len(state)
    grown = _Grown.out_of(state)
    for columns in _portions(state.columns, arriving):
        grown = grown.linked(columns, decisions, judge)
    columns, representative, row_of = grown.columns, grown.representative, grown.row_of
    n = len(columns)
    stands = representative == np.arange(n)
    touched = grown.touched
    now, then = Counter(decisions), Counter(state.decisions)
    for decision in (now - then) + (then - now):
        touched[[row_of[key] for key in decision.keys if key in row_of]] = True
    edges = grown.kept.join(grown.added)
    rules = constraints(decisions, row_of)
    ties = representative[np.array(rules[0], dtype=np.intp).reshape(-1, 2)]
    if len(grown.kept) < len(state.edges) or now != then:
        parts = components(state.parts[:, :0], n, *edges.with_ties(ties), how.join_floor)
    else:
        parts = components(state.parts, n, *grown.added.with_ties(ties), how.join_floor)
    piece = pieces(parts, stands, how.most_nodes)
    earlier = pieces(state.parts, state.representative == np.arange(held), how.most_nodes)
    touched[:held] |= stands[:held] & (piece[:held] != earlier)
    before = np.concatenate([state.incident, np.zeros(n - held, np.uint64)])
    incident = partition(columns, grown.rank, representative, edges, piece, before, touched, rules, how, spread)
    return report(state, columns, representative, edges, parts, incident, before, decisions, row_of, closed)


@dataclass(frozen=True)
class _Grown:
    """A state on its way to the next: posts with their links, not yet a partition.

    Attributes
    ----------
    columns, rank, representative, row_of : as in `advance`
    touched : ndarray of bool
        Rows whose incident may have changed.
    kept, added : Edges
        What is left of the links of the state, and the new ones.
    """

    columns: Columns
    rank: NDArray[np.intp]
    representative: NDArray[np.intp]
    row_of: dict[PostKey, int]
    touched: NDArray[np.bool_]
    kept: Edges
    added: Edges

    @classmethod
    def out_of(cls, state: ClusterState) -> _Grown:
        held = len(state)
        rank, untouched = np.zeros(held, np.intp), np.zeros(held, bool)
        return cls(
            state.columns, rank, state.representative, dict(state.row_of), untouched, state.edges, Edges.none()
        )

    def linked(self, columns: Columns, decisions: tuple[Decision, ...], judge: Judge) -> _Grown:
        """Return this with the further rows of `columns` and their links."""
        n, held = len(columns), len(self.columns)
        row_of = self.row_of
        row_of.update(zip(columns.keys[held:], range(held, n), strict=True))
        rank = columns.rank()
        representative = representatives(columns, rank, decisions, row_of)
        old = np.concatenate([self.representative, np.full(n - held, -1)])
        stands = representative == np.arange(n)
        fresh = stands & (old != np.arange(n))
        lost = ~stands & (old == np.arange(n))
        touched = np.concatenate([self.touched, np.ones(n - held, bool)]) | (representative != old)
        kept, added = (_without(edges, lost, touched) for edges in (self.kept, self.added))
        added = added.join(find_links(columns, np.flatnonzero(stands), fresh, judge))
        return _Grown(columns, rank, representative, row_of, touched, kept, added)


def _without(edges: Edges, lost: NDArray[np.bool_], touched: NDArray[np.bool_]) -> Edges:
    """Return the links of rows that still stand; mark as touched those that have lost one."""
    if not lost.any():
        return edges
    dropped = lost[edges.left] | lost[edges.right]
    touched[edges.left[dropped]] = True
    touched[edges.right[dropped]] = True
    return edges.take(~dropped)


def _portions(columns: Columns, arriving: Iterable[Columns]) -> Iterator[Columns]:
    """Yield `columns` grown by portions of what arrives; once at least."""
    waiting: list[Columns] = []
    yielded = 0
    for part in arriving:
        if len(part):
            waiting.append(part)
        if sum(map(len, waiting)) >= max(_PORTION, len(columns) // _SHARE):
            columns = columns.join(*waiting)
            waiting.clear()
            yielded += 1
            yield columns
    if waiting or not yielded:
        yield columns.join(*waiting)


def find_links(columns: Columns, rows: NDArray[np.intp], fresh: NDArray[np.bool_], judge: Judge) -> Edges:
    """Return the links of fresh rows with `rows`."""

    def links_of(work: Callable[[], Pairs]) -> Edges:
        pairs = work()
        features = pair_features(columns, pairs.left, pairs.right, pairs.products)
        probability = judge.model.probability(features)
        kept = probability >= judge.floor
        return Edges.of(pairs.left[kept], pairs.right[kept], probability[kept])

    # Every pair is judged by itself: two threads halve the time and cannot change a bit.
    with ThreadPoolExecutor(max_workers=2) as pool:
        return Edges.none().join(*pool.map(links_of, find_candidates(columns, rows, fresh, judge.rules)))
