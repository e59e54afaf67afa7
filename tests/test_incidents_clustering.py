from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidentml.incidents.clustering import (
    Grouping,
    Naming,
    average_link,
    cluster_component,
    cluster_links,
    density_cores,
)


def links(rows):
    left, right, probability = zip(*rows, strict=True) if rows else ((), (), ())
    return np.array(left, dtype=np.intp), np.array(right, dtype=np.intp), np.array(probability, dtype=np.float64)


def planted(groups: int, size: int, seed: int = 0):
    """Dense groups joined into one chain by single links."""
    rng = np.random.default_rng(seed)
    rows = []
    for g in range(groups):
        first = g * size
        rows += [(first + i, first + j, rng.uniform(0.75, 0.99)) for i in range(size) for j in range(i + 1, size)]
        if g:
            rows.append((first - 1, first, 0.6))
    return groups * size, links(rows)


def test_a_chain_of_single_links_ties_no_two_problems_together():
    n, rows = planted(12, 6)
    found = cluster_component(n, rows, Grouping(0.4))
    assert found.tolist() == [i // 6 * 6 for i in range(n)]


@pytest.mark.parametrize("backend", ["hdbscan", "sklearn"])
def test_both_backends_find_the_same_cores(backend):
    n, rows = planted(12, 6)
    found = cluster_component(n, rows, Grouping(0.4, backend=backend, density_from=2))
    assert found.tolist() == [i // 6 * 6 for i in range(n)]


def test_cores_of_the_backends_agree_without_ties():
    n, (left, right, probability) = planted(6, 5, seed=3)
    matrix = np.eye(n)
    matrix[left, right] = matrix[right, left] = probability
    a, b = (density_cores(matrix, backend) for backend in ("hdbscan", "sklearn"))
    together = [np.equal.outer(labels, labels) & (labels >= 0) for labels in (a, b)]
    assert (together[0] == together[1]).all()


def test_an_unknown_backend_is_named():
    with pytest.raises(ValueError, match="backend is 'fast'"):
        density_cores(np.eye(3), "fast")


def test_giant_components_are_cut_before_they_are_clustered():
    n, rows = planted(40, 10)
    found = cluster_links(n, rows, Grouping(0.4, most_nodes=100))
    assert found.tolist() == [i // 10 * 10 for i in range(n)]


def test_people_outweigh_the_model():
    rows = links([(0, 1, 0.95), (1, 2, 0.95), (0, 2, 0.95), (2, 3, 0.2)])
    apart = {0: frozenset([2]), 2: frozenset([0])}
    tied = {2: frozenset([3]), 3: frozenset([2])}
    found = cluster_component(4, rows, Grouping(0.4), None, apart, tied)
    assert found[0] != found[2]
    assert found[2] == found[3]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 12).flatmap(
        lambda n: st.tuples(
            st.just(n),
            st.dictionaries(
                st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda p: p[0] < p[1]),
                st.sampled_from([0.2, 0.35, 0.5, 0.5, 0.8, 0.99]),
                min_size=1,
            ),
        )
    ),
    st.sampled_from([0.3, 0.5, 0.7]),
)
def test_no_two_groups_are_left_whose_mean_reaches_the_floor(case, floor):
    n, pairs = case
    rows = links([(a, b, p) for (a, b), p in pairs.items()])
    labels = average_link(np.arange(n), rows, floor)
    matrix = np.zeros((n, n))
    matrix[rows[0], rows[1]] = matrix[rows[1], rows[0]] = rows[2]
    heads = np.unique(labels)
    for x in heads:
        assert labels[x] == x == np.flatnonzero(labels == x).min()
        for y in heads:
            if x < y:
                assert matrix[np.ix_(labels == x, labels == y)].mean() < floor + 1e-9


@settings(max_examples=40, deadline=None)
@given(st.permutations(range(72)))
def test_the_order_of_links_does_not_matter(order):
    n, rows = planted(12, 6)
    order = np.array([i for i in range(len(rows[0])) if i not in order[:0]])[
        np.argsort(np.resize(order, len(rows[0])))
    ]
    turned = rows[1][order], rows[0][order], rows[2][order]
    how = Grouping(0.4)
    assert cluster_component(n, turned, how).tolist() == cluster_component(n, rows, how).tolist()


def named(n, weight=None, **columns):
    """Nodes that name towns, streets and houses; 0 is none."""
    parts = [np.array(columns.get(part, [0] * n), dtype=np.uint64) for part in ("town", "street", "house")]
    return Naming(*parts, np.ones(n) if weight is None else np.array(weight, dtype=np.float64))


@pytest.mark.parametrize(
    "places",
    [{"street": [7, 0, 9, 9]}, {"town": [7, 0, 9, 9]}, {"street": [7] * 4, "house": [1, 0, 2, 2]}],
    ids="+".join,
)
def test_two_places_stay_apart_though_a_vague_post_links_to_both(places):
    rows = links([(0, 1, 0.9), (1, 2, 0.55), (2, 3, 0.9), (0, 2, 0.35), (1, 3, 0.35), (0, 3, 0.05)])
    assert cluster_component(4, rows, Grouping(0.3)).tolist() == [0, 0, 0, 0]
    assert cluster_component(4, rows, Grouping(0.3), named(4, **places)).tolist() == [0, 0, 2, 2]


def test_houses_are_told_apart_on_one_street_only():
    naming = named(3, street=[7, 7, 0], house=[1, 2, 3])
    assert naming.differ().tolist() == [[False, True, False], [True, False, False], [False, False, False]]


def test_posts_that_name_a_place_decide_whether_groups_join():
    rows = links([(0, 1, 0.9), (0, 2, 0.1), (1, 2, 0.6)])
    assert cluster_component(3, rows, Grouping(0.3), named(3)).tolist() == [0, 0, 0]
    assert cluster_component(3, rows, Grouping(0.3), named(3, weight=[2, 1, 2])).tolist() == [0, 0, 2]


def test_a_vague_post_rather_joins_what_many_speak_of():
    crowd = [(i, j, 0.9) for i in range(4) for j in range(i + 1, 4)]
    rows = links([*crowd, *((i, 4, 0.6) for i in range(4)), (4, 5, 0.65)])
    assert cluster_component(6, rows, Grouping(0.4, crowd=0.0)).tolist() == [0, 0, 0, 0, 4, 4]
    assert cluster_component(6, rows, Grouping(0.4)).tolist() == [0, 0, 0, 0, 0, 5]
