"""Whether new posts still look like those that the model learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_array, check_is_fitted

from incidentml.numeric import on_grid
from incidentml.persistence import FittedState, Persistent

__all__ = ["DriftMonitor", "DriftReport", "column_sums"]

#: A column that hardly varies in training shifts by this at least before it counts as one spread.
_LEAST_SPREAD = 1e-2
#: One column counts for no more than so many spreads.
_FARTHEST = 3.0
#: Features are rounded to this grid before they are added up, so that every sum is exact.
_SUM_BITS = 16
#: Rows added at a time: their copies stay in the cache of a processor.
_BLOCK = 256
#: Territories that differ by chance alone give no scale.
_LEAST_LIMIT = 0.02


@dataclass(frozen=True, slots=True)
class DriftReport:
    """How far a batch lies from the training data.

    Attributes
    ----------
    posts : int
        Size of the batch.
    distance : float
        Root mean square of the shifts from the nearest territory of the training data, in standard deviations.
    limit : float
        Beyond it the batch is farther away than any training territory was from its nearest, with the tolerance.
    retrain : bool
        Whether it is beyond; False for a batch too small to judge.
    shifts : tuple of (str, float)
        The columns that moved most, in standard deviations.
    reasons : tuple of str
        In Russian.
    """

    posts: int
    distance: float
    limit: float
    retrain: bool
    shifts: tuple[tuple[str, float], ...]
    reasons: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the entry ``drift`` of ``run.json``."""
        return {
            "posts": self.posts,
            "distance": self.distance,
            "limit": self.limit,
            "retrain": self.retrain,
            "shifts": dict(self.shifts),
            "reasons": list(self.reasons),
        }


