"""From text to words, and from a word to the hashed pieces that make its lexical row."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from incidentml.text import clean, words

__all__ = ["MAX_WORD", "Piece", "text_words", "word_pieces"]

#: Longer words are cut: nobody writes them, and pieces stay bounded for a megabyte without a space.
MAX_WORD = 40
_PREFIXES = (4, 5, 6)


class Piece(NamedTuple):
    """A hashed piece: `bucket` finds its weight, `places` and `signs` its columns."""

    bucket: int
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


def hash_piece(name: str, buckets: int, columns: int) -> Piece:
    """Hash a piece name; the same on every machine and in every process."""
    digest = hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=13).digest()
    p = [int.from_bytes(digest[i : i + 2], "little") % columns for i in (4, 6, 8, 10)]
    s = [1 if digest[12] >> bit & 1 else -1 for bit in range(4)]
    return Piece(
        int.from_bytes(digest[:4], "little") % buckets, (p[0], p[1], p[2], p[3]), (s[0], s[1], s[2], s[3])
    )
