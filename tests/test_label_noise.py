"""Confident learning: wrong labels that were planted are found, counted and ranked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentml.label_noise import label_issues


def planted(share, n=2000, seed=0):
    """Probabilities of a good model, labels of which some were exchanged, and whether each was."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(3, size=n)
    proba = np.full((n, 3), 0.05)
    proba[np.arange(n), truth] = 0.9
    proba = proba * rng.uniform(0.8, 1.2, proba.shape)
    proba /= proba.sum(axis=1, keepdims=True)
    wrong = rng.random(n) < share
    labels = np.where(wrong, (truth + 1) % 3, truth)
    return proba, [f"class {label}" for label in labels], wrong


@pytest.mark.parametrize("share", [0.0, 0.05, 0.15])
def test_the_share_of_exchanged_labels_is_found(share):
    proba, labels, _ = planted(share)
    assert label_issues(proba, labels).noise_rate == pytest.approx(share, abs=0.02)


def test_the_suspects_are_the_exchanged_rows_with_the_label_they_had():
    proba, labels, wrong = planted(0.1)
    suspects = label_issues(proba, labels).suspects
    assert {suspect.row for suspect in suspects} == set(np.flatnonzero(wrong).tolist())
    assert all(suspect.likely == f"class {proba[suspect.row].argmax()}" for suspect in suspects)
    assert all(suspect.given == labels[suspect.row] for suspect in suspects)


def test_the_most_suspicious_is_first():
    proba, labels, _ = planted(0.1)
    margins = [suspect.margin for suspect in label_issues(proba, labels).suspects]
    assert margins == sorted(margins)
    assert max(margins) < 0


def test_confusions_are_counted_from_given_to_likely():
    proba, labels, wrong = planted(0.1)
    confusions = label_issues(proba, labels).confusions
    assert {(given, likely) for given, likely, _ in confusions} == {
        ("class 1", "class 0"), ("class 2", "class 1"), ("class 0", "class 2")
    }  # fmt: skip
    assert sum(count for _, _, count in confusions) == pytest.approx(wrong.sum(), rel=0.2)


def test_class_without_rows_is_suspected_of_nobody():
    noise = label_issues([[0.1, 0.9], [0.2, 0.8]], ["a", "a"], classes=["a", "b"])
    assert noise.suspects == ()
    assert noise.noise_rate == 0.0


def test_no_rows_have_no_noise():
    assert label_issues(np.zeros((0, 2)), [], classes=["a", "b"]).noise_rate == 0.0


@given(st.integers(0, 2**32 - 1), st.permutations(range(40)))
def test_the_order_of_rows_changes_nothing(seed, order):
    proba, labels, _ = planted(0.2, n=40, seed=seed)
    names = sorted(set(labels))
    first = label_issues(proba[:, : len(names)] / proba[:, : len(names)].sum(1, keepdims=True), labels, names)
    turned = proba[order][:, : len(names)]
    second = label_issues(turned / turned.sum(1, keepdims=True), [labels[row] for row in order], names)
    assert second.noise_rate == pytest.approx(first.noise_rate)
    assert {order[suspect.row] for suspect in second.suspects} == {suspect.row for suspect in first.suspects}


@pytest.mark.parametrize(
    ("proba", "labels", "message"),
    [
        ([[0.5, 0.5]], ["a", "b"], r"proba has shape \(1, 2\), expected \(2, 2\)"),
        ([[0.5, 0.4], [0.5, 0.5]], ["a", "b"], "add up to 1"),
        ([[float("nan"), 1.0], [0.5, 0.5]], ["a", "b"], "add up to 1"),
        ([[-0.5, 1.5], [0.5, 0.5]], ["a", "b"], "add up to 1"),
    ],
)
def test_what_is_not_a_table_of_probabilities_is_refused(proba, labels, message):
    with pytest.raises(ValueError, match=message):
        label_issues(proba, labels)


def test_label_without_a_column_is_named():
    with pytest.raises(ValueError, match=r"\['c'\] are not among classes"):
        label_issues([[0.5, 0.5]], ["c"], classes=["a", "b"])
