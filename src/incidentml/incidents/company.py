"""Whether others speak of what a post speaks of, told from the post alone.

Who confirms, joins in or counts days waits with others; who sets off («зато», «наоборот», «а у нас») or tells of
one stairwell mostly stands alone, however much the post is like its neighbours. A pair model sees what two posts
share and cannot know that; here it is learnt from which posts of the past were alone: from their words, what they
name and what they are about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from incidentml.errors import ModelFormatError
from incidentml.incidents.columns import STEP, Columns
from incidentml.incidents.copies import core_text
from incidentml.incidents.wording import stem_hash
from incidentml.numeric import on_grid
from incidentml.persistence import FittedState
from incidentml.text import words

__all__ = ["Company", "facts", "said"]

#: Texts that a stem must be in to be weighed.
_LEAST = 4
_STRENGTH = 2.0
_BITS = 12
#: Facts that are not topics, and how much of each kind the penalty sees: words shall tell most.
_PLAIN, _PLAIN_SCALE, _TOPIC_SCALE = 10, 0.1, 0.5

Stems = Sequence[Sequence[int]]


def said(texts: Sequence[str]) -> Stems:
    """Return the stems of the words of each text, as hashes."""
    return [[stem_hash(word) for word in words(core_text(text)[0])] for text in texts]


def facts(columns: Columns) -> list[NDArray[np.float64]]:
    """Return what else tells of solitude, a column each: length, form, what the post names, then topic groups."""
    told = [columns.told >> bit & 1 for bit in range(5)]
    plain = [
        np.log1p(columns.grams), columns.flags & 1, columns.flags >> 1 & 1, *told,
        columns.streets > 1, columns.houses > 1,
    ]  # fmt: skip
    return [np.asarray(column, dtype=np.float64) for column in (*plain, *(columns.topics.T * STEP))]


@dataclass(frozen=True)
class Company:
    """Weight of each known stem (sorted by hash) and each of `facts` for, above 0, or against being alone."""

    hashes: NDArray[np.uint32]
    weights: NDArray[np.float32]
    of_facts: NDArray[np.float64]
    intercept: float = 0.0

    @classmethod
    def none(cls) -> Self:
        """Return what knows nothing: every post is as likely alone as not."""
        return cls(np.zeros(0, np.uint32), np.zeros(0, np.float32), np.zeros(0))

    @classmethod
    def learn(cls, stems: Stems, columns: Columns, alone: NDArray[np.bool_]) -> Self:
        """Learn from posts of which it is known whether they are alone; without both kinds nothing is known."""
        from scipy.sparse import csr_matrix, hstack
        from sklearn.linear_model import LogisticRegression

        if alone.all() or not alone.any():
            return cls.none()
        hashes, counts = np.unique(_flat([sorted(set(row)) for row in stems])[1], return_counts=True)
        hashes = hashes[counts >= _LEAST]
        row, at, share = _found(stems, hashes)
        spoken = csr_matrix((share, (row, at)), shape=(len(stems), len(hashes)))
        wide = np.column_stack(facts(columns))
        scale, mean = np.full(wide.shape[1], _TOPIC_SCALE), wide.mean(axis=0)
        scale[:_PLAIN] = _PLAIN_SCALE / np.maximum(wide[:, :_PLAIN].std(axis=0), 0.05)
        rows = csr_matrix(hstack([spoken, csr_matrix((wide - mean) * scale)]))
        head = LogisticRegression(C=_STRENGTH, class_weight="balanced", max_iter=500).fit(rows, alone)
        of_words, of_facts = np.split(head.coef_[0], [len(hashes)])
        of_facts = np.asarray(on_grid(of_facts * scale, _BITS), dtype=np.float64)
        intercept = float(on_grid(head.intercept_[0] - of_facts @ mean, _BITS))
        return cls(hashes, on_grid(of_words, _BITS, np.float32), of_facts, intercept)

    def solitude(self, stems: Stems, columns: Columns) -> NDArray[np.float32]:
        """Return the log-odds that each post is alone; no order of words or posts matters."""
        row, at, share = _found(stems, self.hashes)
        # The stems of a row come sorted, so it is summed in one order whatever rows are around.
        total = np.bincount(row, weights=self.weights[at] * share, minlength=len(stems)) + self.intercept
        if len(self.of_facts):
            for weight, column in zip(self.of_facts.tolist(), facts(columns), strict=True):
                total += weight * column
        return np.asarray(total, dtype=np.float32)

    def to_state(self) -> FittedState:
        """Return the weights."""
        arrays: dict[str, NDArray[Any]] = {
            "hashes": self.hashes,
            "weights": self.weights,
            "of_facts": self.of_facts,
        }
        return FittedState("company", {"intercept": self.intercept}, arrays)

    @classmethod
    def from_state(cls, state: FittedState) -> Self:
        """Undo `to_state`; raises `ModelFormatError` if there is not one weight for each stem."""
        hashes, weights, of_facts = (state.array(name, 1) for name in ("hashes", "weights", "of_facts"))
        if len(hashes) != len(weights):
            raise ModelFormatError(f"{state.kind}: {len(weights)} weights for {len(hashes)} stems")
        return cls(hashes, weights, of_facts, float(state.setting("intercept")))


def _flat(stems: Stems) -> tuple[NDArray[np.intp], NDArray[np.uint32]]:
    """Return the row and the hash of every stem."""
    sizes = np.array([len(row) for row in stems], dtype=np.intp)
    flat = np.fromiter((stem for row in stems for stem in row), dtype=np.uint32, count=int(sizes.sum()))
    return np.repeat(np.arange(len(stems)), sizes), flat


def _found(
    stems: Stems, known: NDArray[np.uint32]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Return (row, place among `known`, share of the row) of each known stem, once a row, row by row."""
    row, flat = _flat(stems)
    if not len(known):
        return row[:0], row[:0], np.zeros(0)
    at = np.minimum(np.searchsorted(known, flat), len(known) - 1)
    kept = known[at] == flat
    row, at = np.divmod(np.unique(row[kept] * len(known) + at[kept]), len(known))
    return row, at, 1.0 / np.sqrt(np.bincount(row)[row])
