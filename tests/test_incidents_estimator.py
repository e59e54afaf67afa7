from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from incident_fixtures import clusterer, complaints, fresh, gold_batch, partition
from incidentml.errors import DataError, ModelFormatError
from incidentml.evaluation import b_cubed, pairwise
from incidentml.incidents import IncidentClusterer
from incidentml.incidents import partition as incident_partition
from incidentml.incidents.links import FEATURES
from incidentml.incidents.model import PairModel, Trees
from incidentml.types import PostKey


def test_the_constructor_only_stores():
    model = IncidentClusterer(link_floor=7, backend="none")
    assert model.get_params()["link_floor"] == 7
    assert clone(model).get_params() == model.get_params()
    assert not [name for name in vars(model) if name.endswith("_")]


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"link_floor": 0.0}, "link_floor is 0.0"),
        ({"join_floor": 1.5}, "join_floor is 1.5"),
        ({"backend": "fast"}, "backend is 'fast'"),
        ({"place_days": -1.0}, "place_days is -1.0"),
    ],
)
def test_parameters_are_checked_in_fit(params, match):
    items = complaints("perm")[:30]
    with pytest.raises(ValueError, match=match):
        IncidentClusterer(**params).fit(gold_batch(items), [item.gold.incident for item in items])


def test_before_fit_nothing_works():
    with pytest.raises(NotFittedError):
        IncidentClusterer().start()


def test_labels_must_fit_the_batch():
    items = complaints("perm")[:30]
    with pytest.raises(DataError, match="1 labels for 30 posts"):
        IncidentClusterer().fit(gold_batch(items), ["a"])
    with pytest.raises(DataError, match="posts of one incident"):
        IncidentClusterer().fit(gold_batch(items), [None] * 30)


def test_an_unseen_region_is_clustered_well_above_chance():
    items = complaints("krasnodar")
    update = fresh(gold_batch(items))
    gold = [item.gold.incident or f"alone {i}" for i, item in enumerate(items)]
    found = [update.state.incident_of(PostKey("vk", item.key.id)) for item in items]
    assert pairwise(gold, found).f1 > 0.6
    assert b_cubed(gold, found).f1 > 0.8


def test_a_loaded_model_gives_the_same_incidents(tmp_path):
    model = clusterer()
    model.save(tmp_path / "model")
    loaded = IncidentClusterer.load(tmp_path / "model")
    batch = gold_batch(complaints("krasnodar")[:60])
    assert loaded.fingerprint == model.fingerprint
    assert partition(loaded.update(loaded.start(), batch).state) == partition(fresh(batch).state)


def test_fitting_twice_is_fitting_once():
    items = complaints("perm")[:80]
    batch, labels = gold_batch(items), [item.gold.incident for item in items]
    once = IncidentClusterer().fit(batch, labels)
    first = once.fingerprint
    assert once.fit(batch, labels).fingerprint == first


def test_pieces_may_be_clustered_anywhere(monkeypatch):
    batch, sent = gold_batch(complaints("krasnodar")), []

    def elsewhere(work, jobs):
        sent.extend(jobs)
        return [*map(work, reversed(jobs))][::-1]

    monkeypatch.setattr(incident_partition, "_LARGE", 3)
    monkeypatch.setattr(incident_partition, "_WAITING", 50)
    model = clusterer()
    assert partition(model.update(model.start(), batch, spread=elsewhere).state) == partition(fresh(batch).state)
    assert len(sent) > 1


def test_the_backends_agree_on_real_posts():
    batch = gold_batch(complaints("krasnodar"))
    one = IncidentClusterer.from_state(clusterer().to_state()).set_params(density_from=8)
    two = IncidentClusterer.from_state(clusterer().to_state()).set_params(density_from=8, backend="sklearn")
    # Only exact ties of distances may be broken in another way; these posts have none.
    assert partition(one.update(one.start(), batch).state) == partition(two.update(two.start(), batch).state)


def test_own_trees_equal_those_of_scikit_learn():
    from sklearn.ensemble import HistGradientBoostingClassifier

    rng = np.random.default_rng(0)
    X = rng.standard_normal((600, len(FEATURES))).astype(np.float32)
    y = X[:, 0] + X[:, 1] * X[:, 2] > 0
    trees = Trees.fit(X, y)
    booster = HistGradientBoostingClassifier(
        max_iter=90, learning_rate=0.1, max_depth=4, max_leaf_nodes=16, min_samples_leaf=20, l2_regularization=3.0,
        early_stopping=False, random_state=0, monotonic_cst=_directions(),
    ).fit(X, y)  # fmt: skip
    assert trees.log_odds(X) == pytest.approx(booster.decision_function(X), abs=1e-5)


def _directions() -> list[int]:
    from incidentml.incidents import model

    return [(name in model._FOR) - (name in model._AGAINST) for name in FEATURES]


def test_probabilities_do_not_hang_on_how_pairs_are_batched():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((9000, len(FEATURES))).astype(np.float32)
    model = PairModel.fit(X[:500], X[:500, 0] > 0)
    whole = model.probability(X)
    assert (whole == np.concatenate([model.probability(part) for part in np.array_split(X, 7)])).all()


def test_a_model_for_other_evidence_is_refused():
    state = clusterer().to_state()
    part = state.part("model")
    part = type(part)(part.kind, {**part.meta, "features": ["text"]}, part.arrays, part.parts)
    with pytest.raises(ModelFormatError, match="other evidence"):
        PairModel.from_state(part)
