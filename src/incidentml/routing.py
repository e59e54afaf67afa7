"""Which topic an incident is about, which level of power answers for it and which organisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
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

__all__ = ["UNROUTABLE", "Case", "Opinion", "Router", "routing_features", "within_budget"]

#: A second topic less probable than this says nothing to a reader.
_WORTH_TELLING = 0.01
_SETTINGS = ("C", "dense_weight", "dense_columns", "max_features", "coverage", "review_below", "folds")

routing_features = text_features


class Case(NamedTuple):
    """What a router knows of an incident beside its topic.

    Attributes
    ----------
    scale : Scale
        How many are hit.
    place : Place, optional
        Where it is; its settlement stands in for a municipality that is not given.
    region, municipality : str, optional
    page_town : str, optional
        Town after which the pages of its posts are named; stands in where no post names a settlement.
    """

    scale: Scale = Scale.BUILDING
    place: Place | None = None
    region: str | None = None
    municipality: str | None = None
    page_town: str | None = None

    @property
    def where(self) -> str | None:
        """The municipality, or the settlement in its stead, or the town of the page."""
        settlement = (self.place and self.place.settlement) or self.page_town
        return self.municipality or (proper_name(settlement) if settlement else None)

    @property
    def told_by_page(self) -> bool:
        """Whether `where` is known by the name of the page alone."""
        return bool(self.page_town) and not self.municipality and not (self.place and self.place.settlement)


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
        return self._named(self.conformal_.sets(opinion.groups[None])[0], opinion.groups)

    def _named(self, inside: NDArray[np.bool_], groups: NDArray[np.float64]) -> tuple[str, ...]:
        order = np.argsort(-groups, kind="stable")
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
        return self.route_all([self._opinion(told)], [Case(scale, place, region, municipality)])[0]

    def route_all(self, opinions: Sequence[Opinion], cases: Sequence[Case]) -> list[Route]:
        """Decide who answers for each of many incidents; as `route`, in a fraction of the time.

        Parameters
        ----------
        opinions : sequence of Opinion
        cases : sequence of Case
            What else is known of each.

        Returns
        -------
        list of Route
        """
        if not opinions:
            return []
        topics = np.stack([opinion.topics for opinion in opinions])
        order = np.argsort(-topics, axis=1, kind="stable")[:, :3]
        probable = np.take_along_axis(topics, order, axis=1).tolist()
        sets = self.conformal_.sets(np.stack([opinion.groups for opinion in opinions]))
        many = (sets.sum(axis=1) > 2).tolist()
        votes = self._votes(topics, [case.scale for case in cases])
        routes = []
        for row, (opinion, case, best) in enumerate(zip(opinions, cases, order.tolist(), strict=True)):
            topic, certainty = str(self.classes_[best[0]]), probable[row][0]
            alternatives = tuple(
                (str(self.classes_[i]), round(p, 4)) for i, p in zip(best, probable[row], strict=True)
            )
            group = str(self.groups_[self.group_index_[best[0]]])
            record = self.taxonomy.topics.get(topic)
            level, why_level = decide_level(record, votes[row], case.scale, opinion.levels)
            executor, why_executor, open_question = assign_executor(
                self.table, topic, level, case.region, case.where
            )
            reasons = [f"тема «{topic}»: вероятность {certainty:.0%}"]
            if len(alternatives) > 1 and alternatives[1][1] >= _WORTH_TELLING:
                reasons[0] += f", следующая «{alternatives[1][0]}»: {alternatives[1][1]:.0%}"
            reasons += [why_level, *why_executor]
            if case.told_by_page:
                reasons.append(f"город по названию страницы: {case.where}")
            doubts = [open_question] if open_question else []
            if certainty < self.review_below:
                doubts.append(f"вероятность темы {certainty:.0%}, порог {self.review_below:.0%}")
            if topic == OUTSIDE:
                doubts.append("такого вопроса нет в рубрикаторе")
            if many[row]:
                doubts.append(f"возможны группы: {', '.join(self._named(sets[row], opinion.groups))}")
            reasons += [f"нужен человек: {doubt}" for doubt in doubts]
            routes.append(Route(group, topic, alternatives, level, executor, bool(doubts), tuple(reasons)))
        return routes

    def _votes(self, topics: NDArray[np.float64], scales: Sequence[Scale]) -> NDArray[np.float64]:
        """Return for each incident how probable the topics are that the rubricator gives to each level."""
        votes = np.zeros((len(topics), len(Level)))
        for scale in set(scales):
            rows = [row for row, other in enumerate(scales) if other == scale]
            probable, levels = topics[rows].T.copy(), np.zeros((len(Level), len(rows)))
            # topic by topic: the sum of an incident must not hang on how many are judged at once
            for topic, level in zip(*np.nonzero(self.level_votes_[scale]), strict=True):
                levels[level] += probable[topic]
            votes[rows] = levels.T
        return votes

    def explain(self, told: Told, route: Route) -> tuple[str, ...]:
        """Tell in Russian why this body and not another, beyond `Route.reasons`."""
        groups = self.group_set(told)
        lines = [f"группы с покрытием {self.coverage:.0%}: {', '.join(groups) or 'нет'}"]
        for topic, probability in route.topic_alternatives[1:]:
            record = self.taxonomy.topics.get(topic)
            kind = self.taxonomy.executor_types[record.executor_type] if record else "нет в рубрикаторе"
            lines.append(f"не «{topic}» ({kind}): вероятность только {probability:.0%}")
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
