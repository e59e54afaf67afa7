"""From text to words, and from a word to the hashed pieces that make its lexical row."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from incidentml.text import clean, words

__all__ = ["MAX_WORD", "HashedPieces", "hash_pieces", "piece_key", "text_words", "word_pieces"]

#: Longer words are cut: nobody writes them, and pieces stay bounded for a megabyte without a space.
MAX_WORD = 40
_PREFIXES = (4, 5, 6)
#: A hash: the key, four columns, and four signs in one byte.
_PARTS = struct.Struct("<QHHHHB")


class HashedPieces(NamedTuple):
    """The pieces of some words: whose they are, their keys, and four signed columns of each."""

    rows: NDArray[np.intp]
    keys: NDArray[np.uint64]
    columns: NDArray[np.intp]
    signs: NDArray[np.int64]


def text_words(text: str) -> list[str]:
    """Return the folded words and numbers of a raw text in order.

    Examples
    --------
    >>> text_words("Нет воды, Гагарина12а!")
    ['нет', 'воды', 'гагарина', '12', 'а']
    """
    return [word[:MAX_WORD] for word in words(clean(text))]


def word_pieces(word: str) -> list[str]:
    """Return the names of the pieces of a word: itself and its beginnings, which outlive Russian endings.

    Examples
    --------
    >>> word_pieces("сугробы")
    ['=сугробы', '4сугр', '5сугро', '6сугроб']
    >>> word_pieces("12")
    ['#12']
    """
    if word.isdigit():
        return ["#" + word]
    return ["=" + word, *(f"{n}{word[:n]}" for n in _PREFIXES if len(word) > n)]


def piece_key(name: str) -> int:
    """Return the key of a piece; the same on every machine and in every process."""
    return int(_PARTS.unpack(_digest(name))[0])


def hash_pieces(words: Sequence[str], columns: int) -> HashedPieces:
    """Hash the pieces of words in order."""
    rows, parts = [], []
    for row, word in enumerate(words):
        for name in word_pieces(word):
            rows.append(row)
            parts.append(_PARTS.unpack(_digest(name)))
    keys = np.array([part[0] for part in parts], dtype=np.uint64)
    rest = np.array([part[1:] for part in parts], dtype=np.int64).reshape(-1, 5)
    signs = 1 - 2 * (rest[:, 4:] >> np.arange(1, 5) & 1)
    return HashedPieces(np.array(rows, dtype=np.intp), keys, rest[:, :4] % columns, signs)


def _digest(name: str) -> bytes:
    return hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=_PARTS.size).digest()