class DriftMonitor(BaseEstimator, Persistent):  # type: ignore[misc]
    """Compares the mean of a batch of posts with the means of the territories of the training data.

    What counts is the nearest territory: a batch may be like a quiet region or like a busy city page. The scale
    comes from the training data itself: how far a territory lies from the one nearest to it.

    Parameters
    ----------
    tolerance : float, default=2.0
        A batch calls for retraining beyond this many times the loneliest training territory.
    min_posts : int, default=100
        Smaller batches are not judged.

    Attributes
    ----------
    names_ : list of str
        The territories.
    means_, counts_ : arrays of shape (n_territories, d), (n_territories,)
    spread_ : array of shape (d,)
        Of posts inside a territory.
    limit_ : float

    Examples
    --------
    >>> rng = np.random.RandomState(0)
    >>> X = rng.normal(size=(300, 3))
    >>> monitor = DriftMonitor().fit(X, groups=["a", "b", "c"] * 100)
    >>> monitor.report(X[:100]).retrain, monitor.report(X[:100] + 2).retrain
    (False, True)
    """

    KIND = "drift-monitor"

    def __init__(self, tolerance: float = 2.0, min_posts: int = 100) -> None:
        self.tolerance = tolerance
        self.min_posts = min_posts

    def fit(self, X: ArrayLike, y: object = None, *, groups: Sequence[Any]) -> Self:
        """Remember means and spreads, and the distances between territories.

        Parameters
        ----------
        X : array of shape (n, d)
            Rows of `complaint_features`, or any features.
        y : ignored
        groups : sequence
            Territory of each row, two at least.

        Raises
        ------
        ValueError
            If there is not one group for each row, or only one territory.
        """
        rows = check_array(X, dtype=np.float64)
        named = np.array([str(group) for group in groups])
        self.names_ = sorted(set(named.tolist()))
        if len(named) != len(rows) or len(self.names_) < 2:
            raise ValueError(
                f"{len(named)} groups of {len(self.names_)} names for {len(rows)} rows: give two at least"
            )
        inside = [rows[named == name] for name in self.names_]
        self.counts_ = np.array([len(part) for part in inside], dtype=np.float64)
        self.means_ = np.stack([part.mean(axis=0) for part in inside])
        self.spread_ = np.sqrt(np.mean([part.var(axis=0) for part in inside], axis=0)) + _LEAST_SPREAD
        self.n_features_in_ = rows.shape[1]
        gaps = []
        for place, part in enumerate(inside):
            others = np.arange(len(inside)) != place
            gaps.append(self._nearest(self.means_[place], len(part), others)[0])
        self.limit_ = max(*gaps, _LEAST_LIMIT)
        return self

    def report(self, X: ArrayLike, names: Sequence[str] | None = None) -> DriftReport:
        """Compare a batch with the training data; no labels are needed.

        Parameters
        ----------
        X : array of shape (n, d)
            With the columns of `fit`.
        names : sequence of str, optional
            Names of the columns, for the shifts; `complaints.facts.fact_name` gives Russian ones.

        Returns
        -------
        DriftReport

        Raises
        ------
        ValueError
            If the number of columns differs.
        """
        check_is_fitted(self)
        rows = check_array(X, dtype=np.float64)
        if rows.shape[1] != self.n_features_in_:
            raise ValueError(f"X has {rows.shape[1]} columns, the training data had {self.n_features_in_}")
        return self.report_sums(column_sums(rows), len(rows), names)

    def report_sums(
        self, sums: NDArray[np.float64], posts: int, names: Sequence[str] | None = None
    ) -> DriftReport:
        """Compare a batch that was read in parts.

        Parameters
        ----------
        sums : array of shape (d,)
            `column_sums` of the parts, added up.
        posts : int
            Rows of all parts.
        names : sequence of str, optional

        Returns
        -------
        DriftReport
        """
        check_is_fitted(self)
        if posts < self.min_posts:
            reason = f"записей {posts}, для суждения нужно {self.min_posts}"
            return DriftReport(posts, 0.0, round(self.limit_ * self.tolerance, 4), False, (), (reason,))
        distance, nearest = self._nearest(sums / posts, posts, np.ones(len(self.names_), dtype=bool))
        limit = self.limit_ * self.tolerance
        shift = (sums / posts - self.means_[nearest]) / self.spread_
        labels = list(names) if names is not None else [f"столбец {i}" for i in range(len(shift))]
        strongest = np.argsort(-np.abs(shift).round(3), kind="stable")
        shown = [int(i) for i in strongest if not labels[i].startswith(("hashed", "meaning"))][:10]
        retrain = distance > limit
        advice = "пора разметить новые записи и обучить заново" if retrain else "данные похожи на обучающие"
        return DriftReport(
            posts=posts,
            distance=round(distance, 4),
            limit=round(limit, 4),
            retrain=retrain,
            shifts=tuple((labels[i], round(float(shift[i]), 3)) for i in shown),
            reasons=(f"сдвиг {distance:.2f} при пределе {limit:.2f}: {advice}",),
        )

    def _nearest(self, mean: NDArray[np.float64], posts: int, among: NDArray[np.bool_]) -> tuple[float, int]:
        """Return the distance to the nearest territory, and which it is."""
        shifts = np.clip((mean - self.means_) / self.spread_, -_FARTHEST, _FARTHEST)
        chance = 1.0 / posts + 1.0 / self.counts_  # what the squares of shifts are by chance alone
        distances = np.sqrt(np.maximum(np.square(shifts).mean(axis=1) - chance, 0.0))
        place = int(np.where(among, distances, np.inf).argmin())
        return float(distances[place]), place

    def to_state(self) -> FittedState:
        """Return means, spreads and the limit."""
        check_is_fitted(self)
        return FittedState(
            self.KIND,
            meta={"parameters": self.get_params(), "limit": self.limit_, "names": self.names_},
            arrays={"means": self.means_, "counts": self.counts_, "spread": self.spread_},
        )

    @classmethod
    def from_state(cls, state: FittedState) -> Self:
        """Build a fitted monitor."""
        monitor = cls(**state.setting("parameters"))
        monitor.names_, monitor.limit_ = list(state.setting("names")), float(state.setting("limit"))
        monitor.means_, monitor.counts_ = state.array("means", 2), state.array("counts", 1)
        monitor.spread_ = state.array("spread", 1)
        monitor.n_features_in_ = monitor.means_.shape[1]
        return monitor


def column_sums(X: ArrayLike) -> NDArray[np.float64]:
    """Return the sums of columns, the same to the last bit for any order of rows and any parts of them.

    Parameters
    ----------
    X : array of shape (n, d)

    Returns
    -------
    float64 array of shape (d,)
    """
    rows = np.asarray(X)
    total = np.zeros(rows.shape[1], dtype=np.float64)
    for start in range(0, len(rows), _BLOCK):
        total += on_grid(rows[start : start + _BLOCK], _SUM_BITS).sum(axis=0)
    return total
