"""The stages that look at one post at a time: encoding, places, the filter, and what later stages read.

No post's outcome depends on its neighbours, so they may be read in chunks and by several processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from incidentml.collector import collector_paused
from incidentml.complaints import ComplaintClassifier
from incidentml.complaints.features import PAGE, dense_features
from incidentml.concreteness import concreteness
from incidentml.drift import column_sums
from incidentml.encoding import Encoder
from incidentml.incidents import IncidentClusterer, PostBatch
from incidentml.incidents.columns import Columns
from incidentml.places import PlaceExtractor
from incidentml.priority import PriorityScorer
from incidentml.processes import in_processes, running, stages
from incidentml.progress import StageClock
from incidentml.routing import Router
from incidentml.types import Place, Post, Verdict

__all__ = ["Reader", "Reading", "read_parts"]

_Chunk: TypeAlias = tuple[Sequence[Post], NDArray[np.float32] | None]

#: Posts read at a time: large enough for array work, small enough to stay in the cache and to show progress.
_CHUNK = 2048
#: Fewer posts than this are read here, whatever the number of workers: starting processes, and handing posts over
#: to those that run already, would take longer.
_WORTH_STARTING, _WORTH_SHARING = 3000, 512
_WAITING = "waiting"


@dataclass(frozen=True)
class Reading:
    """What was found in posts; the arrays have one row per accepted post.

    Attributes
    ----------
    verdicts, places : list
        One entry per post.
    accepted : list of int
        Which posts go on.
    routing, priority : ndarray
    sums : ndarray
        Of what the filter read, by column, all posts: what `DriftMonitor` compares.
    """

    verdicts: list[Verdict]
    places: list[tuple[Place, ...]]
    accepted: list[int]
    routing: NDArray[np.float32]
    priority: NDArray[np.float32]
    sums: NDArray[np.float64]

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Put what was found in consecutive chunks together."""
        starts = np.cumsum([0, *(len(part.verdicts) for part in parts)]).tolist()
        return cls(
            verdicts=[verdict for part in parts for verdict in part.verdicts],
            places=[places for part in parts for places in part.places],
            accepted=[start + i for start, part in zip(starts, parts, strict=False) for i in part.accepted],
            routing=np.concatenate([part.routing for part in parts]),
            priority=np.concatenate([part.priority for part in parts]),
            sums=np.sum([part.sums for part in parts], axis=0),
        )


@dataclass(frozen=True)
class Reader:
    """The fitted stages that read posts."""

    encoder: Encoder
    places: PlaceExtractor
    complaints: ComplaintClassifier
    router: Router
    priority: PriorityScorer
    clusterer: IncidentClusterer

    def read(
        self, posts: Sequence[Post], vectors: NDArray[np.float32] | None, clock: StageClock
    ) -> tuple[Reading, Columns]:
        """Read one chunk; parameters as in `read_parts`."""
        texts = [post.text for post in posts]
        with clock.stage("encoding"):
            encoded = self.encoder.encode(texts) if vectors is None else vectors
        with clock.stage("places"):
            found = [
                self.places.extract(post.text, region=post.region, municipality=post.municipality)
                for post in posts
            ]
        with clock.stage("complaints"):
            slots = [concreteness(text, places) for text, places in zip(texts, found, strict=True)]
            features = dense_features(texts, encoded, slots, [post.source for post in posts])
            verdicts = self.complaints.judge(texts, features, slots)
            sums = column_sums(features[:, :PAGE])
        with clock.stage("routing"):
            accepted = [i for i, verdict in enumerate(verdicts) if verdict.accepted]
            good_texts = [texts[i] for i in accepted]
            routing = self.router.score_posts(good_texts, encoded[accepted])
            priority = self.priority.score_posts(good_texts, encoded[accepted])
        with clock.stage("incidents"):
            columns = self.clusterer.derive(
                self._batch([posts[i] for i in accepted], encoded[accepted], [found[i] for i in accepted], routing)
            )
        return Reading(verdicts, found, accepted, routing, priority, sums), columns

    def _batch(
        self,
        complaints: Sequence[Post],
        vectors: NDArray[np.float32],
        places: Sequence[tuple[Place, ...]],
        routing: NDArray[np.float32],
    ) -> PostBatch:
        return PostBatch(
            keys=[post.key for post in complaints],
            times=np.array([post.published_at.timestamp() for post in complaints], dtype=np.float64),
            texts=[post.text for post in complaints],
            vectors=vectors,
            places=places,
            regions=[post.region for post in complaints],
            authors=[post.author_id for post in complaints],
            sources=[post.source for post in complaints],
            topics=self.router.groups_proba(routing),
            subtopics=self.router.topics_proba(routing).astype(np.float32),
        )


def read_parts(
    reader: Reader,
    posts: Sequence[Post],
    vectors: NDArray[np.float32] | None,
    *,
    clock: StageClock,
    workers: int = 1,
) -> Iterator[tuple[Reading, Columns]]:
    """Read posts and yield what was found chunk by chunk, in order.

    Parameters
    ----------
    reader : Reader
    posts : sequence of Post
    vectors : array of shape (n, dim) or None
        Vectors of the posts; None asks the encoder.
    clock : StageClock
        Counts time and tells progress. Where several processes read, each stage gets its share of the time that
        was waited for them.
    workers : int
        Processes that read while the caller works on earlier chunks; they are started at the first call with posts
        enough and kept for the next.

    Yields
    ------
    found : Reading
    columns : Columns
        Of the accepted posts.

    Raises
    ------
    IncidentMLError
        If a worker process dies.
    """
    if len(posts) < (_WORTH_SHARING if running(reader, workers) else _WORTH_STARTING):
        workers = 1
    size = max(1, min(_CHUNK, -(-len(posts) // workers)))
    chunks = [
        (posts[start : start + size], None if vectors is None else vectors[start : start + size])
        for start in range(0, max(len(posts), 1), size)  # one empty chunk gives arrays of the right width
    ]
    parts: Iterator[tuple[Reading, Columns]]
    if workers == 1:
        parts = (reader.read(*chunk, clock) for chunk in chunks)
    else:
        parts = _read_elsewhere(reader, chunks, workers, clock)
    done = 0
    for part in parts:
        yield part
        done += len(part[0].verdicts)
        clock.tell("reading", done, len(posts))


def _read_elsewhere(
    reader: Reader, chunks: Sequence[_Chunk], workers: int, clock: StageClock
) -> Iterator[tuple[Reading, Columns]]:
    spent = StageClock()
    parts = in_processes(reader, workers, _read_here, *zip(*chunks, strict=True))
    while True:
        with clock.stage(_WAITING):
            part = next(parts, None)
        if part is None:
            break
        found, columns, seconds = part
        spent.add(seconds)
        yield found, columns
    # Stages ran side by side: each gets its share of the time that passed.
    waited, total = clock.seconds.pop(_WAITING), sum(spent.seconds.values())
    clock.add({stage: waited * seconds / total for stage, seconds in spent.seconds.items()})


def _read_here(
    posts: Sequence[Post], vectors: NDArray[np.float32] | None
) -> tuple[Reading, Columns, dict[str, float]]:
    clock = StageClock()
    reader: Reader = stages()
    with collector_paused():
        found, columns = reader.read(posts, vectors, clock)
    return found, columns, clock.seconds
