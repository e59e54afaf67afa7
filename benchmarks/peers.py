"""Peers that make incidents of complaints, on the same texts, vectors, times and places as the library.

Each takes a `PostBatch` and a floor (which some do not need), and gives one label a post. Whatever a peer calls
noise is an incident of its own. `FLOORS` holds the floors to choose from, on territories that are not measured.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from incidentml.incidents import PostBatch
from incidentml.text import words

Labels = Sequence[Any]
DAY = 86400.0
#: BERTopic's defaults want topics of ten texts and fifteen neighbours.
_FEWEST_FOR_BERTOPIC = 20


def components(n: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    graph = coo_matrix((np.ones(len(left)), (left, right)), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1])


def _vectors(batch: PostBatch) -> np.ndarray:
    rows = np.asarray(batch.vectors, dtype=np.float64)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def _alone(labels: Sequence[int]) -> Labels:
    return [f"-{i}" if label < 0 else str(label) for i, label in enumerate(labels)]


def text_components(batch: PostBatch, floor: float) -> Labels:
    left, right = np.nonzero(np.triu(_vectors(batch) @ _vectors(batch).T >= floor, 1))
    return components(len(batch), left, right)


def plain_hdbscan(batch: PostBatch, floor: float) -> Labels:
    from hdbscan import HDBSCAN

    model = HDBSCAN(min_cluster_size=2, min_samples=1, core_dist_n_jobs=1)
    return _alone(model.fit(_vectors(batch)).labels_.tolist())


def sklearn_hdbscan(batch: PostBatch, floor: float) -> Labels:
    from sklearn.cluster import HDBSCAN

    return _alone(HDBSCAN(min_cluster_size=2, min_samples=2, copy=True).fit(_vectors(batch)).labels_.tolist())


def bertopic(batch: PostBatch, floor: float) -> Labels:
    """BERTopic as it comes, with vectors given: UMAP, HDBSCAN with topics of ten texts at least."""
    from bertopic import BERTopic
    from umap import UMAP

    if len(batch) < _FEWEST_FOR_BERTOPIC:
        return list(range(len(batch)))
    # Its own default UMAP, but for the seed: without one no two runs agree.
    space = UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=0, n_jobs=1)
    model = BERTopic(language="multilingual", umap_model=space)
    found, _ = model.fit_transform(list(batch.texts), embeddings=_vectors(batch).astype(np.float32))
    return _alone([int(label) for label in found])


def same_place(batch: PostBatch, floor: float) -> Labels:
    """Same likeliest topic, same street or landmark or else settlement, at most 14 days apart."""
    top = batch.subtopics.argmax(axis=1)
    rows: dict[Any, list[int]] = {}
    for i, places in enumerate(batch.places):
        for place in places[:1]:
            rows.setdefault((top[i], place.street or place.landmark or place.settlement), []).append(i)
    pairs = []
    for members in rows.values():
        members.sort(key=lambda i: batch.times[i])
        pairs += [(a, b) for a, b in pairwise(members) if batch.times[b] - batch.times[a] <= 14 * DAY]
    ends = np.array(pairs, dtype=np.intp).reshape(-1, 2)
    return components(len(batch), ends[:, 0], ends[:, 1])


def crisistracker(batch: PostBatch, floor: float) -> Labels:
    """CrisisTracker's rule: a post joins the story of the likest earlier post, by TF-IDF cosine, over 0.55."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    rows = TfidfVectorizer(analyzer=words).fit_transform(batch.texts)
    likeness = (rows @ rows.T).toarray()
    order, labels = np.argsort(batch.times, kind="stable"), np.arange(len(batch))
    for at, i in enumerate(order.tolist()):
        earlier = order[:at]
        if at and likeness[i, earlier].max() >= 0.55:
            labels[i] = labels[earlier[likeness[i, earlier].argmax()]]
    return labels


def semhash(batch: PostBatch, floor: float) -> Labels:
    """What semhash calls duplicates at the floor, on the same vectors."""
    from semhash import SemHash

    class _Ready:
        def __init__(self) -> None:
            self.at = dict(zip(batch.texts, _vectors(batch), strict=True))

        def encode(self, inputs: Sequence[str], **_: Any) -> np.ndarray:
            return np.array([self.at[text] for text in inputs], dtype=np.float32)

    found = SemHash.from_records(list(batch.texts), model=_Ready()).self_deduplicate(threshold=floor)
    first = {text: i for i, text in reversed(list(enumerate(batch.texts)))}
    pairs = [
        (first[str(item.record)], first[str(other)]) for item in found.filtered for other, _ in item.duplicates
    ]
    pairs += [(i, first[text]) for i, text in enumerate(batch.texts)]
    ends = np.array(pairs, dtype=np.intp)
    return components(len(batch), ends[:, 0], ends[:, 1])


_SIMILAR = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
PEERS: dict[str, tuple[Callable[[PostBatch, float], Labels], tuple[float, ...]]] = {
    "components on text": (text_components, _SIMILAR),
    "hdbscan on vectors": (plain_hdbscan, (0.0,)),
    "sklearn HDBSCAN": (sklearn_hdbscan, (0.0,)),
    "BERTopic": (bertopic, (0.0,)),
    "semhash": (semhash, _SIMILAR),
    "same topic, place, 14 days": (same_place, (0.0,)),
    "CrisisTracker 0.55": (crisistracker, (0.0,)),
}
