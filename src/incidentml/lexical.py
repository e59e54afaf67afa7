"""Words, stems and letter n-grams of Russian text as sparse rows, hashed without a Python loop over them.

A text becomes one array of letter codes; the hash of any stretch comes from prefix sums modulo 2**64, so that all
n-grams of a batch are hashed at once. Everything is integer arithmetic up to the final rounding: the row of a text
is the same bits in any batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, cached_property, lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from incidentml.persistence import FittedState, Persistent
from incidentml.text import fold

__all__ = ["LEXICAL_SIZE", "ROW_UNIT", "LexicalWeights", "lexical_counts"]

#: Hash space before selection; a fitted model keeps only the buckets that carry something.
SPACE_BITS = 18
LEXICAL_SIZE = 2**SPACE_BITS
#: Values of a row are whole numbers up to about this: with whole weights every product is exact in float32.
ROW_UNIT = 1024.0
_PRIME = 0x9E3779B97F4A7C15 | 1
_MASK64 = 2**64 - 1
_BOUNDARY = 1
_URL_MARKS = ("http://", "https://", "www.", "t.me/", "vk.com/", "ok.ru/")


@cache
def _letters() -> NDArray[np.uint32]:
    """Code of every basic-plane character: itself for letters, ``0`` for digits, a boundary for the rest."""
    table = np.full(0x10000, _BOUNDARY, dtype=np.uint32)
    for code in range(0x30, 0x10000):
        char = chr(code)
        if char.isalpha():
            table[code] = code
        elif char.isdigit():
            table[code] = 0x30
    table[[0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x301]] = 0  # invisible, and the stress mark: dropped
    return table


def _powers(base: int, size: int) -> NDArray[np.uint64]:
    steps = np.full(size, base & _MASK64, dtype=np.uint64)
    if size:
        steps[0] = 1
    return np.multiply.accumulate(steps)


def _without_links(text: str) -> str:
    if any(mark in text for mark in _URL_MARKS):
        return " ".join(part for part in text.split() if not part.startswith(_URL_MARKS))
    return text


def _buckets(hashes: NDArray[np.uint64], salt: int) -> NDArray[np.int64]:
    mixed = (hashes + np.uint64(salt)) * np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0x94D049BB133111EB)
    return (mixed >> np.uint64(64 - SPACE_BITS)).astype(np.int64)


@lru_cache(maxsize=1)  # the router and the priority scorer read the same batch one after the other
def _occurrences(texts: tuple[str, ...], max_chars: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (row, bucket) of every feature occurrence of a batch."""
    pieces = [fold(_without_links(text[:max_chars])) for text in texts]
    lengths = np.fromiter((len(piece) + 2 for piece in pieces), dtype=np.int64, count=len(pieces))
    joined = "".join(f"\n{piece}\n" for piece in pieces)
    raw = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    row_of = np.repeat(np.arange(len(pieces)), lengths)
    codes = _letters()[np.where(raw < 0x10000, raw, 0)]
    row_of, codes = row_of[codes > 0], codes[codes > 0]
    # Runs of boundaries shrink to one inside a row; every row keeps one of its own at both ends.
    keep = np.ones(len(codes), dtype=bool)
    keep[1:] = (codes[1:] != _BOUNDARY) | (codes[:-1] != _BOUNDARY) | (row_of[1:] != row_of[:-1])
    row_of, codes = row_of[keep], codes[keep]
    size = len(codes)
    boundary = codes == _BOUNDARY
    sums = np.zeros(size + 1, dtype=np.uint64)
    np.cumsum(codes.astype(np.uint64) * _powers(_PRIME, size), out=sums[1:])
    inverse = _powers(pow(_PRIME, -1, 2**64), size)
    crossed = np.concatenate([[0], np.cumsum(boundary)])

    def stretch(start: NDArray[np.intp], end: NDArray[np.intp]) -> NDArray[np.uint64]:
        return (sums[end] - sums[start]) * inverse[start]

    starts = np.flatnonzero(~boundary & np.concatenate([[True], boundary[:-1]]))
    ends = np.flatnonzero(np.concatenate([~boundary[:-1] & boundary[1:], [False]])) + 1
    long = ends - starts
    stems = stretch(starts, starts + np.minimum(long, 5))
    found = [(row_of[starts], _buckets(stretch(starts, ends), 1)), (row_of[starts], _buckets(stems, 2))]
    near = row_of[starts[:-1]] == row_of[starts[1:]]
    pairs = stems[:-1] * np.uint64(0xD6E8FEB86659FD93) + stems[1:]
    found.append((row_of[starts[:-1]][near], _buckets(pairs[near], 3)))
    for n in (3, 4, 5):
        first = np.arange(max(size - n + 1, 0))
        inner = crossed[first + n - 1] - crossed[first + 1]
        first = first[(inner == 0)]
        first = first[row_of[first] == row_of[first + n - 1]]
        found.append((row_of[first], _buckets(stretch(first, first + n), 10 + n)))
    return np.concatenate([rows for rows, _ in found]), np.concatenate([buckets for _, buckets in found])


