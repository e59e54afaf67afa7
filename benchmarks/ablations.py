"""What each part is worth on territories left out of training: evidence of links, blocks of the filter's features.

A part is taken away by putting zeros in its columns before learning, so that nothing else changes. What HDBSCAN
itself is worth stands in ``results/incidents.json``; one table shows both. Filters are not calibrated here, which
would take an hour: figures compare with one another alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from common import corpus, forked
from incidents_common import batches, joined, labels_of
from noise import honest_vectors
from scipy.sparse import diags_array

from incidentml.complaints import ComplaintClassifier, complaint_features
from incidentml.complaints.features import feature_names
from incidentml.concreteness import concreteness
from incidentml.evaluation import average_precision, b_cubed, binary_scores, macro_f1, pairwise
from incidentml.gold import GoldPost
from incidentml.incidents import IncidentClusterer
from incidentml.incidents.candidates import find_candidates
from incidentml.incidents.clustering import Grouping, cluster_links
from incidentml.incidents.company import said
from incidentml.incidents.derive import columns_of
from incidentml.incidents.links import FEATURES, pair_features
from incidentml.incidents.model import PairModel
from incidentml.incidents.training import fit_company
from incidentml.incidents.wording import Vocabulary
from incidentml.numeric import sigmoid
from incidentml.places.training import train_tagger_and_places
from incidentml.splits import leave_one_territory_out
from incidentml.training import FILTER_WEIGHTS
from incidentml.types import Kind

#: Evidence of links by what it comes from; a test holds that every piece of evidence is in one.
LINKS = {
    "meaning of the texts": "text",
    "topics": "topic top_topic subtopic top_subtopic problem one_topic sure",
    "words in common": "words words_share what what_share where elsewhere rarest_word names",
    "numbers": "numbers numbers_differ things things_differ routes_differ",
    "places": (
        "place settlement street house landmark placed settlements_told streets_told houses_told landmarks_told "
        "streets houses page_town towns_differ"
    ),
    "time": "hours",
    "authors, pages, networks": "page_words one_page one_author one_network relay reply replies later_reply",
    "copies": "copied contained",
    "lengths": "short long later_long",
    "whether others speak of it": "most_alone least_alone later_alone",
}
FILTER = {
    "meaning of the text": ("meaning",),
    "classes of words": ("word:", "opening:"),
    "pairs of classes": ("pair:",),
    "form": ("form:",),
    "slots of a concrete claim": ("slot:",),
    "name of the page": ("source:",),
    "words and letter n-grams": ("lexical",),
}
_FLOORS = (0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55)
_KEPT = 0.1


def ablations(suite: Mapping[str, Any]) -> dict[str, Any]:
    """Measure both on the suite's territories; each result is the whole beside the whole without one part."""
    items = [item for item in corpus() if item.territory not in suite.get("without", ())]
    territories, jobs = suite["territories"], suite.get("jobs", 1)
    return {"links": _links(territories, jobs), "filter": _filter(items, territories, jobs)}


def _links(territories: Sequence[str], jobs: int) -> dict[str, dict[str, float]]:
    found, posts, texts = batches(None, honest_vectors(corpus()))
    names = list(found)
    batch = joined([found[name] for name in names])
    where = np.repeat(names, [len(found[name]) for name in names])
    labels = [label or f"alone {row}" for row, label in enumerate(labels_of(posts, names))]
    # How rare a word is comes from all texts, for every part alike: no labels are in it.
    columns = columns_of(batch, Vocabulary.learn(texts))
    columns = replace(columns, solitude=fit_company(said(batch.texts), columns, labels)[1])
    everyone = np.ones(len(batch), dtype=bool)
    rules = IncidentClusterer()._rules()
    pieces = [work() for work in find_candidates(columns, np.arange(len(batch)), everyone, rules)]
    pairs = np.unique(np.concatenate([np.stack([p.left, p.right], axis=1) for p in pieces]), axis=0)
    pairs = pairs[where[pairs[:, 0]] == where[pairs[:, 1]]]
    features = pair_features(columns, pairs[:, 0], pairs[:, 1])
    gold = np.unique(labels, return_inverse=True)[1]

    def judged(name: str) -> dict[str, float]:
        given = features.copy()
        if name in LINKS:
            given[:, [k for k, feature in enumerate(FEATURES) if feature in LINKS[name].split()]] = 0
        probability = _unseen(given, gold, pairs, where, territories, name)
        return _incidents(probability, gold, pairs, where, columns, territories)

    parts = ("everything", *LINKS, "the trees", "the ceilings")
    names = [name if name == "everything" else f"without {name}" for name in parts]
    return dict(zip(names, forked(judged, parts, jobs), strict=True))


