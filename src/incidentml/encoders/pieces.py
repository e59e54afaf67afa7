"""From text to words, and from a word to the hashed pieces that make its lexical row."""

from __future__ import annotations

import hashlib
import struct
from typing import NamedTuple

from incidentml.text import clean, words

__all__ = ["MAX_WORD", "Piece", "hash_piece", "text_words", "word_pieces"]

#: Longer words are cut: nobody writes them, and pieces stay bounded for a megabyte without a space.
MAX_WORD = 40
_PREFIXES = (4, 5, 6)


class Piece(NamedTuple):
    """A hashed piece: `key` names it, `places` and `signs` are its columns."""

    key: int
    places: tuple[int, int, int, int]
    signs: tuple[int, int, int, int]


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


def hash_piece(name: str, columns: int) -> Piece:
    """Hash a piece name; the same on every machine and in every process."""
    digest = hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=17).digest()
    key, a, b, c, d, signs = struct.unpack("<QHHHHB", digest)
    return Piece(
        key,
        (a % columns, b % columns, c % columns, d % columns),
        (1 - (signs & 2), 1 - (signs >> 1 & 2), 1 - (signs >> 2 & 2), 1 - (signs >> 3 & 2)),
    )
