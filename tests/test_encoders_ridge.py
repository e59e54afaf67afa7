from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from incidentml.encoders.ridge import Ridge


@pytest.fixture
def data():
    dice = np.random.default_rng(0)
    dense, sparse = dice.normal(size=(40, 5)), sp.random(40, 30, density=0.2, random_state=1, format="csr")
    return dense, sparse, dice.normal(size=(40, 3)), np.arange(40) // 7


def test_left_out_equals_training_without_the_group(data):
    dense, sparse, target, groups = data
    answers = Ridge(dense, sparse, 0.3).left_out(target, groups)
    length = np.sqrt(np.square(dense).sum(axis=1) + np.asarray(sparse.multiply(sparse).sum(axis=1)).ravel())
    for group in np.unique(groups):
        held, rest = groups == group, groups != group
        a, b = Ridge(dense[rest], sparse[rest], 0.3).coefficients(target[rest])
        expected = (dense[held] @ a + sparse[held] @ b) / length[held, None]
        assert np.allclose(answers[held], expected, atol=1e-4)


def test_a_row_without_features_is_harmless(data):
    dense, sparse, target, _ = data
    dense[3] = 0
    sparse = sp.csr_matrix(sparse.toarray() * (np.arange(40) != 3)[:, None])
    a, b = Ridge(dense, sparse, 0.3).coefficients(target)
    assert np.isfinite(a).all()
    assert np.isfinite(b).all()
