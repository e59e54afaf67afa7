"""Pieces of the graph of links: what an update adds to them, and that they hang on the posts around alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incident_fixtures import clusterer, complaints, gold_batch, partition
from incidentml.incidents import IncidentClusterer
from incidentml.incidents.clustering import Grouping
from incidentml.incidents.pieces import bars, by_piece, components, pieces

FLOOR = 0.35
REAL = gold_batch([*complaints("krasnodar")[:60], *complaints("stream_samara")[:20]])

LINKS = st.lists(
    st.tuples(st.integers(0, 14), st.integers(0, 14), st.sampled_from([0.2, 0.35, 0.5, 0.8, 0.96, 1.0])),
    max_size=40,
)


class SmallPieces(IncidentClusterer):
    """Cuts components that real ones would have to be a hundred times larger for."""

    def _grouping(self) -> Grouping:
        return Grouping(self.join_floor_, self.backend, self.density_from, most_nodes=4)


def arrays(links):
    left, right, probability = zip(*links, strict=True) if links else ((), (), ())
    return np.array(left, dtype=np.int32), np.array(right, dtype=np.int32), np.array(probability, dtype=np.float64)


def nothing():
    return np.zeros((len(bars(FLOOR)), 0), dtype=np.int32)


@given(LINKS, LINKS)
def test_components_grow_into_those_of_all_links_at_once(old, new):
    n = 15
    whole = components(nothing(), n, *arrays(old + new), FLOOR)
    held = 1 + max((max(a, b) for a, b, _ in old), default=0)
    parts = components(nothing(), held, *arrays(old), FLOOR)
    assert (components(parts, n, *arrays(new), FLOOR) == whole).all()


@given(LINKS, st.integers(1, 6))
def test_pieces_are_the_widest_components_that_fit(links, most):
    n = 15
    parts = components(nothing(), n, *arrays(links), FLOOR)
    piece = pieces(parts, np.ones(n, dtype=bool), most)
    sizes = np.unique(piece, return_counts=True)[1]
    assert sizes.max() <= most or sizes.max() <= np.bincount(parts[-1]).max()
    for level in range(len(parts)):
        for first in np.unique(parts[level]):
            rows = np.flatnonzero(parts[level] == first)
            if len(rows) <= most:
                assert len(np.unique(piece[rows])) == 1


def test_rows_and_links_are_dealt_out_by_piece():
    piece = np.array([7, -1, 7, 3, 3, 9])
    found = [
        (rows.tolist(), here.tolist()) for rows, here in by_piece(piece, np.array([0, 1, 4]), np.array([2, 0, 3]))
    ]
    assert found == [([3, 4], [2]), ([0, 2], [0])]


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False), st.lists(st.integers(0, len(REAL)), max_size=4))
def test_where_components_are_cut_order_and_batches_still_do_not_matter(random, cuts):
    model = SmallPieces.from_state(clusterer().to_state())
    whole = partition(model.update(model.start(), REAL).state)
    order = list(range(len(REAL)))
    random.shuffle(order)
    state = model.start()
    for part in np.split(np.array(order), sorted(cuts)):
        state = model.update(state, REAL.take(part)).state
    assert partition(state) == whole


def test_undoing_a_decision_restores_the_pieces():
    model = SmallPieces.from_state(clusterer().to_state())
    state = model.update(model.start(), REAL).state
    (one, _), (two, _) = sorted(state.incidents.items(), key=lambda item: (-len(item[1]), item[0]))[:2]
    merged = model.merge(state, one, two).state
    back = model.undo(merged, merged.decisions[0]).state
    assert partition(back) == partition(state)
    assert (back.parts == state.parts).all()


def test_posts_alike_beyond_every_bar_are_one_piece_however_many():
    n = 30
    left, right = np.triu_indices(n, 1)
    parts = components(nothing(), n, left, right, np.full(len(left), 0.995), FLOOR)
    assert len(np.unique(pieces(parts, np.ones(n, dtype=bool), 10))) == 1


@pytest.mark.parametrize("floor", [0.25, 0.35, 0.55])
def test_the_ladder_begins_with_the_floor(floor):
    ladder = bars(floor)
    assert ladder[0] == floor
    assert list(ladder) == sorted(set(ladder))
