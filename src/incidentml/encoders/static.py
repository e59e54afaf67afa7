"""The encoder that ships: rows of words summed with weights, in numpy alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from incidentml.encoders.base import check_russian, check_texts, unit_rows
from incidentml.encoders.pieces import HashedPieces, hash_pieces, text_words
from incidentml.encoders.tables import LearnedPieces, WordTable
from incidentml.errors import ModelFormatError
from incidentml.numeric import exact_product
from incidentml.persistence import FittedState, Persistent

__all__ = ["StaticEncoder", "repeat_weight"]

#: Word rows are whole numbers up to this, repeats count in eighths: sums over a few hundred words are exact in
#: float32, so that even another processor gives the same bits.
_ROW_MAX = 2047
_REPEAT_STEPS = 8
_CACHE_WORDS = 48_000
_CHUNK = 1024


def repeat_weight(count: int) -> float:
    """Return how much a word counts that stands in a text `count` times."""
    return round((1.0 + math.log(count)) * _REPEAT_STEPS) / _REPEAT_STEPS


class StaticEncoder(Persistent):
    """A text is the weighted sum of the rows of its words: a semantic part and a lexical part side by side.

    The semantic part tells what a post is about: codes of general word vectors, turned by a learned matrix, plus
    learned rows of the pieces (words and their beginnings) that the domain repeats. The lexical part tells which
    street and house it is about: words, beginnings and numbers are hashed into columns, the rare ones with more
    weight. Nothing is drawn at random and sums run in the order of the text: the same text gives the same bits in
    any batch, order and process.

    Train one with `incidentml.encoders.training.train_encoder`, or load the one that ships.

    Parameters
    ----------
    words : WordTable
        Codes of general words.
    turn : ndarray of float32, shape (code columns, semantic columns)
        From codes to the semantic part, with entries up to one.
    pieces : LearnedPieces
        Rows of the semantic part.
    piece_weights : ndarray of uint8, shape (buckets,)
        Weight of any piece in the lexical part, by hash bucket.
    lexical_dim : int
        Columns of the lexical part.
    semantic_share : float
        Part of the cosine that the semantic half decides, between 0 and 1.
    turn_unit, semantic_step : float
        What one of `turn` is worth; length of a step of a word's semantic row.

    Examples
    --------
    >>> import numpy as np
    >>> from incidentml.encoders.tables import LearnedPieces, WordTable
    >>> words = WordTable(["воды", "снег"], np.eye(2, dtype=np.int8), np.ones(2, np.float32))
    >>> pieces = LearnedPieces.quantise(["4сугр"], np.array([[0.0, 1.0]]))
    >>> encoder = StaticEncoder(words, np.eye(2, dtype=np.float32), pieces, np.full(64, 10, dtype=np.uint8),
    ...                         lexical_dim=64, semantic_share=0.5, turn_unit=1.0, semantic_step=0.001)
    >>> vectors = encoder.encode(["Снег", "сугробы", "воды", "🙂"])
    >>> near = vectors[0] @ vectors.T
    >>> bool(near[0] > near[1] > near[2])
    True
    """

    KIND = "static-encoder"

    def __init__(
        self,
        words: WordTable,
        turn: NDArray[Any],
        pieces: LearnedPieces,
        piece_weights: NDArray[Any],
        *,
        lexical_dim: int,
        semantic_share: float,
        turn_unit: float,
        semantic_step: float,
    ) -> None:
        if words.codes.shape[1] != turn.shape[0] or pieces.rows.shape[1] != turn.shape[1]:
            raise ModelFormatError(
                f"{self.KIND}: word_codes {words.codes.shape}, turn {turn.shape} and piece_rows "
                f"{pieces.rows.shape} do not fit together"
            )
        self._words, self._turn, self._pieces, self._weights = words, turn, pieces, piece_weights
        self.lexical_dim = lexical_dim
        self.semantic_share = semantic_share
        self.turn_unit = turn_unit
        self.semantic_step = semantic_step
        self._forget()

    @classmethod
    def build(
        cls,
        words: WordTable,
        turn: NDArray[np.float64],
        pieces: LearnedPieces,
        piece_weights: NDArray[np.uint8],
        *,
        lexical_dim: int,
        semantic_share: float,
    ) -> Self:
        """Build from trained parts and choose the units, so that the longest row of a word just fits."""
        unit = float(np.abs(turn).max()) or 1.0
        encoder = cls(
            words,
            (turn / unit).astype(np.float32),
            pieces,
            piece_weights,
            lexical_dim=lexical_dim,
            semantic_share=semantic_share,
            turn_unit=unit,
            semantic_step=1.0,
        )
        peak = 0.0
        for start in range(0, len(words.vocabulary), _CHUNK):
            some = words.vocabulary[start : start + _CHUNK]
            peak = max(peak, float(np.abs(encoder._semantic(some, hash_pieces(some, lexical_dim))).max()))
        encoder.semantic_step = peak / _ROW_MAX or 1.0
        return encoder

    def _forget(self) -> None:
        self._known: dict[str, int] = {}
        self._rows = np.zeros((1024, self.dim), dtype=np.int16)

    @property
    def semantic_dim(self) -> int:
        """Columns of the semantic part, the first ones of a vector."""
        return int(self._turn.shape[1])

    @property
    def dim(self) -> int:
        """Columns of a vector."""
        return self.semantic_dim + self.lexical_dim

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row per text.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        ndarray of float32, shape (n, dim)
            Unit rows; a text without a single word or number gives a zero row.

        Raises
        ------
        TypeError
            If `texts` is one string or holds something else than strings.
        """
        rows = check_texts(texts)
        out = np.zeros((len(rows), self.dim), dtype=np.float32)
        for start in range(0, len(rows), _CHUNK):
            out[start : start + _CHUNK] = self._encode_chunk(rows[start : start + _CHUNK])
        return out

    def _encode_chunk(self, texts: list[str]) -> NDArray[np.float64]:
        counts: list[dict[str, int]] = []
        fresh: dict[str, None] = {}
        for text in texts:
            seen: dict[str, int] = {}
            for word in text_words(text):
                seen[word] = seen.get(word, 0) + 1
            counts.append(seen)
            fresh.update(dict.fromkeys(word for word in seen if word not in self._known))
        if len(self._known) + len(fresh) > _CACHE_WORDS:
            self._forget()
            fresh = dict.fromkeys(word for seen in counts for word in seen)
        self._learn(list(fresh))
        known = self._known
        indices = np.array([known[word] for seen in counts for word in seen], dtype=np.int32)
        data = np.array([n for seen in counts for n in seen.values()], dtype=np.float32)
        for count in np.unique(data[data > 1]):
            data[data == count] = repeat_weight(int(count))
        used, local = np.unique(indices, return_inverse=True)
        matrix = sp.csr_matrix(
            (data, local, np.cumsum([0] + [len(seen) for seen in counts])), shape=(len(texts), len(used))
        )
        sums = np.asarray(matrix @ self._rows[used].astype(np.float32), dtype=np.float64)
        split = self.semantic_dim
        semantic = unit_rows(sums[:, :split]) * math.sqrt(self.semantic_share)
        lexical = unit_rows(sums[:, split:]) * math.sqrt(1.0 - self.semantic_share)
        return unit_rows(np.hstack([semantic, lexical]))

    def _learn(self, fresh: list[str]) -> None:
        """Compute and keep the rows of words not met before."""
        start, split = len(self._known), self.semantic_dim
        if (need := start + len(fresh)) > len(self._rows):
            grown = np.zeros((max(need, 2 * len(self._rows)), self.dim), dtype=np.int16)
            grown[:start] = self._rows[:start]
            self._rows = grown
        pieces = hash_pieces(fresh, self.lexical_dim)
        steps = np.rint(self._semantic(fresh, pieces) / self.semantic_step)
        self._rows[start:need, :split] = np.clip(steps, -_ROW_MAX, _ROW_MAX)
        self._rows[start:need, split:] = np.clip(self._lexical(len(fresh), pieces), -_ROW_MAX, _ROW_MAX)
        self._known.update((word, start + row) for row, word in enumerate(fresh))

    def _semantic(self, fresh: Sequence[str], pieces: HashedPieces) -> NDArray[np.float64]:
        known, places = self._pieces.find(pieces.keys)
        entries = (self._pieces.scale[places].astype(np.float64), (pieces.rows[known], places))
        matrix = sp.csr_matrix(entries, shape=(len(fresh), len(self._pieces.keys)))
        used, local = np.unique(matrix.indices, return_inverse=True)
        small = sp.csr_matrix((matrix.data, local, matrix.indptr), shape=(len(fresh), len(used)))
        rows = np.asarray(small @ self._pieces.rows[used].astype(np.float64))
        table = self._words.places
        general = np.array([(row, table[word]) for row, word in enumerate(fresh) if word in table]).reshape(-1, 2)
        if len(general):
            row, place = general.T
            turned = exact_product(self._words.codes[place], self._turn)
            rows[row] += turned * (self._words.scale[place, None].astype(np.float64) * self.turn_unit)
        return rows

    def _lexical(self, count: int, pieces: HashedPieces) -> NDArray[np.int64]:
        rows = np.zeros((count, self.lexical_dim), dtype=np.int64)
        weights = self._weights[pieces.keys % len(self._weights)].astype(np.int64)
        np.add.at(rows, (pieces.rows[:, None], pieces.columns), pieces.signs * weights[:, None])
        return rows

    def to_state(self) -> FittedState:
        """Return arrays and settings."""
        meta = {
            "lexical_dim": self.lexical_dim,
            "semantic_share": self.semantic_share,
            "turn_unit": self.turn_unit,
            "semantic_step": self.semantic_step,
        }
        arrays = {**self._words.arrays(), **self._pieces.arrays()}
        return FittedState(self.KIND, meta, {**arrays, "turn": self._turn, "piece_weights": self._weights})

    @classmethod
    def from_state(cls, state: FittedState) -> Self:
        """Build from a state and refuse it if it cannot tell Russian texts apart."""
        encoder = cls(
            WordTable.from_arrays(
                state.array("words", 1), state.array("word_codes", 2), state.array("word_scale", 1)
            ),
            state.array("turn", 2),
            LearnedPieces(
                state.array("piece_keys", 1), state.array("piece_rows", 2), state.array("piece_scale", 1)
            ),
            state.array("piece_weights", 1),
            lexical_dim=int(state.setting("lexical_dim")),
            semantic_share=float(state.setting("semantic_share")),
            turn_unit=float(state.setting("turn_unit")),
            semantic_step=float(state.setting("semantic_step")),
        )
        check_russian(encoder)
        return encoder
