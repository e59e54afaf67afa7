"""Real complaints as batches with cheap vectors: enough to fit and to test rules, not to measure quality."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from incidentml.gold import GoldPost, load_gold
from incidentml.incidents import ClusterState, ClusterUpdate, IncidentClusterer, PostBatch
from incidentml.text import words
from incidentml.types import Kind, Place, PostKey

CORPUS = Path(__file__).resolve().parents[1] / "datasets" / "ruincidents"
DIM, TOPICS = 32, 6


def vector(text: str) -> np.ndarray:
    """Sum of directions that hang on the words alone."""
    total = np.zeros(DIM)
    for word in words(text):
        seed = int.from_bytes(word[:5].encode().ljust(10, b"\0")[:10], "little") % 2**32
        total += np.random.default_rng(seed).standard_normal(DIM)
    return total


def place(item: GoldPost) -> tuple[Place, ...]:
    told = item.gold.mentions
    if not told:
        return ()
    return (Place(told.get("settlement"), told.get("street"), told.get("house"), told.get("landmark")),)


def batch_of(posts: list[tuple[str, float, str, tuple[Place, ...], str | None]]) -> PostBatch:
    """Make a batch from (id, time, text, places, region)."""
    vectors = np.array([vector(text) for _, _, text, _, _ in posts], dtype=np.float32).reshape(len(posts), DIM)
    topics = np.abs(vectors[:, :TOPICS])
    return PostBatch(
        keys=[PostKey("vk", id_) for id_, *_ in posts],
        times=np.array([time for _, time, *_ in posts], dtype=np.float64),
        texts=[text for _, _, text, _, _ in posts],
        vectors=vectors,
        places=[places for *_, places, _ in posts],
        regions=[region for *_, region in posts],
        topics=topics / np.maximum(topics.sum(axis=1, keepdims=True), 1e-9),
    )


@cache
def complaints(territory: str) -> tuple[GoldPost, ...]:
    items = load_gold(CORPUS / f"{territory}.jsonl")
    return tuple(item for item in items if item.gold.kind is Kind.COMPLAINT and item.post is not None)


def gold_batch(items: tuple[GoldPost, ...] | list[GoldPost]) -> PostBatch:
    rows = [
        (item.key.id, item.post.published_at.timestamp(), item.text, place(item), item.region)
        for item in items
        if item.post is not None
    ]
    return batch_of(rows)


@cache
def clusterer() -> IncidentClusterer:
    items = [*complaints("perm"), *complaints("bashkortostan")]
    return IncidentClusterer().fit(gold_batch(items), [item.gold.incident for item in items])


def fresh(batch: PostBatch) -> ClusterUpdate:
    """One update of everything."""
    model = clusterer()
    return model.update(model.start(), batch)


def partition(state: ClusterState) -> dict[str, tuple[PostKey, ...]]:
    return dict(state.incidents)
