import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from incidentml.deadlines import SlaPolicy
from incidentml.errors import DataError
from incidentml.types import Priority, Scale, Urgency


def at(text, zone="Europe/Moscow"):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def danger(urgency=Urgency.DANGER):
    return Priority(1.0, {"danger": 1.0}, urgency, Scale.STREET)


def test_the_default_is_a_day_and_four_hours_for_danger_and_fast_track():
    policy = SlaPolicy.load()
    start = at("2024-02-03T08:00")
    assert policy.deadline(start) == start + timedelta(hours=24)
    assert policy.deadline(start, fast_track=True) == start + timedelta(hours=4)
    assert policy.deadline(start, priority=danger()) == start + timedelta(hours=4)
    assert policy.deadline(start, priority=danger(Urgency.SERIOUS)) == start + timedelta(hours=24)


def test_the_deadline_is_told_in_local_time():
    start = datetime(2024, 2, 3, 8, tzinfo=UTC)
    assert SlaPolicy.load().deadline(start, region="Приморский край").isoformat() == "2024-02-04T18:00:00+10:00"
    assert SlaPolicy.load().deadline(start, region="нет такого").utcoffset() == timedelta(0)


def test_every_shipped_policy_gives_a_later_moment():
    start = at("2024-01-01T00:30", "Asia/Kamchatka")
    for name in SlaPolicy.names():
        policy = SlaPolicy.load(name)
        assert policy.deadline(start) > start, name
        assert policy.full_answer(start, topic="Вакцинация") > start, name
        assert policy.forward_by(start) > start, name


def test_nine_working_hours_or_a_day_whichever_comes_first():
    policy = SlaPolicy.load("earliest")
    assert policy.deadline(at("2024-02-05T03:00")) == at("2024-02-05T18:00")
    assert policy.deadline(at("2024-02-02T20:00")) == at("2024-02-03T20:00")


def test_the_clock_start_is_explicit():
    policy = SlaPolicy.load("sevastopol_2020")
    moment = at("2024-02-05T10:00")
    assert policy.start(published=moment - timedelta(days=1), assigned=moment) == moment
    with pytest.raises(DataError, match="'assigned'"):
        policy.start(published=moment)


def test_the_full_answer_takes_the_term_of_the_topic():
    start = at("2024-02-05T10:00")
    policy = SlaPolicy.load("pos")
    assert policy.full_answer(start, topic="★ Открытые канализационные люки") == start + timedelta(days=5)
    assert policy.full_answer(start, topic="Ремонт/строительство мостов") == start + timedelta(days=30)
    assert policy.full_answer(start, topic="нет такой") == start + timedelta(days=30)


def test_one_interim_reply_then_seven_working_days():
    policy = SlaPolicy.load()
    assert policy.after_interim_reply(at("2024-02-05T10:00")) == at("2024-02-14T18:00")
    with pytest.raises(DataError, match="allows 1"):
        policy.after_interim_reply(at("2024-02-05T10:00"), given=2)


@pytest.mark.parametrize(("grade", "back"), [(1, True), (2, True), (3, False), (5, False), (None, False)])
def test_low_grades_reopen(grade, back):
    assert SlaPolicy.load().reopens(grade) is back


def test_a_repeat_reopens_and_a_wrong_grade_is_refused():
    assert SlaPolicy.load().reopens(repeated=True)
    with pytest.raises(DataError, match="1 to 5"):
        SlaPolicy.load().reopens(0)


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(DataError, match="no time zone"):
        SlaPolicy.load().deadline(datetime(2024, 1, 1))


def test_a_zone_that_does_not_exist_is_refused():
    with pytest.raises(DataError, match="Mars/Olympus"):
        SlaPolicy.load().deadline(at("2024-01-01T00:00"), zone="Mars/Olympus")


def test_an_unknown_policy_lists_the_known():
    with pytest.raises(DataError, match="default"):
        SlaPolicy.load("завтра")


GOOD = {
    "title": "своя", "clock_start": "detected", "reply": {"amount": 2, "unit": "hours"},
    "forward": {"amount": 10, "unit": "minutes"}, "after_interim": {"amount": 3, "unit": "days"},
}  # fmt: skip


def test_a_users_policy_is_read(tmp_path):
    path = tmp_path / "sla.json"
    path.write_text(json.dumps({"own": GOOD}), encoding="utf-8")
    policy = SlaPolicy.from_json(path)
    assert policy.name == "own"
    assert policy.deadline(at("2024-01-01T00:00")) == at("2024-01-01T02:00")


BAD = [
    ({"reply": {"amount": -4, "unit": "hours"}}, "above 0"),
    ({"reply": {"amount": 4, "unit": "fortnights"}}, "fortnights"),
    ({"reply": None}, "'reply' is missing"),
    ({"clock_start": "someday"}, "someday"),
    ({"full_min_days": 40}, "minimum <= maximum"),
    ({"interim_allowed": -1}, "interim_allowed"),
    ({"day_start": "19:00"}, "office hours"),
    ({"day_start": "9 o'clock"}, "Invalid isoformat"),
    ({"unheard_of": 1}, "no field 'unheard_of'; there are name, title"),
    ({"title": None}, "'title' is missing"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_a_bad_policy_names_the_field(tmp_path, change, message):
    path = tmp_path / "sla.json"
    path.write_text(json.dumps({"own": GOOD | change}), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        SlaPolicy.from_json(path)
