"""The stages that look at one post at a time: encoding, places, the filter, and what routing and priority read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from incidentml.complaints import ComplaintClassifier, complaint_features
from incidentml.concreteness import concreteness
from incidentml.encoding import Encoder
from incidentml.places import PlaceExtractor
from incidentml.priority import PriorityScorer
from incidentml.progress import StageClock
from incidentml.routing import Router
from incidentml.types import Place, Post, Verdict

__all__ = ["Reading", "read_all"]

#: Posts read at a time: large enough for array work, small enough to stay in the cache and to show progress.
_CHUNK = 2048


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
    """

    verdicts: list[Verdict]
    places: list[tuple[Place, ...]]
    accepted: list[int]
    vectors: NDArray[np.float32]
    routing: NDArray[np.float32]
    priority: NDArray[np.float32]


def read_all(
    posts: Sequence[Post],
    vectors: NDArray[np.float32] | None,
    *,
    encoder: Encoder,
    places: PlaceExtractor,
    complaints: ComplaintClassifier,
    router: Router,
    priority: PriorityScorer,
    clock: StageClock,
) -> Reading:
    """Read posts chunk by chunk.

    Parameters
    ----------
    posts : sequence of Post
    vectors : array of shape (n, dim) or None
        Vectors of the posts; None asks the encoder.
    encoder, places, complaints, router, priority
        The fitted stages.
    clock : StageClock
        Counts time and tells progress.
    """
    verdicts: list[Verdict] = []
    found: list[tuple[Place, ...]] = []
    accepted: list[int] = []
    kept: dict[str, list[NDArray[np.float32]]] = {"vectors": [], "routing": [], "priority": []}
    for start in range(0, max(len(posts), 1), _CHUNK):  # one empty chunk gives arrays of the right width
        chunk = posts[start : start + _CHUNK]
        texts = [post.text for post in chunk]
        with clock.stage("encoding"):
            encoded = encoder.encode(texts) if vectors is None else vectors[start : start + _CHUNK]
        with clock.stage("places"):
            here = [places.extract(p.text, region=p.region, municipality=p.municipality) for p in chunk]
        with clock.stage("complaints"):
            slots = [concreteness(text, place) for text, place in zip(texts, here, strict=True)]
            features = complaint_features(texts, encoded, slots, [post.source for post in chunk])
            judged = complaints.judge(texts, features, slots)
        with clock.stage("routing"):
            good = [i for i, verdict in enumerate(judged) if verdict.accepted]
            good_texts = [texts[i] for i in good]
            kept["vectors"].append(encoded[good])
            kept["routing"].append(router.score_posts(good_texts, encoded[good]))
            kept["priority"].append(priority.score_posts(good_texts, encoded[good]))
        verdicts += judged
        found += here
        accepted += [start + i for i in good]
        clock.tell("reading", start + len(chunk), len(posts))
    arrays = {name: np.concatenate(rows) for name, rows in kept.items()}
    return Reading(verdicts, found, accepted, **arrays)
