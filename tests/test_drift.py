from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentml.complaints.facts import fact_name
from incidentml.complaints.features import PAGE, dense_features, feature_names
from incidentml.concreteness import concreteness
from incidentml.drift import DriftMonitor, column_sums
from incidentml.gold import GoldPost, load_gold

CORPUS = Path(__file__).parent.parent / "datasets" / "ruincidents"
FEEDS = ("perm", "krasnodar", "bashkortostan", "stream_samara", "stream_rostov", "stream_novosibirsk")


@cache
def evidence(name: str) -> np.ndarray:
    """Return the evidence of a whole file: no encoder that could know it."""
    return read(load_gold(CORPUS / f"{name}.jsonl"))


def read(items: list[GoldPost]) -> np.ndarray:
    texts = [item.text for item in items]
    slots = [concreteness(text, ()) for text in texts]
    rows = dense_features(texts, np.zeros((len(texts), 0)), slots, [item.source for item in items])
    return rows[:, :PAGE]


@cache
def city_monitor() -> DriftMonitor:
    groups = np.repeat(FEEDS, [len(evidence(name)) for name in FEEDS])
    return DriftMonitor().fit(np.vstack([evidence(name) for name in FEEDS]), groups=groups)


@pytest.mark.parametrize("name", ["sverdlovsk", "stream_primorye"])
def test_drift_is_quiet_on_a_territory_left_out_whole_or_in_parts(name):
    rows = evidence(name)
    assert not city_monitor().report(rows).retrain
    for start in range(0, len(rows) - 120, 120):
        assert not city_monitor().report(rows[start : start + 120]).retrain


def test_drift_speaks_up_on_another_sort_of_stream():
    chatter = [item for item in load_gold(CORPUS / "kinds_extra.jsonl") if item.gold.kind.value == "negativity"]
    names = [fact_name(name) for name in feature_names(0)[:PAGE]]
    report = city_monitor().report(read(chatter), names)
    assert report.retrain
    assert len(report.to_json()["shifts"]) == len(report.shifts) == 10
    assert {name for name, _ in report.shifts} <= set(names)


def _monitor():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(600, 6))
    groups = np.repeat(["a", "b", "c"], 200)
    X[groups == "b", 0] += 0.5
    return DriftMonitor().fit(X, groups=groups), rng


def test_drift_is_quiet_on_the_same_kind_of_data():
    monitor, rng = _monitor()
    report = monitor.report(rng.normal(size=(300, 6)))
    assert not report.retrain
    assert "похожи" in report.reasons[0]


def test_drift_speaks_up_and_names_what_shifted():
    monitor, rng = _monitor()
    batch = rng.normal(size=(300, 6))
    batch[:, 3] += 3
    report = monitor.report(batch, names=[f"word: {i}" for i in range(6)])
    assert report.retrain
    assert report.shifts[0][0] == "word: 3"
    assert "обучить заново" in report.reasons[0]


def test_drift_does_not_judge_few_posts():
    monitor, _ = _monitor()
    report = monitor.report(np.full((5, 6), 9.0))
    assert not report.retrain
    assert "нужно 100" in report.reasons[0]


def test_drift_monitor_survives_save_and_load(tmp_path):
    monitor, rng = _monitor()
    batch = rng.normal(size=(120, 6))
    assert DriftMonitor.load(monitor.save(tmp_path / "d")).report(batch) == monitor.report(batch)


def test_drift_needs_groups_and_the_same_columns():
    with pytest.raises(ValueError, match="two at least"):
        DriftMonitor().fit(np.zeros((4, 2)), groups=["a"] * 4)
    monitor, _ = _monitor()
    with pytest.raises(ValueError, match="2 columns"):
        monitor.report(np.zeros((120, 2)))


def test_drift_is_quiet_on_a_batch_like_one_territory_far_from_the_mean_of_all():
    rng = np.random.RandomState(2)
    X = rng.normal(size=(900, 6))
    X[:450] += 2.0
    X[225:450, 0] += 0.5  # territories are never quite alike: that is the scale
    X[675:, 0] += 0.5
    monitor = DriftMonitor().fit(X, groups=np.repeat(["a", "b", "c", "d"], [225, 225, 225, 225]))
    assert not monitor.report(rng.normal(size=(200, 6)) + 2.0).retrain
    assert not monitor.report(rng.normal(size=(200, 6))).retrain
    assert monitor.report(rng.normal(size=(200, 6)) + 1.0).retrain


@given(st.lists(st.floats(-4, 4, width=32), min_size=3, max_size=40), st.randoms(use_true_random=False))
def test_sums_do_not_depend_on_order_or_parts(values, random):
    shuffled = list(values)
    random.shuffle(shuffled)
    cut = len(values) // 2
    whole = column_sums(np.array(values)[:, None])
    parts = column_sums(np.array(shuffled[:cut]).reshape(-1, 1)) + column_sums(np.array(shuffled[cut:])[:, None])
    assert whole.tolist() == parts.tolist()
