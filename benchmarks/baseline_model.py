"""The peer that any data scientist would build first: TF-IDF, logistic regression, HDBSCAN with its defaults.

It answers in the same lines as the library, so that one scorer judges both.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse.csgraph import connected_components
from sklearn.cluster import HDBSCAN
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer
from sklearn.svm import LinearSVC

from incidentml.evaluation import pairwise
from incidentml.gold import GoldPost
from incidentml.types import Kind

LABELS = ("group", "topic", "level", "scale", "urgency")


@dataclass
class Baseline:
    """One classifier per label, and clusters of the texts that were called complaints."""

    clusters: str = "hdbscan"
    seed: int = 0

    def fit(self, items: Sequence[GoldPost]) -> Baseline:
        """Learn every label from the posts that have it."""
        self.words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2, max_features=40_000)
        vectors = self.words.fit_transform([item.text for item in items])
        judged = [row for row, item in enumerate(items) if item.gold.kind is not None]
        self.kind = LogisticRegression(C=10.0, max_iter=300).fit(
            vectors[judged], [str(items[row].gold.kind) for row in judged]
        )
        self.heads = {}
        for name in LABELS:
            rows = [row for row, item in enumerate(items) if getattr(item.gold, name) is not None]
            labels = [str(getattr(items[row].gold, name)) for row in rows]
            self.heads[name] = LinearSVC(C=1.0).fit(vectors[rows], labels)
        self.floor = self._best_floor(items, vectors) if self.clusters == "graph" else None
        return self

    def _best_floor(self, items: Sequence[GoldPost], vectors: Any) -> float:
        """Return the cosine above which two texts are linked that does best on the territories learnt from."""
        gold: list[str | None] = []
        found: dict[float, list[str]] = {floor: [] for floor in (0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6)}
        for territory in sorted({item.territory for item in items if item.post is not None}):
            rows = [
                row
                for row, item in enumerate(items)
                if item.territory == territory and item.gold.kind is Kind.COMPLAINT
            ]
            gold += [items[row].gold.incident for row in rows]
            cosines = vectors[rows] @ vectors[rows].T
            for floor, names in found.items():
                names += [
                    f"{territory}/{label}" for label in connected_components(cosines > floor, directed=False)[1]
                ]
        return max(found, key=lambda floor: pairwise(gold, found[floor]).f1)

    def predict(self, items: Sequence[GoldPost]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return lines of posts and of incidents."""
        vectors = self.words.transform([item.text for item in items])
        probabilities = self.kind.predict_proba(vectors)
        column = self.kind.classes_.tolist().index(Kind.COMPLAINT.value)
        kinds = self.kind.classes_[probabilities.argmax(axis=1)]
        accepted = np.flatnonzero(probabilities[:, column] >= 0.5)
        names = self._cluster(vectors[accepted])
        incident_of = dict(zip(accepted.tolist(), names, strict=True))
        posts = [
            {
                "id": item.key.id,
                "network": item.key.network,
                "kind": str(kinds[row]),
                "complaint_probability": float(probabilities[row, column]),
                "places": [],
                "incident_id": incident_of.get(row),
            }
            for row, item in enumerate(items)
        ]
        return posts, self._incidents(vectors, incident_of)

    def _cluster(self, vectors: Any) -> list[str]:
        if vectors.shape[0] < 5:
            return [f"alone-{row}" for row in range(vectors.shape[0])]
        if self.clusters == "graph":
            labels = connected_components(vectors @ vectors.T > self.floor, directed=False)[1]
        else:
            size = min(100, vectors.shape[0] - 1, vectors.shape[1] - 1)
            dense = make_pipeline(TruncatedSVD(size, random_state=self.seed), Normalizer()).fit_transform(vectors)
            labels = HDBSCAN(min_cluster_size=2, copy=True).fit_predict(dense)
        return [f"c{label}" if label >= 0 else f"alone-{row}" for row, label in enumerate(labels.tolist())]

    def _incidents(self, vectors: Any, incident_of: dict[int, str]) -> list[dict[str, Any]]:
        members: dict[str, list[int]] = defaultdict(list)
        for row, name in incident_of.items():
            members[name].append(row)
        votes = {name: head.predict(vectors) for name, head in self.heads.items()}
        lines = []
        for name, rows in members.items():
            chosen = {label: _majority([str(votes[label][row]) for row in rows]) for label in LABELS}
            lines.append({"id": name, **chosen, "urgency": int(chosen["urgency"]), "topic_alternatives": []})
        return lines


def _majority(labels: Sequence[str]) -> str:
    counts = Counter(labels)
    return min(counts, key=lambda label: (-counts[label], label))
