"""The two tables of the static encoder: general words and learned pieces, a byte per cell."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from incidentml.encoders.pieces import piece_key
from incidentml.errors import ModelFormatError

__all__ = ["LearnedPieces", "WordTable", "to_bytes"]


def to_bytes(rows: NDArray[np.float64]) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Round rows to whole numbers up to 127 and return them with the length of a step of each."""
    peak = np.abs(rows).max(axis=1, initial=0.0)
    peak[peak == 0] = 1.0
    return np.rint(rows / peak[:, None] * 127).astype(np.int8), peak / 127


class WordTable:
    """A code per general word; ``codes[row] * scale[row]`` carries the weight of the word.

    Parameters
    ----------
    vocabulary : sequence of str
        Folded words, each once.
    codes : ndarray of int8, shape (words, columns)
    scale : ndarray of float32, shape (words,)
    """

    def __init__(self, vocabulary: Sequence[str], codes: NDArray[Any], scale: NDArray[Any]) -> None:
        if not len(vocabulary) == len(codes) == len(scale):
            raise ModelFormatError(
                f"static-encoder: {len(vocabulary)} words, {len(codes)} codes, {len(scale)} scales: not as many"
            )
        self.vocabulary, self.codes, self.scale = vocabulary, codes, scale

    @cached_property
    def places(self) -> dict[str, int]:
        """Word to row."""
        return {word: row for row, word in enumerate(self.vocabulary)}

    @classmethod
    def quantise(cls, vocabulary: Sequence[str], vectors: NDArray[Any], weights: NDArray[Any]) -> Self:
        """Round vectors to bytes."""
        codes, step = to_bytes(vectors)
        return cls(vocabulary, codes, (step * weights).astype(np.float32))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what is saved."""
        blob = np.frombuffer("\n".join(self.vocabulary).encode("utf-8"), dtype=np.uint8)
        return {"words": blob, "word_codes": self.codes, "word_scale": self.scale}

    @classmethod
    def from_arrays(cls, blob: NDArray[Any], codes: NDArray[Any], scale: NDArray[Any]) -> Self:
        """Build from what `arrays` returned."""
        try:
            return cls(blob.astype(np.uint8).tobytes().decode("utf-8").split("\n"), codes, scale)
        except UnicodeDecodeError as error:
            raise ModelFormatError(f"static-encoder: array 'words' is not UTF-8: {error}") from error


class LearnedPieces:
    """A row per piece that the domain repeats, found by the hash of its name.

    Parameters
    ----------
    keys : ndarray of uint64, shape (pieces,)
    rows : ndarray of int8, shape (pieces, columns)
    scale : ndarray of float32, shape (pieces,)
    """

    def __init__(self, keys: NDArray[Any], rows: NDArray[Any], scale: NDArray[Any]) -> None:
        if not len(keys) == len(rows) == len(scale):
            raise ModelFormatError(
                f"static-encoder: {len(keys)} keys, {len(rows)} rows, {len(scale)} scales: must be as many"
            )
        self.keys, self.rows, self.scale = keys, rows, scale

    @cached_property
    def _order(self) -> tuple[NDArray[np.intp], NDArray[Any]]:
        order = np.argsort(self.keys)
        return order, self.keys[order]

    def find(self, keys: NDArray[np.uint64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return which of the keys are known, and their rows."""
        if not len(self.keys):
            return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp)
        order, ordered = self._order
        spot = np.minimum(np.searchsorted(ordered, keys), len(ordered) - 1)
        known = np.flatnonzero(ordered[spot] == keys)
        return known, order[spot[known]]

    @classmethod
    def quantise(cls, names: Sequence[str], vectors: NDArray[Any]) -> Self:
        """Hash names and round vectors to bytes."""
        keys = np.array([piece_key(name) for name in names], dtype=np.uint64)
        rows, step = to_bytes(vectors)
        return cls(keys, rows, step.astype(np.float32))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what is saved."""
        return {"piece_keys": self.keys, "piece_rows": self.rows, "piece_scale": self.scale}
