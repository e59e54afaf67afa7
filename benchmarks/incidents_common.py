"""What both incident benchmarks need: the complaints of each territory as batches, with topics seen from outside."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from incidentml.encoding import StaticEncoder
from incidentml.gold import GoldPost, load_corpus
from incidentml.incidents import PostBatch
from incidentml.places import PlaceExtractor
from incidentml.routing import Router, routing_features
from incidentml.types import Kind

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / "datasets" / "ruincidents"
RESULTS = Path(__file__).resolve().parent / "results"


def encoder() -> StaticEncoder:
    """Return the newest encoder that ships; it has learnt nothing from incident labels."""
    return StaticEncoder.load(sorted((ROOT / "models" / "static-ru").iterdir())[-1])


def complaints(items: Sequence[GoldPost]) -> dict[str, list[GoldPost]]:
    """Return the gold complaints that have a time, by territory."""
    found: dict[str, list[GoldPost]] = {}
    for item in items:
        if item.post is not None and item.gold.kind is Kind.COMPLAINT:
            found.setdefault(item.territory, []).append(item)
    return dict(sorted(found.items()))


def unseen_topics(
    name: str, items: Sequence[GoldPost], held: Sequence[GoldPost], encode: Any, cache: Path | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities of groups and topics from a router that has not seen the territory."""
    file = None if cache is None else cache / f"{name}.npz"
    if file is not None and file.exists():
        known = np.load(file)
        if len(known["g"]) == len(held):
            return known["g"], known["t"]
    rows = [item for item in items if item.gold.topic is not None and item.territory != name]
    texts = [item.text for item in rows]
    router = Router(folds=2).fit(
        routing_features(texts, encode(texts)),
        [str(item.gold.topic) for item in rows],
        incidents=[item.gold.incident for item in rows],
    )
    texts = [item.text for item in held]
    scores = router.score_posts(texts, encode(texts))
    groups, topics = router.groups_proba(scores), router.topics_proba(scores).astype(np.float32)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, g=groups, t=topics)
    return groups, topics


def batches(cache: Path | None = None) -> tuple[dict[str, PostBatch], dict[str, list[GoldPost]], list[str]]:
    """Return (batch of each territory, its posts, all texts of the corpus)."""
    items, encode, extractor = load_corpus(CORPUS), encoder().encode, PlaceExtractor()
    by_territory = complaints(items)
    found = {}
    for name, held in by_territory.items():
        print(f"reading {name}", file=sys.stderr, flush=True)
        groups, topics = unseen_topics(name, items, held, encode, cache)
        posts = [item.post for item in held if item.post is not None]
        texts = [post.text for post in posts]
        found[name] = PostBatch(
            keys=[post.key for post in posts],
            times=np.array([post.published_at.timestamp() for post in posts]),
            texts=texts,
            vectors=encode(texts),
            places=[extractor.extract(post.text, region=post.region) for post in posts],
            regions=[post.region for post in posts],
            authors=[post.author_id for post in posts],
            sources=[post.source for post in posts],
            topics=groups,
            subtopics=topics,
        )
    return found, by_territory, [item.text for item in items]


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
