"""Products and functions whose bits depend on nothing but their inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from incidentml.numeric import exact_product, on_grid, sigmoid, softmax, unit_grid

seeds = st.integers(0, 2**32 - 1)


def some(seed: int, n: int, d: int, scale: float = 1.0) -> Any:
    return np.random.default_rng(seed).normal(scale=scale, size=(n, d))


@given(seeds, st.integers(1, 60), st.integers(1, 80), st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_product_has_the_same_bits_in_any_batch_and_order(seed: int, n: int, d: int, k: int) -> None:
    X, W = some(seed, n, d), some(seed + 1, d, k)
    whole = exact_product(X, W)
    order = np.random.default_rng(seed).permutation(n)
    assert exact_product(X[order], W).tobytes() == whole[order].tobytes()
    single = np.concatenate([exact_product(X[row : row + 1], W) for row in range(n)])
    assert single.tobytes() == whole.tobytes()
    columns = np.random.default_rng(seed).permutation(d)
    assert exact_product(X[:, columns], W[columns]).tobytes() == whole.tobytes()
    assert exact_product(np.asfortranarray(X), W[:, 0]).tobytes() == np.ascontiguousarray(whole[:, 0]).tobytes()


def test_plain_product_does_depend_on_them() -> None:
    """Why all this: if BLAS ever stops, the rounding is needless."""
    X, W = some(0, 200, 300), some(1, 300, 5)
    single = np.concatenate([X[row : row + 1] @ W for row in range(200)])
    columns = np.random.default_rng(0).permutation(300)
    assert single.tobytes() != (X @ W).tobytes() or (X[:, columns] @ W[columns]).tobytes() != (X @ W).tobytes()


def test_product_is_near_the_true_one() -> None:
    X, W = some(0, 50, 300), some(1, 300, 5)
    assert_allclose(exact_product(X, W), X @ W, atol=2e-3)


def test_sums_that_would_not_be_exact_are_refused() -> None:
    with pytest.raises(ValueError, match=r"sums may reach 1e\+06, the limit is 262144; scale the features"):
        exact_product([[1000.0]], [[1000.0]])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="NaN or infinity"):
        exact_product([[value]], [[1.0]])


def test_empty_products() -> None:
    assert exact_product(np.zeros((0, 3)), np.zeros((3, 2))).shape == (0, 2)
    assert exact_product(np.zeros((2, 0)), np.zeros((0, 3))).tolist() == [[0.0] * 3] * 2


@given(seeds, st.integers(1, 40), st.integers(1, 600))
@settings(max_examples=60, deadline=None)
def test_cosines_of_unit_rows_are_exact_in_single_precision(seed: int, n: int, d: int) -> None:
    rows = unit_grid(some(seed, n, d))
    assert rows.dtype == np.float32
    exact = rows.astype(np.float64) @ rows.astype(np.float64).T
    assert np.array_equal(rows @ rows.T, exact)
    single = np.concatenate([rows[row : row + 1] @ rows.T for row in range(n)])
    assert np.array_equal(single, exact)


def test_unit_rows_are_near_their_direction_and_zero_stays_zero() -> None:
    rows = some(0, 20, 256)
    rows[3] = 0
    grid = unit_grid(rows)
    assert grid[3].tolist() == [0.0] * 256
    others = [row for row in range(20) if row != 3]
    assert_allclose(np.linalg.norm(grid[others], axis=1), 1.0, atol=0.01)
    true = rows[others] / np.linalg.norm(rows[others], axis=1, keepdims=True)
    assert_allclose(grid[others], true, atol=2**-12 + 1e-9)


def test_unit_rows_do_not_depend_on_their_neighbours() -> None:
    rows = some(0, 30, 64)
    assert unit_grid(rows[7:9]).tobytes() == unit_grid(rows)[7:9].tobytes()


def test_grid_rounds_to_its_step() -> None:
    assert on_grid([0.3, -0.3, 1.0], 2).tolist() == [0.25, -0.25, 1.0]
    assert on_grid([0.3], 2, np.float32).dtype == np.float32


@given(seeds, st.integers(1, 9), st.floats(0.1, 500))
@settings(max_examples=60, deadline=None)
def test_softmax_rows_are_probabilities_in_the_order_of_scores(seed: int, k: int, scale: float) -> None:
    scores = some(seed, 5, k, scale)
    found = softmax(scores)
    assert_allclose(found.sum(axis=1), 1.0, atol=1e-9)
    assert found.min() >= 0
    assert np.array_equal(found.argmax(axis=1), scores.argmax(axis=1))
    assert_allclose(softmax(scores + 1e4), found, atol=1e-8)


def test_softmax_of_nothing() -> None:
    assert softmax(np.zeros((0, 3))).shape == (0, 3)


def test_sigmoid_is_bounded_symmetric_and_does_not_overflow() -> None:
    x = np.array([-1e300, -5.0, 0.0, 5.0, 1e300])
    with np.errstate(all="raise"):
        found = sigmoid(x)
    assert found[[0, 2, 4]].tolist() == [0.0, 0.5, 1.0]
    assert_allclose(found + sigmoid(-x), 1.0)
    assert_allclose(found[3], 1 / (1 + np.exp(-5)), atol=1e-9)
