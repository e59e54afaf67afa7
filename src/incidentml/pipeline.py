"""The one pipeline: posts in, incidents out. The only module that knows all stages."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from incidentml.assembly import assemble
from incidentml.collector import collector_paused
from incidentml.complaints import ComplaintClassifier
from incidentml.complaints.facts import fact_name
from incidentml.complaints.features import PAGE, feature_names
from incidentml.data import read_posts
from incidentml.deadlines import SlaPolicy, zone_of
from incidentml.drift import DriftMonitor, DriftReport
from incidentml.encoding import Encoder, StaticEncoder, TransformerEncoder, encoder_hash
from incidentml.errors import DataError, ModelFormatError, StateError
from incidentml.incidents import ClusterUpdate, IncidentClusterer
from incidentml.incidents.columns import Columns
from incidentml.persistence import FittedState, Persistent, hash_state
from incidentml.pipeline_state import HeldPost, PipelineState
from incidentml.places import PlaceExtractor
from incidentml.places.tagger import PlaceTagger
from incidentml.priority import PriorityScorer
from incidentml.processes import spread_over
from incidentml.progress import Progress, StageClock
from incidentml.reading import Reader, Reading, read_parts
from incidentml.result import Explanation, PostResult, Result
from incidentml.routing import Router
from incidentml.types import Incident, Link, Post, PostKey, Rejection

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["IncidentPipeline"]

#: Encoders that a saved pipeline may hold.
_ENCODERS: Mapping[str, type[StaticEncoder | TransformerEncoder]] = {
    kind.KIND: kind for kind in (StaticEncoder, TransformerEncoder)
}
_SEEN = "an earlier call has taken a post with the same network and id"


class IncidentPipeline(Persistent):
    """Reads posts, keeps the concrete complaints, groups them into incidents, routes and prioritises these.

    The only object that knows all stages; the stages are attributes of the same names and can be exchanged. Not to
    be shared between threads: load one for each.

    Parameters
    ----------
    encoder : Encoder
        Texts to vectors; the others must have been fitted on vectors of the same encoder.
    places : PlaceExtractor
    complaints : ComplaintClassifier
        The filter, fitted on `complaint_features`.
    clusterer : IncidentClusterer
    router : Router
    priority : PriorityScorer
    policy : SlaPolicy, optional
        Deadlines; by default 24 hours for a public reply and 4 for danger and starred topics. The clock starts
        when the first post was published.
    drift : DriftMonitor, optional
        Tells whether posts still look like those of training; without it `Result.drift` is None.

    Examples
    --------
    >>> import incidentml
    >>> pipe = incidentml.load()
    >>> day1 = pipe.process([{"id": "1", "network": "vk", "published_at": "2024-02-03T08:12:00+05:00",
    ...     "text": "Гагарина 12, второй день нет горячей воды"}])
    >>> day2 = pipe.update([{"id": "9", "network": "ok", "published_at": "2024-02-03T10:40:00+05:00",
    ...     "text": "На Гагарина 12 нет горячей воды уже второй день, когда дадут?"}], day1.state)
    >>> len(day2.incidents), day2.incidents[0].size
    (1, 2)
    """

    KIND: ClassVar[str] = "incident-pipeline"

    def __init__(
        self,
        encoder: Encoder,
        places: PlaceExtractor,
        complaints: ComplaintClassifier,
        clusterer: IncidentClusterer,
        router: Router,
        priority: PriorityScorer,
        policy: SlaPolicy | None = None,
        drift: DriftMonitor | None = None,
    ) -> None:
        self.encoder = encoder
        self.places = places
        self.complaints = complaints
        self.clusterer = clusterer
        self.router = router
        self.priority = priority
        self.policy = SlaPolicy.load() if policy is None else policy
        self.drift = drift
        self._hashed: tuple[tuple[object, ...], str] | None = None

    def process(
        self,
        posts: Iterable[Post | Mapping[str, Any]] | pd.DataFrame | str | os.PathLike[str],
        *,
        region: str | None = None,
        embeddings: ArrayLike | None = None,
        workers: int = 1,
        progress: Progress | None = None,
    ) -> Result:
        """Read all posts at once; the same as `update` on an empty state.

        Parameters
        ----------
        posts : iterable of Post or dict, DataFrame, or path to JSONL, CSV or Parquet
            With the fields of `Post`; others are ignored.
        region : str, optional
            Region of posts that name none; it gives naive times their zone.
        embeddings : array of shape (rows, dim), optional
            Vectors of the rows, in input order, instead of the encoder's; rejected rows need one too.
        workers : int
            Processes that read posts and cluster complaints; the result is the same. They stay for the next call.
            A script that asks for more than one needs the usual ``if __name__ == "__main__":``.
        progress : callable, optional
            Called as ``progress(stage, done, total)``.

        Returns
        -------
        Result

        Raises
        ------
        DataError
            If the input as a whole cannot be read, or `embeddings` do not fit. A bad row lands in
            ``Result.rejected``.
        """
        return self.update(posts, None, region=region, embeddings=embeddings, workers=workers, progress=progress)

    @collector_paused()
    def update(
        self,
        posts: Iterable[Post | Mapping[str, Any]] | pd.DataFrame | str | os.PathLike[str],
        state: PipelineState | None,
        *,
        region: str | None = None,
        embeddings: ArrayLike | None = None,
        workers: int = 1,
        progress: Progress | None = None,
    ) -> Result:
        """Let new posts join the incidents of `state`.

        The order of posts, the size of batches and their sharding do not change the incidents.

        Parameters
        ----------
        posts : as in `process`
            May be empty: after a load of the state or a decision this builds the incidents anew.
        state : PipelineState or None
            `Result.state` of an earlier call; None to begin. It stays as it is.
        region, embeddings, workers, progress : optional
            As in `process`.

        Returns
        -------
        Result
            `posts` and `rejected` of this call, `incidents` of the whole state.

        Raises
        ------
        DataError
            As in `process`.
        StateError
            If the state was made by another model or other deadlines.
        ValueError
            If `workers` is less than 1.
        """
        if not workers >= 1:
            raise ValueError(f"workers is {workers!r}, expected 1 or more processes")
        clock = StageClock(progress)
        state = self._start(state)
        with clock.stage("read"):
            read = read_posts(posts, region=region, zone=zone_of)
            given = _aligned(embeddings, read.rows)
            taken, seen = state.taken([post.key for post in read.posts])
            fresh = np.flatnonzero(~taken).tolist()
            rejected = [
                Rejection(read.lines[i], read.posts[i].id, f"duplicate: {_SEEN}", read.posts[i].id)
                for i in np.flatnonzero(taken).tolist()
            ]
        new_posts = [read.posts[i] for i in fresh]
        vectors = None if given is None else given[[read.positions[i] for i in fresh]]
        parts: list[Reading] = []

        def read_on() -> Iterator[Columns]:
            for part, columns in read_parts(reader, new_posts, vectors, clock=clock, workers=workers):
                parts.append(part)
                yield columns

        stages = (self.encoder, self.places, self.complaints, self.router, self.priority, self.clusterer)
        reader = Reader(*stages)
        with clock.stage("incidents"):
            spread = spread_over(reader, workers)
            update = self.clusterer.update_columns(state.clusters, read_on(), spread=spread)
            found = Reading.join(parts)
            clock.tell("incidents", len(found.accepted), len(found.accepted))
        with clock.stage("assembly"):
            # New posts are in changed incidents only: what is not touched costs nothing here.
            owner = {key: id_ for id_ in update.changed for key in update.incidents.get(id_, ())}
            held = dict(state.held)
            for row, index in enumerate(found.accepted):
                post = new_posts[index]
                held[post.key] = HeldPost(post, found.places[index], found.routing[row], found.priority[row])
            for keys in update.closed.values():
                for key in keys:
                    held.pop(key, None)
            incidents = self._assemble(update, held, state)
        results = tuple(
            PostResult(post, verdict, places, owner.get(post.key))
            for post, verdict, places in zip(new_posts, found.verdicts, found.places, strict=True)
        )
        return Result(
            posts=results,
            rejected=tuple(sorted([*read.rejected, *rejected], key=lambda row: row.line)),
            rows=read.rows,
            state=PipelineState(
                model=self.fingerprint,
                clusters=update.state,
                held=held,
                incidents=incidents,
                seen=seen,
            ),
            seconds=clock.seconds,
            drift=self._drift(found, len(new_posts)),
        )

    def explain(self, incident_id: str, result: Result) -> Explanation:
        """Tell what holds an incident together and which rules spoke.

        Parameters
        ----------
        incident_id : str
            An id of `result.incidents`, or one that was merged into such.
        result : Result
            Of this pipeline.

        Returns
        -------
        Explanation

        Raises
        ------
        KeyError
            If no open incident of the result has this id.
        """
        incident = result.incident(incident_id)
        held = [result.state.held[key] for key in incident.post_keys]
        links: dict[PostKey, tuple[Link, ...]] = {
            key: result.state.clusters.links(key) for key in incident.post_keys
        }
        routing = np.stack([item.routing for item in held])
        return Explanation(
            incident=incident,
            posts=tuple(item.post for item in held),
            links=links,
            reasons={
                "Кто отвечает": (*incident.route.reasons, *self.router.explain(routing, incident.route)),
                "Почему такой приоритет": incident.priority.reasons,
                "Срок": (f"{incident.deadline:%d.%m.%Y %H:%M %z}, правило «{self.policy.name}»",),
            },
        )

    @property
    def fingerprint(self) -> str:
        """Hash of all fitted state: two pipelines with one fingerprint give one answer.

        Raises
        ------
        TypeError
            If the encoder neither names itself by a property ``hash`` nor can be saved.
        """
        stages = (self.encoder, self.places, self.complaints, self.clusterer, self.router, self.priority)
        used: tuple[object, ...] = (*stages, self.policy, self.drift)
        if self._hashed is None or any(one is not other for one, other in zip(self._hashed[0], used, strict=True)):
            known = encoder_hash(self.encoder) + hash_state(self._stages())
            self._hashed = used, blake2b(known.encode(), digest_size=16).hexdigest()
        return self._hashed[1]

    def to_state(self) -> FittedState:
        """Return the states of all stages.

        Raises
        ------
        TypeError
            If the encoder has no state of its own to save.
        """
        if not isinstance(self.encoder, Persistent):
            raise TypeError(f"a pipeline with {type(self.encoder).__name__} cannot be saved: it is not Persistent")
        stages = self._stages()
        return replace(stages, parts={"encoder": self.encoder.to_state(), **stages.parts})

    def _stages(self) -> FittedState:
        """Return all fitted state but the encoder's."""
        return FittedState(
            kind=self.KIND,
            meta={"policy": self.policy.name},
            parts={
                "places": self.places.tagger_.to_state(),
                "complaints": self.complaints.to_state(),
                "clusterer": self.clusterer.to_state(),
                "router": self.router.to_state(),
                "priority": self.priority.to_state(),
                **({} if self.drift is None else {"drift": self.drift.to_state()}),
            },
        )

    @classmethod
    def from_state(cls, state: FittedState) -> Self:
        """Rebuild a fitted pipeline.

        Raises
        ------
        ModelFormatError
            If a part is missing or of a kind that this version does not know.
        """
        encoder = state.part("encoder")
        if encoder.kind not in _ENCODERS:
            raise ModelFormatError(f"encoder of kind {encoder.kind!r}; this version knows {sorted(_ENCODERS)}")
        return cls(
            encoder=_ENCODERS[encoder.kind].from_state(encoder),
            places=PlaceExtractor(tagger=PlaceTagger.from_state(state.part("places"))),
            complaints=ComplaintClassifier.from_state(state.part("complaints")),
            clusterer=IncidentClusterer.from_state(state.part("clusterer")),
            router=Router.from_state(state.part("router")),
            priority=PriorityScorer.from_state(state.part("priority")),
            policy=SlaPolicy.load(state.setting("policy")),
            drift=DriftMonitor.from_state(state.part("drift")) if "drift" in state.parts else None,
        )

    def _start(self, state: PipelineState | None) -> PipelineState:
        if state is None:
            empty = np.zeros(0, np.uint64)
            return PipelineState(self.fingerprint, self.clusterer.start(), {}, {}, empty)
        if not isinstance(state, PipelineState):
            raise StateError(f"the state is a {type(state).__name__}, expected `Result.state` of an earlier call")
        if state.model != self.fingerprint:
            raise StateError(
                f"the state was made by model {state.model}, this is {self.fingerprint} (policy of deadlines "
                f"{self.policy.name!r}); load the model and the policy that made it, or process the posts again"
            )
        return state

    def _drift(self, found: Reading, posts: int) -> DriftReport | None:
        if self.drift is None:
            return None
        names = feature_names(len(found.sums) - len(feature_names(0)[:PAGE]))[:PAGE]
        return self.drift.report_sums(found.sums, posts, [fact_name(name) for name in names])

    def _assemble(
        self,
        update: ClusterUpdate,
        held: Mapping[PostKey, HeldPost],
        state: PipelineState,
    ) -> dict[str, Incident]:
        """Build the incidents that are new or changed, keep the others."""
        incidents = {id_: incident for id_, incident in state.incidents.items() if id_ in update.incidents}
        changed = sorted(id_ for id_ in update.incidents if id_ in update.changed or id_ not in incidents)
        return incidents | assemble(
            {id_: [held[key] for key in update.incidents[id_]] for id_ in changed},
            router=self.router,
            priority=self.priority,
            policy=self.policy,
            merged_from=update.merged_from,
            recurs=update.recurs,
        )


def _aligned(embeddings: ArrayLike | None, rows: int) -> NDArray[np.float32] | None:
    if embeddings is None:
        return None
    try:
        vectors = np.asarray(embeddings, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise DataError(f"embeddings: not an array of numbers: {error}") from error
    if vectors.ndim != 2 or len(vectors) != rows:
        raise DataError(f"embeddings: shape {vectors.shape}, expected one row for each of the {rows} input rows")
    if not np.isfinite(vectors).all():
        bad = int(np.argmin(np.isfinite(vectors).all(axis=1)))
        raise DataError(f"embeddings: row {bad} holds NaN or infinity")
    return vectors
