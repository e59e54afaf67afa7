"""What a person should label next, and whether new posts still look like those the model learned from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_array, check_is_fitted

from incidentml.errors import DataError
from incidentml.numeric import unit_grid
from incidentml.persistence import FittedState, Persistent
from incidentml.text import fingerprint
from incidentml.types import Post, PostKey, Verdict

__all__ = ["DriftMonitor", "DriftReport", "ReviewItem", "select_for_review"]

_POOL = 6


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """A post to label, and why.

    Attributes
    ----------
    key : PostKey
    why : {"uncertain", "random"}
        Unsure and unlike the others chosen, or drawn at random.
    probability : float
        Of a complaint.
    weight : float or None
        Of random ones: how many posts it stands for in unbiased figures.
    """

    key: PostKey
    why: Literal["uncertain", "random"]
    probability: float
    weight: float | None = None


def select_for_review(
    posts: Sequence[Post],
    verdicts: Sequence[Verdict],
    embeddings: ArrayLike,
    budget: int,
    *,
    threshold: float = 0.4,
    random_share: float = 0.2,
    seed: int = 0,
) -> list[ReviewItem]:
    """Choose posts for labelling.

    Parameters
    ----------
    posts : sequence of Post
    verdicts : sequence of Verdict
        Of the same posts.
    embeddings : array of shape (n, dim)
        Vectors of their texts; with them it chooses posts that are unlike one another.
    budget : int
        How many a person will read.
    threshold : float, default=0.4
        The complaint probability at which the decision turns; see `ComplaintClassifier.thresholds`.
    random_share : float, default=0.2
        Part of the budget drawn at random from all posts: only these give unbiased figures.
    seed : int
        Of the random part.

    Returns
    -------
    list of ReviewItem
        The random ones first. Copies of one text are taken once; the order of the posts does not matter.

    Raises
    ------
    DataError
        If there is not one verdict and one vector for each post.
    ValueError
        If `budget` or `random_share` is out of range.

    Examples
    --------
    >>> from datetime import datetime, timezone
    >>> from incidentml.types import Concreteness, Kind
    >>> when = datetime(2024, 1, 1, tzinfo=timezone.utc)
    >>> posts = [Post(str(i), "vk", f"текст {i}", when) for i in range(9)]
    >>> verdicts = [Verdict(Kind.OTHER, {}, i / 10, False, Concreteness(0.0)) for i in range(9)]
    >>> chosen = select_for_review(posts, verdicts, np.eye(9), 3, random_share=0.0)
    >>> sorted(item.key.id for item in chosen)
    ['3', '4', '5']
    """
    vectors = unit_grid(embeddings)
    if not len(posts) == len(verdicts) == len(vectors):
        raise DataError(
            f"{len(posts)} posts, {len(verdicts)} verdicts and {len(vectors)} embeddings: give one each"
        )
    if budget < 1 or not 0 <= random_share <= 1:
        raise ValueError(f"budget={budget!r} must be at least 1 and random_share={random_share!r} within 0 and 1")
    draws = [_draw(post.key, seed) for post in posts]
    order = sorted(range(len(posts)), key=lambda row: draws[row])
    quota = min(round(budget * random_share), len(posts))
    taken = order[:quota]
    seen = {fingerprint(posts[row].text) for row in taken}
    pool: list[int] = []
    for row in sorted(order, key=lambda r: (abs(verdicts[r].complaint_probability - threshold), draws[r])):
        mark = fingerprint(posts[row].text)
        if mark not in seen and len(pool) < _POOL * budget:
            seen.add(mark)
            pool.append(row)
    gaps = np.array([abs(verdicts[row].complaint_probability - threshold) for row in pool])
    unsure = [pool[i] for i in _spread(vectors[pool], gaps, min(budget - quota, len(pool)))] if pool else []
    return [
        *(
            ReviewItem(posts[r].key, "random", verdicts[r].complaint_probability, len(posts) / quota)
            for r in taken
        ),
        *(ReviewItem(posts[r].key, "uncertain", verdicts[r].complaint_probability) for r in unsure),
    ]


def _draw(key: PostKey, seed: int) -> str:
    return hashlib.blake2b(f"{seed}\0{key.network}\0{key.id}".encode(), digest_size=12).hexdigest()


def _spread(vectors: NDArray[np.float32], gaps: NDArray[np.float64], count: int) -> list[int]:
    """Take the least sure first, then again and again the one that is unsure and far from all taken."""
    value = 1.0 - gaps / max(float(gaps.max()), 1e-9) / 2
    distance = np.ones(len(vectors))
    chosen: list[int] = []
    for _ in range(count):
        score = value * distance
        score[chosen] = -1.0
        best = int(score.argmax())
        chosen.append(best)
        distance = np.minimum(distance, 1.0 - np.clip(vectors @ vectors[best], 0.0, 1.0))
    return chosen


@dataclass(frozen=True, slots=True)
class DriftReport:
    """How far a batch lies from the training data.

    Attributes
    ----------
    distance : float
        Root mean square of the shifts, in standard deviations.
    limit : float
        Beyond it the batch is farther away than any training territory was from the others, with the tolerance.
    retrain : bool
        Whether it is beyond; False for a batch too small to judge.
    shifts : tuple of (str, float)
        The columns that moved most, in standard deviations.
    reasons : tuple of str
        In Russian.
    """

    distance: float
    limit: float
    retrain: bool
    shifts: tuple[tuple[str, float], ...]
    reasons: tuple[str, ...]


class DriftMonitor(BaseEstimator, Persistent):  # type: ignore[misc]
    """Compares batches of posts with the training data, column by column.

    The scale comes from the training data itself: how far each territory lies from all others together.

    Parameters
    ----------
    tolerance : float, default=1.25
        A batch calls for retraining beyond this many times the farthest training territory.
    min_posts : int, default=50
        Smaller batches are not judged.

    Examples
    --------
    >>> rng = np.random.RandomState(0)
    >>> X = rng.normal(size=(300, 3))
    >>> monitor = DriftMonitor().fit(X, groups=["a", "b", "c"] * 100)
    >>> monitor.report(X[:100]).retrain, monitor.report(X[:100] + 2).retrain
    (False, True)
    """

    KIND = "drift-monitor"

    def __init__(self, tolerance: float = 1.25, min_posts: int = 50) -> None:
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
        if len(named) != len(rows) or len(set(named)) < 2:
            raise ValueError(
                f"{len(named)} groups of {len(set(named))} names for {len(rows)} rows: give two at least"
            )
        self.mean_, self.spread_ = rows.mean(axis=0), rows.std(axis=0) + 1e-6
        distances = []
        for name in sorted(set(named)):
            inside, outside = rows[named == name], rows[named != name]
            shift = (inside.mean(axis=0) - outside.mean(axis=0)) / (outside.std(axis=0) + 1e-6)
            distances.append(_distance(shift, len(inside)))
        self.limit_ = float(max(distances))
        self.n_features_in_ = rows.shape[1]
        return self

    def report(self, X: ArrayLike, names: Sequence[str] | None = None) -> DriftReport:
        """Compare a batch with the training data; no labels are needed.

        Parameters
        ----------
        X : array of shape (n, d)
            With the columns of `fit`.
        names : sequence of str, optional
            Names of the columns (`complaints.features.feature_names`), which make the shifts readable.

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
        shift = (rows.mean(axis=0) - self.mean_) / self.spread_
        distance, limit = _distance(shift, len(rows)), self.limit_ * self.tolerance
        labels = list(names) if names is not None else [f"столбец {i}" for i in range(len(shift))]
        strongest = np.argsort(-np.abs(shift), kind="stable")
        shown = [int(i) for i in strongest if not labels[i].startswith(("hashed", "meaning"))][:10]
        enough = len(rows) >= self.min_posts
        retrain = enough and distance > limit
        reason = (
            f"сдвиг {distance:.2f} при пределе {limit:.2f}: "
            + ("пора разметить новые записи и обучить заново" if retrain else "данные похожи на обучающие")
            if enough
            else f"записей {len(rows)}, для суждения нужно {self.min_posts}"
        )
        return DriftReport(
            distance=round(distance, 4),
            limit=round(limit, 4),
            retrain=retrain,
            shifts=tuple((labels[i], round(float(shift[i]), 3)) for i in shown),
            reasons=(reason,),
        )

    def to_state(self) -> FittedState:
        """Return means, spreads and the limit."""
        check_is_fitted(self)
        return FittedState(
            self.KIND,
            meta={"parameters": self.get_params(), "limit": self.limit_},
            arrays={"mean": self.mean_, "spread": self.spread_},
        )

    @classmethod
    def from_state(cls, state: FittedState) -> Self:
        """Build a fitted monitor."""
        monitor = cls(**state.setting("parameters"))
        monitor.mean_, monitor.spread_ = state.array("mean", 1), state.array("spread", 1)
        monitor.limit_, monitor.n_features_in_ = float(state.setting("limit")), len(monitor.mean_)
        return monitor


def _distance(shift: NDArray[np.float64], n: int) -> float:
    """Root mean square of standardised shifts, less what chance alone gives for `n` rows."""
    return float(np.sqrt(max(np.square(np.clip(shift, -5.0, 5.0)).mean() - 1.0 / n, 0.0)))
