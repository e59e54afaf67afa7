"""The state as a value: decisions, lineage, closing, recurrence, saving, and what is refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from incident_fixtures import batch_of, clusterer, complaints, fresh, gold_batch, partition
from incidentml.errors import DataError, ModelFormatError, StateError
from incidentml.incidents import ClusterState, Decision, IncidentClusterer, PostBatch
from incidentml.persistence import load_state
from incidentml.types import Place, PostKey

DAY = 86400.0
REAL = gold_batch(complaints("krasnodar")[:40])


def big_incident(state):
    return max(state.incidents.items(), key=lambda item: (len(item[1]), item[0]))


def test_an_update_leaves_the_old_state_as_it_was():
    model = clusterer()
    state = model.update(model.start(), REAL.take(np.arange(20))).state
    before = partition(state)
    model.update(state, REAL.take(np.arange(20, 40)))
    assert partition(state) == before
    assert len(state) == 20


def test_two_futures_of_one_state_do_not_mix():
    model = clusterer()
    start = model.update(model.start(), REAL.take(np.arange(20))).state
    one = model.update(start, REAL.take(np.arange(20, 24))).state
    other = model.update(start, REAL.take(np.arange(30, 40))).state
    further = model.update(one, REAL.take(np.arange(24, 26))).state
    assert partition(one) == partition(fresh(REAL.take(np.arange(24))).state)
    assert partition(other) == partition(fresh(REAL.take(np.r_[:20, 30:40])).state)
    assert partition(further) == partition(fresh(REAL.take(np.arange(26))).state)
    assert np.array_equal(start.columns.vectors, fresh(REAL.take(np.arange(20))).state.columns.vectors)


def test_a_post_sent_twice_counts_once():
    model = clusterer()
    once = model.update(model.start(), REAL)
    twice = model.update(once.state, REAL)
    assert partition(twice.state) == partition(once.state)
    assert not twice.changed


def test_split_and_undo():
    model, state = clusterer(), fresh(REAL).state
    id_, keys = big_incident(state)
    after = model.split(state, id_, keys[-1:])
    assert after.state.incident_of(keys[-1]) != after.state.incident_of(keys[0]) == id_
    more = model.update(after.state, batch_of([("late", float(REAL.times[-1]), "тишина", (), None)]))
    assert more.state.incident_of(keys[-1]) != id_
    assert partition(model.undo(after.state, after.state.decisions[0]).state) == partition(state)


def test_merge_keeps_the_first_id_and_records_the_other():
    model, state = clusterer(), fresh(REAL).state
    (first, keys), (second, others) = sorted(state.incidents.items(), key=lambda i: REAL.keys.index(i[1][0]))[:2]
    after = model.merge(state, first, second)
    assert set(after.incidents[first]) == {*keys, *others}
    assert after.merged_from[first] == (second,)
    assert first in after.changed
    assert second not in after.incidents
    back = model.undo(after.state, Decision(True, keys, others))
    assert partition(back.state) == partition(state)
    assert not back.merged_from


def test_the_later_of_two_decisions_holds():
    model, state = clusterer(), fresh(REAL).state
    a, b = REAL.keys[0], REAL.keys[-1]
    state = model.must_link(state, a, b).state
    assert state.incident_of(a) == state.incident_of(b)
    state = model.cannot_link(state, a, b).state
    assert state.incident_of(a) != state.incident_of(b)
    state = model.must_link(state, a, b).state
    assert state.incident_of(a) == state.incident_of(b)


def test_decisions_hold_in_any_order_of_posts_that_follow():
    model = clusterer()
    state = model.update(model.start(), REAL.take(np.arange(10))).state
    state = model.must_link(state, REAL.keys[0], REAL.keys[9]).state
    one = model.update(state, REAL.take(np.arange(10, 40))).state
    two = model.update(state, REAL.take(np.arange(39, 24, -1))).state
    two = model.update(two, REAL.take(np.arange(10, 25))).state
    assert partition(one) == partition(two)


def test_a_copy_can_be_split_from_its_group():
    model = clusterer()
    state = fresh(batch_of([(str(i), i * 60.0, "Нет воды на Мира, 5", (), None) for i in range(3)])).state
    (id_,) = state.incidents
    after = model.split(state, id_, [PostKey("vk", "1")])
    assert sorted(len(keys) for keys in after.incidents.values()) == [1, 2]


def test_unknown_posts_incidents_and_decisions_are_refused():
    model, state = clusterer(), fresh(REAL).state
    with pytest.raises(StateError, match="is not in the state"):
        model.cannot_link(state, REAL.keys[0], PostKey("vk", "no"))
    with pytest.raises(StateError, match="no incident 'i0'"):
        model.merge(state, "i0", "i1")
    with pytest.raises(StateError, match="holds no decision"):
        model.undo(state, Decision(True, (REAL.keys[0],), (REAL.keys[1],)))


def test_a_decision_that_tells_nothing_is_refused():
    model, state = clusterer(), fresh(REAL).state
    key = REAL.keys[0]
    incident = next(id_ for id_, keys in state.incidents.items() if key in keys)
    stranger = next(k for k in REAL.keys if k not in state.incidents[incident])
    for decide in (
        lambda: model.must_link(state, key),
        lambda: model.must_link(state, key, key),
        lambda: model.cannot_link(state, key, key),
        lambda: model.split(state, incident, []),
        lambda: model.split(state, incident, state.incidents[incident]),
    ):
        with pytest.raises(StateError, match="different posts, two at least"):
            decide()
    with pytest.raises(StateError, match=f"is not in incident '{incident}'"):
        model.split(state, incident, [stranger])
    with pytest.raises(TypeError, match="expected a PostBatch"):
        model.update(state, REAL.vectors)


def test_a_state_of_another_model_is_refused_and_untouched():
    state = fresh(REAL).state
    other = IncidentClusterer.from_state(clusterer().to_state()).set_params(place_days=3.0)
    with pytest.raises(StateError, match="made by clusterer"):
        other.update(state, REAL)
    assert partition(state) == partition(fresh(REAL).state)


def test_links_explain_a_post():
    state = fresh(REAL).state
    _, keys = big_incident(state)
    found = state.links(keys[0])
    assert found[0].probability == max(link.probability for link in found)
    assert {"text", "place", "hours"} <= found[0].evidence.keys()
    assert found[0].a == keys[0]
    assert fresh(REAL).links[keys[0]].probability == found[0].probability


def test_incidents_past_the_horizon_are_let_go_and_seen_again_as_recurrences():
    model = IncidentClusterer.from_state(clusterer().to_state()).set_params(horizon_days=30.0)
    mira = (Place("пермь", "улица мира", "5"),)
    text = "Мира 5, нет горячей воды, трубы холодные"
    rows = [(str(i), i * 100 * DAY, text, mira, "Пермский край") for i in range(3)]
    state = model.update(model.start(), batch_of(rows[:1])).state
    first = state.incident_of(PostKey("vk", "0"))
    second = model.update(state, batch_of(rows[1:2]))
    assert second.recurs == {second.state.incident_of(PostKey("vk", "1")): first}
    third = model.update(second.state, batch_of(rows[2:]))
    assert first in third.closed
    assert len(third.state) == 2
    whole = model.update(model.start(), batch_of(rows))
    assert third.recurs.items() <= whole.recurs.items()


def test_late_posts_within_the_stated_lateness_find_their_incident():
    model = IncidentClusterer.from_state(clusterer().to_state()).set_params(horizon_days=1.0, lateness_days=10.0)
    text = "Мира 5, нет горячей воды, трубы холодные"
    mira = (Place("пермь", "улица мира", "5"),)
    rows = [
        ("a", 0.0, text, mira, None),
        ("b", 0.1 * DAY, text + " совсем", mira, None),
        ("z", 9.5 * DAY, "яма", (), None),
    ]
    whole = partition(model.update(model.start(), batch_of(rows)).state)
    state = model.start()
    for row in (rows[0], rows[2], rows[1]):
        state = model.update(state, batch_of([row])).state
    assert partition(state) == whole


def test_damaged_states_are_refused(tmp_path):
    state = fresh(REAL).state.to_state()
    with pytest.raises(ModelFormatError, match="outside"):
        ClusterState.from_state(
            replace(state, arrays={**state.arrays, "representative": state.array("representative") + 99})
        )
    with pytest.raises(ModelFormatError, match="missing"):
        ClusterState.from_state(replace(state, arrays={k: v for k, v in state.arrays.items() if k != "incident"}))
    fresh(REAL).state.save(tmp_path / "s")
    with pytest.raises(ModelFormatError, match="kind"):
        IncidentClusterer.load(tmp_path / "s")


def test_a_kill_while_saving_leaves_the_old_state(tmp_path):
    folder = tmp_path / "state"
    state = fresh(REAL).state
    state.save(folder)
    script = (
        "import sys, time; sys.path[:0] = json_paths\n"
        "from incidentml.incidents import ClusterState\n"
        f"state = ClusterState.load({str(folder)!r})\n"
        "print('ready', flush=True)\n"
        f"while True: state.save({str(folder)!r})\n"
    )
    script = f"import json; json_paths = json.loads({json.dumps(json.dumps(sys.path))})\n" + script
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "ready"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert partition(ClusterState.from_state(load_state(folder))) == partition(state)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"times": np.array([np.nan, 0.0])}, "time nan"),
        ({"times": np.zeros(3)}, "times has 3 rows"),
        ({"keys": [PostKey("vk", "a"), PostKey("vk", "a")]}, "appears twice"),
    ],
)
def test_bad_batches_name_what_is_wrong(change, match):
    batch = batch_of([("a", 0.0, "нет воды", (), None), ("b", 1.0, "яма", (), None)])
    with pytest.raises(DataError, match=match):
        PostBatch(**{**vars(batch), **change})


def test_other_widths_are_refused():
    batch = batch_of([("a", 0.0, "нет воды", (), None)])
    with pytest.raises(DataError, match="vectors have 3 columns"):
        fresh(PostBatch(**{**vars(batch), "vectors": np.ones((1, 3))}))


@pytest.mark.parametrize("fill", [np.nan, np.inf, 0.0])
def test_vectors_without_numbers_are_no_evidence(fill):
    n = 6
    batch = batch_of([(str(i), float(i), f"слово{i}", (), None) for i in range(n)])
    update = fresh(PostBatch(**{**vars(batch), "vectors": np.full_like(batch.vectors, fill)}))
    assert sum(len(keys) for keys in update.incidents.values()) == n


def test_empty_batches_and_single_posts():
    model = clusterer()
    nothing = model.update(model.start(), batch_of([]))
    assert nothing.incidents == {}
    one = model.update(nothing.state, batch_of([("a", 0.0, "нет воды", (), None)]))
    assert [len(keys) for keys in one.incidents.values()] == [1]
