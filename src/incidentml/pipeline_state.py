"""What a pipeline remembers between two calls of `update`, and its folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from incidentml.errors import ModelFormatError, StateError
from incidentml.incidents import ClusterState, ClusterUpdate
from incidentml.persistence import FittedState, Persistent, pack_json, unpack_json
from incidentml.types import Incident, Place, Post, PostKey, Span

__all__ = ["HeldPost", "PipelineState", "key_hash", "open_state_folder", "place_from_json", "place_json"]


def key_hash(key: PostKey) -> int:
    """Return 64 bits that stand for a post's identity."""
    digest = blake2b(f"{key.network}\x1f{key.id}".encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


@dataclass(frozen=True, slots=True)
class HeldPost:
    """A complaint of an open incident with what routing and priority read in it."""

    post: Post
    places: tuple[Place, ...]
    routing: NDArray[np.float32]
    priority: NDArray[np.float32]


@dataclass(frozen=True)
class PipelineState(Persistent):
    """The open incidents and all that is needed to let new posts join them.

    Attributes
    ----------
    model : str
        Fingerprint of the pipeline that made it; no other can go on from it.
    clusters : ClusterState
        Posts, links and decisions as the clusterer keeps them.
    held : mapping of PostKey to HeldPost
        The posts of open incidents.
    incidents : mapping of str to Incident
        A function of the above, so it is not saved: the first `update` after a load fills it again.
    seen : ndarray of uint64, sorted
        Hashes of every accepted post's key, so that a post fed twice is counted once.
    """

    KIND: ClassVar[str] = "pipeline-state"

    model: str
    clusters: ClusterState
    held: Mapping[PostKey, HeldPost]
    incidents: Mapping[str, Incident]
    seen: NDArray[np.uint64]

    def taken(self, keys: Sequence[PostKey]) -> tuple[NDArray[np.bool_], NDArray[np.uint64]]:
        """Tell which posts an earlier call has accepted, and return `seen` with the others added.

        Parameters
        ----------
        keys : sequence of PostKey

        Returns
        -------
        taken : ndarray of bool, one per key
        seen : ndarray of uint64, sorted
        """
        hashes = np.array([key_hash(key) for key in keys], dtype=np.uint64)
        at = np.searchsorted(self.seen, hashes)
        taken = np.zeros(len(hashes), dtype=bool)
        inside = at < len(self.seen)
        taken[inside] = self.seen[at[inside]] == hashes[inside]
        new = np.unique(hashes[~taken])
        return taken, np.insert(self.seen, np.searchsorted(self.seen, new), new)

    def decided(self, update: ClusterUpdate) -> Self:
        """Return the state after a decision of a person; `IncidentPipeline.update` goes on from it.

        Parameters
        ----------
        update : ClusterUpdate
            What a decision about `clusters` gave: `IncidentClusterer.must_link`, `cannot_link`, `merge`, `split`
            or `undo`.

        Returns
        -------
        PipelineState
            A new value; this one stays as it is.

        Examples
        --------
        >>> import incidentml
        >>> pipe = incidentml.load()
        >>> about = {"network": "vk", "published_at": "2024-02-03T08:12:00+05:00"}
        >>> result = pipe.process([{**about, "id": "1", "text": "Гагарина 12, нет отопления третий день"},
        ...     {**about, "id": "2", "text": "Мира 5, не вывозят мусор вторую неделю"}])
        >>> a, b = (post.post.key for post in result.posts)
        >>> decision = pipe.clusterer.must_link(result.state.clusters, a, b)
        >>> after = pipe.update([], result.state.decided(decision))
        >>> len(result.incidents), len(after.incidents)
        (2, 1)
        """
        # incidents that the decision has changed are built again by the next update
        kept = {id_: incident for id_, incident in self.incidents.items() if id_ not in update.changed}
        return replace(self, clusters=update.state, incidents=kept)

    def to_state(self) -> FittedState:
        """Return arrays and JSON."""
        held = sorted(self.held.values(), key=lambda item: item.post.order)
        return FittedState(
            kind=self.KIND,
            meta={"model": self.model, "posts": len(held)},
            arrays={
                "posts": pack_json([_held_json(item) for item in held]),
                "routing": _stack([item.routing for item in held]),
                "priority": _stack([item.priority for item in held]),
                "seen": self.seen,
            },
            parts={"clusters": self.clusters.to_state()},
        )

    @classmethod
    def from_state(cls, state: FittedState) -> Self:
        """Rebuild the state; raises `ModelFormatError` where parts do not fit together."""
        posts = unpack_json(state.array("posts", 1))
        routing, priority = state.array("routing", 2), state.array("priority", 2)
        if not len(posts) == len(routing) == len(priority):
            raise ModelFormatError(
                f"{state.kind}: {len(posts)} posts, {len(routing)} routing rows and {len(priority)} priority rows"
            )
        held = {}
        for line, route_row, priority_row in zip(posts, routing, priority, strict=True):
            post = post_from_json(line["post"])
            places = tuple(place_from_json(place) for place in line["places"])
            held[post.key] = HeldPost(post, places, route_row, priority_row)
        return cls(
            model=state.setting("model"),
            clusters=ClusterState.from_state(state.part("clusters")),
            held=held,
            incidents={},
            seen=state.array("seen", 1),
        )


@contextmanager
def open_state_folder(path: str | os.PathLike[str]) -> Iterator[PipelineState | None]:
    """Lock a state folder and give its state, None if it does not exist yet.

    Parameters
    ----------
    path : path-like
        The folder; save the new state there with `PipelineState.save` before the block ends.

    Yields
    ------
    PipelineState or None

    Raises
    ------
    StateError
        If another process holds the folder or its content cannot be read; it is left untouched.

    Examples
    --------
    >>> import tempfile
    >>> import incidentml
    >>> pipe = incidentml.load()
    >>> with tempfile.TemporaryDirectory() as root:
    ...     for _ in range(2):
    ...         with open_state_folder(f"{root}/state") as earlier:
    ...             result = pipe.update([], earlier)
    ...             _ = result.state.save(f"{root}/state")
    ...         print(earlier is None)
    True
    False
    """
    from filelock import FileLock, Timeout

    folder = Path(path).resolve()  # «.» and links have no name to put a lock beside
    lock = FileLock(folder.with_name(f".{folder.name}.lock"))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise StateError(f"{path}: another process is working on this state; wait for it to end") from None
    except OSError as error:
        raise StateError(f"{path}: cannot be used: {error.strerror}; choose another folder") from error
    try:
        if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
            yield None
        else:
            try:
                state = PipelineState.load(folder)
            except ModelFormatError as error:
                raise StateError(f"{path}: the state cannot be read and was left as it is: {error}") from error
            yield state
    finally:
        lock.release()


def _stack(rows: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    return np.stack(rows) if rows else np.zeros((0, 0), np.float32)


def _held_json(item: HeldPost) -> dict[str, Any]:
    return {"post": item.post.to_json(), "places": [place_json(place) for place in item.places]}


def post_from_json(line: Mapping[str, Any]) -> Post:
    """Rebuild a post from `Post.to_json`."""
    return Post(**{**line, "published_at": datetime.fromisoformat(line["published_at"])})


def place_json(place: Place) -> dict[str, Any]:
    """Return a place as JSON values, with its candidates."""
    return {**place.to_json(), "candidates": list(place.candidates)}


def place_from_json(line: Mapping[str, Any]) -> Place:
    """Undo `place_json`."""
    spans = {name: Span(*span) for name, span in line["spans"].items()}
    return Place(**{**line, "spans": spans, "candidates": tuple(line["candidates"])})
