"""One step of a state: new posts and decisions in, links found, touched pieces clustered anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
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


@dataclass(frozen=True)
class Judge:
    """Which pairs are looked at, how they are judged, and from which probability on a link is kept."""

    rules: Candidates
    model: PairModel
    floor: float


def advance(
    state: ClusterState,
    columns: Columns,
    decisions: tuple[Decision, ...],
    closed: Mapping[str, tuple[PostKey, ...]],
    judge: Judge,
    how: Grouping,
    spread: Spread = map,
) -> ClusterUpdate:
    """Bring the partition up to date with new rows at the end of `columns` and with other decisions."""
    n, held = len(columns), len(state)
    row_of = {**state.row_of, **dict(zip(columns.keys[held:], range(held, n), strict=True))}
    rank = columns.rank()
    representative = representatives(columns, rank, decisions, row_of)
    old = np.concatenate([state.representative, np.full(n - held, -1)])
    stands = representative == np.arange(n)
    fresh = stands & (old != np.arange(n))
    lost = ~stands & (old == np.arange(n))
    added = find_links(columns, np.flatnonzero(stands), fresh, judge)
    touched = np.arange(n) >= held
    touched |= representative != old
    now, then = Counter(decisions), Counter(state.decisions)
    for decision in (now - then) + (then - now):
        touched[[row_of[key] for key in decision.keys if key in row_of]] = True
    edges, some_lost = state.edges, bool(lost.any())
    if some_lost:
        dropped = lost[edges.left] | lost[edges.right]
        touched[edges.left[dropped]] = True
        touched[edges.right[dropped]] = True
        edges = edges.take(~dropped)
    edges = edges.join(added)
    rules = constraints(decisions, row_of)
    ties = representative[np.array(rules[0], dtype=np.intp).reshape(-1, 2)]
    if some_lost or now != then:
        parts = components(state.parts[:, :0], n, *edges.with_ties(ties), how.join_floor)
    else:
        parts = components(state.parts, n, *added.with_ties(ties), how.join_floor)
    piece = pieces(parts, stands, how.most_nodes)
    earlier = pieces(state.parts, state.representative == np.arange(held), how.most_nodes)
    touched[:held] |= stands[:held] & (piece[:held] != earlier)
    before = np.concatenate([state.incident, np.zeros(n - held, np.uint64)])
    incident = partition(columns, rank, representative, edges, piece, before, touched, rules, how, spread)
    return report(state, columns, representative, edges, parts, incident, before, decisions, row_of, closed)


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
