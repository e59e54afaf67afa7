"""What training starts from: general Russian word vectors and counts, and the counts of the domain."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from incidentml.encoders.pieces import piece_key, word_pieces
from incidentml.errors import MissingExtraError

__all__ = ["PIECE_STEP", "GeneralWords", "WordCounts", "load_general", "piece_buckets"]

PIECE_STEP = 0.05
_BUCKETS = 2**20
#: Words of a typical post: turns the chance of a word into the chance to meet it in a post.
_POST_WORDS = 25
#: No piece counts as rarer than one post in ten thousand.
_RAREST = 1e-4
#: A word of this chance counts half in the semantic part.
_COMMON_WORD = 1e-4


@dataclass(frozen=True)
class GeneralWords:
    """Folded words of a general vocabulary with their counts and vectors, these as codes of their parts."""

    counts: Mapping[str, int]
    rows: Mapping[str, int]
    codes: NDArray[np.uint8]
    parts: NDArray[np.float32]

    def of(self, words: Sequence[str]) -> NDArray[np.float64]:
        """Return the vectors of known words."""
        codes = self.codes[[self.rows[word] for word in words]]
        found = [part[codes[:, number]] for number, part in enumerate(self.parts)]
        return np.hstack(found).astype(np.float32).astype(np.float64)


def load_general() -> GeneralWords:
    """Read the navec news vectors that come with natasha.

    Raises
    ------
    MissingExtraError
        If navec or natasha is not installed.
    """
    try:
        from navec import Navec
    except ImportError as error:
        raise MissingExtraError("navec", "train") from error
    try:
        import natasha
    except ImportError as error:
        raise MissingExtraError("natasha", "train") from error
    (archive,) = (Path(natasha.__file__).parent / "data" / "emb").glob("navec_news_*.tar")
    navec = Navec.load(archive)
    counts: Counter[str] = Counter()
    best: dict[str, int] = {}
    rows: dict[str, int] = {}
    for row, (word, count) in enumerate(zip(navec.vocab.words, navec.vocab.counts, strict=True)):
        if not count:  # <unk> and <pad>
            continue
        folded = word.lower().replace("ё", "е")
        counts[folded] += count
        if count > best.get(folded, 0):
            best[folded], rows[folded] = count, row
    return GeneralWords(counts, rows, navec.pq.indexes, navec.pq.codes)


class WordCounts:
    """How common words and pieces are: half general Russian, half the posts of the domain."""

    def __init__(self, general: GeneralWords, documents: Sequence[Sequence[str]]) -> None:
        self.general, self.documents = general.counts, documents
        self.total = float(sum(general.counts.values()))
        self.domain = Counter(word for document in documents for word in document)
        self.size = float(sum(self.domain.values())) or 1.0
        self.pieces = Counter(
            piece for document in documents for piece in {p for word in set(document) for p in word_pieces(word)}
        )
        self._chances = self._piece_chances()

    def _piece_chances(self) -> dict[str, float]:
        chances: defaultdict[str, float] = defaultdict(float)
        for word, count in self.general.items():
            for piece in word_pieces(word):
                chances[piece] += 0.5 * min(1.0, count / self.total * _POST_WORDS)
        for piece, count in self.pieces.items():
            chances[piece] += 0.5 * count / len(self.documents)
        return chances

    def word_weight(self, word: str) -> float:
        """Return the weight of a word in the semantic part: near one if rare, near zero if everywhere."""
        general = self.general.get(word, 0) / self.total
        chance = 0.5 * general + 0.5 * self.domain.get(word, 0) / self.size
        return _COMMON_WORD / (_COMMON_WORD + chance)

    def piece_weight(self, piece: str) -> float:
        """Return the negative logarithm of the chance to meet a piece in a post."""
        return -math.log(min(1.0, self._chances.get(piece, 0.0) + _RAREST))

    def notable_pieces(self) -> list[str]:
        """Return pieces that weigh clearly less than an unknown one, rarest first."""
        limit = -math.log(_RAREST) - 0.5
        chances = self._chances
        return [p for p in sorted(chances, key=lambda name: (chances[name], name)) if self.piece_weight(p) < limit]


def piece_buckets(counts: WordCounts) -> NDArray[np.uint8]:
    """Return the weights of pieces by hash bucket, in steps of `PIECE_STEP`."""
    buckets = np.full(_BUCKETS, round(-math.log(_RAREST) / PIECE_STEP), dtype=np.uint8)
    for piece in counts.notable_pieces():  # of two in one bucket the more common one, written later, decides
        buckets[piece_key(piece) % _BUCKETS] = round(counts.piece_weight(piece) / PIECE_STEP)
    return buckets
