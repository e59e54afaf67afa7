"""Which topics an incident may be about: scores of posts, calibrated probabilities of incidents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from incidentml.assignment import level_table
from incidentml.conformal import ConformalSets
from incidentml.fitting import checked_features, checked_labels, held_out_scores, one_against_rest
from incidentml.heads import FeatureSpace, LinearHeads, text_features
from incidentml.numeric import softmax
from incidentml.taxonomy import OUTSIDE, Taxonomy
from incidentml.types import Level

__all__ = ["Opinion", "Told", "TopicModel"]

#: How sharp the opinions on groups and on levels are, and how much that on groups counts beside that on topics;
#: measured on unseen regions.
_GROUP_SCALE, _GROUP_SHARE = 3.0, 0.5
_LEVEL_SCALE = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Opinion:
    """What all posts of one incident say together.

    Attributes
    ----------
    topics, groups : ndarray
        Probability of each topic of `Router.classes_` and of each group of `Router.groups_`.
    levels : ndarray, optional
        Probability of each `Level` by the words alone; None where the router learnt no levels.
    """

    topics: NDArray[np.float64]
    groups: NDArray[np.float64]
    levels: NDArray[np.float64] | None


#: The rows of `Router.score_posts` for the posts of one incident, or what `Router.opinions` made of them.
Told = ArrayLike | Opinion


class TopicModel(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """What a `Router` learns; its parameters are the router's."""

    C: float
    dense_weight: float
    dense_columns: int | None
    max_features: int
    coverage: float
    folds: int
    rubricator: Taxonomy | None

    @property
    def taxonomy(self) -> Taxonomy:
        """The rubricator in use."""
        return Taxonomy.load() if self.rubricator is None else self.rubricator

    # ---- learning

    def fit_texts(
        self, texts: Sequence[str], y: Sequence[str], *, embeddings: ArrayLike | None = None, **options: Any
    ) -> Self:
        """Fit on texts and labels, of the rubricator or of a user's own table; `options` as in `fit`."""
        return self.fit(text_features(texts, embeddings), y, **options)

    def fit(
        self,
        X: Any,
        y: Sequence[str],
        *,
        levels: Sequence[str | None] | None = None,
        groups: Sequence[str] | None = None,
        incidents: Sequence[str | None] | None = None,
    ) -> Self:
        """Fit the heads and calibrate their probabilities.

        Parameters
        ----------
        X : array or CSR matrix
            From `routing_features`, or any features.
        y : sequence of str
            Topics: of the rubricator, or any labels of a user's own.
        levels : sequence of str or None, optional
            Level of power, where known.
        groups : sequence of str, optional
            What cross-validation keeps together (a territory). By default every row on its own.
        incidents : sequence of str or None, optional
            Posts of one incident share a label; probabilities are calibrated for incidents as a whole.

        Returns
        -------
        Router

        Raises
        ------
        ValueError
            If a parameter or feature is out of range, lengths differ, or `y` holds a single topic or no names.
        """
        if not self.C > 0 or not 0 < self.coverage < 1 or self.folds < 2:
            raise ValueError(
                f"Router: C={self.C} must be positive, coverage={self.coverage} between 0 and 1, "
                f"folds={self.folds} at least 2"
            )
        X = checked_features(X, "Router")
        rows = X.shape[0]
        labels = np.array(checked_labels(y, rows, "Router", "topics"), dtype=object)
        if strange := [label for label in labels if not isinstance(label, str)]:
            raise ValueError(
                f"Router: y holds {strange[0]!r}; topics are names: drop such rows or turn them into strings"
            )
        self.classes_ = np.array(sorted(set(labels.tolist())), dtype=object)
        if len(self.classes_) < 2:
            raise ValueError("Router: y holds a single topic, at least two are needed")
        self.n_features_in_ = X.shape[1]
        self._lay_out()
        level = np.array(checked_labels(levels, rows, "Router", "levels"), dtype=object)
        if wrong := set(level[level != None]) - set(Level):  # noqa: E711 - row by row
            raise ValueError(
                f"Router: levels hold {sorted(map(str, wrong))}, expected {[item.value for item in Level]}"
            )
        if groups is not None:
            groups = checked_labels(groups, rows, "Router", "groups")
        incidents = checked_labels(incidents, rows, "Router", "incidents")
        #: Scores of the training rows from heads that have not seen them: what later stages may learn from.
        self.held_scores_ = held = held_out_scores(
            lambda rows: self._heads(X[rows], labels[rows], level[rows]), X, self.folds, groups
        )
        self.heads_ = self._heads(X, labels, level)
        self._calibrate(held, labels, groups, incidents)
        return self

    def _lay_out(self) -> None:
        taxonomy = self.taxonomy
        known = [topic for topic in self.classes_ if topic in taxonomy.topics]
        others = [topic for topic in self.classes_ if topic not in taxonomy.topics]
        groups = [*(taxonomy.groups if known else ()), *others]
        self.groups_ = np.array(groups, dtype=object)
        of = [taxonomy.group_of(topic) if topic in taxonomy.topics else topic for topic in self.classes_]
        self.group_index_ = np.array([groups.index(group) for group in of], dtype=np.int32)
        self.level_votes_ = level_table(taxonomy, self.classes_.tolist())

    def _heads(self, X: Any, labels: NDArray[Any], level: NDArray[Any]) -> LinearHeads:
        space = FeatureSpace(self.dense_weight, self.max_features, self.dense_columns).fit(X)
        design = space.design(X)
        group = self.groups_[self.group_index_[np.searchsorted(self.classes_, labels)]]
        blocks = {
            "topic": one_against_rest(design, labels, self.classes_, self.C),
            "group": one_against_rest(design, group, self.groups_, self.C),
        }
        told = np.array([value is not None for value in level])
        if told.any():
            names = np.array([item.value for item in Level], dtype=object)
            blocks["level"] = one_against_rest(design[told], level[told], names, self.C)
        return LinearHeads.from_weights(space, blocks)

    def _calibrate(
        self,
        held: NDArray[Any],
        labels: NDArray[Any],
        groups: Sequence[str] | None,
        incidents: Sequence[str | None],
    ) -> None:
        names = np.array([key if key else f"\0{i}" for i, key in enumerate(incidents)], dtype=object)
        rows = np.arange(len(labels))
        if groups is not None:
            # Incidents of whole territories are what will be met; single texts for rare topics are harder.
            _, group, size = np.unique(np.asarray(groups, dtype=object), return_inverse=True, return_counts=True)
            if (size[group] > 1).sum() >= 100:
                rows = np.flatnonzero(size[group] > 1)
        held, labels = held[rows], labels[rows]
        _, first, member = np.unique(names[rows], return_index=True, return_inverse=True)
        truth = np.searchsorted(self.classes_, labels[first])
        sizes = np.bincount(member)
        sums = np.zeros((len(first), held.shape[1]))
        np.add.at(sums, member, held)
        best = (np.inf, 1.0, 0.0)
        for power in (0.5, 0.7, 0.85, 1.0):
            pooled = sums / sizes[:, None] ** power
            for scale in (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.5, 8.0, 10.0, 12.5, 15.0):
                p = softmax(self._logits(pooled, scale))
                loss = -np.log(np.maximum(p[np.arange(len(p)), truth], 1e-9)).mean()
                best = min(best, (float(loss), scale, power))
        _, self.topic_scale_, self.pool_power_ = best
        proba = self.topics_proba(sums / sizes[:, None] ** self.pool_power_)
        self.conformal_ = ConformalSets(self.coverage).fit(self._marginal(proba), self.group_index_[truth])

    # ---- scores and probabilities

    def score_posts(self, texts: Sequence[str], embeddings: ArrayLike | None = None) -> NDArray[np.float32]:
        """Return one row of scores per post; rows of an incident's posts are what `route` takes.

        Parameters
        ----------
        texts : sequence of str
        embeddings : array of shape (n, dim), optional
            Given exactly if the features of `fit` had them.

        Returns
        -------
        ndarray of float32, shape (n, k)
        """
        check_is_fitted(self, "heads_")
        return self.heads_.score_texts(texts, embeddings)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of every topic of `classes_`, row by row."""
        check_is_fitted(self, "heads_")
        return self.topics_proba(self.heads_.scores(X))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable topic of every row."""
        check_is_fitted(self, "heads_")
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def _logits(self, scores: NDArray[Any], scale: float) -> NDArray[np.float64]:
        """Join both opinions: a topic's own score, and that of its group, which vague messages tell better."""
        topics = np.asarray(self.heads_.block(scores, "topic"), dtype=np.float64)
        groups = softmax(np.asarray(self.heads_.block(scores, "group"), dtype=np.float64) * _GROUP_SCALE)
        return topics * scale + _GROUP_SHARE * np.round(np.log(np.maximum(groups, 1e-9)), 8)[:, self.group_index_]

    def _marginal(self, topics: NDArray[np.float64]) -> NDArray[np.float64]:
        out = np.zeros((len(topics), len(self.groups_)))
        np.add.at(out.T, self.group_index_, topics.T)
        return out

    def topics_proba(self, scores: NDArray[Any]) -> NDArray[np.float64]:
        """Return the probability of every topic from rows of `score_posts`."""
        check_is_fitted(self, "heads_")
        return softmax(self._logits(scores, self.topic_scale_))

    def groups_proba(self, scores: NDArray[Any]) -> NDArray[np.float32]:
        """Return the probability of every group of the rubricator, in its order, from rows of `score_posts`."""
        proba = self._marginal(self.topics_proba(scores))
        return np.asarray(proba[:, self.groups_ != OUTSIDE], dtype=np.float32)

    def pool(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Return one row for all the posts of an incident; their order does not count."""
        rows = np.asarray(scores, dtype=np.float64)
        if rows.ndim != 2 or not len(rows) or rows.shape[1] != self.heads_.width:
            raise ValueError(
                f"scores have shape {rows.shape}, expected (posts, {self.heads_.width}), at least one row"
            )
        return np.asarray(rows.sum(axis=0, keepdims=True) / len(rows) ** self.pool_power_)

    def opinions(self, incidents: Sequence[ArrayLike]) -> list[Opinion]:
        """Return what the posts of each incident say together.

        Parameters
        ----------
        incidents : sequence of array of shape (posts, k)
            For each incident the rows of `score_posts` of its posts.
        """
        check_is_fitted(self, "heads_")
        if not incidents:
            return []
        pooled = np.concatenate([self.pool(scores) for scores in incidents])
        topics = self.topics_proba(pooled)
        groups = self._marginal(topics)
        levels: list[NDArray[np.float64] | None] = [None] * len(pooled)
        if "level" in self.heads_.blocks_:
            levels = [*softmax(np.asarray(self.heads_.block(pooled, "level")) * _LEVEL_SCALE)]
        return [Opinion(*parts) for parts in zip(topics, groups, levels, strict=True)]

    def _opinion(self, told: Told) -> Opinion:
        return told if isinstance(told, Opinion) else self.opinions([told])[0]
