"""Recurrences: an incident at the place and on the topic of an earlier one that had ended."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from incidentml.incidents.columns import Columns
from incidentml.incidents.state import Memory, incident_id

__all__ = ["find_recurrences", "place_topic_keys"]

DAY = 86400.0
#: An incident counts as ended when nobody has written about it for so long.
ENDED_DAYS = 2.0


def place_topic_keys(
    columns: Columns, incident: NDArray[np.uint64], rows: NDArray[np.intp]
) -> tuple[NDArray[np.uint64], NDArray[np.float64], NDArray[np.float64], NDArray[np.uint64]]:
    """Return (place and topic, first time, last time, incident code), a line for each narrow place of an incident.

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
    return mixed, first[at], last[at], codes[at]


def find_recurrences(
    columns: Columns, incident: NDArray[np.uint64], rows: NDArray[np.intp], memory: Memory
) -> dict[str, str]:
    """Return incident id to the id of the latest earlier incident with the same place and topic."""
    key, first, last, code = place_topic_keys(columns, incident, rows)
    if not len(key):
        return {}
    all_key = np.concatenate([key, memory.key])
    all_last = np.concatenate([last, memory.last])
    all_code = np.concatenate([code, memory.code])
    order = np.lexsort((all_code, all_last, all_key))
    all_key, all_last, all_code = all_key[order], all_last[order], all_code[order]
    _, group = np.unique(np.concatenate([all_key, key]), return_inverse=True)
    span = 4 * (max(all_last.max(), first.max()) - min(all_last.min(), first.min())) + 8 * DAY
    base = min(all_last.min(), first.min()) - 4 * DAY
    axis = group[: len(all_key)] * span + (all_last - base)
    wanted = group[len(all_key) :] * span + (first - ENDED_DAYS * DAY - base)
    before = np.searchsorted(axis, wanted, side="right") - 1
    found: dict[int, tuple[float, int]] = {}
    for line in np.flatnonzero(before >= 0).tolist():
        hit = before[line]
        if all_key[hit] == key[line] and all_code[hit] != code[line]:
            candidate = (float(all_last[hit]), int(all_code[hit]))
            found[int(code[line])] = max(found.get(int(code[line]), candidate), candidate)
    return {incident_id(new): incident_id(old) for new, (_, old) in sorted(found.items())}
