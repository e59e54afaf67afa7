"""How important an incident is: scale, urgency and a score whose parts can be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from incidentml.errors import ModelFormatError
from incidentml.evidence import (
    RULES,
    STEPS,
    IncidentEvidence,
    looks_of,
    means_of,
    parts_of,
    priority_data,
    rule_hits,
)
from incidentml.fitting import checked_features, checked_labels, checked_ranks, held_out_scores
from incidentml.heads import FeatureSpace, LinearHeads, text_features
from incidentml.numeric import exact_product, on_grid, sigmoid, softmax
from incidentml.persistence import FittedState, Persistent
from incidentml.types import Priority, Scale, Urgency

__all__ = ["IncidentEvidence", "PriorityScorer", "priority_features"]

_SETTINGS = ("C", "danger_recall", "max_features", "folds", "territory_weight")
#: A rule's hits count this much in the features: on the scale of the embeddings.
_RULE_UNIT = 0.25


def priority_features(texts: Sequence[str], embeddings: ArrayLike | None = None) -> Any:
    """Return the features of texts: hits of the lexicons, embeddings (if any), hashed words.

    Examples
    --------
    >>> priority_features(["нет воды"], [[1.0, 0.0]]).shape
    (1, 262150)
    """
    return text_features(texts, _dense(texts, embeddings))


def _dense(texts: Sequence[str], embeddings: ArrayLike | None) -> NDArray[np.float32]:
    rules = rule_hits(texts) * _RULE_UNIT
    if embeddings is None:
        return rules
    vectors = np.asarray(embeddings, dtype=np.float32)
    if vectors.ndim != 2 or len(vectors) != len(texts):
        raise ValueError(f"embeddings have shape {vectors.shape}, expected ({len(texts)}, dim): one row a text")
    return np.hstack([rules, vectors])


class PriorityScorer(BaseEstimator, Persistent):  # type: ignore[misc]
    """Scale, urgency and score of an incident from its posts.

    Parameters
    ----------
    C : float
        Inverse strength of regularisation.
    danger_recall : float
        Share of dangerous incidents that must be called dangerous, in cross-validation; sets the threshold.
    max_features : int
        Hashed words and n-grams to keep.
    folds : int
        Folds of the internal cross-validation that fits the judge of whole incidents and the threshold.
    territory_weight : float
        Weight of a post of a territory (a group of several rows) against a single text: it tells how people write.

    Examples
    --------
    >>> texts = ["искрит провод, током бьёт", "лавочку бы покрасить", "нет тепла третий день", "мусор у дома"] * 4
    >>> scorer = PriorityScorer(folds=2)
    >>> scorer = scorer.fit(priority_features(texts), [3, 0, 2, 1] * 4, ["street", "building"] * 8)
    >>> rows = scorer.score_posts(["искрит провод во дворе"])
    >>> priority = scorer.score(rows, IncidentEvidence())
    >>> priority.score == sum(priority.parts.values())
    True
    """

    KIND = "priority-scorer"

    def __init__(
        self,
        *,
        C: float = 4.0,
        danger_recall: float = 0.92,
        max_features: int = 20_000,
        folds: int = 4,
        territory_weight: float = 2.5,
    ) -> None:
        self.C = C
        self.danger_recall = danger_recall
        self.max_features = max_features
        self.folds = folds
        self.territory_weight = territory_weight

    def fit(
        self,
        X: Any,
        urgency: Sequence[int | None],
        scale: Sequence[str | None],
        *,
        groups: Sequence[str] | None = None,
        incidents: Sequence[str | None] | None = None,
        topics: Sequence[str | None] | None = None,
    ) -> Self:
        """Fit the heads, the judge of whole incidents and the threshold of danger.

        Parameters
        ----------
        X : CSR matrix
            From `priority_features`.
        urgency : sequence of int or None
            0 to 3, where known.
        scale : sequence of str or None
            A step of `Scale`, where known.
        groups : sequence of str, optional
            What cross-validation keeps together.
        incidents : sequence of str or None, optional
            Posts of one incident share a label.
        topics : sequence of str or None, optional
            Topics of the rubricator, where known: what they usually mean helps to judge the urgency.

        Returns
        -------
        PriorityScorer

        Raises
        ------
        ValueError
            If a parameter, feature or label is out of range, lengths differ, or no urgency is known.
        """
        if not self.C > 0 or not 0 < self.danger_recall <= 1 or self.folds < 2:
            raise ValueError(
                f"PriorityScorer: C={self.C} must be positive, danger_recall={self.danger_recall} in (0, 1], "
                f"folds={self.folds} at least 2"
            )
        X, owner = sparse.csr_matrix(checked_features(X, "PriorityScorer")), "PriorityScorer"
        harm = checked_ranks(urgency, X.shape[0], owner, "urgency", range(STEPS + 1))
        steps = checked_ranks(scale, X.shape[0], owner, "scale", [step.value for step in Scale])
        if not (harm >= 0).any():
            raise ValueError("PriorityScorer: urgency is known for no row; give it for some at least")
        if groups is not None:
            groups = checked_labels(groups, X.shape[0], owner, "groups")
        incidents = checked_labels(incidents, X.shape[0], owner, "incidents")
        topics = checked_labels(topics, X.shape[0], owner, "topics")
        weight = np.ones(len(harm))
        if groups is not None:
            _, member, size = np.unique(np.asarray(groups, dtype=object), return_inverse=True, return_counts=True)
            weight[size[member] > 1] = self.territory_weight
        scores = held_out_scores(
            lambda rows: self._heads(X[rows], harm[rows], steps[rows], weight[rows]), X, self.folds, groups
        )
        hits = np.rint(X[:, : len(RULES)].toarray() / _RULE_UNIT)
        held = np.hstack([scores, hits])
        self.heads_ = self._heads(X, harm, steps, weight)
        self._judge(held, harm, weight, incidents, topics)
        return self

    def _heads(
        self, X: Any, harm: NDArray[np.intp], steps: NDArray[np.intp], weight: NDArray[np.float64]
    ) -> LinearHeads:
        from sklearn.linear_model import LogisticRegression

        space = FeatureSpace(1.0, self.max_features).fit(X)
        design = space.design(X)
        weights = np.zeros((STEPS, design.shape[1]))
        bias = np.zeros(STEPS)
        told = harm >= 0
        for step in range(STEPS):
            above = harm[told] > step
            if above.all() or not above.any():
                bias[step] = 4.0 if above.all() else -4.0
                continue
            model = LogisticRegression(C=self.C, solver="liblinear", tol=1e-3, random_state=0)
            model.fit(design[told], above, weight[told])
            weights[step], bias[step] = model.coef_[0], model.intercept_[0]
        told = steps >= 0
        present = np.unique(steps[told])
        scale_weights = np.zeros((len(Scale), design.shape[1]))
        scale_bias = np.full(len(Scale), -20.0)
        if len(present) > 1:
            model = LogisticRegression(C=self.C, max_iter=150, tol=1e-3).fit(
                design[told], steps[told], weight[told]
            )
            coef, intercept = model.coef_, model.intercept_
            if len(present) == 2:
                coef, intercept = np.vstack([-coef[0], coef[0]]) / 2, np.array([-intercept[0], intercept[0]]) / 2
            scale_weights[present], scale_bias[present] = coef, intercept
        elif len(present):
            scale_bias[present] = 0.0
        return LinearHeads.from_weights(space, {"urgency": (weights, bias), "scale": (scale_weights, scale_bias)})

    def _judge(
        self,
        held: NDArray[np.float64],
        harm: NDArray[np.intp],
        weight: NDArray[np.float64],
        incidents: Sequence[str | None],
        topics: Sequence[str | None],
    ) -> None:
        """Fit the second look, at whole incidents, and the threshold that enough of the dangerous ones reach."""
        from sklearn.linear_model import LogisticRegression

        members: dict[str, list[int]] = {}
        for row, name in enumerate(incidents):
            if harm[row] >= 0:
                members.setdefault(name or f"\0{row}", []).append(row)
        first = [rows[0] for rows in members.values()]
        order = [row for rows in members.values() for row in rows]
        starts = np.cumsum([0, *(len(rows) for rows in members.values())], dtype=np.intp)[:-1]
        looks = looks_of(held[order], starts, [topics[row] for row in first])
        truth = harm[first]
        self.judge_ = np.zeros((STEPS, looks.shape[1] + 1))
        for step in range(STEPS):
            above = truth > step
            self.judge_[step, step] = 1.0
            if above.any() and not above.all():
                model = LogisticRegression(C=1.0, max_iter=500).fit(looks, above, weight[first])
                self.judge_[step] = on_grid([*model.coef_[0], model.intercept_[0]], 12)
        danger = np.sort(self._judged(looks[truth == Urgency.DANGER])[:, -1])
        # Whole incidents of territories set the threshold where there are any: single texts are easier.
        real = np.array(first)[truth == Urgency.DANGER]
        if (weight[real] != 1).any():
            danger = np.sort(self._judged(looks[(truth == Urgency.DANGER) & (weight[first] != 1)])[:, -1])
        rank = int((1 - self.danger_recall) * len(danger))
        self.danger_threshold_ = float(min(danger[rank], 0.5)) if len(danger) else 0.5

    def _judged(self, looks: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probabilities that urgency is above each step."""
        return sigmoid(exact_product(looks, self.judge_[:, :-1].T) + self.judge_[:, -1])

    def score_posts(self, texts: Sequence[str], embeddings: ArrayLike | None = None) -> NDArray[np.float32]:
        """Return one row per post: scores of the heads, then hits of the lexicons; what `score` takes.

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
        dense = _dense(texts, embeddings)
        heads = self.heads_.score_texts(texts, dense)
        return np.hstack([heads, dense[:, : len(RULES)] / np.float32(_RULE_UNIT)])

    def score(self, scores: ArrayLike, evidence: IncidentEvidence) -> Priority:
        """Return the priority of one incident.

        Parameters
        ----------
        scores : array of shape (posts, k)
            Rows of `score_posts` for the posts of this incident; their order does not count.
        evidence : IncidentEvidence

        Returns
        -------
        Priority
            `score` is the sum of `parts`. One more post, author, network, house or hit never lowers it.
        """
        return self.score_all([scores], [evidence])[0]

    def score_all(self, incidents: Sequence[ArrayLike], evidence: Sequence[IncidentEvidence]) -> list[Priority]:
        """Return the priority of each of many incidents; as `score`, in a fraction of the time."""
        check_is_fitted(self, "heads_")
        if not incidents:
            return []
        rows, starts = self._stacked(incidents)
        harm = self.heads_.block(rows[:, : self.heads_.width], "urgency")
        steps = self.heads_.block(rows[:, : self.heads_.width], "scale")
        urgencies = self._urgencies(looks_of(rows, starts, [facts.topic for facts in evidence]))
        scales = self._scales(means_of(steps, starts))
        # The score takes the worst post, not the mean: a mild post added to an incident must not calm it.
        worst = sigmoid(np.maximum.reduceat(harm, starts, axis=0)).tolist()
        widest = np.maximum.reduceat((softmax(steps) * np.arange(len(Scale))).sum(axis=1), starts).tolist()
        hits = np.maximum.reduceat(rows[:, self.heads_.width :], starts, axis=0).tolist()
        words = priority_data()["part_names"]
        found = []
        for row, facts in enumerate(evidence):
            parts = parts_of(worst[row], widest[row], dict(zip(RULES, hits[row], strict=True)), facts)
            urgency, danger = urgencies[row]
            reasons = [
                f"{words[name]}: +{value:.1f}".replace(".", ",") for name, value in parts.items() if value > 0
            ]
            if urgency == Urgency.DANGER:
                threshold = f"вероятность {danger:.0%}, порог {self.danger_threshold_:.0%}"
                reasons.insert(0, f"возможна опасность для жизни: {threshold}")
            found.append(Priority(round(sum(parts.values()), 3), parts, urgency, scales[row], tuple(reasons)))
        return found

    def danger(self, scores: ArrayLike, evidence: IncidentEvidence) -> float:
        """Return the probability that an incident is dangerous; `score` compares it with `danger_threshold_`."""
        rows, starts = self._stacked([scores])
        return float(self._judged(looks_of(rows, starts, [evidence.topic]))[0, -1])

    def _stacked(self, incidents: Sequence[ArrayLike]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Return the rows of all incidents, and where each incident's begin."""
        blocks = [np.asarray(scores) for scores in incidents]
        width = self.heads_.width + len(RULES)
        for block in blocks:
            if block.ndim != 2 or not len(block) or block.shape[1] != width:
                raise ValueError(f"scores have shape {block.shape}, expected (posts, {width}), at least one row")
        starts = np.cumsum([0, *(len(block) for block in blocks[:-1])], dtype=np.intp)
        return np.concatenate(blocks).astype(np.float64), starts

    def _urgencies(self, looks: NDArray[np.float64]) -> list[tuple[Urgency, float]]:
        above = self._judged(looks)
        levels = np.minimum(np.rint(above.sum(axis=1)), Urgency.SERIOUS)
        levels[above[:, -1] >= self.danger_threshold_] = Urgency.DANGER
        return [(Urgency(int(level)), danger) for level, danger in zip(levels, above[:, -1].tolist(), strict=True)]

    def _scales(self, steps: NDArray[np.float64]) -> list[Scale]:
        proba = softmax(steps)
        padded = np.pad(proba, ((0, 0), (1, 1)))
        near = padded[:, :-2] + proba + padded[:, 2:]
        every = list(Scale)
        return [every[at] for at in (proba + near).argmax(axis=1).tolist()]

    def to_state(self) -> FittedState:
        """Return the fitted state."""
        check_is_fitted(self, "heads_")
        meta = {name: getattr(self, name) for name in _SETTINGS}
        meta |= {"danger_threshold": self.danger_threshold_, "rules": list(RULES)}
        return FittedState(self.KIND, meta, {"judge": self.judge_}, {"heads": self.heads_.to_state()})

    @classmethod
    def from_state(cls, state: FittedState) -> Self:
        """Build a fitted scorer from a state."""
        if state.setting("rules") != list(RULES):
            raise ModelFormatError(
                f"{cls.KIND}: lexicons {state.setting('rules')}, this version has {list(RULES)}"
            )
        scorer = cls(**{name: state.setting(name) for name in _SETTINGS})
        scorer.danger_threshold_ = float(state.setting("danger_threshold"))
        scorer.judge_ = state.array("judge", 2)
        scorer.heads_ = LinearHeads.from_state(state.part("heads"))
        return scorer
