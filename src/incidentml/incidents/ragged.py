"""Rows of different lengths in one array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["Ragged"]


@dataclass(frozen=True)
class Ragged:
    """Rows of different lengths: row i is ``data[starts[i]:starts[i + 1]]``."""

    starts: NDArray[np.int64]
    data: NDArray[np.uint64]

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]]) -> Self:
        """Pack rows."""
        starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
        return cls(starts, np.array([value for row in rows for value in row], dtype=np.uint64))

    def take(self, rows: NDArray[np.intp]) -> Ragged:
        """Return the given rows."""
        owner, data = self.flat(rows)
        counts = np.bincount(owner, minlength=len(rows))
        return Ragged(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), data)

    def flat(self, rows: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.uint64]]:
        """Return (position in `rows`, value) of every value of the given rows."""
        counts = self.starts[rows + 1] - self.starts[rows]
        owner = np.repeat(np.arange(len(rows)), counts)
        offset = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
        return owner, self.data[self.starts[rows][owner] + offset]

    def join(self, *others: Ragged) -> Ragged:
        """Return the rows of all, one after the other."""
        parts = (self, *others)
        offsets = np.cumsum([0, *(part.starts[-1] for part in parts)])
        return Ragged(
            np.concatenate([[0], *(part.starts[1:] + at for part, at in zip(parts, offsets, strict=False))]),
            np.concatenate([part.data for part in parts]),
        )