def lexical_counts(
    texts: Sequence[str], *, columns: NDArray[np.int32] | None = None, max_chars: int = 1500
) -> Any:
    """Return how often every hashed word, stem, pair of stems and letter n-gram occurs.

    Parameters
    ----------
    texts : sequence of str
    columns : int32 array of length `LEXICAL_SIZE`, optional
        Column of every bucket, -1 to drop it. By default every bucket is a column.
    max_chars : int
        Letters read of one text.

    Returns
    -------
    scipy.sparse.csr_matrix of float32

    Examples
    --------
    >>> lexical_counts(["нет воды", "воды нет!"]).shape
    (2, 262144)
    """
    rows, found = _occurrences(tuple(texts), max_chars)
    width = LEXICAL_SIZE
    if columns is not None:
        found = columns[found].astype(np.int64)
        rows, found = rows[found >= 0], found[found >= 0]
        width = int(columns.max(initial=-1)) + 1
    keys, counts = np.unique(rows * max(width, 1) + found, return_counts=True)
    pointers = np.concatenate([[0], np.cumsum(np.bincount(keys // max(width, 1), minlength=len(texts)))])
    shape = (len(texts), width)
    return sparse.csr_matrix((counts.astype(np.float32), keys % max(width, 1), pointers), shape=shape)


class LexicalWeights(BaseEstimator, Persistent):  # type: ignore[misc]
    """Chosen buckets of `lexical_counts` and their inverse document frequencies.

    Parameters
    ----------
    max_features : int
        Buckets to keep, the most frequent first.
    min_count : int
        Texts in which a bucket must occur.

    Examples
    --------
    >>> weights = LexicalWeights(min_count=1).fit(lexical_counts(["нет воды", "нет света"]))
    >>> weights.transform(lexical_counts(["воды нет"])).shape[0]
    1
    """

    KIND = "lexical-weights"

    def __init__(self, max_features: int = 30_000, min_count: int = 2) -> None:
        self.max_features = max_features
        self.min_count = min_count

    def fit(self, counts: Any) -> Self:
        """Choose the buckets and learn how rare each is."""
        df = np.bincount(counts.indices, minlength=counts.shape[1])
        kept = np.flatnonzero(df >= self.min_count)
        kept = np.sort(kept[np.lexsort((kept, -df[kept]))][: self.max_features])
        self.kept_ = kept.astype(np.int32)
        self.idf_ = (np.log((1 + counts.shape[0]) / (1 + df[kept])) + 1).astype(np.float32)
        return self

    @cached_property
    def columns(self) -> NDArray[np.int32]:
        """Column of every bucket, -1 for one that was not kept."""
        table = np.full(LEXICAL_SIZE, -1, dtype=np.int32)
        table[self.kept_] = np.arange(len(self.kept_), dtype=np.int32)
        return table

    def transform(self, counts: Any) -> Any:
        """Return weighted rows of length about `ROW_UNIT`, whole numbers in float32."""
        return self._weigh(counts[:, self.kept_])

    def transform_texts(self, texts: Sequence[str]) -> Any:
        """Return the same as ``transform(lexical_counts(texts))``, faster."""
        counts = lexical_counts(texts, columns=self.columns)
        counts.resize((len(texts), len(self.kept_)))
        return self._weigh(counts)

    def _weigh(self, counts: Any) -> Any:
        counts.sort_indices()
        row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
        values = (1.0 + np.log(counts.data.astype(np.float64))) * self.idf_[counts.indices]
        # bincount adds in the order of the columns, whatever else is in the batch.
        norms = np.sqrt(np.bincount(row, weights=values * values, minlength=counts.shape[0]))
        data = np.rint(values / norms[row] * ROW_UNIT).astype(np.float32)
        return sparse.csr_matrix((data, counts.indices, counts.indptr), shape=counts.shape)

    def to_state(self) -> FittedState:
        """Return the chosen buckets and their weights."""
        check_is_fitted(self, "kept_")
        meta = {"max_features": self.max_features, "min_count": self.min_count}
        return FittedState(self.KIND, meta, {"kept": self.kept_, "idf": self.idf_})

    @classmethod
    def from_state(cls, state: FittedState) -> Self:
        """Build fitted weights from a state."""
        fitted = cls(**{name: state.setting(name) for name in ("max_features", "min_count")})
        fitted.kept_, fitted.idf_ = state.array("kept", 1), state.array("idf", 1)
        return fitted
