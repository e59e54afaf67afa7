"""Words as numbers: stems, how rare they are, and which of them name a place, a person or a house."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
from numpy.typing import NDArray

from incidentml.numeric import on_grid
from incidentml.text import fold, words
from incidentml.types import Place

__all__ = [
    "N_WORDS",
    "Vocabulary",
    "context",
    "hits",
    "is_reply",
    "names",
    "padded",
    "place_words",
    "rare_only",
    "rarest",
    "stem_hash",
]

#: Words kept of a post, the rarest ones.
N_WORDS = 20
#: Stems of less weight are too common to tell a place.
COMMON_BELOW = 0.45

_REPLY = re.compile(
    r"^\W*(?:\+|подтвержда\w*|аналогично|тоже|присоединя\w*|та же|то же|и (?:у )?нас|и на|и в\b"
    r"|у нас (?:тоже|также)"
    r"|такая же|поддерж\w*|согласн\w*|реально|плюс\w*|плюсую)"
    r"|\b(?:тоже|так же|также|та же|то же|такая же|аналогично)\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<=[^\s.!?:«\"—]) +([А-ЯЁA-Z][а-яёa-z]+(?:-[А-ЯЁа-яёA-Za-z]+)*)")


@dataclass(frozen=True)
class Vocabulary:
    """How rare a word stem is: sorted hashes and their weights; unknown stems get `unknown`."""

    hashes: NDArray[np.uint32]
    weights: NDArray[np.float32]
    unknown: float

    @classmethod
    def learn(cls, texts: Iterable[str]) -> Self:
        """Count in how many texts each stem occurs; those seen once are left to `unknown`."""
        counts: dict[int, int] = {}
        n = 0
        for text in texts:
            n += 1
            for stem in {stem_hash(word) for word in words(text)}:
                counts[stem] = counts.get(stem, 0) + 1
        known = sorted(stem for stem, count in counts.items() if count > 1)
        frequency = np.array([counts[stem] for stem in known], dtype=np.float64)
        scale = np.log1p(max(n, 1))
        weights = on_grid(np.clip(np.log((1 + n) / (1 + frequency)) / scale, 0.0, 1.0), 8, np.float32)
        return cls(np.array(known, dtype=np.uint32), weights, 1.0)

    def weigh(self, stems: NDArray[np.uint32]) -> NDArray[np.float32]:
        """Return the weight of each hash; 0 for the padding value 0."""
        if not len(self.hashes):
            return np.where(stems > 0, np.float32(self.unknown), np.float32(0))
        at = np.minimum(np.searchsorted(self.hashes, stems), len(self.hashes) - 1)
        known = self.hashes[at] == stems
        return np.where(stems == 0, 0, np.where(known, self.weights[at], self.unknown)).astype(np.float32)


def is_reply(core: str) -> bool:
    """Tell whether a text joins in with another («у нас тоже», «подтверждаю», «+»)."""
    return _REPLY.search(core) is not None


@lru_cache(maxsize=2**18)
def stem_hash(word: str) -> int:
    """Return 32 bits of a word's beginning, or of a number; never 0, which is padding."""
    stem = word if word.isdigit() else (word.rstrip("аеиоуыэюяйьъ") or word)[:6]
    return zlib.crc32(stem.encode("utf-8", "replace")) or 1


def padded(rows: Sequence[Sequence[int]], width: int) -> NDArray[np.uint32]:
    """Stack the first `width` entries of each row; missing ones are 0."""
    out = np.zeros((len(rows), width), dtype=np.uint32)
    for i, row in enumerate(rows):
        out[i, : min(len(row), width)] = row[:width]
    return out


def rarest(
    stems: Sequence[Sequence[int]], vocabulary: Vocabulary
) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    """Return the `N_WORDS` rarest different stems of each text, and their weights."""
    unique = [sorted(set(row)) for row in stems]
    sizes = np.array([len(row) for row in unique], dtype=np.intp)
    flat = np.fromiter((stem for row in unique for stem in row), dtype=np.uint32, count=int(sizes.sum()))
    weights = vocabulary.weigh(flat)
    owner = np.repeat(np.arange(len(unique)), sizes)
    order = np.lexsort((flat, -weights, owner))
    rank = np.arange(len(flat)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    keep = rank < N_WORDS
    words_out = np.zeros((len(unique), N_WORDS), dtype=np.uint32)
    weights_out = np.zeros((len(unique), N_WORDS), dtype=np.float32)
    words_out[owner[keep], rank[keep]] = flat[order][keep]
    weights_out[owner[keep], rank[keep]] = weights[order][keep]
    return words_out, weights_out


def names(core: str) -> list[int]:
    """Stems of words with a capital inside a sentence: streets, towns, landmarks, firms."""
    return sorted({stem_hash(fold(word)) for word in _NAME.findall(core)})


def place_words(places: tuple[Place, ...]) -> list[int]:
    """Stems of the words that name streets, landmarks and settlements, narrow places first."""
    found: dict[int, None] = {}
    for part in ("street", "landmark", "settlement"):
        for place in places:
            if name := getattr(place, part):
                found.update(dict.fromkeys(_name_stems(name)))
    return list(found)


@lru_cache(maxsize=2**16)
def _name_stems(name: str) -> tuple[int, ...]:
    return tuple(stem_hash(word) for word in words(name) if len(word) > 2 or word.isdigit())


def rare_only(stems: NDArray[np.uint32], vocabulary: Vocabulary) -> NDArray[np.uint32]:
    """Blank out stems that many texts share, such as those of «улица» and «школа»."""
    return np.where(vocabulary.weigh(stems) >= COMMON_BELOW, stems, np.uint32(0))


def hits(left: NDArray[np.uint32], right: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Return for each entry of `left` whether its row of `right` holds it; 0 is padding."""
    across = np.ascontiguousarray(left.T)  # long inner loops: a row has only a few entries
    hit = np.zeros(across.shape, dtype=bool)
    for entries in np.ascontiguousarray(right.T):
        hit |= across == entries
    return np.asarray((hit & (across > 0)).T)


@lru_cache(maxsize=2**16)
def context(source: str | None) -> list[int]:
    """Stems of the name of a page or chat, which often names its town."""
    return sorted({stem_hash(word) for word in words(source or "") if len(word) > 3})
