"""The encoder that ships: rows of a word table summed with weights, in numpy alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from incidentml.encoders.base import check_russian, check_texts, unit_rows
from incidentml.encoders.pieces import hash_piece, text_words, word_pieces
from incidentml.errors import ModelFormatError
from incidentml.persistence import FittedState, Persistent

__all__ = ["StaticEncoder"]

#: Word rows lie on whole numbers up to this, counts on eighths: sums of a few hundred words are exact in float32.
_ROW_MAX = 2047
_COUNT_STEPS = 8
_CACHE_WORDS = 24_000
_CHUNK = 1024


class StaticEncoder(Persistent):
    """A text is the weighted sum of the rows of its words: a semantic part and a lexical part side by side.

    The semantic part comes from a trained table and tells what a post is about. The lexical part hashes words,
    their beginnings and numbers into columns, rare ones with more weight, and tells which street and house it is
    about. Nothing is drawn at random and sums run in the order of the text: the same text gives the same bits in
    any batch, order and process.

    Parameters
    ----------
    vocabulary : sequence of str
        Folded words, one per row of `table`.
    table : ndarray of int8, shape (words, semantic columns)
    scale : ndarray of float32, shape (words,)
        Length of one step of a row of `table`, with the weight of the word in it.
    piece_weights : ndarray of uint8, shape (buckets,)
        Weight of a hashed piece in steps of `piece_step`.
    lexical_dim : int
        Columns of the lexical part.
    semantic_share : float
        Part of the cosine that the semantic half decides, between 0 and 1.
    piece_step : float
        Unit of `piece_weights`.

    Examples
    --------
    >>> import numpy as np
    >>> table = np.array([[100, 0], [0, 100]], dtype=np.int8)
    >>> weights = np.full(64, 10, dtype=np.uint8)
    >>> encoder = StaticEncoder(["воды", "снег"], table, np.ones(2, np.float32), weights, lexical_dim=8)
    >>> encoder.encode(["Нет воды!", "🙂"]).shape
    (2, 10)
    """

    KIND = "static-encoder"

    def __init__(
        self,
        vocabulary: Sequence[str],
        table: NDArray[np.int8],
        scale: NDArray[np.float32],
        piece_weights: NDArray[np.uint8],
        *,
        lexical_dim: int = 384,
        semantic_share: float = 0.35,
        piece_step: float = 0.05,
    ) -> None:
        if not len(vocabulary) == len(table) == len(scale):
            raise ModelFormatError(
                f"{self.KIND}: {len(vocabulary)} words, {len(table)} rows and {len(scale)} scales must be as many"
            )
        self._table, self._scale, self._weights = table, scale, piece_weights
        self._words = {word: row for row, word in enumerate(vocabulary)}
        self._vocabulary = list(vocabulary)
        self.lexical_dim, self.semantic_share, self.piece_step = lexical_dim, semantic_share, piece_step
        biggest = (np.abs(table.astype(np.float32)).max(axis=1) * scale).max() if len(table) else 1.0
        self._semantic_unit = float(biggest) / _ROW_MAX or 1.0
        self._lexical_unit = 255 * piece_step * 4 / _ROW_MAX
        self._forget()

    def _forget(self) -> None:
        self._known: dict[str, int] = {}
        self._rows = np.zeros((1024, self.dim), dtype=np.int16)

    @property
    def dim(self) -> int:
        """Columns of a vector."""
        return int(self._table.shape[1]) + self.lexical_dim

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
        indptr = np.cumsum([0] + [len(seen) for seen in counts])
        indices = np.array([self._known[word] for seen in counts for word in seen], dtype=np.int32)
        data = np.array([_tf(n) for seen in counts for n in seen.values()], dtype=np.float32)
        used, local = np.unique(indices, return_inverse=True)
        matrix = sp.csr_matrix((data, local, indptr), shape=(len(texts), len(used)))
        sums = np.asarray(matrix @ self._rows[used].astype(np.float32), dtype=np.float64)
        split = self._table.shape[1]
        semantic = unit_rows(sums[:, :split]) * math.sqrt(self.semantic_share)
        lexical = unit_rows(sums[:, split:]) * math.sqrt(1.0 - self.semantic_share)
        return unit_rows(np.hstack([semantic, lexical]))

    def _learn(self, fresh: list[str]) -> None:
        """Compute and keep the rows of words not met before."""
        start, split = len(self._known), self._table.shape[1]
        if (need := start + len(fresh)) > len(self._rows):
            grown = np.zeros((max(need, 2 * len(self._rows)), self.dim), dtype=np.int16)
            grown[:start] = self._rows[:start]
            self._rows = grown
        rows = np.zeros((len(fresh), self.dim))
        known = [(i, self._words[word]) for i, word in enumerate(fresh) if word in self._words]
        if known:
            i, j = np.array(known).T
            rows[i, :split] = self._table[j] * (self._scale[j, None] / self._semantic_unit)
        for i, word in enumerate(fresh):
            for name in word_pieces(word):
                piece = hash_piece(name, len(self._weights), self.lexical_dim)
                step = float(self._weights[piece.bucket]) * self.piece_step / self._lexical_unit
                for place, sign in zip(piece.places, piece.signs, strict=True):
                    rows[i, split + place] += sign * step
        self._rows[start:need] = np.clip(np.rint(rows), -_ROW_MAX, _ROW_MAX)
        self._known.update((word, start + i) for i, word in enumerate(fresh))

    def to_state(self) -> FittedState:
        """Return arrays and settings."""
        blob = np.frombuffer("\n".join(self._vocabulary).encode("utf-8"), dtype=np.uint8)
        return FittedState(
            self.KIND,
            {
                "lexical_dim": self.lexical_dim,
                "semantic_share": self.semantic_share,
                "piece_step": self.piece_step,
            },
            {"vocabulary": blob, "table": self._table, "scale": self._scale, "piece_weights": self._weights},
        )

    @classmethod
    def from_state(cls, state: FittedState) -> Self:
        """Build from a state and refuse it if it cannot tell Russian texts apart."""
        encoder = cls(
            _split(state.array("vocabulary", 1)),
            state.array("table", 2),
            state.array("scale", 1),
            state.array("piece_weights", 1),
            lexical_dim=int(state.setting("lexical_dim")),
            semantic_share=float(state.setting("semantic_share")),
            piece_step=float(state.setting("piece_step")),
        )
        check_russian(encoder)
        return encoder


def _split(blob: NDArray[Any]) -> list[str]:
    try:
        return blob.astype(np.uint8).tobytes().decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise ModelFormatError(f"static-encoder: array 'vocabulary' is not UTF-8: {error}") from error


def _tf(count: int) -> float:
    return round((1.0 + math.log(count)) * _COUNT_STEPS) / _COUNT_STEPS
