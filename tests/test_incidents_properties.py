"""What must hold for any set of posts: order, batches, shards, saving and strangers do not change incidents."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incident_fixtures import batch_of, clusterer, complaints, fresh, gold_batch, partition
from incidentml.incidents import ClusterState, PostBatch
from incidentml.persistence import load_state, save_state
from incidentml.types import Place

DAY = 86400.0
relaxed = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

REAL = gold_batch([*complaints("krasnodar")[:50], *complaints("stream_samara")[:30]])
WHOLE = partition(fresh(REAL).state)

HOSTILE = st.lists(
    st.tuples(
        st.floats(0, 30 * DAY),
        st.one_of(
            st.sampled_from(
                ["Нет воды", "нет воды!!!", "Мира 5 нет воды третий день", "+", "у нас тоже", "💧", "a" * 3000]
            ),
            st.text(min_size=1, max_size=60),
        ),
        st.sampled_from(
            [(), (Place(street="мира", house="5"),), (Place(street="мира", house="7"),), (Place("пермь"),)]
        ),
        st.sampled_from([None, "Пермский край", "Самарская область"]),
    ),
    min_size=1,
    max_size=16,
)


def in_batches(batch: PostBatch, order: np.ndarray, cuts: list[int]) -> ClusterState:
    model = clusterer()
    state = model.start()
    for part in np.split(order, sorted(cuts)):
        state = model.update(state, batch.take(part)).state
    return state


@relaxed
@given(st.randoms(use_true_random=False), st.lists(st.integers(0, len(REAL)), max_size=5))
def test_any_order_in_any_batches_gives_the_incidents_of_one_run(random, cuts):
    order = list(range(len(REAL)))
    random.shuffle(order)
    assert partition(in_batches(REAL, np.array(order), cuts)) == WHOLE


@relaxed
@given(HOSTILE, st.randoms(use_true_random=False), st.lists(st.integers(0, 16), max_size=3))
def test_order_and_batches_do_not_matter_on_hostile_posts_either(rows, random, cuts):
    batch = batch_of([(f"p{i}", *row) for i, row in enumerate(rows)])
    order = list(range(len(batch)))
    random.shuffle(order)
    cuts = [cut for cut in cuts if cut <= len(batch)]
    whole = partition(fresh(batch).state)
    assert partition(in_batches(batch, np.array(order), cuts)) == whole
    assert sorted(key for keys in whole.values() for key in keys) == sorted(batch.keys)


def test_sharding_by_region_gives_the_same_incidents():
    model = clusterer()
    found = {}
    for region in sorted(set(REAL.regions)):
        rows = np.array([i for i, name in enumerate(REAL.regions) if name == region])
        found |= partition(model.update(model.start(), REAL.take(rows)).state)
    assert found == WHOLE


@relaxed
@given(st.integers(0, len(REAL)))
def test_saving_and_loading_in_the_middle_changes_nothing(tmp_path, cut):
    model = clusterer()
    state = model.update(model.start(), REAL.take(np.arange(cut))).state
    save_state(state.to_state(), tmp_path / "state")
    loaded = ClusterState.from_state(load_state(tmp_path / "state"))
    after = model.update(loaded, REAL.take(np.arange(cut, len(REAL))))
    assert partition(after.state) == WHOLE


@relaxed
@given(st.integers(0, len(REAL) - 1))
def test_a_stranger_changes_no_other_incident(at):
    stranger = batch_of(
        [("stranger", float(REAL.times[at]), "щщщ ъъъ ыыы", (Place("марс", "кратерная", "1"),), None)]
    )
    model = clusterer()
    after = partition(model.update(fresh(REAL).state, stranger).state)
    assert {id_: keys for id_, keys in after.items() if keys != (stranger.keys[0],)} == WHOLE


@relaxed
@given(st.randoms(use_true_random=False))
def test_no_id_vanishes_without_a_trace(random):
    order = list(range(len(REAL)))
    random.shuffle(order)
    model = clusterer()
    state, seen = model.start(), set()
    for part in np.array_split(np.array(order), 6):
        update = model.update(state, REAL.take(part))
        state = update.state
        seen |= update.incidents.keys()
        traced = set(update.incidents) | {old for ids in update.merged_from.values() for old in ids}
        assert seen <= traced


def test_ids_hang_on_the_first_post_of_an_incident():
    from incidentml.incidents.derive import post_code
    from incidentml.incidents.state import incident_id

    for id_, keys in WHOLE.items():
        assert id_ == incident_id(post_code(keys[0]))


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_do_not_matter(threads):
    from threadpoolctl import threadpool_limits

    with threadpool_limits(threads):
        assert partition(fresh(REAL).state) == WHOLE
