"""Posts of a block of pairs, laid out so that inner loops run over pairs and not over the few words of a post."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from incidentml.incidents.columns import Columns

__all__ = ["Sides", "equal_bytes", "found_in", "topics_agree"]

_HIGH, _LOW = np.uint64(0x8080808080808080), np.uint64(0x7F7F7F7F7F7F7F7F)


class Sides:
    """Columns of some posts, one post a column.

    Words are numbered from 1; 0 is a word that no other of these posts has.
    """

    def __init__(self, columns: Columns, rows: NDArray[np.intp]) -> None:
        numbered = (columns.numbers, columns.things, columns.counted)
        parts = [columns.words, columns.where, columns.names, columns.context, *numbered]
        coded = _numbered(np.hstack([part[rows] for part in parts]).T)
        bounds = np.cumsum([part.shape[1] for part in parts])[:-1]
        self.words, *others = np.split(coded, bounds)
        self.where, self.names, self.context, *counts = (part[part.any(axis=1)] for part in others)
        self.numbers, self.things, self.counted = counts
        self.weights = np.ascontiguousarray(columns.weights[rows].T)
        self.what = self.weights * ~columns.placing[rows].T
        self.weight, self.what_weight = self.weights.sum(axis=0), self.what.sum(axis=0)
        self.placed = np.asarray(columns.where[rows].any(axis=1))
        self.numbered = np.asarray(columns.numbers[rows, 0] > 0)
        self.sketch = np.ascontiguousarray(np.ascontiguousarray(columns.sketch[rows]).view(np.uint64).T)
        self.subtopic = np.ascontiguousarray(columns.subtopic[rows].T)
        self.subtopic_p = np.ascontiguousarray(columns.subtopic_p[rows].T, dtype=np.float32)
        self.subtopic_norm = np.square(self.subtopic_p).sum(axis=0)

    @classmethod
    def of(
        cls, columns: Columns, left: NDArray[np.intp], right: NDArray[np.intp]
    ) -> tuple[Self, NDArray[np.intp], NDArray[np.intp]]:
        """Lay out the posts of pairs; return them and each pair's two columns."""
        used = np.zeros(len(columns), dtype=bool)
        used[left] = True
        used[right] = True
        rows = np.flatnonzero(used)
        at = np.empty(len(columns), dtype=np.intp)
        at[rows] = np.arange(len(rows))
        return cls(columns, rows), at[left], at[right]


def _numbered(hashes: NDArray[np.uint32]) -> NDArray[Any]:
    """Give hashes that occur more than once numbers of as few bytes as will do; others get 0."""
    _, at, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    shared = counts > 1
    width = np.uint16 if len(counts) < 2**16 else np.uint32
    numbers = (np.cumsum(shared) * shared).astype(width)
    return np.where(hashes > 0, numbers[at.reshape(hashes.shape)], width(0))


def found_in(words: NDArray[Any], *others: NDArray[Any]) -> NDArray[np.bool_]:
    """Return for each word of each post whether the other post has it among any of its words."""
    hit = np.zeros(words.shape, dtype=bool)
    for entries in others:
        for entry in entries:
            hit |= words == entry
    return np.asarray(hit & (words > 0))


def equal_bytes(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Return, pair by pair, how many bytes of two sketches are equal."""
    differ = left ^ right
    marked = (((differ & _LOW) + _LOW) | differ) & _HIGH  # the high bit of every byte that is not zero
    unequal = np.bitwise_count(marked).sum(axis=0, dtype=np.uint8)
    return np.asarray(8 * len(left) - unequal, dtype=np.uint8)


def topics_agree(
    sides: Sides, a: NDArray[np.intp], b: NDArray[np.intp]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return how far the likeliest single topics agree (Bhattacharyya), and the chance that both have one topic.

    Sums on a grid of 2**-10 are exact.
    """
    which_a, which_b = sides.subtopic.take(a, axis=1), sides.subtopic.take(b, axis=1)
    p, q = sides.subtopic_p.take(a, axis=1), sides.subtopic_p.take(b, axis=1)
    p = p * (which_a > 0)
    product, chance = np.zeros(len(a), dtype=np.float32), np.zeros(len(a), dtype=np.float32)
    for which, share in zip(which_b, q, strict=True):
        root = (p * (which_a == which)).sum(axis=0) * share
        product += root
        chance += root * root
    norms = sides.subtopic_norm[a] * sides.subtopic_norm[b]
    return np.asarray(product / np.sqrt(np.maximum(norms, np.float32(1e-12))), dtype=np.float32), chance
