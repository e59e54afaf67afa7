"""Which topic an incident is about, which level of power answers for it and which organisation."""

from __future__ import annotations

from typing import Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from incidentml.assignment import (
    LEVEL_WORDS,
    UNROUTABLE,
    assign_executor,
    decide_level,
    within_budget,
)
from incidentml.competence import CompetenceTable
from incidentml.conformal import ConformalSets
from incidentml.heads import LinearHeads, text_features
from incidentml.persistence import FittedState, Persistent
from incidentml.places.display import proper_name
from incidentml.taxonomy import OUTSIDE, Taxonomy
from incidentml.topics import Opinion, Told, TopicModel
from incidentml.types import Level, Place, Route, Scale

__all__ = ["UNROUTABLE", "Opinion", "Router", "routing_features", "within_budget"]

_SETTINGS = ("C", "dense_weight", "dense_columns", "max_features", "coverage", "review_below", "folds")

routing_features = text_features


class Router(TopicModel, Persistent):
    """Topic, group, level and executor of an incident, decided from all its posts.

    Parameters
    ----------
    C : float
        Inverse strength of regularisation of the linear heads.
    dense_weight : float
        Weight of the embeddings against the words.
    dense_columns : int, optional
        Use only so many first columns of the embeddings, scaled to unit length: the part of an encoder that tells
        meanings, where the rest repeats words (`StaticEncoder.semantic_dim`). All by default.
    max_features : int
        Hashed words and n-grams to keep.
    coverage : float
        Share of incidents whose true group the conformal set must hold.
    review_below : float
        A topic less probable than this is handed to a person.
    folds : int
        Folds of the internal cross-validation that calibrates probabilities.
    rubricator : Taxonomy, optional
        The shipped one by default.
    competence : CompetenceTable, optional
        The shipped generic one by default.

    Examples
    --------
    >>> texts = ["нет воды", "воды нет второй день", "яма на дороге", "яма у школы"] * 3
    >>> router = Router(folds=2).fit_texts(texts, ["вода", "вода", "дорога", "дорога"] * 3)
    >>> router.predict(routing_features(["опять нет воды"])).tolist()
    ['вода']
    """

    KIND = "router"

    def __init__(
        self,
        *,
        C: float = 1.0,
        dense_weight: float = 0.5,
        dense_columns: int | None = None,
        max_features: int = 30_000,
        coverage: float = 0.9,
        review_below: float = 0.4,
        folds: int = 3,
        rubricator: Taxonomy | None = None,
        competence: CompetenceTable | None = None,
    ) -> None:
        self.C = C
        self.dense_weight = dense_weight
        self.dense_columns = dense_columns
        self.max_features = max_features
        self.coverage = coverage
        self.review_below = review_below
        self.folds = folds
        self.rubricator = rubricator
        self.competence = competence

    @property
    def table(self) -> CompetenceTable:
        """The competence table in use."""
        return CompetenceTable.load() if self.competence is None else self.competence

    def group_set(self, told: Told) -> tuple[str, ...]:
        """Return the groups that hold the true one with probability `coverage`, the most probable first."""
        opinion = self._opinion(told)
        inside = self.conformal_.sets(opinion.groups[None])[0]
        order = np.lexsort((np.arange(len(inside)), -opinion.groups))
        return tuple(str(self.groups_[i]) for i in order if inside[i])

    # ---- decisions

    def topic(self, told: Told) -> str:
        """Return the most probable topic of one incident."""
        return str(self.classes_[self._opinion(told).topics.argmax()])

    def route(
        self,
        told: Told,
        *,
        scale: Scale = Scale.BUILDING,
        place: Place | None = None,
        region: str | None = None,
        municipality: str | None = None,
    ) -> Route:
        """Decide who answers for one incident.

        Parameters
        ----------
        told : array of shape (posts, k) or Opinion
            Rows of `score_posts` for the posts of this incident, or what `opinions` made of them.
        scale : Scale
            How many are hit.
        place : Place, optional
            Where it is; its settlement stands in for a municipality that is not given.
        region, municipality : str, optional

        Returns
        -------
        Route
        """
        opinion = self._opinion(told)
        topics = opinion.topics
        order = np.lexsort((np.arange(len(topics)), -topics))
        topic, certainty = str(self.classes_[order[0]]), float(topics[order[0]])
        alternatives = tuple((str(self.classes_[i]), round(float(topics[i]), 4)) for i in order[:3])
        groups = self.group_set(opinion)
        group = str(self.groups_[self.group_index_[order[0]]])
        votes = (topics[:, None] * self.level_votes_[scale]).sum(axis=0)
        level, why_level = decide_level(self.taxonomy.topics.get(topic), votes, scale, opinion.levels)
        where = municipality or (proper_name(place.settlement) if place and place.settlement else None)
        executor, why_executor, open_question = assign_executor(self.table, topic, level, region, where)
        reasons = [f"тема «{topic}»: вероятность {certainty:.2f}"]
        if len(order) > 1:
            reasons[0] += f", следующая «{alternatives[1][0]}»: {alternatives[1][1]:.2f}"
        reasons += [why_level, *why_executor]
        doubts = [open_question] if open_question else []
        if certainty < self.review_below:
            doubts.append(f"вероятность темы {certainty:.2f} ниже порога {self.review_below:.2f}")
        if topic == OUTSIDE:
            doubts.append("такого вопроса нет в рубрикаторе")
        if len(groups) > 2:
            doubts.append(f"возможны группы: {', '.join(groups)}")
        reasons += [f"нужен человек: {doubt}" for doubt in doubts]
        return Route(group, topic, alternatives, level, executor, bool(doubts), tuple(reasons))

    def explain(self, told: Told, route: Route) -> tuple[str, ...]:
        """Tell in Russian why this body and not another, beyond `Route.reasons`."""
        groups = self.group_set(told)
        lines = [f"группы с покрытием {self.coverage:.0%}: {', '.join(groups) or 'нет'}"]
        for topic, probability in route.topic_alternatives[1:]:
            record = self.taxonomy.topics.get(topic)
            kind = self.taxonomy.executor_types[record.executor_type] if record else "нет в рубрикаторе"
            lines.append(f"не «{topic}» ({kind}): вероятность только {probability:.2f}")
        for level in Level:
            if level != route.level:
                found = self.table.find(route.topic, level)
                if found is not None:
                    lines.append(f"не «{found.rule.executor}»: это {LEVEL_WORDS[level]} уровень")
        return tuple(lines)

    # ---- persistence

    def to_state(self) -> FittedState:
        """Return the fitted state; the tables are package data and are named, not copied."""
        check_is_fitted(self, "heads_")
        meta = {name: getattr(self, name) for name in _SETTINGS}
        meta |= {
            "classes": self.classes_.tolist(),
            "topic_scale": self.topic_scale_,
            "pool_power": self.pool_power_,
            "n_features": self.n_features_in_,
            "taxonomy": self.taxonomy.name,
        }
        parts = {"heads": self.heads_.to_state(), "conformal": self.conformal_.to_state()}
        return FittedState(self.KIND, meta, {}, parts)

    @classmethod
    def from_state(cls, state: FittedState) -> Self:
        """Build a fitted router from a state."""
        router = cls(**{name: state.setting(name) for name in _SETTINGS})
        router.classes_ = np.array(state.setting("classes"), dtype=object)
        router._lay_out()
        router.n_features_in_ = state.setting("n_features")
        for name in ("topic_scale", "pool_power"):
            setattr(router, f"{name}_", float(state.setting(name)))
        router.heads_ = LinearHeads.from_state(state.part("heads"))
        router.conformal_ = ConformalSets.from_state(state.part("conformal"))
        return router
