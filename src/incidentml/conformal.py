"""Sets of classes that hold the true one with a stated probability."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from incidentml.persistence import FittedState, Persistent

__all__ = ["ConformalSets"]


class ConformalSets(BaseEstimator, Persistent):  # type: ignore[misc]
    """Split-conformal prediction sets with a threshold for every class.

    A class enters the set of a case if its probability is not below its threshold. Thresholds come from cases that
    the model did not learn from; classes with few such cases borrow from all of them together.

    Parameters
    ----------
    coverage : float
        Share of cases whose true class the set must hold.
    min_cases : int
        Cases of a class at which its own threshold counts as much as the common one.

    Examples
    --------
    >>> sets = ConformalSets(0.9).fit([[0.8, 0.2], [0.3, 0.7]] * 20, [0, 1] * 20)
    >>> sets.sets([[0.9, 0.1]]).tolist()
    [[True, False]]
    """

    KIND = "conformal-sets"

    def __init__(self, coverage: float = 0.9, min_cases: int = 20) -> None:
        self.coverage = coverage
        self.min_cases = min_cases

    def fit(self, proba: ArrayLike, truth: ArrayLike) -> Self:
        """Learn the thresholds from held-out probabilities and the true classes (as column numbers)."""
        p = np.asarray(proba, dtype=np.float64)
        y = np.asarray(truth, dtype=np.intp)
        if not 0 < self.coverage < 1:
            raise ValueError(f"ConformalSets: coverage is {self.coverage}, expected between 0 and 1")
        if p.ndim != 2 or len(p) != len(y) or not len(y):
            raise ValueError(f"ConformalSets: probabilities {p.shape} and classes {y.shape} do not fit together")
        own = p[np.arange(len(y)), y]
        common = _lower_quantile(own, self.coverage)
        thresholds = np.full(p.shape[1], common)
        for label in np.unique(y):
            mine = own[y == label]
            share = len(mine) / (len(mine) + self.min_cases)
            thresholds[label] = share * _lower_quantile(mine, self.coverage) + (1 - share) * common
        self.thresholds_ = thresholds
        return self

    def sets(self, proba: ArrayLike) -> NDArray[np.bool_]:
        """Return which classes are in the set of each row; the most probable one always is."""
        check_is_fitted(self, "thresholds_")
        p = np.asarray(proba, dtype=np.float64)
        inside: NDArray[np.bool_] = p >= self.thresholds_
        # Never empty: thresholds learnt beside an encoder that knew the labels are too high for new territories.
        inside[np.arange(len(p)), p.argmax(axis=1)] = True
        return inside

    def to_state(self) -> FittedState:
        """Return the thresholds."""
        check_is_fitted(self, "thresholds_")
        meta: dict[str, Any] = {"coverage": self.coverage, "min_cases": self.min_cases}
        return FittedState(self.KIND, meta, {"thresholds": self.thresholds_})

    @classmethod
    def from_state(cls, state: FittedState) -> Self:
        """Build from a state."""
        sets = cls(state.setting("coverage"), state.setting("min_cases"))
        sets.thresholds_ = state.array("thresholds", 1)
        return sets


def _lower_quantile(values: NDArray[np.float64], coverage: float) -> float:
    """Return the threshold that a new case passes with probability `coverage`, counting that it is new."""
    ordered = np.sort(values)
    rank = int(np.floor((1 - coverage) * (len(ordered) + 1))) - 1
    return float(ordered[rank]) if rank >= 0 else 0.0
