"""Linear heads on embeddings and words: whole-number weights, so that every product is exact.

Shared by the router and the priority scorer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.base import BaseEstimator

from incidentml.lexical import LEXICAL_SIZE, ROW_UNIT, LexicalWeights, lexical_counts
from incidentml.numeric import exact_product, on_grid
from incidentml.persistence import FittedState, Persistent
from incidentml.word_scores import WordScores

__all__ = ["FeatureSpace", "LinearHeads", "text_features"]

#: Scores are multiples of 2**-10: sums of thousands of them stay exact, so posts may be pooled in any order.
SCORE_BITS = 10


def text_features(texts: Sequence[str], embeddings: ArrayLike | None = None) -> Any:
    """Return the features of texts: embeddings (if any), then counts of hashed words and letter n-grams.

    Parameters
    ----------
    texts : sequence of str
    embeddings : array of shape (n, dim), optional

    Returns
    -------
    scipy.sparse.csr_matrix of shape (n, dim + 2**18)

    Examples
    --------
    >>> text_features(["нет воды", "яма на дороге"], [[1.0, 0.0], [0.0, 1.0]]).shape
    (2, 262146)
    """
    counts = lexical_counts(texts)
    if embeddings is None:
        return counts
    dense = np.asarray(embeddings, dtype=np.float32)
    if dense.ndim != 2 or len(dense) != len(texts):
        raise ValueError(f"embeddings have shape {dense.shape}, expected ({len(texts)}, dim): one row a text")
    return sparse.hstack([sparse.csr_matrix(dense), counts], format="csr", dtype=np.float32)


def _split(X: Any) -> tuple[NDArray[np.float64], Any | None]:
    """Return the dense and the lexical part of features."""
    if sparse.issparse(X):
        rows = sparse.csr_matrix(X)
        width = rows.shape[1] - LEXICAL_SIZE
        if width >= 0:
            return rows[:, :width].toarray().astype(np.float64), rows[:, width:]
        return rows.toarray().astype(np.float64), None
    dense = np.asarray(X, dtype=np.float64)
    if dense.ndim != 2:
        raise ValueError(f"features have {dense.ndim} axes, expected 2")
    return dense, None


class FeatureSpace(BaseEstimator, Persistent):  # type: ignore[misc]
    """Puts dense and lexical features on one scale.

    Parameters
    ----------
    dense_weight : float
        Length of the dense part against 1 for the lexical part.
    max_features : int
        Lexical buckets to keep.
    dense_columns : int, optional
        Keep only so many first dense columns, scaled to unit length.
    """

    KIND = "feature-space"

    dense_given_: int
    dense_size_: int
    lexical_: LexicalWeights | None

    def __init__(
        self, dense_weight: float = 1.0, max_features: int = 30_000, dense_columns: int | None = None
    ) -> None:
        self.dense_weight = dense_weight
        self.max_features = max_features
        self.dense_columns = dense_columns

    def fit(self, X: Any) -> Self:
        """Choose the lexical buckets."""
        dense, counts = _split(X)
        self.dense_given_ = dense.shape[1]
        self.dense_size_ = min(self.dense_given_, self.dense_columns or self.dense_given_)
        self.lexical_ = None if counts is None else LexicalWeights(self.max_features).fit(counts)
        return self

    @property
    def size(self) -> int:
        """Number of columns of `design`."""
        return self.dense_size_ + (0 if self.lexical_ is None else len(self.lexical_.kept_))

    def parts(self, X: Any) -> tuple[NDArray[np.float64], Any | None]:
        """Return the scaled dense part and the weighted lexical part (whole numbers, `ROW_UNIT` long)."""
        dense, counts = _split(X)
        return self._check(dense), None if self.lexical_ is None else self.lexical_.transform(counts)

    def parts_of_texts(
        self, texts: Sequence[str], embeddings: ArrayLike | None
    ) -> tuple[NDArray[np.float64], Any]:
        """Return the same as ``parts(text_features(texts, embeddings))``, faster."""
        dense = np.zeros((len(texts), 0)) if embeddings is None else np.asarray(embeddings, dtype=np.float64)
        return self._check(dense), None if self.lexical_ is None else self.lexical_.transform_texts(texts)

    def _check(self, dense: NDArray[np.float64]) -> NDArray[np.float64]:
        if dense.ndim != 2 or dense.shape[1] != self.dense_given_:
            raise ValueError(
                f"features have a dense part of shape {dense.shape}, the model was fitted with {self.dense_given_}"
                " columns; use the encoder that it was trained with"
            )
        if self.dense_columns is not None:
            dense = dense[:, : self.dense_columns]
            norms = np.sqrt(np.square(dense).sum(axis=1, keepdims=True))
            dense = dense / np.where(norms > 0, norms, 1.0)
        return np.asarray(on_grid(dense * self.dense_weight, 12), dtype=np.float64)

    def design(self, X: Any) -> Any:
        """Return one CSR matrix for a linear solver."""
        dense, lexical = self.parts(X)
        if lexical is None:
            return sparse.csr_matrix(dense)
        return sparse.hstack([sparse.csr_matrix(dense), lexical / ROW_UNIT], format="csr")

    def to_state(self) -> FittedState:
        """Return the settings and the lexical weights."""
        meta = {
            "dense_weight": self.dense_weight,
            "max_features": self.max_features,
            "dense_columns": self.dense_columns,
            "dense_given": self.dense_given_,
        }
        return FittedState(
            self.KIND, meta, {}, {} if self.lexical_ is None else {"lexical": self.lexical_.to_state()}
        )

    @classmethod
    def from_state(cls, state: FittedState) -> Self:
        """Build a fitted space from a state."""
        space = cls(*(state.setting(name) for name in ("dense_weight", "max_features", "dense_columns")))
        space.dense_given_ = state.setting("dense_given")
        space.dense_size_ = min(space.dense_given_, space.dense_columns or space.dense_given_)
        space.lexical_ = LexicalWeights.from_state(state.part("lexical")) if "lexical" in state.parts else None
        return space


class LinearHeads(Persistent):
    """Named blocks of linear scores over one `FeatureSpace`.

    Built from float weights by `from_weights`; weights of words are whole numbers (`WordScores`).
    """

    KIND = "linear-heads"

    space_: FeatureSpace
    dense_: NDArray[np.float32]
    words_: WordScores | None
    bias_: NDArray[np.float64]
    blocks_: dict[str, int]

    @classmethod
    def from_weights(
        cls, space: FeatureSpace, blocks: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]]
    ) -> Self:
        """Quantise weights.

        Parameters
        ----------
        space : FeatureSpace
        blocks : mapping of str to (weights of shape (k, space.size), bias of shape (k,))
        """
        heads = cls()
        heads.space_ = space
        heads.blocks_ = {name: len(bias) for name, (_, bias) in blocks.items()}
        weights = np.concatenate([w for w, _ in blocks.values()]).T
        heads.bias_ = np.concatenate([b for _, b in blocks.values()]).astype(np.float64)
        heads.dense_ = np.asarray(on_grid(weights[: space.dense_size_], 12), dtype=np.float32)
        words = space.lexical_
        heads.words_ = None if words is None else WordScores.from_weights(words, weights[space.dense_size_ :])
        return heads

    @property
    def width(self) -> int:
        """Number of scores in a row."""
        return len(self.bias_)

    def scores(self, X: Any) -> NDArray[np.float32]:
        """Return one row of scores per row of features."""
        return self._product(*self.space_.parts(X))

    def score_texts(self, texts: Sequence[str], embeddings: ArrayLike | None) -> NDArray[np.float32]:
        """Return the scores of texts."""
        return self._product(*self.space_.parts_of_texts(texts, embeddings))

    def _product(self, dense: NDArray[np.float64], lexical: Any | None) -> NDArray[np.float32]:
        total = np.repeat(self.bias_[None, :], len(dense), axis=0)
        if self.space_.dense_size_:
            total += exact_product(dense, self.dense_)
        if self.words_ is not None:
            total += self.words_.of_rows(lexical)
        return np.asarray(on_grid(total, SCORE_BITS), dtype=np.float32)

    def block(self, scores: NDArray[Any], name: str) -> NDArray[Any]:
        """Return the columns of one block."""
        start = 0
        for other, width in self.blocks_.items():
            if other == name:
                return scores[..., start : start + width]
            start += width
        raise KeyError(name)

    def to_state(self) -> FittedState:
        """Return the quantised weights."""
        arrays: dict[str, NDArray[Any]] = {"dense": self.dense_, "bias": self.bias_}
        if self.words_ is not None:
            arrays |= {"lexical": self.words_.whole, "scale": self.words_.scale}
        meta = {"blocks": [[name, width] for name, width in self.blocks_.items()]}
        return FittedState(self.KIND, meta, arrays, {"space": self.space_.to_state()})

    @classmethod
    def from_state(cls, state: FittedState) -> Self:
        """Build heads from a state."""
        heads = cls()
        heads.space_ = FeatureSpace.from_state(state.part("space"))
        heads.dense_, heads.bias_ = state.array("dense", 2), state.array("bias", 1)
        words = heads.space_.lexical_
        heads.words_ = (
            None if words is None else WordScores(words, state.array("lexical", 2), state.array("scale", 1))
        )
        heads.blocks_ = {str(name): int(width) for name, width in state.setting("blocks")}
        return heads