def _unseen(
    features: np.ndarray,
    gold: np.ndarray,
    pairs: np.ndarray,
    where: np.ndarray,
    territories: Sequence[str],
    left_out: str,
) -> np.ndarray:
    """Return the probability of each pair of the territories by a model of the other territories."""
    same, home = gold[pairs[:, 0]] == gold[pairs[:, 1]], where[pairs[:, 0]]
    odds, out = np.zeros(len(pairs)), np.zeros(len(pairs))
    models = {}
    for name in territories:
        away = home != name
        model = PairModel.fit(features[away], same[away])
        if left_out == "the trees":
            model = replace(
                model, trees=replace(model.trees, value=np.zeros_like(model.trees.value), baseline=0.0)
            )
        odds[~away] = model.log_odds(features[~away])
        models[name] = model
    told = np.isin(home, territories)
    for name, model in models.items():
        here, others = home == name, told & (home != name)
        calibrated = model.calibrated(odds[others], same[others])
        if left_out == "the ceilings":
            out[here] = sigmoid(odds[here] * calibrated.scale + calibrated.shift)
        else:
            out[here] = calibrated.of_log_odds(odds[here], features[here])
    return out


def _incidents(
    probability: np.ndarray,
    gold: np.ndarray,
    pairs: np.ndarray,
    where: np.ndarray,
    columns: Any,
    territories: Sequence[str],
) -> dict[str, float]:
    """Return means over territories; the floor of each is the best one for the others."""
    rank = columns.rank()
    order = np.argsort(rank)
    kept = (probability >= _KEPT) & np.isin(where[pairs[:, 0]], territories)
    links = rank[pairs[kept, 0]], rank[pairs[kept, 1]], probability[kept]
    naming = columns.naming.take(order)
    found = {floor: cluster_links(len(gold), links, Grouping(floor), naming)[rank] for floor in _FLOORS}
    rows = {name: np.flatnonzero(where == name) for name in territories}
    f1 = {
        (name, floor): pairwise(gold[own], labels[own]).f1
        for name, own in rows.items()
        for floor, labels in found.items()
    }
    chosen = {
        name: max(_FLOORS, key=lambda floor: np.mean([f1[other, floor] for other in rows if other != name]))
        for name in rows
    }
    same = gold[pairs[:, 0]] == gold[pairs[:, 1]]
    home = where[pairs[:, 0]]
    return {
        "pairwise_f1": _mean(f1[name, chosen[name]] for name in rows),
        "b_cubed_f1": _mean(b_cubed(gold[own], found[chosen[name]][own]).f1 for name, own in rows.items()),
        "link_average_precision": _mean(
            average_precision(same[home == name], probability[home == name]) for name in rows
        ),
    }


def _filter(items: Sequence[GoldPost], territories: Sequence[str], jobs: int) -> dict[str, dict[str, float]]:
    vectors = honest_vectors(corpus())
    row = {item.key: number for number, item in enumerate(corpus())}
    items = [item for item in items if item.gold.kind is not None]
    _, places = train_tagger_and_places(items)
    slots = [concreteness(item.text, place) for item, place in zip(items, places, strict=True)]
    own = vectors[[row[item.key] for item in items]]
    features = complaint_features([i.text for i in items], own, slots, [i.source for i in items])
    names = feature_names(own.shape[1])
    names += ["lexical"] * (features.shape[1] - len(names))
    kinds = np.array([item.gold.kind.value for item in items])
    splits = list(leave_one_territory_out(items, territories))

    def judged(block: Sequence[str]) -> dict[str, float]:
        given = features @ diags_array([float(not name.startswith(tuple(block))) for name in names])
        given.eliminate_zeros()
        rows = []
        for split in splits:
            model = ComplaintClassifier(folds=0, class_weight=FILTER_WEIGHTS)
            model.fit(given[split.train], kinds[split.train])
            probability = model.predict_proba(given[split.test])[:, model.classes_.tolist().index("complaint")]
            gold = kinds[split.test] == Kind.COMPLAINT.value
            likely = model.predict(given[split.test])
            f1 = binary_scores(gold, likely == Kind.COMPLAINT.value).f1
            rows.append((average_precision(gold, probability), f1, macro_f1(kinds[split.test], likely)))
        figures = map(_mean, zip(*rows, strict=True))
        return dict(zip(("average_precision", "f1_of_likeliest", "kinds_macro_f1"), figures, strict=True))

    parts = ["everything", *(f"without {name}" for name in FILTER)]
    return dict(zip(parts, forked(judged, [(), *FILTER.values()], jobs), strict=True))


def _mean(values: Any) -> float:
    return round(float(np.mean(list(values))), 4)
