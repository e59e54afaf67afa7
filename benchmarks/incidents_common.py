"""What both incident benchmarks need: complaints by territory as batches, read by models that never saw it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import Ridge

from incidentml.gold import GoldPost, load_corpus
from incidentml.incidents import PostBatch
from incidentml.places import PlaceExtractor
from incidentml.types import Kind

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / "datasets" / "ruincidents"
RESULTS = Path(__file__).resolve().parent / "results"
#: Sharpness of the softmax over regression scores, chosen on `topics.jsonl` alone.
_SHARPNESS = 10.0


def honest_vectors(items: Sequence[GoldPost], file: Path | None) -> np.ndarray:
    """Return vectors of all posts as an encoder gives them that has not seen a post's territory.

    Training takes minutes; `file` keeps the result.
    """
    if file is not None and file.exists():
        kept = np.load(file)
        row = {key: i for i, key in enumerate(zip(kept["network"].tolist(), kept["id"].tolist(), strict=True))}
        if all(tuple(item.key) in row for item in items):
            return np.asarray(kept["vectors"][[row[tuple(item.key)] for item in items]])
    print("training an encoder to get vectors that have not seen their own territory", flush=True)
    from incidentml.encoders.training import train_encoder_and_vectors

    vectors = train_encoder_and_vectors(items).vectors
    if file is not None:
        networks, ids = zip(*(item.key for item in items), strict=True)
        np.savez(file, network=np.array(networks), id=np.array(ids), vectors=vectors)
    return vectors


def unseen_topics(
    name: str, items: Sequence[GoldPost], vectors: np.ndarray, held: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities of groups and of topics by ridge regression on the posts of all other territories.

    A quick stand-in for the router, which takes minutes to fit.
    """
    rows = [i for i, item in enumerate(items) if item.gold.topic and item.gold.group and item.territory != name]
    out = []
    for labels in ([str(items[i].gold.group) for i in rows], [str(items[i].gold.topic) for i in rows]):
        names, index = np.unique(labels, return_inverse=True)
        head = Ridge(alpha=1.0).fit(vectors[rows], np.eye(len(names), dtype=np.float32)[index])
        odds = np.exp(_SHARPNESS * head.predict(vectors[list(held)]))
        out.append((odds / odds.sum(axis=1, keepdims=True)).astype(np.float32))
    return out[0], out[1]


def batches(
    file: Path | None = None, vectors: np.ndarray | None = None
) -> tuple[dict[str, PostBatch], dict[str, list[GoldPost]], list[str]]:
    """Return (batch of each territory, its posts, all texts of the corpus); `file` as in `honest_vectors`."""
    items, extractor = load_corpus(CORPUS), PlaceExtractor()
    vectors = honest_vectors(items, file) if vectors is None else vectors
    found, by_territory = {}, {}
    for name in sorted({item.territory for item in items}):
        held = [i for i, item in enumerate(items) if item.territory == name and _is_complaint(item)]
        if not held:
            continue
        groups, topics = unseen_topics(name, items, vectors, held)
        posts = [post for i in held if (post := items[i].post) is not None]
        by_territory[name] = [items[i] for i in held]
        found[name] = PostBatch(
            keys=[post.key for post in posts],
            times=np.array([post.published_at.timestamp() for post in posts]),
            texts=[post.text for post in posts],
            vectors=vectors[held],
            places=[extractor.extract(post.text, region=post.region) for post in posts],
            regions=[post.region for post in posts],
            authors=[post.author_id for post in posts],
            sources=[post.source for post in posts],
            topics=groups,
            subtopics=topics,
        )
    return found, by_territory, [item.text for item in items]


def _is_complaint(item: GoldPost) -> bool:
    return item.post is not None and item.gold.kind is Kind.COMPLAINT


def joined(parts: Sequence[PostBatch]) -> PostBatch:
    """Return the rows of all batches, one after the other."""
    values: dict[str, Any] = {}
    for column in fields(PostBatch):
        rows = [getattr(part, column.name) for part in parts]
        values[column.name] = (
            np.concatenate(rows) if isinstance(rows[0], np.ndarray) else [value for row in rows for value in row]
        )
    return PostBatch(**values)


def labels_of(posts: Mapping[str, Sequence[GoldPost]], names: Sequence[str]) -> list[str | None]:
    """Return the gold incident of each post of some territories."""
    return [item.gold.incident for name in names for item in posts[name]]
