"""What the clusterer remembers between updates: posts, links, decisions, and where vanished ids went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from incidentml.errors import ModelFormatError
from incidentml.incidents.columns import Columns
from incidentml.incidents.decisions import Decision
from incidentml.incidents.links import FEATURES, pair_features
from incidentml.incidents.recurrence import Lines, Memory, place_topic_lines
from incidentml.persistence import FittedState, Persistent, pack_json, unpack_json
from incidentml.types import Link, PostKey

__all__ = ["EVIDENCE", "ClusterState", "ClusterUpdate", "Edges", "incident_id"]

#: Evidence that explains a link.
EVIDENCE: tuple[str, ...] = (
    "text", "topic", "problem", "words", "numbers", "names", "copied", "contained", "place", "settlement",
    "street", "house", "landmark", "hours", "one_author", "one_page", "most_alone",
)  # fmt: skip
_EVIDENCE_AT = [FEATURES.index(name) for name in EVIDENCE]


def incident_id(code: int) -> str:
    """Return the id of the incident whose first post has this code."""
    return f"i{code:012x}"


@dataclass(frozen=True, eq=False)
class Edges:
    """Links between rows, each once. Why two posts are linked can be computed at any time, so it is not kept."""

    left: NDArray[np.int32]
    right: NDArray[np.int32]
    probability: NDArray[np.float64]

    @classmethod
    def of(cls, left: NDArray[np.integer], right: NDArray[np.integer], probability: NDArray[np.float64]) -> Edges:
        """Return links between rows given in integers of any width."""
        return cls(left.astype(np.int32), right.astype(np.int32), probability)

    @classmethod
    def none(cls) -> Edges:
        """Return no links."""
        none = np.zeros(0, dtype=np.int32)
        return cls(none, none, np.zeros(0))

    def __len__(self) -> int:
        return len(self.left)

    def with_ties(
        self, ties: NDArray[np.intp]
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
        """Return left, right and probability of the links and of pairs that are certain."""
        both = self.join(Edges.of(ties[:, 0], ties[:, 1], np.ones(len(ties)))) if len(ties) else self
        return both.left, both.right, both.probability

    def take(self, chosen: NDArray[Any]) -> Edges:
        """Return the chosen links."""
        return Edges(self.left[chosen], self.right[chosen], self.probability[chosen])

    def join(self, *others: Edges) -> Edges:
        """Return the links of all."""
        parts = (self, *others)
        return Edges(
            np.concatenate([part.left for part in parts]),
            np.concatenate([part.right for part in parts]),
            np.concatenate([part.probability for part in parts]),
        )


@dataclass(frozen=True, eq=False)
class ClusterState(Persistent):
    """All that is needed to let new posts join: a value; `update` returns a new one and leaves this as it is.

    Attributes
    ----------
    model : str
        Fingerprint of the clusterer that made it; no other can go on from it.
    columns : Columns
        The posts held.
    representative : ndarray of int
        For each row the first of its group of copies.
    edges : Edges
        Links between rows.
    incident : ndarray of uint64
        For each row the code of its incident.
    parts : ndarray of int of shape (bars, rows)
        For each bar that links may pass the first row of the component that each row is in.
    decisions : tuple of Decision
        What people decided, oldest first.
    lineage : mapping of str to tuple of str
        Incident id to the ids that went into it.
    recurs : mapping of str to str
        Incident id to the earlier incident of the same place and topic.
    memory : Memory
        Of incidents let go.
    """

    KIND: ClassVar[str] = "incident-state"

    model: str
    columns: Columns
    representative: NDArray[np.intp]
    edges: Edges
    incident: NDArray[np.uint64]
    parts: NDArray[np.int32]
    decisions: tuple[Decision, ...] = ()
    lineage: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    recurs: Mapping[str, str] = field(default_factory=dict)
    memory: Memory = field(
        default_factory=lambda: Memory(np.zeros(0, np.uint64), np.zeros(0), np.zeros(0, np.uint64))
    )

    def __len__(self) -> int:
        return len(self.columns)

    @cached_property
    def row_of(self) -> Mapping[PostKey, int]:
        """Row of each post."""
        return {key: row for row, key in enumerate(self.columns.keys)}

    @cached_property
    def incidents(self) -> Mapping[str, tuple[PostKey, ...]]:
        """Posts of every incident held, in canonical order."""
        return members(self.columns, self.incident, np.arange(len(self)))

    @cached_property
    def lines(self) -> Lines:
        """Where and on what topic every incident held is, to find recurrences."""
        return place_topic_lines(self.columns, self.incident, np.arange(len(self)))

    def incident_of(self, key: PostKey) -> str:
        """Return the id of the incident that a post is in; raises `KeyError` for a post that is not held."""
        return incident_id(int(self.incident[self.row_of[key]]))

    def links(self, key: PostKey, limit: int = 10) -> tuple[Link, ...]:
        """Return the strongest links of a post, best first.

        Evidence is given under the names of `EVIDENCE`; places are codes (-1 conflict, 0 unknown, 1 compatible, 2
        same), ``hours`` is the gap in time, ``most_alone`` the log-odds that one of the two is about something
        that nobody else writes of. A copy has one link, to the post that stands for its group.
        """
        return tuple(self._strongest([self.row_of[key]], limit))

    def strongest(self, keys: Sequence[PostKey]) -> dict[PostKey, Link]:
        """Return the strongest link of each post that has one."""
        return {link.a: link for link in self._strongest([self.row_of[key] for key in keys], 1)}

    def _strongest(self, rows: Sequence[int], limit: int) -> list[Link]:
        order, starts = self._adjacency
        keys, edges, told = self.columns.keys, self.edges, []
        for row in rows:
            own = []
            if (first := int(self.representative[row])) != row:
                own.append((row, first, -1))
            for edge in order[starts[row] : starts[row + 1]][: limit - len(own)].tolist():
                other = int(edges.left[edge]) if int(edges.right[edge]) == row else int(edges.right[edge])
                own.append((row, other, edge))
            told += own
        ends = np.array(told, dtype=np.intp).reshape(-1, 3)
        evidence = pair_features(self.columns, ends[:, 0], ends[:, 1])[:, _EVIDENCE_AT]
        return [
            Link(keys[row], keys[other], 1.0, {"copied": 1.0})
            if edge < 0
            else Link(keys[row], keys[other], float(edges.probability[edge]), _evidence(evidence[line]))
            for line, (row, other, edge) in enumerate(told)
        ]

    @cached_property
    def _adjacency(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Edges of each row, strongest first."""
        edges = self.edges
        ends = np.concatenate([edges.left, edges.right])
        other = np.concatenate([edges.right, edges.left])
        rank = self.columns.rank()
        order = np.lexsort((rank[other], -np.tile(edges.probability, 2), ends))
        starts = np.searchsorted(ends[order], np.arange(len(self) + 1))
        return np.tile(np.arange(len(edges.left)), 2)[order], starts

    def to_state(self) -> FittedState:
        """Return arrays and packed JSON."""
        decisions = [
            {"together": d.together, "left": [list(k) for k in d.left], "right": [list(k) for k in d.right]}
            for d in self.decisions
        ]
        edges, memory = self.edges, self.memory
        return FittedState(
            kind=self.KIND,
            meta={"model": self.model},
            arrays={
                "representative": self.representative.astype(np.int64),
                "incident": self.incident,
                "parts": self.parts,
                "edges.left": edges.left,
                "edges.right": edges.right,
                "edges.probability": edges.probability,
                "memory.key": memory.key,
                "memory.last": memory.last,
                "memory.code": memory.code,
                "decisions": pack_json(decisions),
                "lineage": pack_json([[id_, list(old)] for id_, old in sorted(self.lineage.items())]),
                "recurs": pack_json([list(pair) for pair in sorted(self.recurs.items())]),
            },
            parts={"columns": self.columns.to_state()},
        )

    @classmethod
    def from_state(cls, state: FittedState) -> Self:
        """Undo `to_state`; raises `ModelFormatError` if rows point outside the posts held."""
        columns = Columns.from_state(state.part("columns"))
        n = len(columns)
        edges = Edges.of(*(state.array(f"edges.{name}", 1) for name in ("left", "right", "probability")))
        representative = state.array("representative", 1).astype(np.intp)
        parts = state.array("parts", 2)
        for name, rows in (
            ("edges", edges.left),
            ("edges", edges.right),
            ("representative", representative),
            ("parts", parts),
        ):
            if rows.size and not 0 <= int(rows.min()) <= int(rows.max()) < n:
                raise ModelFormatError(f"{state.kind}: {name} point outside the {n} posts held")
        if not len(representative) == len(state.array("incident", 1)) == parts.shape[1] == n:
            raise ModelFormatError(f"{state.kind}: columns of different lengths, {n} posts are held")
        decisions = tuple(
            Decision(
                bool(line["together"]),
                tuple(PostKey(*key) for key in line["left"]),
                tuple(PostKey(*key) for key in line["right"]),
            )
            for line in unpack_json(state.array("decisions", 1))
        )
        return cls(
            model=state.setting("model"),
            columns=columns,
            representative=representative,
            edges=edges,
            incident=state.array("incident", 1),
            parts=parts,
            decisions=decisions,
            lineage={id_: tuple(old) for id_, old in unpack_json(state.array("lineage", 1))},
            recurs=dict(unpack_json(state.array("recurs", 1))),
            memory=Memory(
                state.array("memory.key", 1), state.array("memory.last", 1), state.array("memory.code", 1)
            ),
        )


