"""The stages that look at one post at a time: encoding, places, the filter, and what routing and priority read.

No post's outcome depends on its neighbours, so they may be read in chunks and by several processes.
"""

from __future__ import annotations

import multiprocessing
import pickle
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.util import Finalize
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from incidentml.complaints import ComplaintClassifier
from incidentml.complaints.features import PAGE, dense_features
from incidentml.concreteness import concreteness
from incidentml.drift import column_sums
from incidentml.encoding import Encoder
from incidentml.errors import IncidentMLError
from incidentml.places import PlaceExtractor
from incidentml.priority import PriorityScorer
from incidentml.progress import StageClock
from incidentml.routing import Router
from incidentml.types import Place, Post, Verdict

__all__ = ["Reader", "Reading", "read_all"]

#: Posts read at a time: large enough for array work, small enough to stay in the cache and to show progress.
_CHUNK = 2048
#: Fewer posts than this are read here, whatever the number of workers: starting processes, and handing posts over
#: to those that run already, would take longer.
_WORTH_STARTING, _WORTH_SHARING = 3000, 512


@dataclass(frozen=True)
class Reading:
    """What was found in posts; the arrays have one row per accepted post.

    Attributes
    ----------
    verdicts, places : list
        One entry per post.
    accepted : list of int
        Which posts go on.
    vectors, routing, priority : ndarray
    sums : ndarray
        Of what the filter read, by column, all posts: what `DriftMonitor` compares.
    """

    verdicts: list[Verdict]
    places: list[tuple[Place, ...]]
    accepted: list[int]
    vectors: NDArray[np.float32]
    routing: NDArray[np.float32]
    priority: NDArray[np.float32]
    sums: NDArray[np.float64]


@dataclass(frozen=True)
class Reader:
    """The fitted stages that read posts."""

    encoder: Encoder
    places: PlaceExtractor
    complaints: ComplaintClassifier
    router: Router
    priority: PriorityScorer

    def read(self, posts: Sequence[Post], vectors: NDArray[np.float32] | None, clock: StageClock) -> Reading:
        """Read one chunk; parameters as in `read_all`."""
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
        return Reading(verdicts, found, accepted, encoded[accepted], routing, priority, sums)


