"""What single words and letter n-grams say about the kind of a post: whole-number weights, exact in any batch."""

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
    """Scores of kinds from the chosen buckets of `lexical_counts`.

    Parameters
    ----------
    weights : LexicalWeights
        Fitted: which buckets count, and how much.
    coef : array of shape (n_buckets, n_classes)
        Per unit length of a row; kept as int8 with one scale a class.
    """

    KIND = "complaint-word-scores"

    def __init__(self, weights: LexicalWeights, coef: NDArray[np.float64]) -> None:
        top = np.abs(coef).max(axis=0, initial=0.0)
        self.weights = weights
        self.scale = np.where(top > 0, top / _TOP, 1.0) / ROW_UNIT
        self.whole = np.rint(coef / (self.scale * ROW_UNIT)).astype(np.int8)

    def scores(self, counts: Any) -> NDArray[np.float64]:
        """Return scores of rows of counts."""
        return self._product(self.weights.transform(counts))

    def score_texts(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the same as ``scores(lexical_counts(texts))``, faster."""
        return self._product(self.weights.transform_texts(texts))

    def _product(self, rows: Any) -> NDArray[np.float64]:
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
        made = cls.__new__(cls)
        made.weights = LexicalWeights.from_state(state.part("weights"))
        made.whole, made.scale = state.array("whole", 2), state.array("scale", 1)
        if made.whole.shape != (len(made.weights.kept_), len(made.scale)):
            raise ModelFormatError(
                f"{cls.KIND}: whole has shape {made.whole.shape}, but there are {len(made.weights.kept_)} buckets"
                f" and {len(made.scale)} scales"
            )
        return made
