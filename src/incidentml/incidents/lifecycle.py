"""What an update leaves behind: what changed, where old ids went, what recurs, and what is let go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from incidentml.incidents.candidates import DAY
from incidentml.incidents.columns import Columns
from incidentml.incidents.decisions import Decision
from incidentml.incidents.growing import among
from incidentml.incidents.recurrence import Lines, Memory, find_recurrences, place_topic_lines
from incidentml.incidents.state import ClusterState, ClusterUpdate, Edges, incident_id, members
from incidentml.types import PostKey

__all__ = ["let_go", "report"]


def report(
    state: ClusterState,
    columns: Columns,
    representative: NDArray[np.intp],
    edges: Edges,
    parts: NDArray[np.int32],
    incident: NDArray[np.uint64],
    before: NDArray[np.uint64],
    decisions: tuple[Decision, ...],
    row_of: Mapping[PostKey, int],
    closed: Mapping[str, tuple[PostKey, ...]],
) -> ClusterUpdate:
    """Name what changed, what became of old ids and what recurs, and make the state to go on from."""
    moved = incident != before
    codes = np.unique(np.concatenate([incident[moved], before[moved]]))
    rows = np.flatnonzero(among(incident, codes))
    lines, recurs, asked = _recurrences(state, columns, incident, rows, codes)
    born = {incident_id(code) for code in np.unique(incident[rows]).tolist()}
    dead = {incident_id(code) for code in codes.tolist()} - born
    lineage = dict(state.lineage)
    for id_ in dead:
        lineage.pop(id_, None)
    vanished: dict[str, str] = {}
    for row in np.flatnonzero(moved & (before > 0)).tolist():
        old_id = incident_id(int(before[row]))
        if old_id in dead and old_id not in vanished:
            # The oldest post of a vanished incident tells where its id went.
            vanished[old_id] = incident_id(int(incident[_anchor(before, columns, row)]))
    for old_id, new_id in sorted(vanished.items()):
        ancestors = {old_id, *state.lineage.get(old_id, ()), *lineage.get(new_id, ())} - {new_id}
        lineage[new_id] = tuple(sorted(ancestors))
    # An id that is used again went nowhere.
    lineage = {id_: kept for id_, old in lineage.items() if (kept := tuple(o for o in old if o not in born))}
    changed = born | {id_ for id_ in asked if recurs.get(id_) != state.recurs.get(id_)}
    if lineage != state.lineage:
        changed |= {
            id_ for id_ in lineage.keys() | state.lineage.keys() if lineage.get(id_) != state.lineage.get(id_)
        }
    following = replace(
        state,
        columns=columns,
        representative=representative,
        edges=edges,
        incident=incident,
        parts=parts,
        decisions=decisions,
        lineage=lineage,
        recurs=recurs,
    )
    incidents = {**state.incidents, **members(columns, incident, rows)}
    for id_ in dead:
        incidents.pop(id_, None)
    # What the new state would find out anew, brought up to date instead.
    vars(following).update(row_of=row_of, lines=lines, incidents=incidents)
    return ClusterUpdate(
        state=following,
        incidents=following.incidents,
        changed=frozenset(changed - dead),
        merged_from=lineage,
        recurs=recurs,
        closed=closed,
    )


def let_go(state: ClusterState, reach: float) -> tuple[ClusterState, dict[str, tuple[PostKey, ...]]]:
    """Drop incidents that ended more than `reach` days before the newest post."""
    if not len(state) or state.columns.times.min() >= state.columns.times.max() - reach * DAY:
        return state, {}
    codes, index = np.unique(state.incident, return_inverse=True)
    last = np.full(len(codes), -np.inf)
    np.maximum.at(last, index, state.columns.times)
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    # Linked incidents are let go together: a late post could still tie them anew.
    edges = state.edges
    graph = coo_matrix(
        (np.ones(len(edges.left), dtype=np.int8), (index[edges.left], index[edges.right])),
        shape=(len(codes), len(codes)),
    )
    n_groups, group = connected_components(graph, directed=False)
    latest = np.full(n_groups, -np.inf)
    np.maximum.at(latest, group, last)
    kept = latest[group][index] >= state.columns.times.max() - reach * DAY
    if kept.all():
        return state, {}
    gone, rows = np.flatnonzero(~kept), np.flatnonzero(kept)
    key, _, ended, code = place_topic_lines(state.columns, state.incident, gone)
    closed = members(state.columns, state.incident, gone)
    place = np.full(len(kept), -1, dtype=np.intp)
    place[rows] = np.arange(len(rows))
    edges = edges.take(kept[edges.left] & kept[edges.right])
    alive = {incident_id(int(value)) for value in np.unique(state.incident[rows]).tolist()}
    return replace(
        state,
        columns=state.columns.take(rows),
        representative=place[state.representative[rows]],
        edges=Edges.of(place[edges.left], place[edges.right], edges.probability),
        incident=state.incident[rows],
        # Linked posts go together, so a component that has a row left has its first row left.
        parts=place[state.parts[:, rows]].astype(np.int32),
        lineage={id_: old for id_, old in state.lineage.items() if id_ in alive},
        recurs={id_: old for id_, old in state.recurs.items() if id_ in alive},
        memory=Memory(
            np.concatenate([state.memory.key, key]),
            np.concatenate([state.memory.last, ended]),
            np.concatenate([state.memory.code, code]),
        ),
    ), closed


def _recurrences(
    state: ClusterState,
    columns: Columns,
    incident: NDArray[np.uint64],
    rows: NDArray[np.intp],
    codes: NDArray[np.uint64],
) -> tuple[Lines, dict[str, str], set[str]]:
    """Return the lines of all incidents, what recurs, and which ids were asked about: those at changed places.

    `rows` are the posts of incidents whose codes have changed, come or gone: `codes`.
    """
    stale = among(state.lines.code, codes)
    fresh = place_topic_lines(columns, incident, rows)
    lines = state.lines.take(~stale).join(fresh)
    places = np.union1d(state.lines.key[stale], fresh.key)
    asked = np.union1d(codes, lines.code[among(lines.key, places)])
    found = find_recurrences(lines, asked, state.memory)
    recurs = dict(state.recurs)
    ids = {incident_id(code) for code in asked.tolist()}
    for id_ in ids:
        recurs.pop(id_, None)
    return lines, recurs | {incident_id(new): incident_id(old) for new, old in found.items()}, ids


def _anchor(before: NDArray[np.uint64], columns: Columns, row: int) -> int:
    """Return the canonically first row of the old incident of `row`."""
    rows = np.flatnonzero(before == before[row])
    return int(min(rows.tolist(), key=lambda i: (columns.times[i], columns.keys[i])))
