"""`IncidentClusterer`: complaints in, incidents out, day after day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils.validation import check_is_fitted

from incidentml.errors import DataError, StateError
from incidentml.incidents.advance import Judge, advance
from incidentml.incidents.batch import PostBatch, check_batch
from incidentml.incidents.candidates import Candidates
from incidentml.incidents.clustering import Grouping
from incidentml.incidents.columns import Columns
from incidentml.incidents.company import Company, said
from incidentml.incidents.deciding import TakesDecisions
from incidentml.incidents.decisions import Decision
from incidentml.incidents.derive import columns_of
from incidentml.incidents.lifecycle import let_go
from incidentml.incidents.model import PairModel
from incidentml.incidents.partition import Spread
from incidentml.incidents.pieces import bars
from incidentml.incidents.state import ClusterState, ClusterUpdate, Edges
from incidentml.incidents.training import fit_company, fit_links
from incidentml.incidents.wording import Vocabulary
from incidentml.persistence import FittedState, Persistent, hash_state

__all__ = ["IncidentClusterer"]


class IncidentClusterer(TakesDecisions, ClusterMixin, BaseEstimator, Persistent):  # type: ignore[misc]
    """Groups complaints into incidents by text, place, topic and time.

    It has no `predict`: what a post belongs to depends on the others, so `start` gives an empty state and `update`
    lets posts join. Which posts are one incident depends on the set of posts (and on people's decisions) alone:
    not on their order, on the size of batches or on how regions are spread over runs.

    Parameters
    ----------
    link_floor : float, default=0.1
        Links below this probability are not kept.
    join_floor : float or None, default=None
        Two groups join while the mean probability between them reaches this; None lets `fit` choose it.
    backend : {"hdbscan", "sklearn"}, default="hdbscan"
        Whose HDBSCAN finds dense cores in large components.
    density_from : int, default=8
        Least number of linked posts for that; smaller components need no cores.
    place_days, text_days : float
        How far apart in time a pair with, without a shared place may lie. Later posts are a recurrence.
    horizon_days : float, default=730
        Incidents whose last post is older than this before the newest post are let go at the next update.
    lateness_days : float, default=14
        Posts may arrive so long after newer ones and still get the incidents that they would have got in time.

    Attributes
    ----------
    model_ : PairModel
        Evidence of a pair of posts to the probability that they are about one incident.
    vocabulary_ : Vocabulary
        How rare each word is.
    company_ : Company
        What tells that nobody else speaks of the same.
    join_floor_ : float
        The floor in use.

    Examples
    --------
    >>> import incidentml
    >>> clusterer = incidentml.load().clusterer
    >>> state = clusterer.start()
    >>> len(state), clusterer.join_floor_ > clusterer.link_floor
    (0, True)
    """

    KIND: ClassVar[str] = "incident-clusterer"

    def __init__(
        self,
        *,
        link_floor: float = 0.1,
        join_floor: float | None = None,
        backend: str = "hdbscan",
        density_from: int = 8,
        place_days: float = 14.0,
        text_days: float = 6.0,
        horizon_days: float = 730.0,
        lateness_days: float = 14.0,
    ) -> None:
        self.link_floor = link_floor
        self.join_floor = join_floor
        self.backend = backend
        self.density_from = density_from
        self.place_days = place_days
        self.text_days = text_days
        self.horizon_days = horizon_days
        self.lateness_days = lateness_days

    def fit(self, batch: PostBatch, incident_labels: Sequence[str | None], *, corpus: Iterable[str] = ()) -> Self:
        """Learn from posts whose incidents are known.

        Parameters
        ----------
        batch : PostBatch
            Of several regions, since what is chosen here is chosen by leaving regions out.
        incident_labels : sequence of str or None
            None or "" for a post that is alone.
        corpus : iterable of str, optional
            Further texts, to know which words are rare.

        Returns
        -------
        IncidentClusterer

        Raises
        ------
        DataError
            If there is not one label for each post.
        ValueError
            If a parameter is out of range.
        """
        self._check()
        check_batch(batch)
        if len(incident_labels) != len(batch):
            raise DataError(f"fit: {len(incident_labels)} labels for {len(batch)} posts; give one for each")
        self.vocabulary_ = Vocabulary.learn([*batch.texts, *corpus])
        columns = columns_of(batch, self.vocabulary_)
        self.company_, solitude = fit_company(said(batch.texts), columns, incident_labels)
        columns = replace(columns, solitude=solitude)
        fitted = fit_links(columns, incident_labels, self._rules(), self.link_floor, self.join_floor)
        self.model_, self.join_floor_ = fitted
        self.widths_ = (batch.vectors.shape[1], batch.topics.shape[1], batch.subtopics.shape[1])
        return self

    def start(self) -> ClusterState:
        """Return the state without posts."""
        check_is_fitted(self, "model_")
        return ClusterState(
            model=self.fingerprint,
            columns=Columns.empty(*self.widths_),
            representative=np.zeros(0, np.intp),
            edges=Edges.none(),
            incident=np.zeros(0, np.uint64),
            parts=np.zeros((len(bars(self.join_floor_)), 0), np.int32),
        )

    def update(self, state: ClusterState, batch: PostBatch, *, spread: Spread = map) -> ClusterUpdate:
        """Let new posts join; posts that the state holds already are skipped.

        Parameters
        ----------
        state : ClusterState
            From `start` or an earlier update; it stays as it is.
        batch : PostBatch
            Complaints, in any order.
        spread : callable, optional
            Called like `map`, and may do the work in other processes: large groups of posts are clustered with it.

        Returns
        -------
        ClusterUpdate

        Raises
        ------
        StateError
            If the state was made by another clusterer; it is left as it is.
        DataError
            If vectors or topics have another width than in `fit`.
        """
        return self.update_columns(state, [self.derive(batch)], spread=spread)

    def derive(self, batch: PostBatch) -> Columns:
        """Return what candidates and links read of posts; each row is a function of its post alone.

        Parameters
        ----------
        batch : PostBatch

        Returns
        -------
        Columns
            For `update_columns`. They may be derived in any process, and in batches of any size.

        Raises
        ------
        DataError
            If vectors or topics have another width than in `fit`.
        """
        check_is_fitted(self, "model_")
        check_batch(batch)
        if not len(batch):
            return Columns.empty(*self.widths_)
        given = (batch.vectors, batch.topics, batch.subtopics)
        for name, width, array in zip(("vectors", "topics", "subtopics"), self.widths_, given, strict=True):
            if array.shape[1] != width:
                raise DataError(
                    f"PostBatch: {name} have {array.shape[1]} columns, the clusterer was fitted with {width}"
                )
        return columns_of(batch, self.vocabulary_, self.company_)

    def update_columns(
        self, state: ClusterState, arriving: Iterable[Columns], *, spread: Spread = map
    ) -> ClusterUpdate:
        """Let posts join as they arrive; otherwise as `update`.

        Parameters
        ----------
        state : ClusterState
        arriving : iterable of Columns
            From `derive`, no post twice. Links are found between one item and the next, so that whoever makes
            them can work meanwhile.
        spread : callable, optional

        Returns
        -------
        ClusterUpdate

        Raises
        ------
        StateError
            If the state was made by another clusterer; it is left as it is.
        """
        check_is_fitted(self, "model_")
        state, closed = let_go(self._own(state), self._reach())
        known = state.row_of
        fresh = (
            columns.take(np.array([i for i, key in enumerate(columns.keys) if key not in known], dtype=np.intp))
            if not known.keys().isdisjoint(columns.keys)
            else columns
            for columns in arriving
        )
        return advance(state, fresh, state.decisions, closed, *self._how(), spread)

    @property
    def fingerprint(self) -> str:
        """Hash of everything that can change a partition."""
        check_is_fitted(self, "model_")
        return hash_state(FittedState(self.KIND, self._settings(), parts=self._parts()))[:16]

    def to_state(self) -> FittedState:
        """Return settings and arrays."""
        check_is_fitted(self, "model_")
        return FittedState(
            kind=self.KIND,
            meta={
                "params": self.get_params(),
                "join_floor": self.join_floor_,
                "widths": list(self.widths_),
            },
            parts=self._parts(),
        )

    @classmethod
    def from_state(cls, state: FittedState) -> Self:
        """Undo `to_state`."""
        loaded = cls(**state.setting("params"))
        loaded.join_floor_ = float(state.setting("join_floor"))
        loaded.widths_ = tuple(state.setting("widths"))
        loaded.model_ = PairModel.from_state(state.part("model"))
        loaded.company_ = Company.from_state(state.part("company"))
        words = state.part("vocabulary")
        loaded.vocabulary_ = Vocabulary(
            words.array("hashes", 1), words.array("weights", 1), float(words.setting("unknown"))
        )
        return loaded

    def _parts(self) -> dict[str, FittedState]:
        words = self.vocabulary_
        known = {"hashes": words.hashes, "weights": words.weights}
        return {
            "model": self.model_.to_state(),
            "company": self.company_.to_state(),
            "vocabulary": FittedState("vocabulary", {"unknown": words.unknown}, known),
        }

    def _settings(self) -> dict[str, Any]:
        return {**self.get_params(), "join_floor": self.join_floor_, "rules": asdict(self._rules())}

    def _rules(self) -> Candidates:
        return Candidates(place_days=self.place_days, text_days=self.text_days)

    def _grouping(self) -> Grouping:
        return Grouping(self.join_floor_, self.backend, self.density_from)

    def _how(self) -> tuple[Judge, Grouping]:
        return Judge(self._rules(), self.model_, self.link_floor), self._grouping()

    def _reach(self) -> float:
        """Days after which no post that comes in time can be linked to an incident any more."""
        return max(self.horizon_days, self.lateness_days + max(self.place_days, self.text_days))

    def _check(self) -> None:
        for name in ("link_floor", "join_floor"):
            value = getattr(self, name)
            if value is not None and not 0 < value < 1:
                raise ValueError(f"IncidentClusterer: {name} is {value!r}, expected a number between 0 and 1")
        if self.backend not in ("hdbscan", "sklearn"):
            raise ValueError(f"IncidentClusterer: backend is {self.backend!r}, expected 'hdbscan' or 'sklearn'")
        if not self.density_from >= 1:
            raise ValueError(f"IncidentClusterer: density_from is {self.density_from!r}, expected 1 or more")
        for name in ("place_days", "text_days", "horizon_days", "lateness_days"):
            if not getattr(self, name) > 0:
                raise ValueError(f"IncidentClusterer: {name} is {getattr(self, name)!r}, expected more than 0")

    def _own(self, state: ClusterState) -> ClusterState:
        if state.model != self.fingerprint:
            raise StateError(
                f"the state was made by clusterer {state.model}, this one is {self.fingerprint}; "
                "go on with that model or start a new state"
            )
        return state

    def _decided(self, state: ClusterState, decisions: tuple[Decision, ...]) -> ClusterUpdate:
        return advance(self._own(state), (), decisions, {}, *self._how())