@dataclass(frozen=True, eq=False)
class ClusterUpdate:
    """What one update did.

    Attributes
    ----------
    state : ClusterState
        To go on from.
    incidents : mapping of str to tuple of PostKey
        Every incident held, posts in canonical order.
    changed : frozenset of str
        Ids that are new or have gained or lost posts, lineage or a recurrence.
    merged_from : mapping of str to tuple of str
        Incident id to the ids that went into it, ever.
    recurs : mapping of str to str
        Incident id to the earlier incident of the same place and topic.
    closed : mapping of str to tuple of PostKey
        Incidents that this update let go because they ended longer than the horizon ago.
    """

    state: ClusterState
    incidents: Mapping[str, tuple[PostKey, ...]]
    changed: frozenset[str]
    merged_from: Mapping[str, tuple[str, ...]]
    recurs: Mapping[str, str]
    closed: Mapping[str, tuple[PostKey, ...]]

    @cached_property
    def links(self) -> Mapping[PostKey, Link]:
        """The strongest link of each post of a changed incident that has one."""
        return self.state.strongest([key for id_ in sorted(self.changed) for key in self.incidents.get(id_, ())])


def members(
    columns: Columns, incident: NDArray[np.uint64], rows: NDArray[np.intp]
) -> dict[str, tuple[PostKey, ...]]:
    """Group rows by incident; posts in canonical order, incidents by id."""
    if not len(rows):
        return {}
    order = rows[np.lexsort((columns.rank(rows), incident[rows]))]
    codes = incident[order]
    starts = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
    stops = np.append(starts[1:], len(order))
    keys = [columns.keys[row] for row in order.tolist()]
    return {
        incident_id(code): tuple(keys[start:stop])
        for code, start, stop in zip(codes[starts].tolist(), starts.tolist(), stops.tolist(), strict=True)
    }


def _evidence(row: NDArray[np.float32]) -> dict[str, float]:
    values = {name: round(float(value), 3) for name, value in zip(EVIDENCE, row, strict=True)}
    values["hours"] = round(float(np.expm1(values["hours"])), 2)
    return values
