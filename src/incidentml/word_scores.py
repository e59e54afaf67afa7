"""What single words and letter n-grams say: whole-number weights, so that scores are exact in any batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from incidentml.errors import ModelFormatError
from incidentml.fitted_state import FittedState
from incidentml.lexical import ROW_UNIT, LexicalWeights

__all__ = ["WordScores"]

_TOP = 127


class WordScores:
    """Linear scores from the chosen buckets of `lexical_counts`.

    Parameters
    ----------
    weights : LexicalWeights
        Fitted: which buckets count, and how much.
    whole : int8 array of shape (n_buckets, n_scores)
    scale : float64 array of shape (n_scores,)
        What a score of one whole number is worth.
    """

    KIND = "complaint-word-scores"

    def __init__(self, weights: LexicalWeights, whole: NDArray[np.int8], scale: NDArray[np.float64]) -> None:
        if whole.shape != (len(weights.kept_), len(scale)):
            raise ModelFormatError(
                f"{self.KIND}: whole has shape {whole.shape}, but there are {len(weights.kept_)} buckets and"
                f" {len(scale)} scales; take the model from its source again"
            )
        self.weights, self.whole, self.scale = weights, whole, scale

    @classmethod
    def from_weights(cls, weights: LexicalWeights, coef: NDArray[np.float64]) -> Self:
        """Round `coef`, given per unit length of a row, to whole numbers with one scale a score."""
        top = np.abs(coef).max(axis=0, initial=0.0)
        scale = np.where(top > 0, top / _TOP, 1.0)
        return cls(weights, np.rint(coef / scale).astype(np.int8), scale / ROW_UNIT)

    def scores(self, counts: Any) -> NDArray[np.float64]:
        """Return scores of rows of counts."""
        return self.of_rows(self.weights.transform(counts))

    def score_texts(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the same as ``scores(lexical_counts(texts))``, faster."""
        return self.of_rows(self.weights.transform_texts(texts))

    def of_rows(self, rows: Any) -> NDArray[np.float64]:
        """Return scores of what `weights` makes of texts or counts."""
        # Whole numbers below 2**24 in every partial sum: exact in float32 in any order.
        product: NDArray[np.float32] = rows @ self.whole.astype(np.float32)
        return product.astype(np.float64) * self.scale

    def to_state(self) -> FittedState:
        """Return the buckets and the whole-number weights."""
        arrays: dict[str, NDArray[Any]] = {"whole": self.whole, "scale": self.scale}
        return FittedState(self.KIND, {}, arrays, {"weights": self.weights.to_state()})

    @classmethod
    def from_state(cls, state: FittedState) -> Self:
        """Build from a state."""
        weights = LexicalWeights.from_state(state.part("weights"))
        return cls(weights, state.array("whole", 2), state.array("scale", 1))