def read_all(
    reader: Reader,
    posts: Sequence[Post],
    vectors: NDArray[np.float32] | None,
    *,
    clock: StageClock,
    workers: int = 1,
) -> Reading:
    """Read posts chunk by chunk.

    Parameters
    ----------
    reader : Reader
    posts : sequence of Post
    vectors : array of shape (n, dim) or None
        Vectors of the posts; None asks the encoder.
    clock : StageClock
        Counts time and tells progress.
    workers : int
        Processes that read; they are started at the first call with posts enough and kept for the next.

    Raises
    ------
    IncidentMLError
        If a worker process dies.
    """
    if len(posts) < (_WORTH_SHARING if _runs(reader, workers) else _WORTH_STARTING):
        workers = 1
    size = max(1, min(_CHUNK, -(-len(posts) // workers)))
    chunks = [
        (posts[start : start + size], None if vectors is None else vectors[start : start + size])
        for start in range(0, max(len(posts), 1), size)  # one empty chunk gives arrays of the right width
    ]
    if workers == 1:
        return _join((reader.read(*chunk, clock) for chunk in chunks), len(posts), clock)
    began = time.perf_counter()
    spent = StageClock()
    with _alive(workers):
        parts = _pool(reader, workers).map(_read_here, *zip(*chunks, strict=True))
        found = _join(_counted(parts, spent), len(posts), clock)
    # Stages ran side by side: each gets its share of the time that passed.
    passed, total = time.perf_counter() - began, sum(spent.seconds.values())
    for stage, seconds in spent.seconds.items():
        clock.seconds[stage] = clock.seconds.get(stage, 0.0) + passed * seconds / total
    return found


def spread_over(reader: Reader, workers: int) -> Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]:
    """Return what applies a function to many jobs, like `map`: in the reading processes if these run."""
    if not _runs(reader, workers):
        return map

    def spread(work: Callable[[Any], Any], jobs: Sequence[Any]) -> Iterable[Any]:
        with _alive(workers):
            parts = _pool(reader, workers).map(work, jobs, chunksize=max(1, len(jobs) // (4 * workers)))
        return _collected(parts, workers)

    return spread


def _collected(parts: Iterable[Any], workers: int) -> Iterator[Any]:
    with _alive(workers):
        yield from parts


@contextmanager
def _alive(workers: int) -> Iterator[None]:
    """Tell in plain words that a worker process has died."""
    try:
        yield
    except BrokenProcessPool as error:
        _close()
        raise IncidentMLError(
            f"one of {workers} reading processes died (out of memory, or a script without "
            '`if __name__ == "__main__":`); use workers=1, or fewer of them'
        ) from error


def _join(parts: Iterable[Reading], total: int, clock: StageClock) -> Reading:
    """Put chunks together, in order."""
    chunks: list[Reading] = []
    done = 0
    for part in parts:
        chunks.append(part)
        done += len(part.verdicts)
        clock.tell("reading", done, total)
    starts = np.cumsum([0, *(len(part.verdicts) for part in chunks)]).tolist()
    return Reading(
        verdicts=[verdict for part in chunks for verdict in part.verdicts],
        places=[places for part in chunks for places in part.places],
        accepted=[start + i for start, part in zip(starts[:-1], chunks, strict=True) for i in part.accepted],
        vectors=np.concatenate([part.vectors for part in chunks]),
        routing=np.concatenate([part.routing for part in chunks]),
        priority=np.concatenate([part.priority for part in chunks]),
        sums=np.sum([part.sums for part in chunks], axis=0),
    )


def _counted(parts: Iterable[tuple[Reading, dict[str, float]]], spent: StageClock) -> Iterator[Reading]:
    for part, seconds in parts:
        for stage, value in seconds.items():
            spent.seconds[stage] = spent.seconds.get(stage, 0.0) + value
        yield part


# ---- worker processes: one pool, kept for the next call with the same stages


@dataclass(frozen=True)
class _Pool:
    """Processes that have read the stages from a file of ours."""

    reader: Reader
    workers: int
    file: IO[bytes]
    executor: ProcessPoolExecutor


_kept: _Pool | None = None
_reader: Reader | None = None


def _runs(reader: Reader, workers: int) -> bool:
    return _kept is not None and (_kept.reader, _kept.workers) == (reader, workers)


def _pool(reader: Reader, workers: int) -> ProcessPoolExecutor:
    global _kept  # noqa: PLW0603
    if not _runs(reader, workers):
        _close()
        # A fork would copy locks that threads of BLAS may hold; a fresh process has none. The stages go through a
        # file: what a new process is given at its start waits for ever in a full pipe if that process dies.
        file = tempfile.NamedTemporaryFile(prefix="incidentml-")  # noqa: SIM115
        pickle.dump(reader, file)
        file.flush()
        spawn = multiprocessing.get_context("spawn")
        executor = ProcessPoolExecutor(workers, mp_context=spawn, initializer=_start, initargs=(file.name,))
        _kept = _Pool(reader, workers, file, executor)
        # Before the children of a process are waited for, in a main process and in one of a user's own pool.
        Finalize(None, _close, exitpriority=100)
    assert _kept is not None
    return _kept.executor


def _close() -> None:
    global _kept  # noqa: PLW0603
    if _kept is not None:
        _kept.executor.shutdown(cancel_futures=True)
        _kept.file.close()
        _kept = None


def _start(file: str) -> None:
    global _reader  # noqa: PLW0603
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=1)  # one core each
    _reader = pickle.loads(Path(file).read_bytes())  # from our own parent; never from a model folder


def _read_here(posts: Sequence[Post], vectors: NDArray[np.float32] | None) -> tuple[Reading, dict[str, float]]:
    assert _reader is not None
    clock = StageClock()
    return _reader.read(posts, vectors, clock), clock.seconds
