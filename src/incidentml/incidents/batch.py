"""Posts on their way into incidents: a checked batch, and the columns that everything after it reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from incidentml.errors import DataError
from incidentml.types import Place, PostKey

__all__ = ["PostBatch", "check_batch"]


@dataclass(frozen=True, eq=False)
class PostBatch:
    """Complaints with what the earlier stages know about them, as parallel columns.

    Parameters
    ----------
    keys : sequence of PostKey
        Unique inside the batch.
    times : ndarray of shape (n,)
        Seconds since the epoch, UTC.
    texts : sequence of str
        As published.
    vectors : ndarray of shape (n, d)
        Text embeddings; scaled to unit length here. A row with NaN counts as no vector.
    places : sequence of tuples of Place
        Main place first; empty where the text names none.
    regions, authors, sources : sequence of str or None, optional
        `None` stands for unknown.
    topics : ndarray of shape (n, k), optional
        Probabilities of topic groups; without it topics are not used as evidence.
    subtopics : ndarray of shape (n, m), optional
        Probabilities of single topics, which tell a lift from a roof.

    Raises
    ------
    DataError
        If lengths differ, a time is not finite, or a key appears twice.

    Examples
    --------
    >>> batch = PostBatch([PostKey("vk", "1")], np.zeros(1), ["Нет воды"], np.ones((1, 4)), [()])
    >>> len(batch), batch.regions
    (1, (None,))
    """

    keys: Sequence[PostKey]
    times: NDArray[np.float64]
    texts: Sequence[str]
    vectors: NDArray[np.float32]
    places: Sequence[tuple[Place, ...]]
    regions: Sequence[str | None] = ()
    authors: Sequence[str | None] = ()
    sources: Sequence[str | None] = ()
    topics: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32))
    subtopics: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32))

    def __post_init__(self) -> None:
        n = len(self.keys)
        for name in ("regions", "authors", "sources"):
            if not len(getattr(self, name)):
                object.__setattr__(self, name, (None,) * n)
        times = np.asarray(self.times, dtype=np.float64)
        vectors = np.asarray(self.vectors, dtype=np.float32).reshape(n, -1) if n else np.zeros((0, 0), np.float32)
        topics, subtopics = (
            np.asarray(given, dtype=np.float32) if np.size(given) else np.zeros((n, 0), dtype=np.float32)
            for given in (self.topics, self.subtopics)
        )
        columns = {
            "times": times,
            "texts": self.texts,
            "vectors": vectors,
            "places": self.places,
            "regions": self.regions,
            "authors": self.authors,
            "sources": self.sources,
            "topics": topics,
            "subtopics": subtopics,
        }
        for name, column in columns.items():
            if len(column) != n:
                raise DataError(
                    f"PostBatch: {name} has {len(column)} rows, keys has {n}; columns must be parallel"
                )
        bad = np.flatnonzero(~np.isfinite(times))
        if bad.size:
            raise DataError(f"PostBatch: post {self.keys[bad[0]]!r} has time {times[bad[0]]}; give epoch seconds")
        if len(set(self.keys)) != n:
            seen: set[PostKey] = set()
            twice = next(key for key in self.keys if key in seen or seen.add(key))  # type: ignore[func-returns-value]
            raise DataError(f"PostBatch: post {twice!r} appears twice; drop one of the two rows")
        broken: NDArray[np.bool_] = np.asarray(~np.isfinite(vectors).all(axis=1))
        if broken.any():
            vectors = np.where(broken[:, None], np.float32(0), vectors)
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "vectors", vectors)
        object.__setattr__(self, "topics", np.nan_to_num(topics, nan=0.0, posinf=0.0, neginf=0.0))
        object.__setattr__(self, "subtopics", np.nan_to_num(subtopics, nan=0.0, posinf=0.0, neginf=0.0))

    def __len__(self) -> int:
        return len(self.keys)

    def take(self, rows: NDArray[np.intp]) -> PostBatch:
        """Return the given rows in the given order."""
        return PostBatch(
            keys=[self.keys[i] for i in rows],
            times=self.times[rows],
            texts=[self.texts[i] for i in rows],
            vectors=self.vectors[rows],
            places=[self.places[i] for i in rows],
            regions=[self.regions[i] for i in rows],
            authors=[self.authors[i] for i in rows],
            sources=[self.sources[i] for i in rows],
            topics=self.topics[rows],
            subtopics=self.subtopics[rows],
        )


def check_batch(batch: PostBatch) -> None:
    """Raise `TypeError` for an array or a list: vectors alone cannot tell incidents apart."""
    if not isinstance(batch, PostBatch):
        raise TypeError(f"expected a PostBatch (texts, places, times and vectors), found {type(batch).__name__}")
