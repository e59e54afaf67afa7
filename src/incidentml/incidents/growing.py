"""Columns that grow at their end without a copy of what they hold; looking up a few values among many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Room", "among"]

#: How much more room than rows there is: memory that nobody has written to costs nothing.
_SPARE = 1.5
_TABLE_BITS = 16


class Room:
    """Arrays with room behind their rows, shared by a state and those that grow out of it.

    A state sees its own rows only. Of all that go on from one state the first may write behind them; the others
    get a room of their own, so that no state ever changes.

    Parameters
    ----------
    columns : mapping of str to ndarray
        Rows to begin with.
    used : int
        Rows of the first state that will grow.
    """

    def __init__(self, columns: Mapping[str, NDArray[Any]], used: int) -> None:
        self.arrays = {}
        for name, rows in columns.items():
            self.arrays[name] = np.empty((int(used * _SPARE), *rows.shape[1:]), rows.dtype)
            self.arrays[name][: len(rows)] = rows
        self._capacity = int(used * _SPARE)
        self._ends = {used}

    def claim(self, used: int, wanted: int) -> bool:
        """Tell whether the rows from `used` to `wanted` may be written; nobody else may then."""
        if wanted > self._capacity:
            return False
        try:
            self._ends.remove(used)  # one step: of two threads only one succeeds
        except KeyError:
            return False
        self._ends.add(wanted)
        return True

    def write(self, name: str, first: int, *parts: NDArray[Any]) -> NDArray[Any]:
        """Write claimed rows; return the column up to their end."""
        array = self.arrays[name]
        for rows in parts:
            array[first : first + len(rows)] = rows
            first += len(rows)
        return array[:first]


def among(values: NDArray[np.uint64], chosen: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Return which of many values, all hashes, are among a few; ``np.isin`` without sorting the many.

    Examples
    --------
    >>> among(np.array([5, 7, 5], dtype=np.uint64), np.array([5], dtype=np.uint64)).tolist()
    [True, False, True]
    """
    mask = np.uint64(2**_TABLE_BITS - 1)
    table = np.zeros(2**_TABLE_BITS, dtype=bool)
    table[chosen & mask] = True
    out: NDArray[np.bool_] = table[values & mask]
    likely = np.flatnonzero(out)
    out[likely] = np.isin(values[likely], chosen)
    return out
