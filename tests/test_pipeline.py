"""The pipeline as a whole: posts in, incidents out, whatever the order, the batches and the sharding."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import incidentml
from incidentml import DataError, IncidentPipeline, Post, SlaPolicy, StateError
from incidentml.drift import DriftMonitor
from incidentml.pipeline_state import PipelineState, open_state_folder

SAMPLE = Path(__file__).parent.parent / "datasets" / "sample" / "posts.jsonl"


@cache
def pipe() -> IncidentPipeline:
    return incidentml.load()


@cache
def rows() -> tuple[dict[str, Any], ...]:
    return tuple(json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines())


def partition(result: incidentml.Result) -> dict[str, tuple[Any, ...]]:
    return {incident.id: incident.post_keys for incident in result.incidents}


def answers(result: incidentml.Result) -> dict[str, dict[str, Any]]:
    """Return everything about every incident but its lineage, which tells how it came about."""
    return {
        incident.id: {name: value for name, value in incident.to_json().items() if name != "merged_from"}
        for incident in result.incidents
    }


@cache
def whole() -> incidentml.Result:
    return pipe().process(list(rows()))


def post(text: str, id_: str = "1", network: str = "vk", at: str = "2024-02-03T08:12:00+05:00") -> dict[str, Any]:
    return {"id": id_, "network": network, "text": text, "published_at": at, "region": "Пермский край"}


def test_every_row_is_a_post_or_a_rejection() -> None:
    result = pipe().process([post("Нет воды на Мира 5"), {"id": "2"}, 7, post("  ", "3")])
    assert (len(result.posts), len(result.rejected), result.rows) == (1, 3, 4)
    assert [rejection.line for rejection in result.rejected] == [2, 3, 4]


def test_a_naive_time_of_an_unknown_region_is_rejected_alone() -> None:
    rows = [post("Нет воды", str(n), at="2024-02-03T08:12:00") | {"region": name} for n, name in enumerate("аб")]
    rows[1]["region"] = "Пермский край"
    result = pipe().process(rows)
    assert [rejection.reason.split(":")[0] for rejection in result.rejected] == ["unknown_region"]
    assert str(result.posts[0].post.published_at.tzinfo) == "Asia/Yekaterinburg"


def test_nothing_in_gives_nothing_out() -> None:
    result = pipe().process([])
    assert (result.posts, result.incidents, result.rejected, result.rows) == ((), (), (), 0)


def test_posts_of_one_problem_in_several_networks_are_one_incident() -> None:
    result = pipe().process(
        [
            post("Гагарина 12, второй день нет горячей воды, в УК не отвечают", "1", "vk"),
            post("На Гагарина 12 нет горячей воды уже второй день, когда дадут?", "2", "ok"),
            post("Ленина 40: во дворе не чистят снег, машины буксуют", "3", "telegram"),
        ]
    )
    assert sorted(incident.size for incident in result.incidents) == [1, 2]


def test_general_anger_is_no_incident() -> None:
    result = pipe().process([post("Достали уже все, воры и бездельники, ничего не меняется в этой стране")])
    assert result.incidents == ()
    assert result.posts[0].incident_id is None


def test_a_post_with_place_contact_and_problem_is_never_dropped() -> None:
    result = pipe().process([post("Мира 5, нет отопления, звоните +7 900 000-00-00")])
    assert result.posts[0].verdict.concreteness.entry_guaranteed
    assert result.incidents[0].size == 1


def test_private_data_stay_out_of_titles() -> None:
    result = pipe().process([post("Мира 5, нет отопления второй день, дети мерзнут. Звоните +7 900 000-00-00")])
    assert "900" not in result.incidents[0].title


def test_incidents_come_most_important_first() -> None:
    scores = [incident.priority.score for incident in whole().incidents]
    assert scores == sorted(scores, reverse=True)


def test_the_deadline_is_after_the_first_post() -> None:
    assert all(incident.deadline > incident.first_seen for incident in whole().incidents)


@settings(max_examples=6, deadline=None)
@given(st.data())
def test_any_order_and_any_batches_give_the_incidents_of_one_call(data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(rows()))))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(order)), max_size=4)))
    result = None
    for start, stop in zip([0, *cuts], [*cuts, len(order)], strict=True):
        batch = [rows()[i] for i in order[start:stop]]
        result = pipe().update(batch, None if result is None else result.state)
    assert result is not None
    assert answers(result) == answers(whole())


def test_day_by_day_through_a_saved_state_equals_all_at_once(tmp_path: Path) -> None:
    half = len(rows()) // 2
    first = pipe().process(list(rows()[:half]))
    first.state.save(tmp_path / "state")
    second = pipe().update(list(rows()[half:]), PipelineState.load(tmp_path / "state"))
    assert answers(second) == answers(whole())


def test_update_leaves_the_old_state_as_it_was() -> None:
    first = pipe().process(list(rows()[:50]))
    before = partition(first), set(first.state.held)
    pipe().update(list(rows()[50:]), first.state)
    assert (partition(first), set(first.state.held)) == before


def test_a_post_fed_twice_counts_once() -> None:
    again = pipe().update(list(rows()[:20]), whole().state)
    assert len(again.rejected) == 20
    assert {rejection.reason.split(":")[0] for rejection in again.rejected} == {"duplicate"}
    assert answers(again) == answers(whole())


@given(st.lists(st.lists(st.integers(0, 40), max_size=12), max_size=6))
@settings(deadline=None)
def test_a_state_knows_every_post_that_it_has_taken(batches: list[list[int]]) -> None:
    state = pipe().process([]).state
    known: set[int] = set()
    for batch in batches:
        numbers = sorted(set(batch))
        taken, seen = state.taken([incidentml.PostKey("vk", str(number)) for number in numbers])
        assert taken.tolist() == [number in known for number in numbers]
        known |= set(numbers)
        assert len(seen) == len(known)
        assert (np.diff(seen.astype(object)) > 0).all()
        state = replace(state, seen=seen)


def test_an_unrelated_post_changes_no_other_incident() -> None:
    extra = post("Ейск, на улице Коммунаров 3 упал столб, искрит", "x-1", at="2025-03-01T10:00:00+03:00")
    more = pipe().process([*rows(), extra | {"region": "Краснодарский край"}])
    assert answers(whole()).items() <= answers(more).items()


def test_loaded_pipeline_answers_as_the_saved_one(tmp_path: Path) -> None:
    pipe().save(tmp_path / "model")
    loaded = IncidentPipeline.load(tmp_path / "model")
    assert loaded.fingerprint == pipe().fingerprint
    result = loaded.process(list(rows()))
    assert list(result.lines("posts")) == list(whole().lines("posts"))
    assert answers(result) == answers(whole())


def test_own_embeddings_take_the_place_of_the_encoder() -> None:
    vectors = pipe().encoder.encode([row["text"] for row in rows()])
    assert answers(pipe().process(list(rows()), embeddings=vectors)) == answers(whole())


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.zeros((1, 3)), "one row for each of the 2 input rows"),
        (np.zeros(2), "one row for each of the 2 input rows"),
        (np.full((2, 3), np.nan), "row 0 holds NaN"),
    ],
)
def test_embeddings_that_do_not_fit_are_named(vectors: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        pipe().process([post("а"), post("б", "2")], embeddings=vectors)


def test_a_state_of_another_model_is_refused() -> None:
    state = whole().state
    other = PipelineState("another", state.clusters, state.held, state.incidents, state.seen)
    with pytest.raises(StateError, match="made by model another"):
        pipe().update([post("Нет воды")], other)


def test_an_exchanged_stage_changes_the_fingerprint() -> None:
    mine = incidentml.load()
    state = mine.process(rows()[:2]).state
    mine.policy = SlaPolicy.load("eight_hours")
    with pytest.raises(StateError, match="'eight_hours'"):
        mine.update([], state)


def test_a_state_folder_is_locked_while_in_use(tmp_path: Path) -> None:
    with (
        open_state_folder(tmp_path / "state") as state,
        pytest.raises(StateError, match="another process"),
        open_state_folder(tmp_path / "state"),
    ):
        pass
    assert state is None


def test_a_damaged_state_is_refused_and_left_alone(tmp_path: Path) -> None:
    whole().state.save(tmp_path / "state")
    (tmp_path / "state" / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(StateError, match="left as it is"), open_state_folder(tmp_path / "state"):
        pass
    assert (tmp_path / "state" / "manifest.json").read_text(encoding="utf-8") == "{"


def test_a_decision_shows_in_the_incidents_and_can_be_taken_back() -> None:
    largest = max(whole().incidents, key=lambda incident: incident.size)
    state = whole().state
    split = pipe().clusterer.split(state.clusters, largest.id, largest.post_keys[:1])
    after = pipe().update([], state.decided(split))
    keys = sorted(key for incident in after.incidents for key in incident.post_keys)
    assert keys == sorted(key for incident in whole().incidents for key in incident.post_keys)
    assert partition(after) == dict(split.incidents)
    undone = pipe().clusterer.undo(after.state.clusters, after.state.clusters.decisions[0])
    assert answers(pipe().update([], after.state.decided(undone))) == answers(whole())
    assert state.clusters.decisions == ()


def test_explanation_names_links_and_rules() -> None:
    incident = max(whole().incidents, key=lambda incident: incident.size)
    explanation = pipe().explain(incident.id, whole())
    text = str(explanation)
    assert all(key.id in text for key in incident.post_keys)
    assert "P=" in text
    assert set(explanation.reasons) == {"Кто отвечает", "Почему такой приоритет", "Срок"}
    points = [line for line in explanation.reasons["Почему такой приоритет"] if ": +" in line]
    assert len(points) == sum(value > 0 for value in incident.priority.parts.values())
    json.dumps(explanation.to_json(), allow_nan=False)


def test_an_unknown_incident_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="no open incident 'i0'"):
        pipe().explain("i0", whole())


def test_tables_have_the_columns_of_the_files() -> None:
    frame = whole().to_frame("incidents")
    assert list(frame.columns) == list(whole().incidents[0].to_json())
    assert len(whole().to_frame("posts")) == len(rows())
    with pytest.raises(ValueError, match="expected 'posts', 'incidents' or 'rejected'"):
        whole().to_frame("post")  # type: ignore[arg-type]


def test_tables_of_a_quiet_night_have_their_columns() -> None:
    quiet, busy = pipe().process([]), whole()
    assert list(quiet.to_frame("incidents").columns) == list(busy.incidents[0].to_json())
    assert list(quiet.to_frame("posts").columns) == list(busy.posts[0].to_json())
    assert list(quiet.to_frame("rejected").columns) == ["line", "id", "reason", "value"]


def test_arguments_of_a_wrong_kind_are_named() -> None:
    with pytest.raises(StateError, match=r"the state is a Result, expected `Result\.state`"):
        pipe().update([], whole())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="workers is 0, expected 1 or more"):
        pipe().process([], workers=0)
    with pytest.raises(DataError, match="embeddings: not an array of numbers"):
        pipe().process(rows()[:1], embeddings=[["a"]])


def test_post_objects_and_frames_read_as_the_same_posts() -> None:
    pandas = pytest.importorskip("pandas")
    some = list(rows()[:40])
    objects = [
        Post(**{**row, "published_at": datetime.fromisoformat(row["published_at"])})  # type: ignore[arg-type]
        for row in some
    ]
    expected = answers(pipe().process(some))
    assert answers(pipe().process(objects)) == expected
    assert answers(pipe().process(pandas.DataFrame(some))) == expected


def test_progress_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[tuple[str, int, int]] = []
    pipe().process(list(rows()[:10]), progress=lambda *args: told.append(args))
    assert ("reading", 10, 10) in told
    assert capsys.readouterr() == ("", "")


def test_drift_is_told_by_a_monitor_that_is_saved_with_the_model(tmp_path: Path) -> None:
    plain = pipe()
    width = len(plain.complaints.scale_) - 1  # but whether there is a page
    noise = np.random.RandomState(0).normal(3.0, size=(40, width))
    monitor = DriftMonitor(min_posts=20).fit(noise, groups=["a", "b"] * 20)
    stages = (plain.encoder, plain.places, plain.complaints, plain.clusterer, plain.router, plain.priority)
    watched = IncidentPipeline(*stages, drift=monitor)
    told = watched.process(list(rows())[:30]).drift
    assert told is not None
    assert told.retrain
    assert told.posts == 30
    assert not [name for name, _ in told.shifts if re.search("[a-z]", name)], "a person reads these names"
    turned = watched.process(list(rows())[29::-1]).drift
    assert turned == told
    assert IncidentPipeline.load(watched.save(tmp_path / "model")).process(list(rows())[:30]).drift == told
    assert watched.process(list(rows())[:5]).drift.retrain is False  # type: ignore[union-attr]
    assert IncidentPipeline(*stages).process(list(rows())[:5]).drift is None
    assert IncidentPipeline(*stages).fingerprint != watched.fingerprint
