"""Metrics against scikit-learn, values by hand, and invariants."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn import metrics

from incidentml import evaluation as ev

labels = st.lists(st.sampled_from(["a", "b", "c", "d", None, "", -1]), min_size=1, max_size=14)


@st.composite
def two_partitions(draw: st.DrawFn) -> tuple[list[Any], list[Any]]:
    gold = draw(labels)
    return gold, draw(st.lists(st.sampled_from(["x", "y", "z", None]), min_size=len(gold), max_size=len(gold)))


def alone(label: Any) -> bool:
    return label in (None, "", -1)


def pairs(partition: list[Any]) -> set[tuple[int, int]]:
    return {
        (i, j)
        for i, j in itertools.combinations(range(len(partition)), 2)
        if partition[i] == partition[j] and not alone(partition[i])
    }


def members(partition: list[Any], row: int) -> set[int]:
    if alone(partition[row]):
        return {row}
    return {other for other, label in enumerate(partition) if label == partition[row]}


# Partitions


@given(two_partitions())
@settings(max_examples=200, deadline=None)
def test_pairwise_equals_the_count_of_all_pairs(parts: tuple[list[Any], list[Any]]) -> None:
    gold, found = (pairs(part) for part in parts)
    scores = ev.pairwise(*parts)
    assert_allclose(scores.precision, len(gold & found) / len(found) if found else 1.0)
    assert_allclose(scores.recall, len(gold & found) / len(gold) if gold else 1.0)


@given(two_partitions())
@settings(max_examples=200, deadline=None)
def test_b_cubed_equals_its_definition(parts: tuple[list[Any], list[Any]]) -> None:
    gold, found = parts
    rows = range(len(gold))
    shares = [
        (len(members(gold, r) & members(found, r)), len(members(found, r)), len(members(gold, r))) for r in rows
    ]
    scores = ev.b_cubed(gold, found)
    assert_allclose(scores.precision, np.mean([both / f for both, f, _ in shares]))
    assert_allclose(scores.recall, np.mean([both / g for both, _, g in shares]))


@given(two_partitions())
@settings(max_examples=100, deadline=None)
def test_adjusted_rand_equals_scikit_learn(parts: tuple[list[Any], list[Any]]) -> None:
    codes = [ev.partition_codes(part) for part in parts]
    assert_allclose(ev.adjusted_rand(*parts), metrics.adjusted_rand_score(*codes), atol=1e-9)


@given(two_partitions(), st.randoms())
@settings(max_examples=100, deadline=None)
def test_order_and_names_of_labels_do_not_matter(parts: tuple[list[Any], list[Any]], random: Any) -> None:
    order = list(range(len(parts[0])))
    random.shuffle(order)
    gold, found = ([part[row] for row in order] for part in parts)
    renamed = [None if label is None else f"new {label}" for label in found]
    for metric in (ev.pairwise, ev.b_cubed):
        assert_allclose(metric(gold, renamed), metric(*parts))
    assert ev.merge_report(gold, renamed) == ev.merge_report(*parts)


@given(labels)
@settings(max_examples=50, deadline=None)
def test_a_perfect_answer_scores_one(gold: list[Any]) -> None:
    for metric in (ev.pairwise, ev.b_cubed):
        assert metric(gold, gold) == (1.0, 1.0, 1.0)
    report = ev.merge_report(gold, gold)
    assert (report.false_merges, report.false_splits) == (0, 0)


@given(two_partitions())
@settings(max_examples=100, deadline=None)
def test_precision_and_recall_change_places_with_their_arguments(parts: tuple[list[Any], list[Any]]) -> None:
    gold, found = parts
    for metric in (ev.pairwise, ev.b_cubed):
        there, back = metric(gold, found), metric(found, gold)
        assert_allclose((there.precision, there.recall, there.f1), (back.recall, back.precision, back.f1))


@given(two_partitions(), st.lists(st.integers(0, 3), min_size=14, max_size=14))
@settings(max_examples=100, deadline=None)
def test_weighted_b_cubed_repeats_rows(parts: tuple[list[Any], list[Any]], numbers: list[int]) -> None:
    rows = ev.pair_contributions(*parts)
    assert rows.min() >= 0
    weights = np.array(numbers[: len(parts[0])], dtype=float)
    if weights.sum():
        repeated = [row for row, times in enumerate(numbers[: len(rows)]) for _ in range(times)]
        contributions = ev.b_cubed_contributions(*parts)
        assert_allclose(ev.b_cubed(*parts, weights=weights), ev.scores_of_means(contributions[repeated]))


def test_noise_thrown_away_is_not_rewarded() -> None:
    gold = ["a"] * 5 + [None] * 5
    assert ev.pairwise(gold, [-1] * 10).recall == 0.0
    assert ev.pairwise(gold, ["all"] * 10).precision == pytest.approx(10 / 45)


def test_ari_hides_what_pairs_show() -> None:
    gold = ["big"] * 60 + [f"s{n // 2}" for n in range(40)]
    found = ["big"] * 60 + [f"t{(n + 1) // 2}" for n in range(40)]
    assert ev.adjusted_rand(gold, found) > 0.98
    small = slice(60, 100)
    assert ev.pairwise(gold[small], found[small]).f1 < 0.01


@pytest.mark.parametrize("missing", [None, "", -1, float("nan"), np.int64(-1)])
def test_every_mark_of_noise_is_alone(missing: Any) -> None:
    assert len(set(ev.partition_codes([missing, missing, 0, 0]).tolist())) == 3


def test_merges_and_splits_by_hand() -> None:
    report = ev.merge_report(["a", "a", "b", "b", "c", None], ["x", "y", "y", "y", "z", "z"])
    assert (report.incidents, report.clusters) == (4, 3)
    assert (report.merged_clusters, report.false_merges) == (2, 2)
    assert (report.split_incidents, report.false_splits) == (1, 1)
    assert report.merges_per_100 == 50.0
    assert ev.merge_report([], []).merges_per_100 == 0.0


def test_cross_network_recall_counts_only_pairs_of_two_networks() -> None:
    gold = ["a", "a", "a", "b", "b"]
    networks = ["vk", "vk", "ok", "vk", "vk"]
    assert ev.cross_group_recall(gold, ["x", "x", "x", None, None], networks) == 1.0
    assert ev.cross_group_recall(gold, ["x", "x", None, "y", "y"], networks) == 0.0
    assert np.isnan(ev.cross_group_recall(["b", "b"], ["x", "x"], ["vk", "vk"]))


def test_hard_negatives_merged_with_their_incident_only() -> None:
    gold = ["a", "b", None, None, None]
    near = [None, None, "a", "a", "b"]
    assert ev.strangers_merged(gold, ["x", "y", "x", "y", None], near) == (1, 3)


@pytest.mark.parametrize("metric", [ev.pairwise, ev.b_cubed, ev.adjusted_rand, ev.merge_report])
def test_lengths_must_agree(metric: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="gold has 2 labels, predicted 1"):
        metric(["a", "b"], ["a"])
    with pytest.raises(ValueError, match=r"weights has shape \(1,\), expected \(2,\)"):
        ev.b_cubed(["a", "b"], ["a", "b"], weights=[1])


def test_no_posts() -> None:
    assert ev.pairwise([], []) == ev.b_cubed([], []) == (1.0, 1.0, 1.0)
    assert np.isnan(ev.accuracy([], []))
    assert np.isnan(ev.macro_f1([], []))
    assert np.isnan(ev.average_precision([], []))


def test_hundred_thousand_posts_take_seconds() -> None:
    rng = np.random.default_rng(0)
    gold, found = rng.integers(20_000, size=100_000), rng.integers(20_000, size=100_000)
    began = time.process_time()
    ev.pairwise(gold, found)
    ev.b_cubed(gold, found)
    ev.merge_report(gold, found)
    ev.cross_group_recall(gold, found, rng.integers(4, size=100_000))
    assert time.process_time() - began < 8


# Classes and scores

scores = st.lists(
    st.tuples(st.booleans(), st.integers(0, 6), st.integers(0, 3)), min_size=1, max_size=25
)  # gold, score on a coarse grid (many ties), weight


@given(scores)
@settings(max_examples=200, deadline=None)
def test_average_precision_equals_scikit_learn(rows: list[tuple[bool, int, int]]) -> None:
    gold, score, weight = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    if gold @ weight == 0:
        assert np.isnan(ev.average_precision(gold, score, weight))
        return
    expected = metrics.average_precision_score(gold, score, sample_weight=weight)
    assert_allclose(ev.average_precision(gold, score, weight), expected)


@given(scores)
@settings(max_examples=100, deadline=None)
def test_recall_at_precision_is_reached_by_a_threshold(rows: list[tuple[bool, int, int]]) -> None:
    gold, score, _ = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    if gold.sum() == 0:
        return
    options = [ev.binary_scores(gold, score >= threshold) for threshold in set(score)]
    best = max([option.recall for option in options if option.precision >= 0.7], default=0.0)
    assert ev.recall_at_precision(gold, score, 0.7) == pytest.approx(best)


classes = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("abc"), st.integers(1, 3)), min_size=1, max_size=25
)


@given(classes)
@settings(max_examples=100, deadline=None)
def test_class_metrics_equal_scikit_learn(rows: list[tuple[str, str, int]]) -> None:
    gold, found, weight = (list(column) for column in zip(*rows, strict=True))
    present = sorted(set(gold))
    options = {"sample_weight": weight, "zero_division": 0.0, "labels": present}
    assert_allclose(ev.macro_f1(gold, found, weight), metrics.f1_score(gold, found, average="macro", **options))
    assert_allclose(
        ev.weighted_f1(gold, found, weight), metrics.f1_score(gold, found, average="weighted", **options)
    )
    assert_allclose(ev.accuracy(gold, found, weight), metrics.accuracy_score(gold, found, sample_weight=weight))
    assert_allclose(
        list(ev.f1_by_class(gold, found, weight).values()), metrics.f1_score(gold, found, average=None, **options)
    )
    expected = metrics.confusion_matrix(gold, found, labels=list("abc"))
    assert ev.confusion(gold, found, "abc").tolist() == expected.tolist()


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 3)), min_size=1, max_size=25))
@settings(max_examples=100, deadline=None)
def test_quadratic_kappa_equals_scikit_learn(rows: list[tuple[int, int, int]]) -> None:
    gold, found, weight = (list(column) for column in zip(*rows, strict=True))
    if len(set(gold) | set(found)) == 1:
        assert np.isnan(ev.quadratic_kappa(gold, found))
        return
    expected = metrics.cohen_kappa_score(
        gold, found, weights="quadratic", sample_weight=weight, labels=[0, 1, 2, 3]
    )
    assert_allclose(ev.quadratic_kappa(gold, found, weight), expected, atol=1e-9)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=12),
    st.one_of(st.none(), st.integers(1, 12)),
)
@settings(max_examples=100, deadline=None)
def test_ndcg_equals_scikit_learn(rows: list[tuple[int, int]], k: int | None) -> None:
    gains, score = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    if gains.sum() == 0:
        assert np.isnan(ev.ndcg(gains, score, k))
        return
    assert_allclose(ev.ndcg(gains, score, k), metrics.ndcg_score([gains], [score], k=k))


def test_calibration_error_by_hand() -> None:
    assert ev.calibration_error([1, 1, 0, 0], [0.9, 0.9, 0.2, 0.2]) == pytest.approx(0.15)
    assert ev.calibration_error([1], [1.0]) == 0.0
    with pytest.raises(ValueError, match=r"probabilities must lie in \[0, 1\]"):
        ev.calibration_error([1], [1.5])


def test_top_k() -> None:
    ranked = [["a", "b"], ["c", "a", "b"], []]
    assert ev.top_k_accuracy(["a", "b", "a"], ranked, 1) == pytest.approx(1 / 3)
    assert ev.top_k_accuracy(["a", "b", "a"], ranked, 3) == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="gold has 1 labels, ranked 3"):
        ev.top_k_accuracy(["a"], ranked, 1)


def test_binary_scores_where_nothing_is_said() -> None:
    assert ev.binary_scores([True], [False]) == (1.0, 0.0, 0.0)


# Bootstrap


def test_interval_covers_the_mean_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        values = rng.normal(size=40)
        _, low, high = ev.bootstrap(lambda w, v=values: float(w @ v / w.sum()), [None] * 40, n_boot=200)
        covered += low <= 0 <= high
    assert 0.88 <= covered / 200 <= 0.99


def test_groups_make_the_interval_wider() -> None:
    values = np.repeat([0.0, 1.0] * 5, 10)

    def mean(w: Any) -> float:
        return float(w @ values / w.sum())

    rows = ev.bootstrap(mean, [None] * 100)
    groups = ev.bootstrap(mean, [f"g{n // 10}" for n in range(100)])
    assert groups.value == rows.value == 0.5
    assert groups.high - groups.low > 2 * (rows.high - rows.low)


def test_same_seed_gives_the_same_interval() -> None:
    values = np.arange(10.0)
    results = [ev.bootstrap(lambda w: float(w @ values / w.sum()), range(10), seed=seed) for seed in (1, 1, 2)]
    assert results[0] == results[1] != results[2]


def test_undefined_draws_are_left_out() -> None:
    gold, score = np.array([1.0, 0.0]), np.array([0.9, 0.1])
    found = ev.bootstrap(lambda w: ev.average_precision(gold, score, w), ["a", "b"], n_boot=50)
    assert found == (1.0, 1.0, 1.0)
    assert np.isnan(ev.bootstrap(lambda w: float("nan"), ["a"], n_boot=5).low)


def test_no_draws_give_no_interval() -> None:
    found = ev.bootstrap(lambda w: float(w.sum()), ["a", "b"], n_boot=0)
    assert found.value == 2.0
    assert np.isnan(found.low)


@pytest.mark.parametrize("level", [0, 1, 95])
def test_level_outside_its_range_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="level is"):
        ev.bootstrap(lambda w: 0.0, ["a"], level=level)


def test_scores_that_are_no_numbers_have_no_curve() -> None:
    with pytest.raises(ValueError, match="scores hold NaN"):
        ev.average_precision([0, 1], [float("nan"), 0.2])
