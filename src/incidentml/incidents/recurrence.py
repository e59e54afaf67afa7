"""Recurrences: an incident at the place and on the topic of an earlier one that had ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from incidentml.incidents.columns import Columns
from incidentml.incidents.growing import among

__all__ = ["Lines", "Memory", "find_recurrences", "place_topic_lines"]

DAY = 86400.0
#: An incident counts as ended when nobody has written about it for so long.
ENDED_DAYS = 2.0


@dataclass(frozen=True, eq=False)
class Memory:
    """Places and topics of incidents that the state has let go, so that recurrences are still seen."""

    key: NDArray[np.uint64]
    last: NDArray[np.float64]
    code: NDArray[np.uint64]


class Lines(NamedTuple):
    """Place and topic, first time, last time and incident code: a line for each narrow place of an incident."""

    key: NDArray[np.uint64]
    first: NDArray[np.float64]
    last: NDArray[np.float64]
    code: NDArray[np.uint64]

    def take(self, chosen: NDArray[np.bool_]) -> Lines:
        """Return the chosen lines."""
        return Lines(self.key[chosen], self.first[chosen], self.last[chosen], self.code[chosen])

    def join(self, other: Lines) -> Lines:
        """Return the lines of both."""
        return Lines(
            np.concatenate([self.key, other.key]),
            np.concatenate([self.first, other.first]),
            np.concatenate([self.last, other.last]),
            np.concatenate([self.code, other.code]),
        )


def place_topic_lines(columns: Columns, incident: NDArray[np.uint64], rows: NDArray[np.intp]) -> Lines:
    """Return a line for each narrow place of the incidents of some rows.

    A place counts if at least half of the incident's posts that name one name it; only the narrowest kind that an
    incident names counts, so two houses of one street never recur in one another.
    """
    codes, index = np.unique(incident[rows], return_inverse=True)
    first, last = np.full(len(codes), np.inf), np.full(len(codes), -np.inf)
    np.minimum.at(first, index, columns.times[rows])
    np.maximum.at(last, index, columns.times[rows])
    topics = np.zeros((len(codes), columns.topics.shape[1]))
    np.add.at(topics, index, columns.topics[rows].astype(np.float64))
    top = topics.argmax(axis=1) if topics.shape[1] else np.zeros(len(codes), dtype=np.intp)
    owner, keys = columns.blocks.flat(rows)
    placed = np.bincount(index[np.unique(owner)], minlength=len(codes))
    lines, counts = np.unique(
        np.stack([index[owner].astype(np.uint64), keys], axis=1).reshape(-1, 2), axis=0, return_counts=True
    )
    at, keys = lines[:, 0].astype(np.intp), lines[:, 1]
    kept = 2 * counts >= placed[at]
    at, keys = at[kept], keys[kept]
    narrowest = np.zeros(len(codes), dtype=np.uint64)
    np.maximum.at(narrowest, at, keys % np.uint64(4))
    kept = keys % np.uint64(4) == narrowest[at]
    at, keys = at[kept], keys[kept]
    mixed = (keys ^ (keys >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9) + top[at].astype(np.uint64)
    return Lines(mixed, first[at], last[at], codes[at])


def find_recurrences(lines: Lines, asked: NDArray[np.uint64], memory: Memory) -> dict[int, int]:
    """Return, by code, of the asked incidents the latest earlier one with the same place and topic."""
    wanted = lines.take(among(lines.code, asked))
    if not len(wanted.key):
        return {}
    key, first, _, code = wanted
    near = lines.take(among(lines.key, key))
    kept = among(memory.key, key)
    all_key = np.concatenate([near.key, memory.key[kept]])
    all_last = np.concatenate([near.last, memory.last[kept]])
    all_code = np.concatenate([near.code, memory.code[kept]])
    order = np.lexsort((all_code, all_last, all_key))
    all_key, all_last, all_code = all_key[order], all_last[order], all_code[order]
    _, group = np.unique(np.concatenate([all_key, key]), return_inverse=True)
    span = 4 * (max(all_last.max(), first.max()) - min(all_last.min(), first.min())) + 8 * DAY
    base = min(all_last.min(), first.min()) - 4 * DAY
    axis = group[: len(all_key)] * span + (all_last - base)
    since = group[len(all_key) :] * span + (first - ENDED_DAYS * DAY - base)
    before = np.searchsorted(axis, since, side="right") - 1
    found: dict[int, tuple[float, int]] = {}
    hits = (before >= 0) & (all_key[before] == key) & (all_code[before] != code)
    for new, hit in zip(code[hits].tolist(), before[hits].tolist(), strict=True):
        candidate = (float(all_last[hit]), int(all_code[hit]))
        found[new] = max(found.get(new, candidate), candidate)
    return {new: old for new, (_, old) in sorted(found.items())}
